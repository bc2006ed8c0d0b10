"""The rules of holidays, and the table `holidays.csv` that is made of them.

Working the rules out takes a second and loads pandas; reading the table takes a millisecond. So
only this command and a test work them out:

    python -m liquidity_pipeline.holidays
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np

_FIRST, _LAST = date(1975, 1, 1), date(2045, 12, 31)
FILE = Path(__file__).parent / "holidays.csv"

# Days without a bond market beside its holidays, by the trade association's recommendation: the
# attacks of 2001, the days of mourning for Presidents Reagan and G. H. W. Bush, hurricane Sandy
# (on the day before, the market closed at noon and has its yields). On the other special closings
# of the stock exchange, such as 2007-01-02 and 2025-01-09, bonds were traded.
_BOND_MARKET_CLOSED = (
    date(2001, 9, 11),
    date(2001, 9, 12),
    date(2004, 6, 11),
    date(2012, 10, 30),
    date(2018, 12, 5),
)


def table() -> list[tuple[str, str]]:
    """Return each day from Monday to Friday that is a holiday somewhere, and in which calendars."""
    calendars = {
        "fed": _fed_holidays("fed"),
        "federal": _fed_holidays("federal"),
        "nyse": _market_holidays("nyse"),
        "sifma": _market_holidays("sifma"),
    }
    of_day: dict[np.datetime64, list[str]] = {}
    for name, closed in calendars.items():
        for day in closed:
            of_day.setdefault(day, []).append(name)
    return [(str(day), " ".join(names)) for day, names in sorted(of_day.items())]


def main() -> None:
    """Write the table."""
    with FILE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["date", "calendars"])
        writer.writerows(table())


def _fed_holidays(whose: Literal["fed", "federal"] = "fed") -> Sequence[np.datetime64]:
    """Federal holidays; the Reserve Banks do not move one that falls on a Saturday to Friday."""
    from pandas.tseries import holiday as h

    moved = h.sunday_to_monday if whose == "fed" else h.nearest_workday

    fixed = [
        h.Holiday("New Year", month=1, day=1, observance=moved),
        h.Holiday(
            "Juneteenth",
            month=6,
            day=19,
            start_date="2022-06-01" if whose == "fed" else "2021-06-01",
            observance=moved,
        ),
        h.Holiday("Independence", month=7, day=4, observance=moved),
        h.Holiday("Veterans", month=11, day=11, observance=moved),
        h.Holiday("Christmas", month=12, day=25, observance=moved),
        h.USMartinLutherKingJr,
        h.USPresidentsDay,
        h.USMemorialDay,
        h.USLaborDay,
        h.USColumbusDay,
        h.USThanksgivingDay,
    ]
    rules = h.AbstractHolidayCalendar("Federal Reserve", rules=fixed)
    found = rules.holidays(start=_FIRST, end=_LAST)
    return [np.datetime64(day.date()) for day in found]


def _market_holidays(calendar: Literal["nyse", "sifma"]) -> Sequence[np.datetime64]:
    import pandas_market_calendars as market_calendars

    name = {"nyse": "NYSE", "sifma": "SIFMA_US"}[calendar]
    open_days = market_calendars.get_calendar(name).valid_days(_FIRST, _LAST, tz=None)
    open_days = open_days.to_numpy().astype("datetime64[D]")
    weekdays = np.arange(np.datetime64(_FIRST), np.datetime64(_LAST) + 1)
    weekdays = weekdays[np.is_busday(weekdays)]
    closed = np.setdiff1d(weekdays, open_days)
    if calendar == "sifma":
        # The secured rates have no Good Friday even in the years when the bond market opens
        # until noon for the employment report.
        extra = [*_good_fridays(), *_BOND_MARKET_CLOSED]
        closed = np.union1d(closed, np.array(extra, dtype="datetime64[D]"))
    return list(closed)


def _good_fridays() -> list[date]:
    from pandas.tseries.holiday import GoodFriday

    return [day.date() for day in GoodFriday.dates(_FIRST, _LAST)]


if __name__ == "__main__":
    main()
