"""Inference for dependent data: estimates with intervals. Arrays in, arrays out.

Every estimate here (a slope, a difference of means) comes with its influence scores: how much each
moment of time moves it. Scores are summed within blocks of about n^(1/3) consecutive moments; the
sums' spread gives a standard error that allows for heteroskedasticity and for dependence within
the block. Drawing the sums again bootstraps any number of estimates together, drawing their signs
tests them together.

Axis 0 is time, axis 1 the estimates side by side. Corrections for many tests are in
`multiple_tests`, exact probabilities of counts in `exact_tests`.

Sources: blocks that do not overlap: Carlstein (1986), their length: Hall, Horowitz and Jing (1995);
interval with G - 1 degrees of freedom: Bester, Conley and Hansen (2011), effective G: Carter,
Schnepel and Steigerwald (2017); bootstrap of scores: Kline and Santos (2012); method, C7.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

CONFIDENCE = 0.95
# An estimate that rests on fewer blocks is an anecdote; at six the interval is 2.6 errors wide.
MIN_BLOCKS = 6
DRAWS = 999
# The bar for a new claim about returns: Harvey, Liu and Zhu (2016).
T_BAR = 3.0


@dataclass(frozen=True)
class Estimates:
    """Estimates with what is known about their precision; arrays of one length, NaN: undefined.

    `block_scores` (blocks x estimates) are the summed influence scores; a block in which an
    estimate has no observation scores zero. `null_scores` are the same about a truth of zero: they
    sum to the estimate. `n_blocks` is the effective number of blocks. `low` and `high` bound 95 %.
    """

    estimate: Floats
    n_obs: Integers
    n_blocks: Floats
    block_scores: Floats
    null_scores: Floats
    std_error: Floats
    t_stat: Floats
    p_value: Floats
    low: Floats
    high: Floats

    @property
    def is_defined(self) -> Bools:
        """Where there is an estimate with a precision."""
        return np.isfinite(self.t_stat)

    @property
    def p_value_above_zero(self) -> Floats:
        """One-sided p-values: small where the estimate is surely positive."""
        return np.where(self.estimate > 0, self.p_value / 2, 1 - self.p_value / 2)

    def select(self, chosen: Bools | Integers) -> Estimates:
        """Return some of the estimates."""
        parts = {f.name: getattr(self, f.name)[..., chosen] for f in fields(self)}
        return Estimates(**parts)


def block_length(n_moments: int) -> int:
    """Return the length of a block, n^(1/3) rounded up (Hall, Horowitz and Jing 1995)."""
    return max(1, int(np.ceil(round(n_moments ** (1 / 3), 9))))


def sum_blocks(values: Floats) -> Floats:
    """Sum rows of consecutive moments into blocks; the last block may be shorter."""
    starts = np.arange(0, len(values), block_length(len(values)))
    return np.asarray(np.add.reduceat(values, starts, axis=0))


def from_scores(
    estimate: Floats, scores: Floats, n_obs: Integers, information: Floats
) -> Estimates:
    """Return intervals and p-values from influence scores (moments x estimates).

    A score is an observation's contribution to estimate - truth, so that they sum to about zero.
    `information` is what each moment adds to what is known of the estimate: (x - mean)^2 for a
    slope. Where few blocks hold most of it, they alone count: the effective number of blocks is
    (sum of information)^2 / sum of squares (Carter, Schnepel and Steigerwald 2017).
    """
    held = sum_blocks(information)
    squares = (held**2).sum(axis=0)
    total = held.sum(axis=0)
    n_blocks = np.where(squares > 0, total**2 / np.where(squares > 0, squares, 1), 0)
    blocks = sum_blocks(scores)
    null_scores = blocks + estimate * held / np.where(total > 0, total, 1)
    return _from_blocks(estimate, blocks, null_scores, n_obs, n_blocks)


def combine(estimates: Estimates, weights: Floats) -> Estimates:
    """Return the weighted sum of estimates as one estimate, their errors' correlation allowed for.

    Its observations and blocks are those of the least known estimate with a weight.
    """
    used = weights != 0
    return _from_blocks(
        np.atleast_1d(estimates.estimate[used] @ weights[used]),
        (estimates.block_scores[:, used] @ weights[used])[:, None],
        (estimates.null_scores[:, used] @ weights[used])[:, None],
        np.atleast_1d(estimates.n_obs[used].min()),
        np.atleast_1d(estimates.n_blocks[used].min()),
    )


def _from_blocks(
    estimate: Floats, block_scores: Floats, null_scores: Floats, n_obs: Integers, n_blocks: Floats
) -> Estimates:
    """Student's t with one degree of freedom less than blocks; undefined below six blocks.

    Bester, Conley and Hansen (2011).
    """
    from scipy.special import stdtr, stdtrit

    usable = (n_blocks >= MIN_BLOCKS) & np.isfinite(estimate)
    blocks = np.where(usable, n_blocks, 2.0)
    variance = (block_scores**2).sum(axis=0) * blocks / (blocks - 1)
    error = np.sqrt(np.where(usable & (variance > 0), variance, np.nan))
    t_stat = estimate / error
    reach = stdtrit(blocks - 1, (1 + CONFIDENCE) / 2) * error
    return Estimates(
        estimate=np.where(np.isfinite(error), estimate, np.nan),
        n_obs=n_obs,
        n_blocks=n_blocks,
        block_scores=np.where(np.isfinite(error), block_scores, 0.0),
        null_scores=np.where(np.isfinite(error), null_scores, 0.0),
        std_error=error,
        t_stat=t_stat,
        p_value=2 * stdtr(blocks - 1, -np.abs(t_stat)),
        low=estimate - reach,
        high=estimate + reach,
    )


# --- slopes --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Moments:
    """Sums over the pairs (x, y) of each moment of time: six arrays (moments x estimates).

    They let pairs of days be summed into weeks once, and every later window be cut from the weeks.
    """

    n: Floats
    x: Floats
    y: Floats
    xx: Floats
    xy: Floats
    yy: Floats

    @classmethod
    def of_pairs(cls, x: Floats, y: Floats) -> Moments:
        """Return one moment per row of x and y (equal shapes); a pair with a NaN counts nothing."""
        known = ~(np.isnan(x) | np.isnan(y))
        x, y = np.where(known, x, 0.0), np.where(known, y, 0.0)
        return cls(known.astype(float), x, y, x * x, x * y, y * y)

    def window(self, start: int, stop: int) -> Moments:
        """Return the moments of rows start to stop - 1."""
        return Moments(*(np.ascontiguousarray(part[start:stop]) for part in self._parts()))

    def grouped(self, groups: Integers, n_groups: int) -> Moments:
        """Sum rows with equal group number; `groups` ascends and lies in 0 to n_groups - 1."""
        edges = np.searchsorted(groups, np.arange(n_groups + 1))

        def sums(part: Floats) -> Floats:
            running = np.vstack([np.zeros((1, part.shape[1])), np.cumsum(part, axis=0)])
            return np.asarray(running[edges[1:]] - running[edges[:-1]])

        return Moments(*(sums(part) for part in self._parts()))

    def beside(self, other: Moments) -> Moments:
        """Return both sets of estimates side by side."""
        both = zip(self._parts(), other._parts(), strict=True)
        return Moments(*(np.hstack(pair) for pair in both))

    def _parts(self) -> tuple[Floats, ...]:
        return self.n, self.x, self.y, self.xx, self.xy, self.yy


@dataclass(frozen=True)
class Slopes:
    """Least-squares slopes with an intercept, and the correlation beside each."""

    slope: Estimates
    correlation: Floats


def slopes(moments: Moments, min_obs: int) -> Slopes:
    """Regress y on x, column by column; undefined below `min_obs` pairs or without variance."""
    n = moments.n.sum(axis=0)
    count = np.maximum(n, 1)
    mean_x, mean_y = moments.x.sum(axis=0) / count, moments.y.sum(axis=0) / count
    # Squares and products about the means, per moment.
    xx = moments.xx - 2 * mean_x * moments.x + mean_x**2 * moments.n
    xy = moments.xy - mean_y * moments.x - mean_x * moments.y + mean_x * mean_y * moments.n
    total_xx, total_xy = xx.sum(axis=0), xy.sum(axis=0)
    total_yy = moments.yy.sum(axis=0) - count * mean_y**2
    usable = (n >= min_obs) & (total_xx > 1e-9) & (total_yy > 1e-9)
    safe_xx = np.where(usable, total_xx, 1.0)
    slope = np.where(usable, total_xy / safe_xx, np.nan)
    scores = np.where(usable, (xy - np.where(usable, slope, 0.0) * xx) / safe_xx, 0.0)
    correlation = total_xy / np.sqrt(safe_xx * np.where(usable, total_yy, 1.0))
    return Slopes(
        slope=from_scores(slope, scores, n.astype(np.int64), np.where(usable, xx, 0.0)),
        correlation=np.where(usable, np.clip(correlation, -1, 1), np.nan),
    )


# --- differences of means ------------------------------------------------------------------------


@dataclass(frozen=True)
class Matched:
    """The chosen moments of each series beside the others of the same strata.

    The counts are strata x series; `mean`, `control_mean` and `n_chosen` are by series.
    """

    mean: Floats
    control_mean: Floats
    n_chosen: Integers
    chosen_in: Floats
    controls_in: Floats
    control_means_in: Floats
    chosen_sums_in: Floats

    @property
    def effective_controls(self) -> Floats:
        """How many controls of equal weight would be worth as much (Kish 1965)."""
        squares = (self.chosen_in**2 / np.maximum(self.controls_in, 1)).sum(axis=0)
        return np.asarray(self.n_chosen**2 / np.where(squares > 0, squares, np.inf))


def matched_means(
    values: Floats, chosen: Bools, strata: Integers, min_controls: int = 1
) -> Matched:
    """Return the mean of the chosen moments and of their matches, series by series.

    `values` and `chosen` are moments x series; NaN is unknown. The controls of each stratum count
    as often as chosen moments fall into it (post-stratification: with strata of weekday and
    month-end, their fixed effects drop out); strata with fewer than `min_controls` are left out.
    """
    known = (~np.isnan(values)).astype(float)
    all_in, all_sums = _sums_in(known, values, strata)
    chosen_in, chosen_sums = _sums_in(known * chosen, values, strata)
    return match(
        (chosen_in, chosen_sums), (all_in - chosen_in, all_sums - chosen_sums), min_controls
    )


def stratum_sums(values: Floats, strata: Integers, n_strata: int) -> tuple[Floats, Floats]:
    """Return number and sum of the known values (strata x series); `values` as above."""
    return _sums_in((~np.isnan(values)).astype(float), values, strata, n_strata)


def match(
    chosen: tuple[Floats, Floats], controls: tuple[Floats, Floats], min_controls: int = 1
) -> Matched:
    """Return the means of the chosen and of their matches, from both `stratum_sums`.

    It lets the same controls be counted once for many choices.
    """
    is_used = controls[0] >= min_controls
    controls_in, chosen_in, chosen_sums = (
        part * is_used for part in (controls[0], chosen[0], chosen[1])
    )
    control_means = controls[1] / np.maximum(controls[0], 1)
    n_chosen = chosen_in.sum(axis=0)
    count = np.where(n_chosen > 0, n_chosen, np.nan)
    return Matched(
        mean=chosen_sums.sum(axis=0) / count,
        control_mean=(chosen_in * control_means).sum(axis=0) / count,
        n_chosen=n_chosen.astype(np.int64),
        chosen_in=chosen_in,
        controls_in=controls_in,
        control_means_in=control_means,
        chosen_sums_in=chosen_sums,
    )


def _sums_in(
    weights: Floats, values: Floats, strata: Integers, n_strata: int | None = None
) -> tuple[Floats, Floats]:
    """Return the sums of weights, and of values times weights; NaN counts nothing."""
    member = _members(strata, n_strata)
    return member @ weights, member @ np.where(weights > 0, values, 0.0)


def mean_difference(
    values: Floats, chosen: Bools, strata: Integers | None = None, min_controls: int = 1
) -> tuple[Estimates, Matched]:
    """Return the difference of the matched means with its precision, and the means."""
    strata = np.zeros(len(values), dtype=np.int64) if strata is None else strata
    found = matched_means(values, chosen, strata, min_controls)
    member = _members(strata).T
    known = ~np.isnan(values)
    is_chosen = (known & chosen) * (member @ (found.controls_in > 0))
    about = np.where(known, values, 0.0) - member @ found.control_means_in
    weights = member @ (found.chosen_in / np.maximum(found.controls_in, 1))
    difference = found.mean - found.control_mean
    scores = is_chosen * (about - difference) - (known & ~chosen) * weights * about
    estimates = from_scores(
        difference,
        np.nan_to_num(scores / np.maximum(found.n_chosen, 1)),
        known.sum(axis=0),
        information=is_chosen,
    )
    return estimates, found


def _members(strata: Integers, n_strata: int | None = None) -> Floats:
    """Return strata x moments: 1 where the moment belongs to the stratum."""
    every = np.arange(n_strata or int(strata.max(initial=0)) + 1)
    return np.equal(strata, every[:, None]).astype(np.float64)


# --- draws ----------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def draw_blocks(n_blocks: int, draws: int, seed: int) -> Floats:
    """Return how often each block is drawn (draws x blocks), blocks drawn with replacement."""
    drawn = np.random.default_rng(seed).integers(0, n_blocks, (draws, n_blocks))
    cells = drawn + n_blocks * np.arange(draws)[:, None]
    counts = np.bincount(cells.ravel(), minlength=draws * n_blocks)
    return counts.reshape(draws, n_blocks).astype(float)


def draw_estimates(estimates: Estimates, seed: int, draws: int = DRAWS) -> Floats:
    """Return bootstrap draws of the estimates together (draws x estimates)."""
    counts = draw_blocks(len(estimates.block_scores), draws, seed)
    return np.asarray(estimates.estimate + (counts - 1) @ estimates.block_scores)


def fisher_band(correlation: Floats, n_obs: Integers) -> tuple[Floats, Floats]:
    """Return the 95 % band of a correlation of n independent pairs.

    tanh(atanh r -+ 1.96 / sqrt(n - 3)), Fisher (1921). NaN for fewer than four pairs and for a
    correlation of exactly one.
    """
    usable = (n_obs > 3) & (np.abs(correlation) < 1)
    centre = np.arctanh(np.where(usable, correlation, np.nan))
    reach = 1.96 / np.sqrt(np.where(usable, n_obs - 3, 1))
    return np.tanh(centre - reach), np.tanh(centre + reach)
