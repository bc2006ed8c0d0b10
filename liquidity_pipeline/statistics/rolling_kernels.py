"""The compiled loops of `rolling`: moments of pairs in windows, and ranks in windows.

Numba compiles them once per machine and keeps the result on disk. Loading it costs a process about
half a second of CPU and much memory, so this module is imported only when there is much to compute;
`rolling_arrays` gives the same bits.

Moments are scanned with the recurrence of Welford (1962) and merged by the pairwise formula of
Chan, Golub and LeVeque (1983), over blocks as in van Herk (1992). Series are float64 arrays with
NaN where nothing is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from liquidity_pipeline.statistics.rolling_arrays import LARGEST, SMALLEST, Floats

# n, mean of x, mean of y, and the sums of squared and crossed deviations: xx, xy, yy. The means
# are relative to a pivot, one of the values themselves, so that a large offset costs no digits.
Moments = tuple[int, float, float, float, float, float]
# Row j: n, then the other five moments, of the rows from j to the end of a block; its pivots.
Suffixes = tuple[Any, Floats, float, float]
# Correlation, beta and n by row.
Results = tuple[Floats, Floats, Any]
NOTHING: Moments = (0, 0.0, 0.0, 0.0, 0.0, 0.0)


def _inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile as a part of those who call it."""
    return numba.njit(error_model="numpy", forceinline=True)(function)


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile with NumPy's rules of division; keep the result on disk where that is possible."""
    try:
        return numba.njit(cache=True, error_model="numpy", nogil=True)(function)
    except RuntimeError:
        # No directory for the cache can be written, as in a read-only container.
        return numba.njit(error_model="numpy", nogil=True)(function)


@_inlined
def is_ordinary(value: float) -> bool:
    """Tell whether a value is zero or of a size whose differences can be squared."""
    return value == 0.0 or SMALLEST <= abs(value) <= LARGEST


@_inlined
def is_pair(x: float, y: float) -> bool:
    """Tell whether both values are known."""
    return x == x and y == y  # noqa: PLR0124 - NaN differs from itself


@_inlined
def clipped(correlation: float) -> float:
    """Return a correlation without the rounding beyond one; NaN stays NaN."""
    return min(max(correlation, -1.0), 1.0)


@_inlined
def add(moments: Moments, x: float, y: float, inverse: Floats) -> Moments:
    """Return the moments with one more pair, given relative to the pivots."""
    n, x_mean, y_mean, xx, xy, yy = moments
    n += 1
    dx, dy = x - x_mean, y - y_mean
    weight = (n - 1) * inverse[n]
    weighted_dx = dx * weight
    return (
        n,
        x_mean + dx * inverse[n],
        y_mean + dy * inverse[n],
        xx + dx * weighted_dx,
        xy + dy * weighted_dx,
        yy + dy * (dy * weight),
    )


@_inlined
def merge(
    a: Moments, b: Moments, x_apart: float, y_apart: float, inverse: Floats
) -> tuple[int, float, float, float]:
    """Return n, xx, xy and yy of both sets of pairs; x_apart and y_apart part their pivots."""
    n = a[0] + b[0]
    weight = a[0] * b[0] * inverse[n]
    dx, dy = (a[1] - b[1]) + x_apart, (a[2] - b[2]) + y_apart
    weighted_dx = dx * weight
    return (
        n,
        a[3] + b[3] + dx * weighted_dx,
        a[4] + b[4] + dy * weighted_dx,
        a[5] + b[5] + dy * (dy * weight),
    )


@_inlined
def scan_backward(
    x: Floats, y: Floats, inverse: Floats, counts: Any, sums: Floats
) -> tuple[float, float]:
    """Put the moments of rows j to the end of a block into row j of `counts` and `sums`.

    Return the pivots: the block's last pair, which every suffix that is not empty contains.
    """
    x_pivot = y_pivot = 0.0
    moments = NOTHING
    for k in range(len(x)):
        j = len(x) - 1 - k
        if is_pair(x[j], y[j]):
            if moments[0] == 0:
                x_pivot, y_pivot = x[j], y[j]
            moments = add(moments, x[j] - x_pivot, y[j] - y_pivot, inverse)
        counts[j], sums[j, 0], sums[j, 1], sums[j, 2], sums[j, 3], sums[j, 4] = moments
    return x_pivot, y_pivot


