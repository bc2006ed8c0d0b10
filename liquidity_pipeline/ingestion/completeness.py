"""What the calendars expect, what the lake has, and which months are therefore to be fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from liquidity_pipeline.calendars import Release, new_york_day
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.ingestion.fetch_history import FetchHistory
from liquidity_pipeline.sources.fetch import Window, month_end
from liquidity_pipeline.sources.registry import Source
from liquidity_pipeline.storage.lake import Lake, PresentDays
from liquidity_pipeline.universe import Universe

_DAY = timedelta(days=1)
_NEVER = FetchHistory()


@dataclass(frozen=True)
class Missing:
    """Days that should be there and are not. `entity` is a rate, series or symbol, or empty."""

    table: str
    entity: str
    days: tuple[date, ...]
    expected: int

    def __str__(self) -> str:
        """Name the gap in one line."""
        return describe([self])[0]


def describe(gaps: Sequence[Missing]) -> list[str]:
    """Return one line per gap; entities that miss the same days share a line."""
    alike: dict[tuple[str, tuple[date, ...], int], list[str]] = {}
    for gap in gaps:
        alike.setdefault((gap.table, gap.days, gap.expected), []).append(gap.entity)
    lines = []
    for (table, days_missing, expected), entities in alike.items():
        subject = f"{table} {', '.join(entities)}".strip()
        count = len(days_missing)
        span = f"{days_missing[0]}" if count == 1 else f"{days_missing[0]} … {days_missing[-1]}"
        share = f"all {expected}" if count == expected else f"{count} of {expected}"
        lines.append(f"{subject}: {share} days missing ({span})")
    return lines


def spans(months: Sequence[date]) -> list[Window]:
    """Join consecutive months."""
    joined: list[Window] = []
    for month in months:
        if joined and joined[-1].end + _DAY == month:
            joined[-1] = Window.of_months(joined[-1].start, month)
        else:
            joined.append(Window.of_months(month, month))
    return joined


def releases(table: Table, universe: Universe) -> Mapping[str, Release]:
    """Return the releases per entity; for prices the entities are the universe's symbols."""
    assets = {"index_prices": universe.index, "crypto_prices": universe.crypto}.get(table.name)
    if assets is None:
        return table.releases
    rule = table.releases[""]
    return {asset.symbol: replace(rule, since=asset.since) for asset in assets}


def missing(
    present: PresentDays, table: Table, universe: Universe, window: Window, now: datetime
) -> list[Missing]:
    """Return per entity the days of the window that are due at `now` (naive UTC) and absent."""
    gaps = []
    for entity, release in releases(table, universe).items():
        due = release.due(window.start, window.end, now)
        absent = tuple(day for day in due if day not in present.get(entity, frozenset()))
        if absent:
            gaps.append(Missing(table.name, entity, absent, len(due)))
    return gaps


def first_month(lake: Lake, table: Table) -> date | None:
    """Return the first month of which the lake has rows that are due on days, None without any.

    What is replaced whole has no months of its own, and is held from its first day on.
    """
    if months := lake.months(table):
        return months[0]
    if not table.releases:
        return None
    held = [min(days) for days in lake.present_days(table).values() if days]
    return min(held).replace(day=1) if held else None


def gone(
    source: Source, lake: Lake, asked: FetchHistory, window: Window
) -> dict[str, frozenset[date]]:
    """Return by table the months of the window that had rows and whose files are not there."""
    months = frozenset(window.months)
    lost = {
        table.name: (asked.held.get(table.name, frozenset()) & months) - set(lake.months(table))
        for table in source.tables
        if source.partitioned
    }
    return {name: some for name, some in lost.items() if some}


def ranges_to_fetch(
    source: Source,
    lake: Lake,
    universe: Universe,
    window: Window,
    now: datetime,
    *,
    asked: FetchHistory = _NEVER,
) -> list[Window]:
    """Return the spans of months that are not complete, or young enough to change.

    Young are the current and the previous month, in New York: publishers heal and correct.
    `asked` sums up earlier fetches. One answer proves no absence: a hole is asked for again until
    two answers agree on it, and then after a good while, see FetchHistory.
    A month that is in doubt, such as one with single empty cells, is fetched twice. For events see
    `_incomplete_events`.
    Calendars tell of each entity what is missing. In a table without entities one part hides
    behind another, and what has a value on occasion is due on no day, so months that were fetched
    without a part are fetched again. So are those of which a request failed, for a second provider
    may hide it, and what is due on no day is missed by nobody; those whose file is gone, and those
    on the basis before a split.
    """
    today = new_york_day(now)
    young = today.replace(day=1) - _DAY
    months = set(window.months)
    wanted = {month for month in months if month_end(month) >= young}
    wanted |= (asked.failed | asked.rebased) & months
    for lost in gone(source, lake, asked, window).values():
        wanted |= lost
    for table in source.tables:
        wanted |= asked.doubtful.get(table.name, frozenset()) & months
        if table.releases:
            present = lake.present_days(table)
            for gap in missing(present, table, universe, window, now):
                wanted |= {day.replace(day=1) for day in gap.days} - asked.answered
        else:
            wanted |= _incomplete_events(lake, table, asked, months)
        if not table.entity or table.on_occasion:
            wanted |= asked.missed & months
    return spans(sorted(month for month in wanted if month <= today))


def _incomplete_events(
    lake: Lake, table: Table, asked: FetchHistory, months: set[date]
) -> set[date]:
    """Return the months of which not all events may have been fetched; events are due on no day.

    A month is complete once it was fetched after its end, and the next has been fetched too: one
    that was fetched while it ran has only its beginning. A month without any event is asked for
    twice. Months of which a request failed are asked for on every run, however long the outage:
    nobody but the publisher knows of its events.
    """
    absent = months - set(lake.months(table))
    begun = {month for month in months if month_end(month) + _DAY in absent}
    wanted = absent | begun | (asked.unfinished & months)
    if table.parts:
        wanted |= asked.unheard & months
    if not table.can_become_empty:
        wanted |= asked.silent.get(table.name, frozenset()) & months
    return wanted
