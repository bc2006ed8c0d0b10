"""What is expected to drain in the coming six weeks: `marts.drain_outlook` and its score.

Each Friday evening, from the last Wednesday of H.4.1: what the settlement calendar led to expect
(`marts.settlement_vintages`), the Treasury's other flows by the calendar of taxes, benefits and
coupons, and the rest of the Fed's balance sheet by its season. The bands are those of past errors:
nine in ten of the last three years' outlooks of the same length missed by less.

Source: method, C4 (views 1 and 2). The band is a split-conformal one with a moving window (Gibbs
and Candes 2021 discuss why it holds its coverage only on average when the scale drifts).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from liquidity_pipeline import calendars
from liquidity_pipeline.contracts.drains.outlook import DRAIN_OUTLOOK, OUTLOOK_COMPONENTS
from liquidity_pipeline.models.drains.seasonal_regressors import (
    Floats,
    coefficients,
    day_regressors,
    week_regressors,
)
from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.models.statements import query
from liquidity_pipeline.statistics import panels

if TYPE_CHECKING:
    import duckdb

_QUERIES = Path(__file__).parent / "queries"

WEEKS_AHEAD = 6
# Three years of days and weeks at least; effects fade with a half-life of five years, as in
# `drain_seasonality`, and weigh as if each had once been seen to be zero.
MIN_DAYS, MIN_WEEKS = 750, 156
HALF_LIFE_DAYS, HALF_LIFE_WEEKS = 1250, 260
RIDGE = 1.0
COVERAGE = 0.9
MIN_ERRORS, MAX_ERRORS = 52, 156

_WEEK = timedelta(days=7)
# From the last statement to the last Wednesday ahead, and a holiday.
_AHEAD_DAYS = timedelta(days=7 * WEEKS_AHEAD + 14)


@dataclass(frozen=True)
class Flows:
    """A dated series that is regressed on the calendar, with the calendar ahead of it.

    `regressors` has a row per date of `calendar`, which has those of the series too and leaves out
    none: of a day on which the flow never became known there was an expectation as well.
    """

    dates: Sequence[date]
    known_at: Sequence[datetime]
    values: Floats
    calendar: Sequence[date]
    regressors: Floats
    equations: Sequence[tuple[Floats, Floats]]

    def known(self, moment: datetime) -> int:
        """Return how many rows were public at the moment; records are published in order."""
        return bisect_right(self.known_at, moment)

    def expected(self, count: int, after: date, until: date) -> tuple[Sequence[date], Floats]:
        """Return the dates in (after, until] and what the first `count` rows lead to expect."""
        start, stop = bisect_right(self.calendar, after), bisect_right(self.calendar, until)
        effects = np.linalg.solve(*self.equations[count])
        return self.calendar[start:stop], np.asarray(self.regressors[start:stop] @ effects)


@dataclass
class PastErrors:
    """Errors of outlooks that have come true, per component and horizon, newest last."""

    _sizes: dict[tuple[str, int], deque[float]] = field(default_factory=dict)

    def reach(self, component: str, weeks: int) -> float | None:
        """Return half the width of the band: the size that nine in ten past errors kept below."""
        sizes = self._sizes.get((component, weeks), deque())
        if len(sizes) < MIN_ERRORS:
            return None
        rank = min(math.ceil(COVERAGE * (len(sizes) + 1)), len(sizes))
        return sorted(sizes)[rank - 1]

    def add(self, component: str, weeks: int, error: float) -> None:
        """Let an error become past."""
        sizes = self._sizes.setdefault((component, weeks), deque(maxlen=MAX_ERRORS))
        sizes.append(abs(error))


@dataclass(frozen=True)
class Week:
    """A Wednesday of H.4.1: levels, and the week's drain that is not the account's, USD mn."""

    known_at: datetime
    tga_usd_mn: float
    reserves_usd_mn: float
    rest_usd_mn: float


Sheet = Mapping[date, Week]


@dataclass(frozen=True)
class Outlook:
    """What one Friday expected of one Wednesday: cumulated since `start`, by component."""

    as_of: date
    moment: datetime
    start: date
    week_ending: date
    weeks: int
    expected: dict[str, float]


def build(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.drain_outlook`: one row per Friday, Wednesday ahead and component."""
    sheet = {
        row[0]: Week(*row[1:])
        for row in connection.execute(query("balance_sheet_by_week", _QUERIES)).fetchall()
    }
    rows: list[dict[str, object]] = []
    errors, pending = PastErrors(), deque[Outlook]()
    for outlook in _outlooks(connection, sheet):
        _let_come_true(pending, sheet, outlook.moment, errors)
        rows += _rows(outlook, sheet[outlook.start], errors)
        pending.append(outlook)
    return panels.table(rows, DRAIN_OUTLOOK.arrow_schema)


def _outlooks(connection: duckdb.DuckDBPyConnection, sheet: Sheet) -> Iterator[Outlook]:
    """Yield the outlooks of each Friday on which accounts and calendar are known."""
    days = connection.execute(query("flows_by_day", _QUERIES)).fetchall()
    if len(days) < MIN_DAYS or len(sheet) < MIN_WEEKS:
        return
    flows, rest = _daily(days), _weekly(sheet)
    closes = {day: close for day, _, close, _, _ in days}
    paid = dict(connection.execute(query("settled_by_day", _QUERIES)).fetchall())
    for as_of, moment, ahead in _fridays(connection):
        seen, weeks_seen = flows.known(moment), rest.known(moment)
        if seen < MIN_DAYS or weeks_seen < MIN_WEEKS:
            continue
        start, last = rest.dates[weeks_seen - 1], flows.dates[seen - 1]
        # A record that has stopped says nothing, and a Wednesday without statement is no start.
        if start not in closes or last < start or start < as_of - _WEEK:
            continue
        since = [day for day in flows.dates[max(seen - 7, 0) : seen] if day > start]
        past = [paid.get(day, 0.0) for day in since]
        end = start + WEEKS_AHEAD * _WEEK
        other = flows.expected(seen, last, end)
        # What settles on the Friday itself was auctioned before; later days are what was expected.
        due = [paid.get(day, 0.0) if day <= as_of else ahead.get(day, 0.0) for day in other[0]]
        if any(net is None for net in (*past, *due)):
            continue
        done = sum(past)
        known = {"settlements": done, "other_treasury": closes[last] - closes[start] - done}
        season = rest.expected(weeks_seen, start, end)
        for outlook in _paths(known, other, np.array(due, dtype=float), season):
            yield Outlook(as_of, moment, start, *outlook)