@_compiled
def exponent_of_largest(x: Floats, y: Floats, start: int, stop: int) -> int:
    """Return the binary exponent of the largest x of the pairs in rows start to stop - 1."""
    largest = 0.0
    for i in range(start, stop):
        if is_pair(x[i], y[i]):
            largest = max(largest, abs(x[i]))
    return math.frexp(largest)[1]


@_compiled
def estimate_directly(x: Floats, y: Floats, start: int, stop: int) -> tuple[int, float, float]:
    """Return n, correlation and beta of the pairs in rows start to stop - 1, whatever their size.

    Two passes over the values, which a power of two has scaled to at most one.
    """
    x_exponent = exponent_of_largest(x, y, start, stop)
    y_exponent = exponent_of_largest(y, x, start, stop)
    n = 0
    x_pivot = y_pivot = x_sum = y_sum = 0.0
    for i in range(start, stop):
        if is_pair(x[i], y[i]):
            scaled_x, scaled_y = math.ldexp(x[i], -x_exponent), math.ldexp(y[i], -y_exponent)
            if n == 0:
                x_pivot, y_pivot = scaled_x, scaled_y
            n += 1
            x_sum += scaled_x - x_pivot
            y_sum += scaled_y - y_pivot
    x_mean, y_mean = x_sum / max(n, 1), y_sum / max(n, 1)
    xx = xy = yy = 0.0
    for i in range(start, stop):
        if is_pair(x[i], y[i]):
            dx = (math.ldexp(x[i], -x_exponent) - x_pivot) - x_mean
            dy = (math.ldexp(y[i], -y_exponent) - y_pivot) - y_mean
            xx += dx * dx
            xy += dx * dy
            yy += dy * dy
    beta = math.ldexp(xy / xx, y_exponent - x_exponent)
    return n, xy / math.sqrt(xx * yy), beta if abs(beta) < math.inf else math.nan


@_inlined
def correlate_block(  # noqa: PLR0917 - compiled functions take no keyword-only arguments
    x: Floats, y: Floats, min_obs: int, inverse: Floats, before: Suffixes, out: Results
) -> None:
    """Fill the results of a block from its prefixes and the suffixes of the block before.

    The window that ends in row j takes from that block what row j of `before` describes.
    """
    correlation, beta, n_obs = out
    counts, sums, last_x, last_y = before
    moments = NOTHING
    x_pivot = y_pivot = 0.0
    for j in range(len(x)):
        if is_pair(x[j], y[j]):
            if moments[0] == 0:
                x_pivot, y_pivot = x[j], y[j]
            moments = add(moments, x[j] - x_pivot, y[j] - y_pivot, inverse)
        suffix = (counts[j], sums[j, 0], sums[j, 1], sums[j, 2], sums[j, 3], sums[j, 4])
        n, xx, xy, yy = merge(suffix, moments, last_x - x_pivot, last_y - y_pivot, inverse)
        n_obs[j] = n
        correlation[j] = beta[j] = math.nan
        if n >= min_obs:
            # A variance of zero is exactly zero and makes the quotients NaN.
            correlation[j] = clipped(xy / math.sqrt(xx * yy))
            beta[j] = xy / xx


@_compiled
def correlate_pair(  # noqa: PLR0917 - as above
    x: Floats, y: Floats, first_session: int, min_obs: int, inverse: Floats, out: Results
) -> None:
    """Fill the results of every row of two series; `inverse` holds 1 / n, and 0 for n = 0."""
    correlation, beta, n_obs = out
    window = len(inverse) - 1
    counts, sums = np.zeros(window + 1, dtype=np.int64), np.zeros((window + 1, 5))
    x_pivot = y_pivot = 0.0
    for start in range(-(first_session % window), len(x), window):
        # The first block may begin before the series.
        low, high = max(0, start), start + window
        at = low - start
        before = counts[at + 1 :], sums[at + 1 :], x_pivot, y_pivot
        part = correlation[low:high], beta[low:high], n_obs[low:high]
        correlate_block(x[low:high], y[low:high], min_obs, inverse, before, part)
        if high < len(x):
            x_pivot, y_pivot = scan_backward(
                x[low:high], y[low:high], inverse, counts[at:], sums[at:]
            )
            # Rows before the series add nothing to what follows them.
            for j in range(at):
                counts[j], sums[j] = counts[at], sums[at]


