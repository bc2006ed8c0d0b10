"""SQL by name, from the folders `queries/` of marts in Python, of the brief and of the terminal.

A file holds named statements, each after a line `-- name: …`. In a statement `:word` is a value,
`{word}` a column and `{@word}` another statement: the one that the value `word` names, or else the
one of that name. Values are written into the text as literals, so that the text that was run is the
text that a reader can run again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path

from liquidity_pipeline.storage.literals import quoted

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_PIECE = re.compile(r"\{(@?)(\w+)\}")
_VALUE = re.compile(r"(?<!:):([a-z]\w*)")
_TABLE = re.compile(r"\b(?:sources|marts|meta)\.[a-z]\w*")


@cache
def statements(folder: Path) -> Mapping[str, str]:
    """Return every statement of a folder by name; raise ValueError where two share one."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.sql")):
        _, *parts = _NAME.split(path.read_text(encoding="utf-8"))
        for name, text in zip(parts[::2], parts[1::2], strict=True):
            if name in found:
                raise ValueError(f"{path.name}: there is already a statement '{name}'")
            lines = (line for line in text.splitlines() if not line.lstrip().startswith("--"))
            found[name] = " ".join(" ".join(lines).split())
    return found


def query(name: str, folder: Path, /, **values: object) -> str:
    """Return a statement of a folder with its values in place.

    Raises KeyError for an unknown statement or a value that was not given.
    """

    def piece(match: re.Match[str]) -> str:
        if match[1]:
            return statements(folder)[str(values.get(match[2], match[2]))]
        return str(values[match[2]])

    text = _PIECE.sub(piece, statements(folder)[name])
    return _VALUE.sub(lambda match: literal(values[match[1]]), text)


def literal(value: object) -> str:
    """Return a value as SQL writes it; only a day may be None.

    Raises TypeError for what no statement is asked with.
    """
    if value is None:
        return "null::date"
    if isinstance(value, datetime):
        return f"timestamp '{value:%Y-%m-%d %H:%M:%S.%f}'"
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, int | float):
        return repr(value)
    raise TypeError(f"no SQL literal for {type(value).__name__}")


def tables(sql: str) -> list[str]:
    """Return the published tables that a statement reads, in the order of their first mention."""
    return list(dict.fromkeys(_TABLE.findall(sql)))
