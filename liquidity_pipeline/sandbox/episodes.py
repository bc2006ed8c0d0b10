"""Stress episodes of known start, cause and size: the answer key to `marts.drain_episodes`.

One in 650 days, its cause in rotation and at changing times of the year, so that no estimate of
the season can learn it. How an episode works on the accounts is told by the modules
that use `ramp`: Treasury's cash target, tax receipts, foreign reverse repos. Money funds keep what
they lend to the Fed meanwhile, so that the banks bear all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count, takewhile

import numpy as np

from liquidity_pipeline.sandbox import days, policy
from liquidity_pipeline.sandbox.days import FloatArray, IntArray

TGA_REBUILD, TAX_DATE, FOREIGN_REPO = "tga_rebuild", "tax_date", "foreign_repo"
_CAUSES = (TGA_REBUILD, FOREIGN_REPO, TAX_DATE)
# In the base year, in which reserve balances are about USD 3 trillion; what a tax date adds comes
# on top of taxes that are due anyway.
_SIZE_USD_MN = {TGA_REBUILD: 600_000, TAX_DATE: 500_000, FOREIGN_REPO: 550_000}
_LENGTH_DAYS = {TGA_REBUILD: 41, TAX_DATE: 9, FOREIGN_REPO: 27}
_UNDONE_AFTER_DAYS = {TGA_REBUILD: 190, TAX_DATE: 100, FOREIGN_REPO: 150}
_FIRST = policy.FIRST_STATEMENT + 820
_EVERY_DAYS = 650
_TAX_MONTHS = (1, 4, 6, 9, 12)


@dataclass(frozen=True)
class Episode:
    """A planned drain: `start` to `end` are day numbers, `size` is in USD mn."""

    cause: str
    start: int
    end: int
    size: int
    undone: int  # the day by which the drained cash is back in the banks


def planned(first: int, last: int) -> list[Episode]:
    """Return the episodes that begin between two days."""
    all_episodes = map(_episode, count())
    begun = takewhile(lambda episode: episode.start <= last, all_episodes)
    return [episode for episode in begun if episode.start >= first]


def ramp(episodes: list[Episode], when: IntArray, *causes: str) -> FloatArray:
    """Return how much of the episodes (of some causes) is drained on each day, USD mn.

    Rises in a straight line from start to end, and falls again until the day when it is undone.
    """
    total = np.zeros(len(when))
    for episode in episodes:
        if not causes or episode.cause in causes:
            corners = [episode.start - 1, episode.end, episode.end + 21, episode.undone]
            total += np.interp(when, corners, [0.0, episode.size, episode.size, 0.0])
    return total


def _episode(number: int) -> Episode:
    cause = _CAUSES[number % len(_CAUSES)]
    nominal = _FIRST + number * _EVERY_DAYS
    start = _tax_days_begin(nominal) if cause == TAX_DATE else _thursday(nominal)
    size = round(_SIZE_USD_MN[cause] * float(policy.growth(np.array([start]))[0]), -3)
    undone = start + _UNDONE_AFTER_DAYS[cause]
    return Episode(cause, start, start + _LENGTH_DAYS[cause], int(size), undone)


def _thursday(day: int) -> int:
    """Return the next Thursday: the weeks of H.4.1 begin on it. 1970-01-01 was one."""
    return day + -day % 7


def _tax_days_begin(day: int) -> int:
    """Return three days before the next day on which taxes are due."""
    year = days.date_of(day).year
    due = [days.day(y, month, 15) for y in (year, year + 1) for month in _TAX_MONTHS]
    return min(d for d in due if d - 3 >= day) - 3