@_compiled
def correct_pair(x: Floats, y: Floats, window: int, min_obs: int, out: Results) -> None:
    """Replace the results of rows whose window holds a value that is not ordinary."""
    correlation, beta, n_obs = out
    extraordinary = -window
    for i in range(len(x)):
        if is_pair(x[i], y[i]) and not (is_ordinary(x[i]) and is_ordinary(y[i])):
            extraordinary = i
        if i - extraordinary < window:
            n, r, slope = estimate_directly(x, y, max(0, i - window + 1), i + 1)
            n_obs[i] = n
            correlation[i] = clipped(r) if n >= min_obs else math.nan
            beta[i] = slope if n >= min_obs else math.nan


@_compiled
def ordinary_part(values: Floats) -> tuple[Floats, Any]:
    """Return the values without those that are not ordinary, and which rows have such values."""
    kept = values.copy()
    has_others = np.zeros(len(values), dtype=np.bool_)
    for i in range(len(values)):
        for t in range(values.shape[1]):
            if is_pair(values[i, t], values[i, t]) and not is_ordinary(values[i, t]):
                kept[i, t] = math.nan
                has_others[i] = True
    return kept, has_others


@_compiled
def correlate(
    x: Floats, y: Floats, first_session: int, window: tuple[int, int], found: Results
) -> None:
    """Fill `found`, arrays of (rows of y, rows of x, sessions); `window` is length and least n."""
    length, min_obs = window
    inverse = np.zeros(length + 1)
    for n in range(1, length + 1):
        inverse[n] = 1.0 / n
    x_kept, x_has_others = ordinary_part(x)
    y_kept, y_has_others = ordinary_part(y)
    for j in range(len(y)):
        for i in range(len(x)):
            out = found[0][j, i], found[1][j, i], found[2][j, i]
            correlate_pair(x_kept[i], y_kept[j], first_session, min_obs, inverse, out)
            if x_has_others[i] or y_has_others[j]:
                correct_pair(x[i], y[j], length, min_obs, out)


@_inlined
def product(a: Any, b: Any) -> int:
    """Return the inner product of two arrays of ranks."""
    total = np.int32(0)
    for k in range(len(a)):
        total += a[k] * b[k]
    return total  # type: ignore[return-value]


@_inlined
def replace_in_ranks(held: Floats, ranks: Any, slot: int, new: float) -> None:
    """Let `new` take the place of the value in `slot`, and move the ranks of the others.

    A rank is the number of values that it exceeds less the number that exceed it: twice the average
    rank, about its mean. An unknown value neither exceeds nor is exceeded.
    """
    old = held[slot]
    exceeds = 0
    for k in range(len(held)):
        above_new = int(held[k] > new) - int(held[k] < new)
        above_old = int(held[k] > old) - int(held[k] < old)
        ranks[k] += above_new - above_old
        exceeds -= above_new
    # The old value itself was among those that were compared.
    ranks[slot] = exceeds + int(old > new) - int(old < new)
    held[slot] = new


@_compiled
def rank_correlate(x: Floats, y: Floats, window: int, found: Floats) -> None:
    """Fill `found` (rows of y, rows of x, sessions) with Spearman's correlation.

    NaN where the window of either series is incomplete or does not vary. Ranks are whole numbers
    that are carried from window to window, so that nothing drifts.
    """
    values = np.concatenate((x, y))
    split, n_sessions = x.shape
    held = np.full((len(values), window), np.nan)
    ranks = np.zeros((len(values), window), dtype=np.int32)
    squares = np.zeros(len(values), dtype=np.int64)
    # Nothing is known before the first row.
    unknown = np.full(len(values), -1)
    for t in range(n_sessions):
        for i in range(len(values)):
            replace_in_ranks(held[i], ranks[i], t % window, values[i, t])
            if not is_pair(values[i, t], values[i, t]):
                unknown[i] = t
            squares[i] = product(ranks[i], ranks[i]) if t - unknown[i] >= window else 0
        for j in range(split, len(values)):
            for i in range(split):
                scale = squares[i] * squares[j]
                if scale > 0:
                    r = product(ranks[i], ranks[j]) / math.sqrt(scale)
                    found[j - split, i, t] = clipped(r)
                else:
                    found[j - split, i, t] = math.nan
