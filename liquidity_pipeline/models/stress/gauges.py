"""The gauges whose record is scored: every indicator, every segment, and the index.

A gauge speaks on the days on which it is due, and is known or not on each of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import numpy as np

from liquidity_pipeline.contracts.stress import LEVELS, SEGMENTS
from liquidity_pipeline.models.stress.in_force import Sessions
from liquidity_pipeline.models.stress.indicators import INDICATORS

if TYPE_CHECKING:
    import duckdb


# Alarms that are no further apart are one, and a gauge that is silent for longer has a break.
MERGE = timedelta(days=10)


@dataclass(frozen=True)
class FlagRow:
    """One row of `marts.stress_flags`, as far as it is needed here."""

    date: date
    known_at: datetime
    is_calendar: bool
    level: str
    rank: float


@dataclass(frozen=True)
class Gauge:
    """What one gauge said, day by day, oldest first; `due` are the days on which it could speak.

    `readings` are compared with the benchmark: ranks, and for the index its values.
    """

    name: str
    kind: str
    days: Sequence[date]
    levels: Sequence[str]
    readings: Sequence[float]
    due: Sequence[date]

    @cached_property
    def _known(self) -> frozenset[date]:
        return frozenset(self.days)

    def is_known_on(self, day: date) -> bool:
        """Tell whether the gauge spoke on the last day up to this one on which it could."""
        n = bisect_right(self.due, day)
        return n > 0 and self.due[n - 1] in self._known

    def is_known_over(self, start: date, end: date) -> bool:
        """Tell whether the gauge was known from before the start to the end without a break."""
        span = slice(max(bisect_right(self.days, start) - 1, 0), bisect_right(self.days, end))
        inside = self.days[span]
        return (
            bool(inside)
            and inside[0] <= start
            and self.is_known_on(end)
            and all(b - a <= MERGE for a, b in pairwise(inside))
        )

    @cached_property
    def _days_known(self) -> list[int]:
        """Days known up to each of `days`; breaks count for nothing."""
        steps = ((b - a).days for a, b in pairwise(self.days))
        return list(accumulate((step if step <= MERGE.days else 0 for step in steps), initial=0))

    def years_observed(self, as_of: date) -> float:
        """Return the time up to a day in which the gauge was known."""
        n = bisect_right(self.days, as_of)
        return self._days_known[n - 1] / 365.25 if n else 0.0

    @cached_property
    def alarms(self) -> list[tuple[date, date]]:
        """First and last days of the alarms, oldest first."""
        up = [
            day
            for day, level in zip(self.days, self.levels, strict=True)
            if level in ("stress", "severe")
        ]
        if not up:
            return []
        breaks = [(a, b) for a, b in pairwise(up) if b - a > MERGE]
        starts, ends = [up[0], *(b for _, b in breaks)], [*(a for a, _ in breaks), up[-1]]
        return list(zip(starts, ends, strict=True))


def gauges(connection: duckdb.DuckDBPyConnection) -> Iterator[Gauge]:
    """Yield indicators, segments and the index."""
    sessions = Sessions(connection)
    flags: dict[str, list[FlagRow]] = {indicator.name: [] for indicator in INDICATORS}
    for name, *row in connection.execute(
        "select indicator, date, known_at, is_calendar_day, level, rank from marts.stress_flags "
        "order by date"
    ).fetchall():
        flags[name].append(FlagRow(*row))
    for indicator in INDICATORS:
        due = [day for day, _ in sessions.due(indicator.calendar)]
        rows = [(row.date, row.level, row.rank) for row in flags[indicator.name]]
        yield _gauge(indicator.name, "indicator", rows, due)
    days = [session.date for session in sessions.all]
    for name in SEGMENTS:
        yield _gauge(name, "segment", _segment(name, flags, sessions), days)
    index = connection.execute(
        "select date, level, index_value from marts.stress_index order by date"
    )
    yield _gauge("stress_index", "index", index.fetchall(), days)


def _segment(
    segment: str, flags: Mapping[str, Sequence[FlagRow]], sessions: Sessions
) -> list[tuple[date, str, float]]:
    """Return per session the worst level and mean rank of the indicators that the index counts.

    There is a row where all of them are known that have been ranked for long enough by then.
    """
    members = [g for g in INDICATORS if g.in_index and g.segment == segment]
    days = np.array([session.date for session in sessions.all], dtype="datetime64[D]")
    due = np.zeros((len(members), len(days)), dtype=bool)
    worst, ranks = np.full(due.shape, -1), np.zeros(due.shape)
    for i, member in enumerate(members):
        if member.ranked_since:
            due[i] = days >= np.datetime64(member.ranked_since)
        rows = {row.date: row for row in flags[member.name]}
        in_force = sessions.in_force(member.calendar, rows)
        worst[i] = [LEVELS.index(row.level) if row else -1 for row in in_force]
        ranks[i] = [row.rank if row else 0.0 for row in in_force]
    n_due = due.sum(axis=0)
    known = np.flatnonzero((n_due > 0) & ~(due & (worst < 0)).any(axis=0))
    levels = np.where(due, worst, -1).max(axis=0, initial=-1)
    means = (ranks * due).sum(axis=0) / np.maximum(n_due, 1)
    return [(sessions.all[i].date, LEVELS[levels[i]], float(means[i])) for i in known]


def _gauge(
    name: str, kind: str, rows: Sequence[tuple[date, str, float]], due: Sequence[date]
) -> Gauge:
    days, levels, readings = zip(*rows, strict=True) if rows else ((), (), ())
    return Gauge(name, kind, days, levels, readings, due)
