"""Ranks against one's own past: nothing here ever looks ahead."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class History:
    """The values seen so far, kept sorted."""

    def __init__(self) -> None:
        self._sorted: list[float] = []

    def __len__(self) -> int:
        return len(self._sorted)

    def rank(self, value: float) -> float:
        """Return the share of past values below the value (0 to 1)."""
        return bisect_left(self._sorted, value) / len(self._sorted)

    def quantile(self, share: float) -> float:
        """Return the smallest past value with at least `share` of the past below or at it.

        A value above it, and no other, has a rank of at least `share`.
        """
        return self._sorted[max(math.ceil(share * len(self._sorted)), 1) - 1]

    def add(self, value: float) -> None:
        """Let a value become past."""
        insort(self._sorted, value)


def expanding_ranks(values: Iterable[float], minimum: int) -> Iterator[float | None]:
    """Yield each value's rank in the values before it, None until there are `minimum` of them."""
    history = History()
    for value in values:
        yield history.rank(value) if len(history) >= minimum else None
        history.add(value)
