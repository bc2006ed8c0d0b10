"""The New York Fed's Reserve Demand Elasticity: how the federal funds rate answers to reserves.

One file with daily estimates, replaced whole once a month: each time all days are estimated again.
Its name says workbook, but it is served as CSV. The words of its header are known, their exact
spelling and order are not: columns are found by the words.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from liquidity_pipeline.calendars import RESERVE_DEMAND
from liquidity_pipeline.contracts.sources.federal_reserve import RESERVE_DEMAND_ELASTICITY
from liquidity_pipeline.sources.answers import Answer
from liquidity_pipeline.sources.boundary import Name, declared, nobody, report
from liquidity_pipeline.sources.csv_rows import Layout, read
from liquidity_pipeline.sources.errors import (
    EmptyAnswerError,
    NotServedError,
    UnexpectedPayloadError,
)
from liquidity_pipeline.sources.fetch import Collected, Fetch

if TYPE_CHECKING:
    import pyarrow as pa

PUBLISHER = "nyfed_research"
PATH = "/medialibrary/Research/Interactives/Data/elasticity/elasticity-data.xlsx"

# The word by which the heading of each column is told.
_WORDS = {
    "date": "date",
    "p97_5_bp": "97.5th",
    "p2_5_bp": "2.5th",
    "p16_bp": "16th",
    "p50_bp": "50th",
    "p84_bp": "84th",
}
_ASCENDING = ("p2_5_bp", "p16_bp", "p50_bp", "p84_bp", "p97_5_bp")
# Lines of notes may precede the header.
_HEADER_WITHIN = 10
_DAY_FORMATS = ("%Y-%m-%d", "%m/%d/%Y", "%Y-%m-%d %H:%M:%S")


def collect_reserve_demand(fetch: Fetch) -> Collected:
    """Return `reserve_demand_elasticity`: all days of the newest file, as that file states them.

    A day is known since the first file that reached it, and no later than it was fetched. A file
    that is not there is a named gap. Raises UnexpectedPayloadError for another document, a real
    workbook included, and EmptyAnswerError for a file without estimates.
    """
    import pyarrow as pa

    try:
        answer = fetch.get(PUBLISHER, PATH, form="csv")
    except NotServedError as error:
        fetch.gap(f"reserve_demand_elasticity: {error.problem}")
        empty = RESERVE_DEMAND_ELASTICITY.arrow_schema.empty_table()
        return {RESERVE_DEMAND_ELASTICITY.name: empty}
    name = fetch.left_out("reserve_demand_elasticity")
    rows = _not_ahead(parse(answer.body, answer.url, name), answer, name)
    if not rows.num_rows:
        raise EmptyAnswerError("a file without estimates", publisher=PUBLISHER, url=answer.url)
    published = RESERVE_DEMAND.known_at(rows["date"].to_pylist())
    known = [min(at, answer.fetched_at) for at in published]
    rows = rows.append_column("known_at", pa.array(known, pa.timestamp("us")))
    return {RESERVE_DEMAND_ELASTICITY.name: rows}


@declared("a file of percentiles by day", publisher=PUBLISHER)
def parse(body: bytes, url: str = "", name: Name = nobody) -> pa.Table:
    """Return every day that has a median: `date` and the percentiles, basis points, ascending.

    A few lines that cannot be read, or whose percentiles do not ascend, are left out and named.
    Raises UnexpectedPayloadError for a header that lacks a column, and for a workbook.
    """
    import pyarrow.compute as pc

    if body.startswith(b"PK"):
        raise _error("expected CSV, got a workbook (its first bytes are PK)", url)
    lines = [cells for cells in csv.reader(body.decode("utf-8-sig").splitlines()) if any(cells)]
    header, places = _columns(lines, url)
    found = [[cells[i] for i in places if i < len(cells)] for cells in lines[header + 1 :]]
    text = "\n".join(",".join(cell.strip() for cell in cells) for cells in found)
    layout = Layout(tuple(_WORDS), _day_format(found), "a day and five percentiles", PUBLISHER)
    rows = read(text.encode(), layout, url, name)
    return _ascending(rows.filter(pc.is_valid(rows["p50_bp"])), url, name).select(
        ["date", *_ASCENDING]
    )


def _error(problem: str, url: str) -> UnexpectedPayloadError:
    return UnexpectedPayloadError(problem, publisher=PUBLISHER, url=url)


def _columns(lines: Sequence[Sequence[str]], url: str) -> tuple[int, list[int]]:
    """Return which line is the header, and where in it the columns are, in the order of _WORDS."""
    for number, cells in enumerate(lines[:_HEADER_WITHIN]):
        headings = [" ".join(cell.casefold().split()) for cell in cells]
        places = [list(_places(word, headings)) for word in _WORDS.values()]
        if all(len(found) == 1 for found in places):
            return number, [found[0] for found in places]
    first = ",".join(lines[0])[:200] if lines else ""
    raise _error(
        f"expected a header with one column each for {', '.join(_WORDS.values())}, got '{first}'",
        url,
    )


def _places(word: str, headings: Sequence[str]) -> Iterator[int]:
    """Yield the places of the headings that have a word, not as the end of a longer one."""
    found = re.compile(rf"(?<![a-z0-9.]){re.escape(word)}")
    yield from (place for place, heading in enumerate(headings) if found.search(heading))


def _day_format(found: Sequence[Sequence[str]]) -> str:
    """Return the format in which the first line writes its day."""
    for day_format in _DAY_FORMATS:
        try:
            datetime.strptime(found[0][0].strip(), day_format)  # noqa: DTZ007 - a day has no zone
        except (ValueError, IndexError):
            continue
        return day_format
    return _DAY_FORMATS[0]


def _not_ahead(rows: pa.Table, answer: Answer, name: Name) -> pa.Table:
    """Leave out and name days that had not come when the file was fetched."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ahead = pc.greater(rows["date"], pa.scalar(answer.fetched_at.date(), pa.date32()))
    errors = [
        _error(f"an estimate of {day}, which has not come", answer.url)
        for day in rows["date"].filter(ahead).to_pylist()
    ]
    report(errors, rows.num_rows, name)
    return rows.filter(pc.invert(ahead))


def _ascending(rows: pa.Table, url: str, name: Name) -> pa.Table:
    """Leave out and name the days whose percentiles do not ascend: columns were exchanged."""
    import pyarrow.compute as pc

    odd = pc.is_null(rows["date"])
    for lower, upper in pairwise(_ASCENDING):
        odd = pc.or_(odd, pc.fill_null(pc.greater(rows[lower], rows[upper]), False))
    errors = [
        _error(f"the percentiles of {row['date']} do not ascend", url)
        for row in rows.filter(odd).to_pylist()
    ]
    report(errors, rows.num_rows, name)
    return rows.filter(pc.invert(odd))
