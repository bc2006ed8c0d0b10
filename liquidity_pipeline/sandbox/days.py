"""The sandbox's own calendar: business days by institution, and New York time.

Days are integers, counted from 1970-01-01, so that they index arrays and sort as numbers.
It is kept apart from `liquidity_pipeline.calendars` on purpose: a mistake in one of the two shows
up as a difference between the pipeline and the sandbox. Publication times are in `clock`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
DayRule = Callable[[int], bool]

NEW_YORK = ZoneInfo("America/New_York")
MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(7)
_ORDINAL_OF_1970 = date(1970, 1, 1).toordinal()
_DAY_SECONDS = 86400

# Closures that follow from no rule: mourning, the hurricane of 2012.
_NYSE_CLOSURES = {
    date(2007, 1, 2),
    date(2012, 10, 29),
    date(2012, 10, 30),
    date(2018, 12, 5),
    date(2025, 1, 9),
}
_SIFMA_CLOSURES = {date(2012, 10, 30), date(2018, 12, 5)}


def number(when: date) -> int:
    """Count the days from 1970-01-01 to a date."""
    return when.toordinal() - _ORDINAL_OF_1970


def day(year: int, month: int, day_of_month: int) -> int:
    """Count the days from 1970-01-01 to a date given by its parts."""
    return number(date(year, month, day_of_month))


@cache
def date_of(number_of_day: int) -> date:
    """Return the date of a day number."""
    return date.fromordinal(number_of_day + _ORDINAL_OF_1970)


@cache
def iso(number_of_day: int) -> str:
    """Write a day number as `YYYY-MM-DD`."""
    return date_of(number_of_day).isoformat()


def weekday(number_of_day: int) -> int:
    """Return the day of the week, Monday = 0 (1970-01-01 was a Thursday)."""
    return (number_of_day + THURSDAY) % 7


def nth_weekday(year: int, month: int, which: int, nth: int) -> int:
    """Return the nth given weekday of a month; nth = -1 is the last one."""
    if nth < 0:
        last = add_months(day(year, month, 1), 1) - 1
        return last - (weekday(last) - which) % 7
    first = day(year, month, 1)
    return first + (which - weekday(first)) % 7 + 7 * (nth - 1)


def add_months(number_of_day: int, months: int) -> int:
    """Return the same day of the month some months away, or the last day of a shorter month."""
    when = date_of(number_of_day)
    year, month = divmod(when.year * 12 + when.month - 1 + months, 12)
    for day_of_month in range(when.day, 27, -1):
        try:
            return day(year, month + 1, day_of_month)
        except ValueError:
            continue
    return day(year, month + 1, when.day)


def month_end(number_of_day: int) -> int:
    """Return the last calendar day of the month."""
    when = date_of(number_of_day)
    return add_months(day(when.year, when.month, 1), 1) - 1


def easter(year: int) -> int:
    """Return Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher)."""
    century, rest = divmod(year, 100)
    golden = year % 19
    correction = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * golden + century - century // 4 - correction + 15) % 30
    sunday = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * sunday) // 451
    month, day_of_month = divmod(moon + sunday - 7 * late + 114, 31)
    return day(year, month, day_of_month + 1)


def _observed(number_of_day: int, *, saturday_moves: bool) -> int:
    if weekday(number_of_day) == SUNDAY:
        return number_of_day + 1
    if weekday(number_of_day) == SATURDAY and saturday_moves:
        return number_of_day - 1
    return number_of_day


def _shared_holidays(year: int) -> set[int]:
    """Holidays of Fed, bond market and stock exchange alike that fall on a weekday by rule."""
    return {
        nth_weekday(year, 1, MONDAY, 3),
        nth_weekday(year, 2, MONDAY, 3),
        nth_weekday(year, 5, MONDAY, -1),
        nth_weekday(year, 9, MONDAY, 1),
        nth_weekday(year, 11, THURSDAY, 4),
    }


@cache
def _fed_holidays(year: int) -> frozenset[int]:
    fixed = [(1, 1), (7, 4), (11, 11), (12, 25)] + ([(6, 19)] if year >= 2021 else [])
    moved = {_observed(day(year, m, d), saturday_moves=False) for m, d in fixed}
    return frozenset(_shared_holidays(year) | moved | {nth_weekday(year, 10, MONDAY, 2)})


@cache
def _sifma_holidays(year: int) -> frozenset[int]:
    moved = {_observed(day(year, m, d), saturday_moves=True) for m, d in [(7, 4), (12, 25)]}
    special = {number(when) for when in _SIFMA_CLOSURES if when.year == year}
    return frozenset(_fed_holidays(year) | moved | special | {easter(year) - 2})


@cache
def _nyse_holidays(year: int) -> frozenset[int]:
    fixed = [(7, 4), (12, 25)] + ([(6, 19)] if year >= 2022 else [])
    moved = {_observed(day(year, m, d), saturday_moves=True) for m, d in fixed}
    moved.add(_observed(day(year, 1, 1), saturday_moves=False))
    special = {number(when) for when in _NYSE_CLOSURES if when.year == year}
    return frozenset(_shared_holidays(year) | moved | special | {easter(year) - 2})


@cache
def is_fed(number_of_day: int) -> bool:
    """Know a Federal Reserve business day: Daily Treasury Statement, settlements, EFFR."""
    year = date_of(number_of_day).year
    return weekday(number_of_day) < SATURDAY and number_of_day not in _fed_holidays(year)


@cache
def is_sifma(number_of_day: int) -> bool:
    """Know a bond-market day: SOFR, TGCR, BGCR, Fed operations."""
    year = date_of(number_of_day).year
    return weekday(number_of_day) < SATURDAY and number_of_day not in _sifma_holidays(year)


@cache
def has_par_yields(number_of_day: int) -> bool:
    """Tell whether par yields are published: on SIFMA's days, and on some Good Fridays.

    Those are the ones on which jobs are reported: the bond market then trades until noon, while
    repo rates are not published.
    """
    if is_sifma(number_of_day):
        return True
    when = date_of(number_of_day)
    return when.month == 4 and when.day <= 7 and number_of_day == easter(when.year) - 2


@cache
def is_nyse(number_of_day: int) -> bool:
    """Know a session of the New York Stock Exchange."""
    year = date_of(number_of_day).year
    return weekday(number_of_day) < SATURDAY and number_of_day not in _nyse_holidays(year)


def is_weekday(number_of_day: int) -> bool:
    """Know Monday to Friday, holidays included."""
    return weekday(number_of_day) < SATURDAY


def is_any_day(number_of_day: int) -> bool:
    """Accept every calendar day."""
    return isinstance(number_of_day, int)


def days_between(rule: DayRule, first: int, last: int) -> IntArray:
    """Return all days of a rule from first to last, both included."""
    return np.array([d for d in range(first, last + 1) if rule(d)], dtype=np.int64)


def shift(number_of_day: int, count: int, rule: DayRule = is_fed) -> int:
    """Return the day that lies `count` days of a rule ahead (or, negative, behind)."""
    step = 1 if count > 0 else -1
    while count:
        number_of_day += step
        if rule(number_of_day):
            count -= step
    return number_of_day


def on_or_after(number_of_day: int, rule: DayRule = is_fed) -> int:
    """Return the day itself, or the next day of the rule."""
    while not rule(number_of_day):
        number_of_day += 1
    return number_of_day


def on_or_before(number_of_day: int, rule: DayRule = is_fed) -> int:
    """Return the day itself, or the last day of the rule before it."""
    while not rule(number_of_day):
        number_of_day -= 1
    return number_of_day


@cache
def new_york_offset(number_of_day: int) -> int:
    """Return the seconds to add to UTC for New York's clock, at noon of the day."""
    noon = datetime.combine(date_of(number_of_day), datetime.min.time(), NEW_YORK)
    offset = (noon + timedelta(hours=12)).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def utc_midnight(number_of_day: int) -> int:
    """Return the epoch seconds of 00:00 UTC."""
    return number_of_day * _DAY_SECONDS


def new_york_time(number_of_day: int, hour: int, minute: int = 0, second: int = 0) -> int:
    """Return the epoch seconds of a time of day in New York."""
    local = number_of_day * _DAY_SECONDS + hour * 3600 + minute * 60 + second
    return local - new_york_offset(number_of_day)
