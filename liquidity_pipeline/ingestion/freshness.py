"""How current each source is: what is held, what should be, and what went wrong last."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta

import pyarrow as pa

from liquidity_pipeline.calendars import Release, days, new_york_day, utc
from liquidity_pipeline.contracts.meta import FRESHNESS
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.ingestion.completeness import first_month, releases
from liquidity_pipeline.ingestion.coverage import is_answered, last_full_day
from liquidity_pipeline.ingestion.due_days import DueDay, Expectation, end_of_month
from liquidity_pipeline.ingestion.overdue import ALLOWANCE
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.sources.registry import SOURCES
from liquidity_pipeline.sources.timetable import EVENING
from liquidity_pipeline.storage.archive import Archive
from liquidity_pipeline.storage.fetch_record import FetchRecord
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline.universe import Universe

_DAY = timedelta(days=1)
# One day that was not asked for is enough; a month of them says no more.
_COUNTED = timedelta(days=31)


def freshness(lake: Lake, archive: Archive, universe: Universe, now: datetime) -> pa.Table:
    """Return `meta.freshness`: one row per source table and entity; `now` is naive UTC."""
    return as_table(expectations(lake, archive, universe, now), now)


def as_table(expected: Iterable[Expectation], now: datetime) -> pa.Table:
    """Return `meta.freshness` at a moment (naive UTC) of what is held and due."""
    return pa.Table.from_pylist([one.row(now) for one in expected], schema=FRESHNESS.arrow_schema)


def expectations(
    lake: Lake, archive: Archive, universe: Universe, now: datetime
) -> Iterator[Expectation]:
    """Yield what is held and due of each entity, from `now` (naive UTC) until the month ends."""
    for source in SOURCES.values():
        last, good = archive.last(source.name), archive.last(source.name, successful=True)
        problem = (last.error or "; ".join(last.gaps) or None) if last else "never fetched"
        for table in source.tables:
            for entity, release, held, due in _entities(lake, table, universe, now):
                newest = max(held, default=None)
                yield Expectation(
                    table_name=table.name,
                    entity=entity,
                    last_day=newest,
                    due=_from_newest(due, newest, now),
                    absent=tuple(one for one in due if one.day not in held),
                    has_calendar=release is not None,
                    rolling_years=release.rolling_years if release else None,
                    failed=_failed(table, last),
                    problem=problem,
                    fetched_at=good.kept_at if good else None,
                    unasked=_unasked(good, now) if release is None and good else (),
                )


def _failed(table: Table, last: FetchRecord | None) -> bool:
    """Tell whether the last fetch had an error, or no full answer for a part of the table.

    Events are due on no day, so that a part which is not served shows nowhere else.
    """
    if last is None or last.error is not None:
        return True
    return not all(is_answered(last, entity, path) for entity, path in table.parts.items())


def _unasked(good: FetchRecord, now: datetime) -> tuple[DueDay, ...]:
    """Return the days of events after a fetch, until the month ends, and when each is due.

    Auctions and operations are held on business days; the evening's refresh asks for all of them.
    """
    answered = last_full_day(min(good.now, good.kept_at))
    last = new_york_day(end_of_month(now)) - _DAY
    first = max(answered + _DAY, new_york_day(now) - _COUNTED)
    return tuple(DueDay(day, utc(day, EVENING.at) + ALLOWANCE) for day in days("fed", first, last))


def _entities(
    lake: Lake, table: Table, universe: Universe, now: datetime
) -> Iterator[tuple[str, Release | None, Collection[date], list[DueDay]]]:
    """Yield each entity with its calendar, the days that are held, and the days due this month."""
    today = new_york_day(now)
    first = first_month(lake, table)
    present = lake.present_days(table) if first else {}
    window = Window.of_months(first or today.replace(day=1), today)
    rules: Mapping[str, Release | None] = releases(table, universe) or {"": None}
    for entity, release in rules.items():
        due = _due_this_month(release, window, now) if release else []
        yield entity, release, present.get(entity, frozenset()), due


def _due_this_month(release: Release, window: Window, now: datetime) -> list[DueDay]:
    """Return the days that are due at `now`, and those that will be before the month ends."""
    public = release.due(window.start, window.end, now)
    coming = release.due(window.start, window.end, end_of_month(now))
    later = [day for day in coming if not public or day > public[-1]]
    moments = release.known_at(later) if later else []
    return [DueDay(day, now) for day in public] + [
        DueDay(day, moment) for day, moment in zip(later, moments, strict=True)
    ]


def _from_newest(due: list[DueDay], newest: date | None, now: datetime) -> tuple[DueDay, ...]:
    """Leave out the days before the last one that is both held and due already."""
    today = new_york_day(now)
    met = [
        one.day
        for one in due
        if newest is not None and one.day <= min(newest, today) and one.since <= now
    ]
    return tuple(one for one in due if not met or one.day >= met[-1])
