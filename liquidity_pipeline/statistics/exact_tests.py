"""Exact probabilities of counts, such as how many of the settlement days were down.

Estimates with intervals are in `inference`.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from liquidity_pipeline.statistics.inference import Floats, Integers


def stratified_upper_tail(
    observed: int, totals: Integers, hits: Integers, chosen: Integers
) -> float:
    """Return P(K >= observed) when the chosen are drawn at random within each stratum.

    Stratum s holds `totals[s]` days, `hits[s]` of them down, `chosen[s]` of them chosen; K counts
    the hits among the chosen. Exact (to 1e-16): a sum of independent hypergeometric counts is the
    distribution over all permutations within strata (Fisher 1935; several strata: Mantel 1963).
    """
    first = np.maximum(0, chosen - (totals - hits))
    k = first[:, None] + np.arange(int((np.minimum(chosen, hits) - first).max(initial=0)) + 1)
    total, hit, drawn = totals[:, None], hits[:, None], chosen[:, None]
    log_p = _log_choose(hit, k) + _log_choose(total - hit, drawn - k) - _log_choose(total, drawn)
    distribution = np.ones(1)
    below = 0
    for start, p in zip(first.tolist(), np.exp(log_p), strict=True):
        likely = np.flatnonzero(p > 1e-20)
        distribution = np.convolve(distribution, p[likely[0] : likely[-1] + 1])
        below += start + int(likely[0])
    return float(min(1.0, distribution[max(observed - below, 0) :].sum()))


def _log_choose(n: Integers, k: Integers) -> Floats:
    """Return log of n over k, minus infinity where k is impossible."""
    possible = (k >= 0) & (k <= n)
    k = np.where(possible, k, 0)
    log_factorial = _log_factorials(1 << int(n.max(initial=0)).bit_length())
    chosen = log_factorial[n] - log_factorial[k] - log_factorial[n - k]
    return np.where(possible, chosen, -np.inf)


@cache
def _log_factorials(size: int) -> Floats:
    from scipy.special import gammaln

    return np.asarray(gammaln(np.arange(size) + 1.0))
