"""When each publisher makes a figure public: the sandbox shows nothing earlier.

A release is a calendar, a number of its days after the observation, and a time in New York, as the
publishers announce them. What the figures are is no concern of this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache

from liquidity_pipeline.sandbox import days
from liquidity_pipeline.sandbox.days import DayRule


@dataclass(frozen=True)
class Release:
    """A rule of publication: so many days of a calendar later, at a New York time.

    A day on which nothing is published moves on to the next day of `moves_to`.
    """

    rule: DayRule
    lag: int
    hour: int
    minute: int = 0
    moves_to: DayRule = days.is_any_day

    def known_at(self, observed: int) -> int:
        """Return the epoch seconds at which the figure of a day is public."""
        when = observed
        if self.lag:
            when = days.shift(observed, self.lag, self.rule)
        when = days.on_or_after(when, self.moves_to)
        return days.new_york_time(when, self.hour, self.minute)


DAILY_TREASURY_STATEMENT = Release(days.is_fed, 1, 16)
SECURED_RATES = Release(days.is_sifma, 1, 8)
UNSECURED_RATES = Release(days.is_fed, 1, 9)
FRED_DAILY = Release(days.is_fed, 1, 16, 15)
FRED_VOLATILITY = Release(days.is_fed, 1, 9, 40)
FRED_CREDIT = Release(days.is_fed, 1, 10)
BALANCE_SHEET = Release(days.is_fed, 1, 16, 30)
# H.8 is published on Fridays, for the Wednesday nine days before.
BANK_BALANCE_SHEET = Release(days.is_any_day, 9, 16, 15, moves_to=days.is_fed)
MORNING_OPERATION = Release(days.is_fed, 0, 9, 25)
REPO_MORNING = Release(days.is_fed, 0, 8, 31)
REVERSE_REPO = Release(days.is_fed, 0, 13, 16)
REPO_AFTERNOON = Release(days.is_fed, 0, 13, 46)
SESSION_CLOSE = Release(days.is_nyse, 0, 16, 20)
CBOE_FILE = Release(days.is_nyse, 0, 20, 10)
STRESS_INDEX = Release(days.is_fed, 2, 10)
ANNOUNCEMENT = Release(days.is_fed, 0, 11)


def evening(today: date) -> int:
    """Return the epoch seconds of 22:00 in New York on a day: where `--today` puts the clock."""
    return days.new_york_time(days.number(today), 22)


def now() -> int:
    """Return the epoch seconds of the moment."""
    return int(datetime.now(UTC).timestamp())


@cache
def new_york_day(at: int) -> int:
    """Return the day number of New York's date at a moment."""
    moment = datetime.fromtimestamp(at, UTC).astimezone(days.NEW_YORK)
    return days.number(moment.date())


def last_public(release: Release, at: int) -> int:
    """Return the newest calendar day whose figure is public at a moment (epoch seconds)."""
    observed = new_york_day(at) + 1
    while release.known_at(observed) > at:
        observed -= 1
    return observed
