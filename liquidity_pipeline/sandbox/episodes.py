"""Stress episodes of known start, cause and size: the answer key to `marts.drain_episodes`.

One a year, its cause in rotation. How an episode works on the accounts is told by the modules
that use `ramp`: Treasury's cash target, tax receipts, foreign reverse repos.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liquidity_pipeline.sandbox import days, policy
from liquidity_pipeline.sandbox.days import FloatArray, IntArray

TGA_REBUILD, TAX_DATE, FOREIGN_REPO = "tga_rebuild", "tax_date", "foreign_repo"
# In the base year; a tax date adds to taxes that are due anyway.
_SIZE_USD_MN = {TGA_REBUILD: 260_000, TAX_DATE: 130_000, FOREIGN_REPO: 260_000}


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
    out = []
    for year in range(days.date_of(first).year, days.date_of(last).year + 1):
        cause = (TGA_REBUILD, TAX_DATE, FOREIGN_REPO)[year % 3]
        start, length, undone = _dates(year, cause)
        size = round(_SIZE_USD_MN[cause] * float(policy.growth(np.array([start]))[0]), -3)
        if first <= start <= last:
            out.append(Episode(cause, start, start + length, int(size), undone))
    return out


def ramp(episodes: list[Episode], cause: str, when: IntArray) -> FloatArray:
    """Return how much of the episodes of one cause is drained on each day, USD mn.

    Rises in a straight line from start to end, and falls again until the day when it is undone.
    """
    total = np.zeros(len(when))
    for episode in episodes:
        if episode.cause == cause:
            corners = [episode.start - 1, episode.end, episode.end + 21, episode.undone]
            total += np.interp(when, corners, [0.0, episode.size, episode.size, 0.0])
    return total


def _dates(year: int, cause: str) -> tuple[int, int, int]:
    """Return start, length in days and the day when it is undone."""
    if cause == TGA_REBUILD:
        start = days.nth_weekday(year, 6, days.THURSDAY, 1)
        return start, 41, start + 190
    if cause == TAX_DATE:
        start = days.day(year, 9, 12)
        return start, 9, start + 100
    start = days.nth_weekday(year, 10, days.THURSDAY, 4)
    return start, 27, start + 150
