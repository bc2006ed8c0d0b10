"""Business days of each market and institution, and when each publisher publishes.

Four calendars of days: `fed` (Federal Reserve business days, also the Daily Treasury Statement's),
`sifma` (the bond market, also the secured reference rates'), `nyse` and `utc` (every day); and
three for publication: `wednesday`, `board` (the Board of Governors publishes H.4.1) and `federal`
(government offices are open: a holiday on a Saturday closes them on the Friday before).
A `Release` says on which days an observation is due and when it becomes public.
What is stored or computed from those days does not belong here.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from liquidity_pipeline.settings import NEW_YORK

CalendarName = Literal["fed", "sifma", "nyse", "utc", "wednesday", "board", "federal"]
Days = npt.NDArray[np.datetime64]

# Days on which the President closed the federal government. The Reserve Banks were open and money
# settled, but the Board published on its next day: "because the federal government is closed"
# (H.4.1 of 2014-12-18), and so for the weeks that ended 2020-12-23 and 2025-12-24. Only days that
# move an H.4.1 are listed.
_GOVERNMENT_CLOSED = (
    date(2008, 12, 26),
    date(2014, 12, 26),
    date(2020, 12, 24),
    date(2025, 1, 9),
    date(2025, 12, 24),
    date(2025, 12, 26),
)

# Days on which the FOMC announced a decision, or will; those of data/reference/fomc.csv.
_FOMC = """
    2024-01-31 2024-03-20 2024-05-01 2024-06-12 2024-07-31 2024-09-18 2024-11-07 2024-12-18
    2025-01-29 2025-03-19 2025-05-07 2025-06-18 2025-07-30 2025-09-17 2025-10-29 2025-12-10
    2026-01-28 2026-03-18 2026-04-29 2026-06-17 2026-07-29 2026-09-16 2026-10-28 2026-12-09
"""
FOMC_DECISIONS = tuple(date.fromisoformat(day) for day in _FOMC.split())
_FRIDAY_BEFORE = timedelta(days=6)  # from a Thursday


def days(calendar: CalendarName, start: date, end: date) -> list[date]:
    """Return the calendar's days from start to end, both included."""
    if end < start:
        return []
    span = np.arange(np.datetime64(start), np.datetime64(end) + 1)
    if calendar == "utc":
        chosen = span
    elif calendar == "wednesday":
        # 1970-01-01 was a Thursday: day number 6 modulo 7 is a Wednesday.
        chosen = span[span.astype(int) % 7 == 6]
    else:
        chosen = span[np.is_busday(span, busdaycal=_busdays(calendar))]
    return list(chosen.astype(object))


def shift(
    calendar: CalendarName, day: Iterable[date], count: int, roll: str = "backward"
) -> list[date]:
    """Move each day by `count` days of the calendar, after rolling it onto the calendar.

    `roll="backward"` with count 1 is "the next business day after"; `roll="forward"` with count 0
    is "this day or the next business day", the rule for payments that fall due on a holiday.
    """
    array = np.array(list(day), dtype="datetime64[D]")
    if calendar == "utc":
        return list((array + count).astype(object))
    moved = np.busday_offset(array, count, roll=roll, busdaycal=_busdays(calendar))  # type: ignore[call-overload]
    return list(moved.astype(object))


def is_day(calendar: CalendarName, day: date) -> bool:
    """Tell whether the day exists in the calendar."""
    return bool(days(calendar, day, day))


@cache
def _busdays(calendar: CalendarName) -> np.busdaycalendar:
    if calendar == "board":
        closed = [*_holidays()["fed"], *_GOVERNMENT_CLOSED]
    elif calendar == "federal":
        closed = [*_holidays()["federal"], *_GOVERNMENT_CLOSED]
    else:
        closed = _holidays()[calendar]
    return np.busdaycalendar(holidays=np.array(closed, dtype="datetime64[D]"))


