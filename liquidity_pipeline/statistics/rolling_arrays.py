"""The loops of `rolling_kernels` on whole arrays, for jobs that are done before those are loaded.

The arithmetic is the same, operation by operation and in the same order, so that a result has the
same bits wherever it is computed.

Values must be of ordinary size: see `are_ordinary`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

Floats = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.integer[Any]]]
# Correlation, beta and n: rows of y x rows of x x sessions.
Results = tuple[Floats, Floats, Integers]

# Two different doubles of at least 2^-199 differ by at least 2^-252. The product of two sums of
# squares then lies between 2^-1009 and 2^1000, and neither underflows nor overflows.
SMALLEST, LARGEST = 2.0**-199, 2.0**232

# Of so many pairs of values, and windows with ranks, at a time.
_TOGETHER = 100_000
_WINDOWS_TOGETHER = 256


class Moments(NamedTuple):
    """n, the means, and the sums of squared and crossed deviations, as arrays of one shape.

    The means are relative to pivots, values of the series themselves.
    """

    n: Integers
    x_mean: Floats
    y_mean: Floats
    xx: Floats
    xy: Floats
    yy: Floats


def are_ordinary(values: Floats) -> bool:
    """Tell whether all values are unknown, zero or of a size whose differences can be squared."""
    sizes = np.abs(values[values != 0])
    return not np.any((sizes < SMALLEST) | (sizes > LARGEST))


def correlate(
    x: Floats, y: Floats, first_session: int, window: tuple[int, int], found: Results
) -> None:
    """Fill `found`, arrays of (rows of y, rows of x, sessions); `window` is length and least n."""
    together = max(1, _TOGETHER // max(1, x.size))
    for start in range(0, len(y), together):
        part = slice(start, start + together)
        one, two = np.broadcast_arrays(x[None], y[part, None])
        results = _correlate_pairs(one, two, first_session, window)
        for filled, result in zip(found, results, strict=True):
            filled[part] = result


def _correlate_pairs(
    x: Floats, y: Floats, first_session: int, window: tuple[int, int]
) -> tuple[Floats, Floats, Integers]:
    length, min_obs = window
    shape = x.shape
    inverse = np.zeros(length + 1)
    inverse[1:] = 1.0 / np.arange(1, length + 1)
    known = ~(np.isnan(x) | np.isnan(y))
    # So many sessions of the first block lie before the series.
    lead = first_session % length
    x, y, known = (_in_blocks(part, lead, length) for part in (x, y, known))
    prefixes, pivots = _scan(x, y, known, inverse)
    suffixes, last_pivots = _scan(x[..., ::-1], y[..., ::-1], known[..., ::-1], inverse)
    before = Moments(*map(_of_block_before, suffixes))
    x_apart, y_apart = (
        (_shifted(last) - pivot)[..., None] for last, pivot in zip(last_pivots, pivots, strict=True)
    )
    n, xx, xy, yy = _merge(before, prefixes, x_apart, y_apart, inverse)
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.clip(xy / np.sqrt(xx * yy), -1.0, 1.0)
        beta = xy / xx
    few = n < min_obs
    correlation[few] = beta[few] = np.nan

    def of_sessions(part: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return part.reshape(*shape[:-1], -1)[..., lead : lead + shape[-1]]

    return of_sessions(correlation), of_sessions(beta), of_sessions(n)


def _in_blocks(values: np.ndarray[Any, Any], before: int, length: int) -> np.ndarray[Any, Any]:
    """Return the last axis as blocks (number x length), with zeros around the sessions."""
    n_sessions = values.shape[-1]
    n_blocks = -(-(before + n_sessions) // length)
    padded = np.zeros((*values.shape[:-1], n_blocks * length), dtype=values.dtype)
    padded[..., before : before + n_sessions] = values
    return padded.reshape(*values.shape[:-1], n_blocks, length)


def _scan(
    x: Floats, y: Floats, known: Any, inverse: Floats
) -> tuple[Moments, tuple[Floats, Floats]]:
    """Return the moments of rows 0 to j of each block, and the block's pivots.

    The pivots are the first pair of the block, and zero where it has none.
    """
    first = np.argmax(known, axis=-1)[..., None]
    has_pair = np.take_along_axis(known, first, -1)[..., 0]
    x_pivot, y_pivot = (
        np.where(has_pair, np.take_along_axis(part, first, -1)[..., 0], 0.0) for part in (x, y)
    )
    n = np.cumsum(known, axis=-1)
    sums = np.empty((5, *x.shape))
    x_mean, y_mean, xx, xy, yy = np.zeros((5, *x_pivot.shape))
    for j in range(x.shape[-1]):
        # What is unknown lies at the mean, and so changes nothing.
        dx = np.where(known[..., j], (x[..., j] - x_pivot) - x_mean, 0.0)
        dy = np.where(known[..., j], (y[..., j] - y_pivot) - y_mean, 0.0)
        inverse_n = inverse[n[..., j]]
        weight = (n[..., j] - 1) * inverse_n
        weighted_dx = dx * weight
        x_mean = x_mean + dx * inverse_n
        y_mean = y_mean + dy * inverse_n
        xx = xx + dx * weighted_dx
        xy = xy + dy * weighted_dx
        yy = yy + dy * (dy * weight)
        sums[..., j] = x_mean, y_mean, xx, xy, yy
    return Moments(n, *sums), (x_pivot, y_pivot)


def _of_block_before(suffixes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return, for each row, the moment of the rows after it in the block before.

    `suffixes` were scanned from the end: the first is that of a block's last row.
    """
    before = np.zeros_like(suffixes)
    before[..., 1:, :-1] = suffixes[..., :-1, -2::-1]
    return before


