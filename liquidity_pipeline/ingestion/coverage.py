"""The days through which each input is known: `meta.coverage`, which every mart depends on.

Of a table with a calendar, a day is known by its row. Of events (auctions, operations, buybacks) it
is known by the question: a window that was asked for and answered in full is known, and empty where
nothing happened; one that was not answered is not known, whatever rows are held from before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline.calendars import Release, new_york_day
from liquidity_pipeline.contracts.meta import COVERAGE
from liquidity_pipeline.contracts.sources.treasury import DEBT_SETTLEMENTS
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.ingestion.completeness import releases
from liquidity_pipeline.ingestion.spans import Span, is_inside, joined
from liquidity_pipeline.settings import NEW_YORK
from liquidity_pipeline.sources.fetch import month_end
from liquidity_pipeline.sources.registry import SOURCES, Source
from liquidity_pipeline.storage.fetch_notes import Asked, Fetched
from liquidity_pipeline.storage.held_days import days_by_entity, different_days
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline.universe import Universe

_DAY = timedelta(days=1)
# Long enough to hold a due day of whatever is published, be it once a month.
_TWO_MONTHS = timedelta(days=62)
# By then the results of the day's auctions and operations are out.
_RESULTS_OUT = time(18, 0)
# Treasury bills are issued every week, without an exception since 2005.
_ISSUED_EVERY = timedelta(days=7)
_PROVIDER = {"index_prices": "source", "crypto_prices": "venue"}
_IN_TIME = "known as far as is due"


@dataclass(frozen=True)
class Known:
    """How far one input is known. `newest` is the last day of which anything is held."""

    table: str
    entity: str
    start: date | None
    through: date | None
    expected: date | None
    basis: str
    reason: str
    newest: date | None = None

    @property
    def is_current(self) -> bool:
        """Nothing that is due is missing at the end."""
        return self.through is not None and self.through >= (self.expected or date.min)

    def row(self) -> dict[str, object]:
        """Return the row of `meta.coverage`."""
        return {
            "table_name": self.table,
            "entity": self.entity,
            "known_from": self.start,
            "known_through": self.through,
            "expected_through": self.expected,
            "basis": self.basis,
            "reason": self.reason,
        }


def coverage(lake: Lake, asked: Mapping[str, Asked], universe: Universe, now: datetime) -> pa.Table:
    """Return `meta.coverage` at `now` (naive UTC), from the lake and what each source was asked.

    A fetch made later than `now` tells of the days up to `now` what they were.
    """
    histories = [
        _History(source, table, lake, asked.get(source.name, Asked()), now)
        for source in SOURCES.values()
        for table in source.tables
    ]
    observed = [known for history in histories for known in _observed(history, universe)]
    events = [known for history in histories for known in _events(history, observed, universe)]
    rows = [known.row() for known in (*observed, *events)]
    return pa.Table.from_pylist(rows, schema=COVERAGE.arrow_schema)


@dataclass(frozen=True)
class _History:
    """What is held and what was asked of one table, seen from one moment."""

    source: Source
    table: Table
    lake: Lake
    asked: Asked
    now: datetime

    @cached_property
    def months(self) -> frozenset[date]:
        return frozenset(self.lake.months(self.table))

    def until(self, asked_at: datetime) -> date:
        """Return the last day that was over at a fetch, or at the moment of the run."""
        return last_full_day(min(asked_at, self.now))

    def answered_before(self, moment: datetime) -> list[date]:
        """Return the last day that was over at each fetch that was answered before a moment.

        The first day of time is among them.
        """
        return [date.min, *(self.until(at) for at in self.asked.good_at if at < moment)]

    def answered(self, entity: str, path: str | None) -> list[Span]:
        """Return the spans of days of which everything was answered, joined, oldest first.

        A month that the lake no longer holds is not known, though it was answered.
        """
        spans: list[Span] = []
        for record in self.asked.good:
            if is_answered(record, entity, path):
                end = min(record.window.end, self.until(record.asked_at))
                spans += [
                    (month, min(end, month_end(month)))
                    for month in record.window.months
                    if month in self.months and month <= end
                ]
        return joined(spans)

    def why(self, entity: str, path: str | None = None) -> str:
        """Return the publisher's last word on the input, as far as it was heard by now."""
        if not self.asked.fetches:
            return "never fetched"
        heard = [record for record in self.asked.fetches if record.asked_at <= self.now]
        if not heard:
            # When the question was put is news of a later day.
            error = self.asked.fetches[-1].error
            if error is not None:
                return f"a later request for it failed: {error}"
            return "nothing was served for that time when it was asked for later"
        record = heard[-1]
        if record.error is not None:
            return f"fetch failed on {record.day}: {record.error}"
        gaps = [gap for gap in record.gaps if _names(gap, entity or self.table.name)]
        if path and not gaps and not is_answered(record, entity, path):
            gaps = [f"{path} was not answered", *record.gaps]
        if gaps:
            return f"the fetch of {record.day} lacked it: {'; '.join(gaps)}"
        return f"nothing newer was served on {record.day}"


