"""P-values that hold for many tests together. Arrays in, arrays out.

Sources: tests by random signs of blocks: Canay, Romano and Shaikh (2017); the largest of many
tests, step by step: Romano and Wolf (2005).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from liquidity_pipeline.statistics.inference import (
    DRAWS,
    Bools,
    Estimates,
    Floats,
    Integers,
)

# Of a t whose signs were all drawn as they are.
_ROUNDING = 1e-9


def max_t_p_values(
    estimates: Estimates, seed: int, draws: int = DRAWS, *, one_sided: bool = False
) -> Floats:
    """Return p-values that hold for all tests together: how often chance gives a larger |t|.

    Randomization test (Canay, Romano and Shaikh 2017): without an effect a block's contribution
    to an estimate is as likely as its opposite, so the signs of the blocks are drawn, alike for all
    tests, which keeps the tests' dependence on each other, and t is computed with each draw. It
    needs no normality and no equal variance: where a few blocks carry all, it sees so. Step by step
    (Romano and Wolf 2005): the largest t against the largest of all tests, the next against the
    largest of the others, and so on. `one_sided` asks for t > 0 instead. NaN where the estimate is
    undefined; never below the p-value of the look alone.
    """
    p_values = estimates.p_value_above_zero if one_sided else estimates.p_value
    scores, defined = estimates.null_scores, estimates.is_defined
    return _max_t(scores, p_values, defined, seed, draws=draws, one_sided=one_sided)


def _max_t(
    null_scores: Floats,
    p_values: Floats,
    defined: Bools,
    seed: int,
    *,
    draws: int = DRAWS,
    one_sided: bool = False,
) -> Floats:
    adjusted = np.full(defined.shape, np.nan)
    if not defined.any():
        return adjusted
    known, p_value = null_scores[:, defined], p_values[defined]
    parts = known / np.sqrt((known**2).sum(axis=0))
    drawn, observed = _signs(len(parts), draws, seed) @ parts, parts.sum(axis=0)
    if not one_sided:
        drawn, observed = np.abs(drawn), np.abs(observed)
    order = np.argsort(-observed)
    # In each column the largest of its own look and all those with a smaller t.
    largest = np.maximum.accumulate(drawn[:, order[::-1]], axis=1)[:, ::-1]
    reached = (largest >= observed[order] - _ROUNDING).sum(axis=0)
    steps = np.maximum.accumulate((1 + reached) / (1 + draws))
    adjusted[np.flatnonzero(defined)[order]] = np.maximum(steps, p_value[order])
    return adjusted


def max_t_within(
    estimates: Estimates, groups: Sequence[str], n_groups: int, seed: int
) -> tuple[Floats, Integers]:
    """Return p-values that hold for `n_groups` groups of tests together, and the tests counted.

    Within a group as `max_t_p_values`; between the groups by Bonferroni's bound, for as many as
    were planned. So the p-value of one group does not depend on whether another could be observed:
    an outage elsewhere makes no result more significant. `groups` names each estimate's group.
    """
    adjusted = np.full(len(groups), np.nan)
    counted = np.zeros(len(groups), dtype=np.int64)
    names, defined = np.array(groups), estimates.is_defined
    for name in dict.fromkeys(groups):
        members = np.flatnonzero(names == name)
        scores, p_values = estimates.null_scores[:, members], estimates.p_value[members]
        own = _max_t(scores, p_values, defined[members], seed)
        adjusted[members] = bonferroni(own, n_groups)
        counted[members] = n_groups * int(np.isfinite(own).sum())
    return adjusted, counted


@lru_cache(maxsize=8)
def _signs(n_blocks: int, draws: int, seed: int) -> Floats:
    return np.random.default_rng(seed).choice(np.array([-1.0, 1.0]), (draws, n_blocks))


def bonferroni(p_values: Floats, n_tests: int) -> Floats:
    """Return p-values that hold for `n_tests` tests together, whatever their dependence."""
    return np.minimum(1.0, n_tests * p_values)
