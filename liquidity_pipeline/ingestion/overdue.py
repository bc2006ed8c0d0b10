"""Which series are overdue, judged by the newest observation and not by the last run.

An observation is overdue when its publisher's calendar has made it public, a scheduled refresh has
had the time to fetch it, and it is not held. So nothing is overdue on a weekend or a holiday of its
publisher, and nothing between the moment of a release and the schedule that follows it. Holes
before the newest observation are another matter, see `completeness`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from liquidity_pipeline.calendars import new_york_day
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.ingestion.completeness import releases
from liquidity_pipeline.ingestion.health import Gap
from liquidity_pipeline.sources.registry import SOURCES, timings
from liquidity_pipeline.universe import Universe

# From the start of a scheduled refresh until what it fetched is published, retries included.
ALLOWANCE = timedelta(minutes=45)
# As far back the days are counted that a series is behind.
_COUNTED = timedelta(days=400)
# So many due observations behind are no delay any more.
_STALE = 2

_SOURCE_OF = {table.name: source for source in SOURCES.values() for table in source.tables}


@dataclass(frozen=True)
class Reach:
    """How far one series is held: `newest` and `due` are days, `behind` counts due observations.

    A series without a calendar has no `due`; it is one behind when it was not asked for in time, or
    not answered in full.
    """

    table: str
    entity: str
    newest: date | None
    due: date | None
    behind: int
    problem: str

    @property
    def name(self) -> str:
        """The table, and of several series the one that is meant."""
        return f"{self.table} {self.entity}".rstrip()

    def __str__(self) -> str:
        if self.due is None:
            why = f" ({self.problem})" if self.problem else ""
            return f"{self.name}: not asked for since it was due, or not answered in full{why}"
        held = f"newest {self.newest}" if self.newest else "nothing held"
        count = f"{self.behind} observation{'' if self.behind == 1 else 's'}"
        return f"{self.name}: {held}, due {self.due}, {count} behind"


def last_chance(table: str, now: datetime) -> datetime:
    """Return when the last refresh began whose result should be there at `now` (naive UTC)."""
    moment = now.replace(tzinfo=UTC) - ALLOWANCE
    source = _SOURCE_OF[table]
    return max(each.last_before(moment) for each in timings(source)).replace(tzinfo=None)


def reaches(
    held: Iterable[Mapping[str, Any]], universe: Universe, gaps: Sequence[Gap], now: datetime
) -> list[Reach]:
    """Return how far each series is held at `now` (naive UTC).

    `held` are rows of `meta.freshness`, of which `last_day` counts, and `is_stale` of what has no
    calendar. Series that are acknowledged as never served are left out.
    """
    never = {(gap.table, gap.entity) for gap in gaps if gap.days is None}
    rows = [row for row in held if (row["table_name"], row["entity"]) not in never]
    return [_reach(row, universe, now) for row in rows if row["table_name"] in _SOURCE_OF]


def _reach(row: Mapping[str, Any], universe: Universe, now: datetime) -> Reach:
    table, entity, newest = row["table_name"], row["entity"], row["last_day"]
    problem = str(row["problem"] or "")
    release = releases(SOURCE_TABLES[table], universe).get(entity)
    if release is None:
        return Reach(table, entity, newest, None, int(bool(row["is_stale"])), problem)
    moment = last_chance(table, now)
    today = new_york_day(moment)
    due = release.due(today - _COUNTED, today, moment)
    behind = sum(newest is None or day > newest for day in due)
    return Reach(table, entity, newest, due[-1] if due else newest, behind, problem)


def stale_tables(found: Iterable[Reach]) -> set[str]:
    """Return the tables all of whose series are behind by two due observations or more."""
    behind: dict[str, int] = {}
    for reach in found:
        if reach.due is not None:
            behind[reach.table] = min(behind.get(reach.table, reach.behind), reach.behind)
    return {table for table, count in behind.items() if count >= _STALE}