def last_full_day(moment: datetime) -> date:
    """Return the last New York day whose auctions and operations are public (naive UTC)."""
    local = moment.replace(tzinfo=UTC).astimezone(NEW_YORK)
    return local.date() if local.time() >= _RESULTS_OUT else local.date() - _DAY


# --- tables with a calendar -----------------------------------------------------------------------


def _observed(history: _History, universe: Universe) -> Iterator[Known]:
    """Yield how far each entity is known by its rows."""
    rules = releases(history.table, universe)
    if not rules:
        return
    held = _held(history, universe)
    for entity, release in rules.items():
        yield _by_rows(history, entity, release, held.get(entity, []))


def _by_rows(history: _History, entity: str, release: Release, held: Sequence[date]) -> Known:
    today = new_york_day(history.now)
    # An administered rate is due before its day comes.
    due = release.due(held[0] if held else today - _TWO_MONTHS, today + _DAY, history.now)
    expected = _until_next(release, due[-1], today) if due else None
    name = history.table.name
    if not held:
        rows = "no row of its first provider" if name in _PROVIDER else "no row"
        reason = f"{rows} is held: {history.why(entity)}"
        return Known(name, entity, None, None, expected, "rows", reason)
    hole = _first_hole(history, entity, due, held)
    through = hole - _DAY if hole else _until_next(release, held[-1], today)
    if hole is not None:
        reason = f"hole on {hole}: not held, and no full answer explains it"
    elif expected is None or through >= expected:
        reason = _IN_TIME
    else:
        reason = f"ends on {held[-1]}: {history.why(entity)}"
    return Known(name, entity, held[0], through, expected, "rows", reason, newest=held[-1])


def _until_next(release: Release, day: date, today: date) -> date:
    """Return the last day before the next observation, today at the latest: none is due between."""
    return max(day, min(release.next_after(day) - _DAY, today))


def _held(history: _History, universe: Universe) -> dict[str, list[date]]:
    """Return the days whose rows are public by now, per entity, oldest first.

    A price counts that comes from the symbol's first provider: another's is near it, not equal,
    and a return from one to the other is neither's.
    """
    table = history.table
    assert table.day is not None  # noqa: S101 - what has releases has a day
    provider = _PROVIDER.get(table.name)
    columns = [table.day, "known_at", table.entity, provider]
    rows = history.lake.read(table, [name for name in columns if name])
    rows = rows.filter(pc.less_equal(rows["known_at"], pa.scalar(history.now, pa.timestamp("us"))))
    if provider:
        believed = pa.array(
            [
                f"{asset.symbol} {asset.provider_symbols()[0][0]}"
                for asset in (*universe.index, *universe.crypto)
            ]
        )
        named = pc.binary_join_element_wise(rows[table.entity], rows[provider], " ")
        rows = rows.filter(pc.is_in(named, value_set=believed))
    if not table.entity:
        return {"": different_days(rows[table.day])}
    return days_by_entity(rows[table.entity], rows[table.day])


def _first_hole(
    history: _History, entity: str, due: Sequence[date], held: Sequence[date]
) -> date | None:
    """Return the first due day before the newest row that is neither held nor known to be none."""
    present = set(held)
    absent = [day for day in due[: bisect_right(due, held[-1])] if day not in present]
    if not absent:
        return None
    spans = history.answered(entity, None)
    return next((day for day in absent if not is_inside(day, spans)), None)


# --- events ---------------------------------------------------------------------------------------


def _events(history: _History, observed: Sequence[Known], universe: Universe) -> Iterator[Known]:
    """Yield how far each part without a calendar is known, by what was asked and answered."""
    asked: dict[str, str | None] = dict.fromkeys(history.table.on_occasion)
    for entity, path in (asked | dict(history.table.parts)).items():
        known = _by_answers(history, entity, path)
        limit = _pulse(history, observed, universe)
        if known.through is not None and limit is not None and limit < known.through:
            reason = f"{history.source.publishers[0]} answers, but serves nothing after {limit}"
            start = known.start if known.start and known.start <= limit else None
            through = limit if start else None
            known = _changed(known, start, through, reason)
        yield known


