"""Whatever bytes a publisher sends: rows, or a declared error; and no row that nobody sent.

Every source is run on the sandbox's answers, of which one is altered: bytes are flipped, cut off
and repeated; fields are dropped, renamed, retyped, reordered, scaled; values become null, NaN,
infinite, empty or deeply nested. XML elements are treated alike.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.answers import Answer
from liquidity_pipeline.sources.errors import PublisherError
from liquidity_pipeline.sources.fetch import Collected, Fetch, Window
from liquidity_pipeline.sources.http import HttpClient
from liquidity_pipeline.sources.publishers import Form, Params
from liquidity_pipeline.sources.registry import SOURCES, Source
from liquidity_pipeline.universe import Universe

NOW = datetime.fromisoformat("2026-02-07 03:00")
WINDOW = Window(date(2025, 12, 1), date(2026, 2, 28))
Key = tuple[str, str, str]


def key(publisher: str, path: str, params: Params | None) -> Key:
    return publisher, path, json.dumps(dict(params or {}), sort_keys=True)


@dataclass
class Recorded:
    """A transport that gives recorded answers, of which one may be altered."""

    answers: Mapping[Key, Answer]
    altered: Key | None = None
    body: bytes = b""

    def get(
        self, publisher: str, path: str, params: Params | None = None, *, form: Form = "json"
    ) -> Answer:
        asked = key(publisher, path, params)
        answer = self.answers[asked]
        return replace(answer, body=self.body) if asked == self.altered else answer


@dataclass
class Recording:
    """A source with the sandbox's answers and what they give."""

    source: Source
    answers: dict[Key, Answer]
    rows: dict[str, set[tuple[Any, ...]]]
    universe: Universe

    def collect(self, transport: Any) -> dict[str, set[tuple[Any, ...]]]:
        fetch = Fetch(WINDOW, NOW, self.universe, transport)
        return keys(self.source, self.source.collect(fetch))


def keys(source: Source, collected: Collected) -> dict[str, set[tuple[Any, ...]]]:
    return {
        table.name: {
            tuple(row[name] for name in table.key)
            for row in collected[table.name].select(list(table.key)).to_pylist()
        }
        for table in source.tables
    }


@pytest.fixture(scope="module")
def record(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Recording]:
    client = HttpClient(
        Settings(tmp_path_factory.mktemp("data"), endpoints=sandbox, http_retries=0)
    )
    universe = Universe.load(Settings(Path()).reference_dir)
    done: dict[str, Recording] = {}

    def make(name: str) -> Recording:
        if name not in done:
            fetch = Fetch(WINDOW, NOW, universe, client)
            rows = keys(SOURCES[name], SOURCES[name].collect(fetch))
            answers = {key(a.publisher, a.path, params): a for _, params, a in fetch.answers}
            done[name] = Recording(SOURCES[name], answers, rows, universe)
        return done[name]

    return make


JUNK: list[Any] = [
    None,
    "",
    "null",
    "NaN",
    "Infinity",
    "-1e999",
    "n/a",
    "\x00",
    "\ud800",
    "'; drop table sources.tga_balance; --",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    True,
    -1,
    0,
    1e300,
    10**400,
    [],
    {},
    [[[[[[None]]]]]],
    {"a": {"b": [{}]}},
]


def nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the paths of a few nodes on every level; long lists by their ends and middle."""
    yield path
    if isinstance(value, dict):
        for name in value:
            yield from nodes(value[name], (*path, name))
    elif isinstance(value, list) and value:
        for place in {0, len(value) // 2, len(value) - 1}:
            yield from nodes(value[place], (*path, place))


def alter_json(payload: Any, draw: Callable[[st.SearchStrategy[Any]], Any]) -> Any:
    """Return the payload with one node changed."""
    changed = copy.deepcopy(payload)
    path = draw(st.sampled_from(list(nodes(payload))))
    if not path:
        return draw(st.sampled_from(JUNK))
    parent = changed
    for step in path[:-1]:
        parent = parent[step]
    last = path[-1]
    value = parent[last]
    kind = draw(st.sampled_from(["junk", "drop", "rename", "retype", "scale", "repeat", "reorder"]))
    if kind == "drop":
        del parent[last]
    elif kind == "rename" and isinstance(parent, dict):
        parent[f"{last}_new"] = parent.pop(last)
    elif kind == "retype":
        parent[last] = str(value) if not isinstance(value, str) else [value]
    elif kind == "scale" and isinstance(value, int | float):
        parent[last] = value * 1000
    elif kind == "repeat" and isinstance(parent, list):
        parent.insert(last, copy.deepcopy(value))
    elif kind == "reorder" and isinstance(value, list):
        value.reverse()
    else:
        parent[last] = draw(st.sampled_from(JUNK))
    return changed


def alter_bytes(body: bytes, draw: Callable[[st.SearchStrategy[Any]], Any]) -> bytes:
    """Return the body with a few bytes flipped, cut off, repeated or replaced by others."""
    kind = draw(st.sampled_from(["flip", "cut", "repeat", "noise", "insert", "nothing"]))
    place = draw(st.integers(0, max(len(body) - 1, 0)))
    if kind == "flip":
        return body[:place] + bytes([body[place] ^ draw(st.integers(1, 255))]) + body[place + 1 :]
    if kind == "cut":
        return body[:place]
    if kind == "repeat":
        return body + body[place:]
    if kind == "insert":
        return body[:place] + draw(st.binary(min_size=1, max_size=8)) + body[place:]
    return draw(st.binary(max_size=200)) if kind == "noise" else b""


def alter_lines(body: bytes, draw: Callable[[st.SearchStrategy[Any]], Any]) -> bytes:
    """Return a CSV file with a line or a column changed."""
    lines = [line.split(b",") for line in body.splitlines()]
    place = draw(st.integers(0, len(lines) - 1))
    kind = draw(st.sampled_from(["drop", "swap", "repeat", "junk", "column"]))
    if kind == "drop":
        del lines[place]
    elif kind == "swap":
        lines[place].reverse()
    elif kind == "repeat":
        lines.insert(place, list(lines[place]))
    elif kind == "column":
        lines = [line[:-1] for line in lines]
    else:
        junk = str(draw(st.sampled_from(JUNK))).encode("utf-8", "replace")
        lines[place][draw(st.integers(0, len(lines[place]) - 1))] = junk
    return b"\n".join(b",".join(line) for line in lines) + b"\n"


def alter_xml(body: bytes, draw: Callable[[st.SearchStrategy[Any]], Any]) -> bytes:
    """Return an XML document with one element changed."""
    root = ElementTree.fromstring(body)  # noqa: S314 - our own sandbox wrote it
    parents = [element for element in root.iter() if len(element)]
    parent = draw(st.sampled_from([root, *parents]))
    element = parent[draw(st.integers(0, len(parent) - 1))]
    kind = draw(st.sampled_from(["drop", "rename", "junk", "repeat", "nest", "empty"]))
    if kind == "drop":
        parent.remove(element)
    elif kind == "rename":
        element.tag += "New"
    elif kind == "repeat":
        parent.append(copy.deepcopy(element))
    elif kind == "nest":
        element.append(copy.deepcopy(root))
    else:
        junk = str(draw(st.sampled_from(JUNK))) if kind == "junk" else ""
        element.text = "".join(c for c in junk if c.isprintable())
    return ElementTree.tostring(root, "utf-8")


def altered(answer: Answer, draw: Callable[[st.SearchStrategy[Any]], Any]) -> bytes:
    if draw(st.booleans()):
        return alter_bytes(answer.body, draw)
    if answer.body.lstrip().startswith(b"<"):
        return alter_xml(answer.body, draw)
    if not answer.body.lstrip().startswith((b"{", b"[")):
        return alter_lines(answer.body, draw)
    changed = alter_json(json.loads(answer.body), draw)
    return json.dumps(changed).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("name", SOURCES)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_any_answer_gives_rows_or_the_declared_error(
    record: Callable[[str], Recording], name: str, data: st.DataObject
):
    recording = record(name)
    which = data.draw(st.sampled_from(sorted(recording.answers)))
    body = altered(recording.answers[which], data.draw)
    failure = None
    try:
        recording.collect(Recorded(recording.answers, which, body))
    except PublisherError as error:  # any other exception is the failure of this test
        failure = error
    assert failure is None or (failure.problem and failure.publisher and failure.url)


@pytest.mark.parametrize("name", SOURCES)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_what_is_taken_away_invents_no_row(
    record: Callable[[str], Recording], name: str, data: st.DataObject
):
    recording = record(name)
    which = data.draw(st.sampled_from(sorted(recording.answers)))
    answer = recording.answers[which]
    if answer.body.lstrip().startswith((b"{", b"[")):
        payload = json.loads(answer.body)
        path = data.draw(st.sampled_from([p for p in nodes(payload) if p]))
        parent = payload
        for step in path[:-1]:
            parent = parent[step]
        if data.draw(st.booleans()):
            del parent[path[-1]]
        else:
            parent[path[-1]] = data.draw(st.sampled_from([None, "NaN", [], {}, "\x00"]))
        body = json.dumps(payload).encode()
    else:
        lines = answer.body.splitlines()
        del lines[data.draw(st.integers(0, len(lines) - 1))]
        body = b"\n".join(lines) + b"\n"
    try:
        found = recording.collect(Recorded(recording.answers, which, body))
    except PublisherError:
        return
    for table, rows in found.items():
        # Without its CUSIP an announcement is named by class and term; a security has no second.
        if table in {"upcoming_settlements"}:
            assert len(rows) <= len(recording.rows[table]) + 1
        else:
            invented = rows - recording.rows[table]
            assert not invented or is_another_providers(table, invented, recording)


def is_another_providers(table: str, rows: set[tuple[Any, ...]], recording: Recording) -> bool:
    """Tell whether rows are disagreements, or of days that only the first provider lacked."""
    return table.endswith("disagreements") and all(
        row in recording.rows[recording.source.tables[0].name] for row in rows
    )


def test_one_odd_symbol_costs_no_other(record: Callable[[str], Recording]):
    recording = record("index_prices")
    (which,) = [asked for asked in recording.answers if asked[1].endswith("/TLT")]
    every = recording.rows["index_prices"]
    others = {row for row in every if "TLT" not in row}
    for junk in JUNK:
        body = json.dumps({"chart": {"result": [junk], "error": junk}}).encode()
        found = recording.collect(Recorded(recording.answers, which, body))["index_prices"]
        assert others <= found
