"""Damaged answers: real or realistic bodies with something wrong, for property tests of parsers."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from liquidity_pipeline.contracts.validation import ContractBreach
from liquidity_pipeline.sources.answers import Answer
from liquidity_pipeline.sources.errors import PublisherError
from liquidity_pipeline.sources.fetch import Fetch
from liquidity_pipeline.sources.publishers import Form, Params

# What a cell can turn into: other types, other spellings, other magnitudes, and what is no text.
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(
        ["null", "NA", "", "nan", "inf", "1e400", "-1", "0", "9999-12-31", "0001-01-01",
         "2026-02-30", "12:61 PM", "\ud800", "Bills", "1,000", "2000000000.00", " "]
    ),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every container member of a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, key))


@st.composite
def damaged(draw: st.DrawFn, body: Any) -> bytes:
    """Return the bytes of a body after up to three of its members were changed, lost or doubled."""
    changed = copy.deepcopy(body)
    for _ in range(draw(st.integers(1, 3))):
        known = list(places(changed))
        if not known:
            break
        *path, last = draw(st.sampled_from(known))
        parent = changed
        for key in path:
            parent = parent[key]
        what = draw(st.sampled_from(["change", "lose", "double"]))
        if what == "change":
            parent[last] = draw(ODD)
        elif what == "lose":
            del parent[last]
        elif isinstance(parent, list):
            parent.append(parent[last])
    text = json.dumps(changed)
    if draw(st.booleans()):
        return text.encode()
    start = draw(st.integers(0, len(text)))
    return (text[:start] + draw(st.text(max_size=5)) + text[start + 1 :]).encode("utf-8", "replace")


class Bytes:
    """A transport that answers everything with one body, after the client's own first look."""

    def __init__(self, body: bytes, status: int = 200) -> None:
        self.body, self.status = body, status

    def get(
        self, publisher: str, path: str, params: Params | None = None, *, form: Form = "json"
    ) -> Answer:
        del params, form
        url = f"http://test/{publisher}{path}"
        fetched = datetime.fromisoformat("2026-02-07 03:00")
        return Answer(publisher, path, url, self.status, {}, self.body, fetched)


def is_json(body: bytes) -> bool:
    """Tell whether the client would let a body pass as JSON."""
    try:
        json.loads(body)
    except ValueError:
        return False
    return not body.lstrip().startswith(b"<")


def outcome(collect: Callable[[Fetch], Any], fetch: Fetch) -> str:
    """Run a collector: `rows` or the name of a declared failure; any other error is raised."""
    try:
        collect(fetch)
    except (PublisherError, ContractBreach) as error:
        return type(error).__name__
    return "rows"