def _by_answers(history: _History, entity: str, path: str | None) -> Known:
    name, expected = history.table.name, last_full_day(history.now)
    if history.source.partitioned or path is None:
        spans = history.answered(entity, path)
    else:
        spans = _snapshot(history, entity, path)
    if not spans:
        later, before = _only_later(history), _answered_before(history, entity, path)
        if later:
            reason = f"replaced since: what is held was published on {later.date()}"
        elif before:
            reason = f"last answered on {before}, and replaced since: {history.why(entity, path)}"
        else:
            reason = f"never answered: {history.why(entity, path)}"
        return Known(name, entity, None, None, expected, "answered", reason)
    # What lies beyond the first hole has not been asked for: it is the hole that has to be closed.
    start, through = spans[0]
    if through >= expected:
        reason = _IN_TIME
    elif len(spans) > 1:
        reason = f"hole on {through + _DAY}: not asked for, not answered, or its file is gone"
    else:
        reason = f"ends on {through}: {history.why(entity, path)}"
    return Known(name, entity, start, through, expected, "answered", reason, newest=through)


def _snapshot(history: _History, entity: str, path: str) -> list[Span]:
    """Return the day on which a snapshot was last taken in full, if it is held and is the newest.

    A snapshot without one of its parts replaces the one before, so older answers do not count.
    """
    good = history.asked.good
    if not good or not history.lake.files(history.table):
        return []
    if not is_answered(good[-1], entity, path) or _only_later(history):
        return []
    day = history.until(good[-1].asked_at)
    return [(day, day)]


def _answered_before(history: _History, entity: str, path: str | None) -> date | None:
    """Return when a part of a snapshot was last answered that the newest snapshot lacks."""
    if history.source.partitioned or path is None:
        return None
    days = [
        history.until(record.asked_at)
        for record in history.asked.good
        if is_answered(record, entity, path)
    ]
    return max(days, default=None)


def _only_later(history: _History) -> datetime | None:
    """Return when a snapshot was published of which nothing was public at the run's moment."""
    if history.source.partitioned or not history.lake.files(history.table):
        return None
    first = pc.min(history.lake.read(history.table, ["known_at"])["known_at"]).as_py()
    return first if first is not None and first > history.now else None


def _pulse(history: _History, observed: Sequence[Known], universe: Universe) -> date | None:
    """Return the newest day that the publisher serves of anything regular, if it is behind.

    A service that has stopped updating answers a question about events as readily as a live one.
    What it publishes every day, or every week, shows through which day it has been kept up. What
    it answered until something new was due stays known.
    """
    publisher = history.source.publishers[0]
    rules = {
        (table.name, entity): release
        for source in SOURCES.values()
        if source.publishers[0] == publisher
        for table in source.tables
        for entity, release in releases(table, universe).items()
    }
    held = {
        (known.table, known.entity): known.newest
        for known in observed
        if (known.table, known.entity) in rules and known.newest is not None
    }
    is_current = any(known.is_current for known in observed if (known.table, known.entity) in held)
    limits = []
    if held and not is_current:
        due = max(_due_after(rules[each], newest) for each, newest in held.items())
        limits.append(max(*held.values(), *history.answered_before(due)))
    if publisher == SOURCES[DEBT_SETTLEMENTS.name].publishers[0]:
        limits += _last_issue_week(history)
    return min(limits, default=None)


def _due_after(release: Release, day: date) -> datetime:
    """Return when the observation after a day was to be public (naive UTC)."""
    (moment,) = release.known_at([release.next_after(day)])
    return moment


def _last_issue_week(history: _History) -> list[date]:
    """Return the last day before the newest issue of debt must have been followed by another."""
    months = history.lake.months(DEBT_SETTLEMENTS)[-3:]
    rows = history.lake.read_months(DEBT_SETTLEMENTS, months, ["settlement_date", "leg"])
    issued = rows["settlement_date"].filter(pc.equal(rows["leg"], "issue"))
    newest = pc.max(issued).as_py()
    return [] if newest is None else [newest + _ISSUED_EVERY - _DAY]


def _changed(known: Known, start: date | None, through: date | None, reason: str) -> Known:
    return Known(
        known.table, known.entity, start, through, known.expected, known.basis, reason, through
    )


# --- what a fetch answered ------------------------------------------------------------------------


def is_answered(record: Fetched, entity: str, path: str | None) -> bool:
    """Tell whether a good fetch had a full answer for the input.

    A part is told by its path; an entity of a table with a calendar by the gap that names it.
    """
    if path is None:
        return not any(_names(gap, entity) for gap in record.gaps) if entity else not record.missed
    missed = {part for part in record.missed if f'{path}"' in part}
    return not missed and any(asked.endswith(path) for asked in record.paths)


def _names(gap: str, entity: str) -> bool:
    """Tell whether a gap's text names an entity, as a word of its own."""
    padded = "".join(c if c.isalnum() or c == "_" else " " for c in gap)
    return f" {entity} " in f" {padded} "
