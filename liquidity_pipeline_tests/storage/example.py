"""Two small tables and a source that fills them, for the tests of what is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from liquidity_pipeline.calendars import Release
from liquidity_pipeline.contracts.table import KNOWN_AT, Table, day, number, text
from liquidity_pipeline.sources.fetch import Collected, Fetch
from liquidity_pipeline.sources.registry import Source

KNOWN = datetime.fromisoformat("2026-03-02 13:00")
SEEN = datetime.fromisoformat("2026-03-02 14:00")
JANUARY, FEBRUARY, MARCH = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)

# A daily series, as most sources are: rows that are not sent again are kept.
LEVELS = Table(
    "sources",
    "example_levels",
    "Levels.",
    key=("date", "name"),
    day="date",
    entity="name",
    releases={"a": Release("fed", lag=1)},
    keep_vanished=True,
    fullness="low_usd_mn",
    columns=(
        day("date", "Day"),
        text("name", "Which"),
        number("level_usd_mn", "Level", nullable=False, low=0),
        number("low_usd_mn", "Lowest of the day, from the better provider only"),
        text("note", "In words", nullable=True),
        KNOWN_AT,
    ),
)

# Events, due on no day: an answer replaces the month.
EVENTS = Table(
    "sources",
    "example_events",
    "Events.",
    key=("event_id",),
    day="date",
    columns=(
        text("event_id", "Identifier"),
        day("date", "Day"),
        number("amount_usd_mn", "Amount", low=0),
        number("volume", "Touched up for weeks", unit="coins"),
        KNOWN_AT,
    ),
)


def levels(*rows: tuple[Any, ...]) -> pa.Table:
    """Return rows of LEVELS from (day, name, level[, low[, note]])."""
    full = [row + (None,) * (5 - len(row)) for row in rows]
    names = ("date", "name", "level_usd_mn", "low_usd_mn", "note")
    return _table(LEVELS, [dict(zip(names, row, strict=True)) for row in full])


def events(*rows: tuple[Any, ...]) -> pa.Table:
    """Return rows of EVENTS from (id, day, amount[, volume])."""
    full = [row + (None,) * (4 - len(row)) for row in rows]
    names = ("event_id", "date", "amount_usd_mn", "volume")
    return _table(EVENTS, [dict(zip(names, row, strict=True)) for row in full])


def _table(table: Table, rows: list[dict[str, Any]]) -> pa.Table:
    for row in rows:
        if isinstance(row["date"], str):
            row["date"] = date.fromisoformat(row["date"])
    return pa.Table.from_pylist([row | {"known_at": KNOWN} for row in rows], table.arrow_schema)


@dataclass(frozen=True)
class ExampleSource(Source):
    """Asks `nyfed/example` once; the answer holds the rows of both tables."""

    def collect(self, fetch: Fetch) -> Collected:
        span = {"start": f"{fetch.window.start}", "end": f"{fetch.window.end}"}
        body = fetch.get("nyfed", "/example", span).json()
        return {
            "example_levels": levels(*map(tuple, body["levels"])),
            "example_events": events(*map(tuple, body["events"])),
        }


EXAMPLE = ExampleSource((LEVELS, EVENTS), ("nyfed",), "none:none")
