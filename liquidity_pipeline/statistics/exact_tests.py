"""Exact probabilities of counts, such as how many of the settlement days were down.

Estimates with intervals are in `inference`.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from liquidity_pipeline.statistics.inference import Floats, Integers


def stratified_upper_tail(
    observed: int, totals: Integers, hits: Integers, chosen: Integers
) -> float:
    """Return the tail of one count; see `stratified_upper_tails`."""
    each = (part[:, None] for part in (totals, hits, chosen))
    return float(stratified_upper_tails(np.array([observed]), *each)[0])


def stratified_upper_tails(
    observed: Integers, totals: Integers, hits: Integers, chosen: Integers
) -> Floats:
    """Return P(K >= observed) per series when the chosen are drawn at random within each stratum.

    Of series i stratum s holds `totals[s, i]` days, `hits[s, i]` of them down, `chosen[s, i]` of
    them chosen; K counts the hits among the chosen. Exact (to 1e-16): a sum of independent
    hypergeometric counts is the distribution over all permutations within strata (Fisher 1935;
    several strata: Mantel 1963).
    """
    first = np.maximum(0, chosen - (totals - hits))
    width = int((np.minimum(chosen, hits) - first).max(initial=0)) + 1
    k = first[..., None] + np.arange(width)
    total, hit, drawn = totals[..., None], hits[..., None], chosen[..., None]
    p = np.exp(
        _log_choose(hit, k) + _log_choose(total - hit, drawn - k) - _log_choose(total, drawn)
    )
    likely = p > 1e-20
    start = likely.argmax(axis=-1)
    stop = width - likely[..., ::-1].argmax(axis=-1)
    below = (first + start).sum(axis=0)
    tails = np.empty(len(observed))
    for i in range(len(observed)):
        distribution = np.ones(1)
        for s in np.flatnonzero(chosen[:, i]):
            distribution = np.convolve(distribution, p[s, i, start[s, i] : stop[s, i]])
        tails[i] = distribution[max(observed[i] - below[i], 0) :].sum()
    return np.minimum(1.0, tails)


def _log_choose(n: Integers, k: Integers) -> Floats:
    """Return log of n over k, minus infinity where k is impossible."""
    possible = (k >= 0) & (k <= n)
    k = np.where(possible, k, 0)
    log_factorial = _log_factorials(1 << int(n.max(initial=0)).bit_length())
    chosen = log_factorial[n] - log_factorial[k] - log_factorial[n - k]
    return np.where(possible, chosen, -np.inf)


@lru_cache(maxsize=8)
def _log_factorials(size: int) -> Floats:
    from scipy.special import gammaln

    return np.asarray(gammaln(np.arange(size) + 1.0))