def _paths(
    known: Mapping[str, float],
    other: tuple[Sequence[date], Floats],
    due: Floats,
    season: tuple[Sequence[date], Floats],
) -> Iterator[tuple[date, int, dict[str, float]]]:
    """Yield (Wednesday, weeks ahead, expected sums by component) from what is known and due."""
    days, flows = other
    for number, week in enumerate(season[0], start=1):
        count = bisect_right(days, week)
        settlements = known["settlements"] + float(due[:count].sum())
        other_treasury = known["other_treasury"] + float(flows[:count].sum())
        rest = float(season[1][:number].sum())
        yield (
            week,
            number,
            {
                "settlements": settlements,
                "other_treasury": other_treasury,
                "tga": settlements + other_treasury,
                "rest_of_balance_sheet": rest,
                "drain_reserves": settlements + other_treasury + rest,
            },
        )


def _daily(rows: Sequence[tuple[date, datetime, float, float, float]]) -> Flows:
    dates, known_at, _, changes, nets = zip(*rows, strict=True)
    values = np.array(changes) - np.array(nets)
    days = sorted({*dates, *calendars.days("fed", dates[0], dates[-1] + _AHEAD_DAYS)})
    regressors = day_regressors(days)
    own = _own_rows(dates, days, regressors)
    equations = coefficients(own, values, half_life=HALF_LIFE_DAYS, ridge=RIDGE)
    return Flows(dates, known_at, values, days, regressors, list(equations))


def _weekly(sheet: Sheet) -> Flows:
    dates = list(sheet)
    values = np.array([week.rest_usd_mn for week in sheet.values()])
    count = (dates[-1] - dates[0]) // _WEEK + WEEKS_AHEAD + 2
    weeks = sorted({*dates, *(dates[0] + number * _WEEK for number in range(count))})
    regressors = week_regressors(weeks)
    own = _own_rows(dates, weeks, regressors)
    equations = coefficients(own, values, half_life=HALF_LIFE_WEEKS, ridge=RIDGE)
    known_at = [week.known_at for week in sheet.values()]
    return Flows(dates, known_at, values, weeks, regressors, list(equations))


def _own_rows(dates: Sequence[date], calendar: Sequence[date], regressors: Floats) -> Floats:
    """Return the regressors of the dates of a series, of which the calendar has more."""
    return np.asarray(regressors[[bisect_left(calendar, each) for each in dates]])


def _fridays(
    connection: duckdb.DuckDBPyConnection,
) -> Iterator[tuple[date, datetime, dict[date, float]]]:
    """Yield each Friday with its moment and what was expected to settle, by day."""
    found: dict[tuple[date, datetime], dict[date, float]] = {}
    for as_of, moment, day, net in connection.execute(query("expected_ahead", _QUERIES)).fetchall():
        found.setdefault((as_of, moment), {})[day] = net
    for (as_of, moment), ahead in found.items():
        yield as_of, moment, ahead


def _let_come_true(
    pending: deque[Outlook], sheet: Sheet, moment: datetime, errors: PastErrors
) -> None:
    """Move the outlooks whose Wednesday is public by the moment to the errors."""
    for outlook in list(pending):
        week = sheet.get(outlook.week_ending)
        if week is not None and week.known_at <= moment:
            start = sheet[outlook.start]
            actual = {
                "tga": week.tga_usd_mn - start.tga_usd_mn,
                "drain_reserves": start.reserves_usd_mn - week.reserves_usd_mn,
            }
            for component, value in actual.items():
                errors.add(component, outlook.weeks, value - outlook.expected[component])
            pending.remove(outlook)


def _rows(outlook: Outlook, start: Week, errors: PastErrors) -> Iterator[dict[str, object]]:
    levels = {"tga": (start.tga_usd_mn, 1), "drain_reserves": (start.reserves_usd_mn, -1)}
    for component in OUTLOOK_COMPONENTS:
        expected = outlook.expected[component]
        level, sign = levels.get(component, (None, 0))
        reach = errors.reach(component, outlook.weeks)
        yield {
            "as_of_date": outlook.as_of,
            "weeks_ahead": outlook.weeks,
            "component": component,
            "start_date": outlook.start,
            "week_ending": outlook.week_ending,
            "expected_usd_mn": expected,
            "expected_low_usd_mn": None if reach is None else expected - reach,
            "expected_high_usd_mn": None if reach is None else expected + reach,
            "start_level_usd_mn": level,
            "expected_level_usd_mn": None if level is None else level + sign * expected,
            "known_at": outlook.moment,
        }


MARTS = {
    "drain_outlook": PythonMart(
        build,
        frozenset(
            {
                "marts.settlement_calendar",
                "marts.settlement_vintages",
                "marts.outlook_moments",
                "marts.tga_daily",
                "marts.reserve_drains",
                "meta.coverage",
            }
        ),
    )
}
