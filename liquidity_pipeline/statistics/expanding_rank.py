"""Ranks of a value among earlier values of the same series; later values are never used."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# A record with a longer gap begins again after it: what lies before is not all that there was.
LONGEST_GAP = timedelta(days=45)


class History:
    """The values seen so far, kept sorted."""

    def __init__(self) -> None:
        self._sorted: list[float] = []

    def __len__(self) -> int:
        return len(self._sorted)

    def rank(self, value: float) -> float:
        """Return the share of past values below the value (0 to 1), equal ones counted half."""
        below, upto = bisect_left(self._sorted, value), bisect_right(self._sorted, value)
        return (below + upto) / 2 / len(self._sorted)

    def quantile(self, share: float) -> float:
        """Return the smallest past value with at least `share` of the past below or at it.

        Every value above it has a rank of at least `share`.
        """
        return self._sorted[max(math.ceil(share * len(self._sorted)), 1) - 1]

    def add(self, value: float) -> None:
        """Let a value become past."""
        insort(self._sorted, value)


class TrailingHistory(History):
    """The values of the last years; the record that it comes from counts as complete or not.

    A rank against three years does not depend on how much more is held, so it is the same for
    everybody who holds them.
    """

    def __init__(self, years: int, record_since: date | None) -> None:
        """Start empty. `record_since`: a record with a value on or before this day has it all."""
        super().__init__()
        self._years, self._record_since = years, record_since
        self._dated: deque[tuple[date, float]] = deque()
        self._first: date | None = None
        self._last: date | None = None

    def has_gap_before(self, day: date) -> bool:
        """Note that there is a value on a day; tell whether the record was broken off before it."""
        is_broken = self._last is not None and day - self._last > LONGEST_GAP
        if self._first is None or is_broken:
            self._first = day
            self._dated.clear()
            self._sorted.clear()
        self._last = day
        return is_broken

    def reaches_back(self, day: date) -> bool:
        """Forget what is too old for a day; tell whether all that is not has been seen."""
        start = years_before(day, self._years)
        while self._dated and self._dated[0][0] < start:
            _, value = self._dated.popleft()
            del self._sorted[bisect_left(self._sorted, value)]
        if self._first is None:
            return False
        is_complete = self._record_since is not None and self._first <= self._record_since
        return is_complete or self._first <= start

    def add_dated(self, day: date, value: float) -> None:
        """Let a value become past; its day has been noted."""
        self._dated.append((day, value))
        self.add(value)


def years_before(day: date, years: int) -> date:
    """Return the same day some years earlier; 28 February for a 29 February that is not there."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def expanding_ranks(values: Iterable[float], minimum: int) -> Iterator[float | None]:
    """Yield each value's rank in the values before it, None until there are `minimum` of them."""
    history = History()
    for value in values:
        yield history.rank(value) if len(history) >= minimum else None
        history.add(value)
