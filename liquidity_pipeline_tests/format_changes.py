"""What a publisher may do to a field of an answer: see `campaign_formats`."""

from __future__ import annotations

import copy
import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

NEW_LABEL = "Something Nobody Has Seen"
Change = Callable[[Any], Any]


def scaled(factor: float) -> Change:
    """Return what multiplies a number, or a text that is one, and leaves all else as it is."""

    def change(value: Any) -> Any:
        if isinstance(value, bool) or value is None or isinstance(value, dict | list):
            return value
        if isinstance(value, int | float):
            return value * factor
        text = str(value)
        if not re.fullmatch(r"-?[\d,]*\.?\d+", text):
            return value
        return f"{float(text.replace(',', '')) * factor:.8f}".rstrip("0").rstrip(".")

    return change


def other_type(value: Any) -> Any:
    """Return a value in another JSON type; a text stays one but is no number and no day."""
    return [value] if isinstance(value, str) else {"value": value}


def is_code(name: str) -> bool:
    """Tell whether a field holds codes made of digits, which no unit applies to."""
    return bool(re.search(r"cusip|_nbr|(?i:id)$|src_line|[dD]ate|timestamp|[yY]ear|[tT]ime", name))


def new_label(value: Any) -> Any:
    """Replace a word by one that nobody has seen; numbers and days are no labels."""
    is_word = isinstance(value, str) and value != "null" and not re.search(r"\d", value)
    return NEW_LABEL if is_word else value


VALUES: dict[str, Change] = {
    "retype": other_type,
    "label": new_label,
    "units x 1000": scaled(1000),
    "units / 1000": scaled(0.001),
}
KINDS = ("drop", "rename", "reorder", *VALUES)


def fields_of(payload: Any, above: str = "") -> Iterator[str]:
    """Yield the names of all fields of a JSON payload, with those above them."""
    if isinstance(payload, dict):
        for name, value in payload.items():
            yield f"{above}/{name}"
            yield from fields_of(value, f"{above}/{name}")
    elif isinstance(payload, list):
        if payload and all(isinstance(item, list) for item in payload):
            yield from (f"{above}[{place}]" for place in range(len(payload[0])))
        for item in payload[:3] if len(payload) < 50 else payload[:: max(1, len(payload) // 25)]:
            if isinstance(item, dict):
                yield from fields_of(item, above)


def changed_json(payload: Any, name: str, kind: str, above: str = "") -> Any:
    """Return the payload with one field changed wherever it occurs."""
    if isinstance(payload, list):
        place = re.fullmatch(re.escape(above) + r"\[(\d+)\]", name)
        if place and payload and all(isinstance(item, list) for item in payload):
            return [changed_row(item, int(place[1]), kind) for item in payload]
        return [changed_json(item, name, kind, above) for item in payload]
    if not isinstance(payload, dict):
        return payload
    out = {}
    for key, value in payload.items():
        path = f"{above}/{key}"
        if path != name:
            out[key] = changed_json(value, name, kind, path)
        elif kind == "rename":
            out[f"{key}_new"] = value
        elif kind in VALUES:
            change = VALUES[kind]
            scalars = isinstance(value, list) and not any(
                isinstance(item, dict | list) for item in value
            )
            out[key] = [change(item) for item in value] if scalars else change(value)
        elif kind == "reorder":
            out[key] = value
    if kind == "reorder" and f"{above}/" == name.rpartition("/")[0] + "/":
        return dict(reversed(out.items()))
    return out


def changed_row(row: list[Any], place: int, kind: str) -> list[Any]:
    """Return a row of columns without names with one of them changed."""
    row = list(row)
    if kind == "drop":
        del row[place]
    elif kind == "rename":
        row.insert(place, None)
    elif kind == "reorder":
        row.insert(0, row.pop(place))
    else:
        row[place] = VALUES[kind](row[place])
    return row


def changed_csv(body: bytes, name: str, kind: str) -> bytes:
    """Return a CSV file with one column changed; `name` is its head."""
    lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    place = lines[0].index(name)
    out = io.StringIO()
    for number, line in enumerate(lines):
        cells = list(line)
        if len(cells) > place:
            if kind == "drop":
                del cells[place]
            elif kind == "reorder":
                cells.insert(0 if place else len(cells) - 1, cells.pop(place))
            elif number == 0:
                cells[place] += "_NEW" if kind == "rename" else ""
            elif kind == "retype":
                cells[place] = f"<{cells[place]}>"
            elif kind in VALUES:
                cells[place] = VALUES[kind](cells[place])
        csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue().encode()


def changed_xml(body: bytes, name: str, kind: str) -> bytes:
    """Return an XML document with one element changed wherever it occurs."""
    whole = re.compile(rf"<{name}>(.*?)</{name}>", re.DOTALL)

    def change(found: re.Match[str]) -> str:
        if kind == "drop":
            return ""
        if kind == "rename":
            return f"<{name}New>{found[1]}</{name}New>"
        if "<" in found[1] or kind == "reorder":
            return found[0]
        value = f"<b>{found[1]}</b>" if kind == "retype" else VALUES[kind](found[1])
        return f"<{name}>{value}</{name}>"

    return whole.sub(change, body.decode()).encode()


def names_in(body: bytes) -> list[str]:
    """Return the fields of a body; none for one that is not text (a spreadsheet)."""
    start = body.lstrip()[:1]
    if start in (b"{", b"["):
        return sorted(set(fields_of(json.loads(body))))
    if start == b"<":
        return sorted(set(re.findall(r"<(\w+)>", body.decode())))
    try:
        return list(dict.fromkeys(body.decode("utf-8-sig").splitlines()[0].split(",")))
    except UnicodeDecodeError:
        return []


def changed(body: bytes, name: str, kind: str) -> bytes:
    """Return a body with one field changed."""
    start = body.lstrip()[:1]
    if start in (b"{", b"["):
        return json.dumps(changed_json(copy.deepcopy(json.loads(body)), name, kind)).encode()
    return changed_xml(body, name, kind) if start == b"<" else changed_csv(body, name, kind)