def _shifted(of_blocks: Floats) -> Floats:
    """Return what is known of the block before; zero for the first."""
    before = np.zeros_like(of_blocks)
    before[..., 1:] = of_blocks[..., :-1]
    return before


def _merge(
    a: Moments, b: Moments, x_apart: Floats, y_apart: Floats, inverse: Floats
) -> tuple[Integers, Floats, Floats, Floats]:
    """Return n, xx, xy and yy of both sets of pairs; x_apart and y_apart part their pivots."""
    n = a.n + b.n
    weight = a.n * b.n * inverse[n]
    dx, dy = (a.x_mean - b.x_mean) + x_apart, (a.y_mean - b.y_mean) + y_apart
    weighted_dx = dx * weight
    return (
        n,
        a.xx + b.xx + dx * weighted_dx,
        a.xy + b.xy + dy * weighted_dx,
        a.yy + b.yy + dy * (dy * weight),
    )


# --- ranks ---------------------------------------------------------------------------------------


def rank_correlate(x: Floats, y: Floats, window: int, found: Floats) -> None:
    """Fill `found` (rows of y, rows of x, sessions) with Spearman's correlation.

    NaN where the window of either series is incomplete or does not vary.
    """
    values = np.concatenate((x, y))
    # Nothing is known before the first session.
    padded = np.concatenate((np.full((len(values), window - 1), np.nan), values), axis=1)
    n_sessions = values.shape[1]
    for start in range(0, n_sessions, _WINDOWS_TOGETHER):
        stop = min(start + _WINDOWS_TOGETHER, n_sessions)
        ranks = _ranks(padded[:, start : stop + window - 1], window)
        of_x, of_y = ranks[:, : len(x)], ranks[:, len(x) :]
        products = of_y @ of_x.transpose(0, 2, 1)
        squares = np.einsum("tsa,tsa->ts", ranks, ranks).astype(np.int64)
        scale = squares[:, len(x) :, None] * squares[:, None, : len(x)]
        with np.errstate(invalid="ignore", divide="ignore"):
            r = np.where(scale > 0, np.clip(products / np.sqrt(scale), -1.0, 1.0), np.nan)
        found[..., start:stop] = r.transpose(1, 2, 0)


def _ranks(values: Floats, window: int) -> Floats:
    """Return ranks (windows x series x places), newest first; zero where a window is incomplete.

    A rank is the number of values that it exceeds less the number that exceed it: twice the average
    rank, about its mean. Whole numbers, whose products are exact in 64 bits of floating point.
    """
    n_series, n_values = values.shape
    around = np.full((n_series, n_values + 2 * (window - 1)), np.nan)
    around[:, window - 1 : window - 1 + n_values] = values
    # Of each value, how it compares with those up to a window before and after it, added up.
    others, own = sliding_window_view(around, 2 * window - 1, axis=1), values[..., None]
    compared = (own > others).astype(np.int8) - (own < others)
    sums = np.zeros((n_series, n_values, 2 * window), dtype=np.int16)
    np.cumsum(compared, axis=2, out=sums[..., 1:])
    by_age = sums[..., window:] - sums[..., :window]
    # The window that ends in row t takes the rank at age a from row t - a: a step up and to the
    # right, of a view.
    of_series, of_rows, of_ages = by_age.strides
    shape = (n_values - window + 1, n_series, window)
    steps = (of_rows, of_series, of_ages - of_rows)
    ranks = as_strided(by_age[:, window - 1 :], shape, steps).astype(np.float64)
    complete: Any = sliding_window_view(~np.isnan(values), window, axis=1).all(axis=2)
    ranks *= complete.T[..., None]
    return ranks