@cache
def _holidays() -> dict[str, list[date]]:
    """Return the days from Monday to Friday on which a calendar has none; see `holidays`."""
    found: dict[str, list[date]] = {}
    with (Path(__file__).parent / "holidays.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for calendar in row["calendars"].split():
                found.setdefault(calendar, []).append(date.fromisoformat(row["date"]))
    return found


@dataclass(frozen=True)
class Release:
    """On which days an observation exists, and when it becomes public.

    `lag` counts days of `lag_calendar` (by default the calendar itself); a publication that would
    fall on no day of `moves_to` is taken to be on the next. `at` is a wall-clock time in `zone`.
    `since` is the first observation that the publisher has, `rolling_years` how far back it serves
    any.
    """

    calendar: CalendarName
    lag: int = 0
    at: time = time(16, 0)
    lag_calendar: CalendarName | None = None
    moves_to: CalendarName | None = None
    since: date | None = None
    zone: tzinfo = NEW_YORK
    rolling_years: int | None = None

    def known_at(self, observed: Sequence[date]) -> list[datetime]:
        """Return for each observation day the moment (UTC, naive) at which it became public."""
        base = self.lag_calendar or ("utc" if self.calendar == "wednesday" else self.calendar)
        roll = "forward" if self.lag < 0 else "backward"
        published = shift(base, observed, self.lag, roll) if self.lag else list(observed)
        if self.moves_to:
            published = shift(self.moves_to, published, 0, "forward")
        return [utc(day, self.at, self.zone) for day in published]

    def due(self, start: date, end: date, now: datetime) -> list[date]:
        """Return the observation days in the window that must be public at `now` (naive UTC)."""
        first = max(start, self.since or start)
        if self.rolling_years:
            first = max(first, (now - timedelta(days=365 * self.rolling_years)).date())
        expected = days(self.calendar, first, end)
        # Observations become public in their order.
        public = bisect_right(expected, now, key=lambda day: self.known_at([day])[0])
        return expected[:public]

    def next_after(self, observed: date) -> date:
        """Return the first observation day after a day; no calendar pauses for a fortnight."""
        return days(self.calendar, observed + timedelta(days=1), observed + timedelta(days=14))[0]


@dataclass(frozen=True)
class MonthlyRelease(Release):
    """A file of daily estimates that is replaced once a month, on its third Thursday.

    It reaches through the Friday before. Where that Thursday lies in the blackout around a meeting
    of the FOMC, the file comes on the first business day after it. Due are the last business days
    of which each file must have a row; of the days between, a row tells nothing about another.
    `since` is the last day of the first file: nobody knew an earlier day's estimate before that.
    """

    def known_at(self, observed: Sequence[date]) -> list[datetime]:
        """Return for each observation day the moment (UTC, naive) of the first file that has it."""
        first = _third_thursday(self.since) if self.since else date.min
        return [utc(_file_day(max(_third_thursday(day), first)), self.at) for day in observed]

    def due(self, start: date, end: date, now: datetime) -> list[date]:
        """Return the last days of the files published by `now` (naive UTC) in the window."""
        found, last = [], self.next_after(max(start, self.since or start) - timedelta(days=1))
        while last <= end and self.known_at([last])[0] <= now:
            found.append(last)
            last = self.next_after(last)
        return found

    def next_after(self, observed: date) -> date:
        """Return the first day after a day with which a file ends."""
        thursday = _third_thursday(observed)
        if (last := _last_day_of_file(thursday)) > observed:
            return last
        return _last_day_of_file(_third_thursday(thursday))


def _third_thursday(observed: date) -> date:
    """Return the first third Thursday of a month whose file reaches an observation day."""
    month = observed.replace(day=1)
    while True:
        thursday = month + timedelta(days=(3 - month.weekday()) % 7 + 14)
        if thursday - _FRIDAY_BEFORE >= observed:
            return thursday
        month = (month + timedelta(days=31)).replace(day=1)


def _last_day_of_file(thursday: date) -> date:
    """Return the Friday before, or the business day before that when it is a holiday."""
    return shift("fed", [thursday - _FRIDAY_BEFORE], 0)[0]


@cache
def _file_day(thursday: date) -> date:
    """Return the day on which a month's file is published.

    A blackout lasts from the second Saturday before a meeting to the Thursday after it. Where the
    meetings around the Thursday are not listed, the latest possible day is taken: no file is ever
    taken to be public too early.
    """
    for decision in FOMC_DECISIONS:
        if decision - timedelta(days=11) <= thursday <= decision + timedelta(days=1):
            return shift("fed", [decision + timedelta(days=1)], 1)[0]
    is_listed = thursday + timedelta(days=11) <= FOMC_DECISIONS[-1]
    latest = thursday if is_listed else thursday + timedelta(days=8)
    return shift("fed", [latest], 0, "forward")[0]


@cache
def new_york_day(moment: datetime) -> date:
    """Return the day in New York of a moment (naive UTC)."""
    return moment.replace(tzinfo=UTC).astimezone(NEW_YORK).date()


def utc(day: date, at: time, zone: tzinfo = NEW_YORK) -> datetime:
    """Return the naive UTC moment of a wall-clock time, New York's by default."""
    return datetime.combine(day, at, zone).astimezone(UTC).replace(tzinfo=None)


# When each publisher publishes, by its own statement. Times are New York's unless a zone is named.
DTS = Release("fed", lag=1, at=time(16, 0), since=date(2005, 10, 3))
SECURED_RATES = Release("sifma", lag=1, at=time(8, 0), since=date(2018, 4, 3))
UNSECURED_RATES = Release("fed", lag=1, at=time(9, 0))
H41 = Release("wednesday", lag=1, at=time(16, 30), lag_calendar="board", since=date(2002, 12, 18))
# H.8 is published on Friday for the Wednesday nine days before. When that Friday is a holiday it
# comes on the Thursday before or on the Monday after; Monday is never too early.
H8 = Release(
    "wednesday", lag=9, at=time(16, 15), lag_calendar="utc", moves_to="federal",
    since=date(1973, 1, 3),
)  # fmt: skip
ON_RRP = Release("sifma", at=time(13, 15), since=date(2013, 9, 23))
STANDING_REPO = Release("sifma", at=time(13, 50), since=date(2021, 7, 29))
NYSE_CLOSE = Release("nyse", at=time(16, 30))
BOND_YIELDS = Release("sifma", lag=1, at=time(16, 20), lag_calendar="fed")
CREDIT_SPREADS = Release("sifma", lag=1, at=time(10, 0), lag_calendar="fed", rolling_years=3)
VOLATILITY = Release("nyse", lag=1, at=time(9, 40), lag_calendar="fed")
STRESS_INDEX = Release("nyse", lag=2, at=time(10, 0), lag_calendar="fed", since=date(2000, 1, 3))
# An administered rate is announced ahead: the day's rate is known since the business day before.
ADMINISTERED_RATE = Release("utc", lag=-1, at=time(16, 30), lag_calendar="fed")
# A UTC day's bar is closed five minutes into the next day, for late trades.
UTC_CLOSE = Release("utc", lag=1, at=time(0, 5), zone=UTC)
# The first file of estimates, of 2024-10-17, ended on 2024-10-11.
RESERVE_DEMAND = MonthlyRelease("fed", at=time(10, 0), since=date(2024, 10, 11))
