"""Promises of the estimators, against statsmodels, scipy, enumeration and simulation."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from liquidity_pipeline.statistics.exact_tests import stratified_upper_tail
from liquidity_pipeline.statistics.inference import (
    Estimates,
    Moments,
    block_length,
    combine,
    draw_estimates,
    fisher_band,
    from_scores,
    matched_means,
    mean_difference,
    slopes,
    sum_blocks,
)
from liquidity_pipeline.statistics.multiple_tests import max_t_p_values


def _slopes(x: np.ndarray, y: np.ndarray):
    return slopes(Moments.of_pairs(np.repeat(x[:, None], y.shape[1], axis=1), y), 30)


@pytest.mark.parametrize(("n", "length"), [(1, 1), (27, 3), (156, 6), (1000, 10), (1001, 11)])
def test_block_length_is_the_cube_root_rounded_up(n: int, length: int) -> None:
    assert block_length(n) == length


def test_blocks_cover_every_moment_once() -> None:
    # Ten moments make blocks of three: 0+1+2, 3+4+5, 6+7+8, 9.
    assert sum_blocks(np.arange(10.0)[:, None])[:, 0].tolist() == [3, 12, 21, 9]


def test_slope_and_error_equal_least_squares_clustered_by_block() -> None:
    # Equal information per block: the effective number of blocks is then their number, and the
    # error is statsmodels' cluster-robust one with its factor G / (G - 1).
    rng = np.random.default_rng(1)
    n, length = 216, 6
    x = np.tile([-1.0, 1, -1, 1, -1, 1], n // length)
    y = 0.7 * x + rng.standard_t(4, n)
    fitted = _slopes(x, y[:, None])
    model = sm.OLS(y, sm.add_constant(x)).fit(
        cov_type="cluster", cov_kwds={"groups": np.arange(n) // length, "use_correction": False}
    )
    blocks = n // length
    error = model.bse[1] * np.sqrt(blocks / (blocks - 1))
    reach = stats.t.ppf(0.975, blocks - 1) * error
    assert fitted.slope.estimate[0] == pytest.approx(model.params[1])
    assert fitted.slope.n_blocks[0] == pytest.approx(blocks)
    assert fitted.slope.std_error[0] == pytest.approx(error)
    assert fitted.slope.low[0] == pytest.approx(model.params[1] - reach)
    assert fitted.slope.p_value[0] == pytest.approx(
        2 * stats.t.sf(abs(model.params[1] / error), blocks - 1)
    )
    assert fitted.correlation[0] == pytest.approx(np.corrcoef(x, y)[0, 1])


def test_pairs_with_a_gap_are_left_out() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=200), rng.normal(size=200)
    y[::7] = np.nan
    kept = ~np.isnan(y)
    fitted = _slopes(x, y[:, None])
    assert fitted.slope.n_obs[0] == kept.sum()
    assert fitted.slope.estimate[0] == pytest.approx(np.polyfit(x[kept], y[kept], 1)[0])


def test_days_summed_into_weeks_give_the_same_slope() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(300, 1)), rng.normal(size=(300, 1))
    weeks = np.arange(300) // 5
    summed = Moments.of_pairs(x, y).grouped(weeks, 60)
    assert slopes(summed, 30).slope.estimate[0] == pytest.approx(np.polyfit(x[:, 0], y[:, 0], 1)[0])
    assert summed.n[:, 0].tolist() == [5.0] * 60


def test_what_is_too_short_or_constant_is_undefined_and_not_nan_elsewhere() -> None:
    rng = np.random.default_rng(4)
    y = rng.normal(size=(100, 3))
    y[25:, 0] = np.nan
    y[:, 1] = 2.0
    fitted = _slopes(rng.normal(size=100), y)
    assert fitted.slope.is_defined.tolist() == [False, False, True]
    adjusted = max_t_p_values(fitted.slope, 1)
    assert np.isnan(adjusted).tolist() == [True, True, False]


def test_an_effect_that_rests_on_three_weeks_is_undefined() -> None:
    # A driver that moves in three weeks only: clustered errors would call any outcome certain.
    x = np.zeros(200)
    x[[50, 100, 150]] = 5.0
    fitted = _slopes(x, np.random.default_rng(5).normal(size=(200, 1)))
    assert not fitted.slope.is_defined[0]


def test_intervals_cover_the_truth_in_95_percent_of_dependent_worlds() -> None:
    # Regressor and error both autocorrelated (0.3), volatility clustered in y: 1,000 columns.
    rng = np.random.default_rng(6)
    n, worlds = 156, 1000
    x, noise = np.zeros((n, worlds)), np.zeros((n, worlds))
    for t in range(1, n):
        x[t] = 0.3 * x[t - 1] + rng.normal(size=worlds)
        noise[t] = 0.3 * noise[t - 1] + rng.normal(size=worlds) * (1 + (t % 40 < 10))
    fitted = slopes(Moments.of_pairs(x, 0.5 * x + noise), 60).slope
    covered = ((fitted.low <= 0.5) & (fitted.high >= 0.5)).mean()
    assert 0.92 <= covered <= 0.975


def test_on_noise_the_error_rate_over_all_looks_is_at_most_nominal() -> None:
    # 200 worlds of 40 looks each: heavy tails, a common factor, and no effect at all. Uncorrected,
    # some p < 0.05 is found in nearly every world; corrected, in at most 5 % (binomial slack: 9 %).
    rng = np.random.default_rng(7)
    wrong, naive = 0, 0
    for world in range(200):
        factor = rng.standard_t(5, (156, 1))
        y = factor + rng.standard_t(5, (156, 10))
        x = np.repeat(rng.standard_t(5, (156, 4)), 10, axis=1)
        fitted = slopes(Moments.of_pairs(x, np.tile(y, (1, 4))), 60).slope
        naive += fitted.p_value.min() < 0.05
        wrong += max_t_p_values(fitted, world, draws=199).min() < 0.05
    assert naive > 60
    assert wrong <= 18


def test_a_strong_effect_survives_the_correction_and_keeps_its_neighbours_out() -> None:
    rng = np.random.default_rng(8)
    x = rng.normal(size=400)
    y = rng.normal(size=(400, 20))
    y[:, 3] += 0.5 * x
    fitted = _slopes(x, y).slope
    adjusted = max_t_p_values(fitted, 1)
    assert adjusted[3] < 0.01
    assert (np.delete(adjusted, 3) > 0.05).all()
    assert (adjusted >= fitted.p_value).all()


def _by_blocks(*parts: list[float]) -> Estimates:
    """Estimates whose blocks contribute these parts, each surely positive by itself."""
    null_scores = np.array(parts).T
    ones = np.ones(len(parts))
    return Estimates(
        estimate=null_scores.sum(axis=0),
        n_obs=ones.astype(int),
        n_blocks=ones * len(null_scores),
        block_scores=null_scores - null_scores.mean(axis=0),
        null_scores=null_scores,
        std_error=ones,
        t_stat=ones,
        p_value=ones * 1e-9,
        low=ones,
        high=ones,
    )


def test_six_blocks_that_agree_happen_by_chance_once_in_32() -> None:
    # All six signs equal: 2 of 2^6 draws, one of them with this sign.
    six = _by_blocks([1.0] * 6)
    assert max_t_p_values(six, 1, draws=9999)[0] == pytest.approx(1 / 32, abs=0.006)
    above = max_t_p_values(six, 1, draws=9999, one_sided=True)
    assert above[0] == pytest.approx(1 / 64, abs=0.005)
    below = max_t_p_values(_by_blocks([-1.0] * 6), 1, one_sided=True)
    assert below[0] > 0.95


def test_one_block_that_carries_all_proves_nothing() -> None:
    # The others cancel out: about half of all draws lie further from zero.
    assert max_t_p_values(_by_blocks([100.0] + [0.1, -0.1] * 10), 1)[0] > 0.4


def test_what_is_found_first_does_not_burden_what_is_looked_at_next() -> None:
    # The second look beside a certain one has the p-value that it has alone.
    rng = np.random.default_rng(12)
    certain, weak = [1.0] * 20, (0.45 + rng.normal(size=20)).tolist()
    both, alone = max_t_p_values(_by_blocks(certain, weak), 1), max_t_p_values(_by_blocks(weak), 1)
    assert both[0] < 0.01 < alone[0]
    assert both[1] == alone[0]


def test_scores_about_zero_sum_to_the_estimate() -> None:
    rng = np.random.default_rng(13)
    fitted = _slopes(rng.normal(size=200), rng.normal(size=(200, 3)) + 1).slope
    assert fitted.null_scores.sum(axis=0) == pytest.approx(fitted.estimate)
    chosen = rng.random(200) < 0.3
    values = rng.normal(size=(200, 2)) + chosen[:, None]
    different, _ = mean_difference(values, chosen[:, None])
    assert different.null_scores.sum(axis=0) == pytest.approx(different.estimate)


def test_the_error_rate_holds_where_volatility_wanders() -> None:
    # Driver and returns share a volatility that is a random walk: a few months carry everything.
    # 300 worlds of 20 looks; more than 24 errors happen once in 100 (binomial, 5 %).
    wrong = 0
    for seed in range(300):
        rng = np.random.default_rng(1000 + seed)
        volatility = np.exp(np.cumsum(rng.normal(0, 0.12, 520)))
        x = rng.standard_t(4, 520) * volatility
        y = (rng.standard_t(4, (520, 20)) + rng.standard_t(4, (520, 1))) * volatility[:, None]
        adjusted = max_t_p_values(_slopes(x, y).slope, seed, draws=199)
        wrong += bool(np.nanmin(adjusted, initial=1.0) < 0.05)
    assert wrong <= 24


def test_draws_have_the_estimates_spread() -> None:
    rng = np.random.default_rng(9)
    x = rng.normal(size=1000)
    fitted = _slopes(x, rng.normal(size=(1000, 2))).slope
    drawn = draw_estimates(fitted, 1, draws=4000)
    assert drawn.mean(axis=0) == pytest.approx(fitted.estimate, abs=0.005)
    assert drawn.std(axis=0) == pytest.approx(fitted.std_error, rel=0.1)


def test_a_portfolio_of_estimates_is_the_estimate_of_the_portfolio() -> None:
    rng = np.random.default_rng(10)
    x = rng.normal(size=300)
    y = rng.normal(size=(300, 3))
    weights = np.array([0.5, 0.0, 0.25])
    combined = combine(_slopes(x, y).slope, weights)
    direct = _slopes(x, (y @ weights)[:, None]).slope
    assert combined.estimate[0] == pytest.approx(direct.estimate[0])
    assert combined.std_error[0] == pytest.approx(direct.std_error[0])


# --- means ---------------------------------------------------------------------------------------


def test_matched_means_weigh_controls_like_the_chosen() -> None:
    # Chosen: two in stratum 0 (4, 6), none in 1. Controls: 1, 3 in stratum 0; 100 in stratum 1.
    values = np.array([4.0, 6, 1, 3, 100])[:, None]
    chosen = np.array([True, True, False, False, False])[:, None]
    found = matched_means(values, chosen, np.array([0, 0, 0, 0, 1]))
    assert found.mean[0] == 5
    assert found.control_mean[0] == 2
    assert found.n_chosen[0] == 2


def test_chosen_moments_without_a_match_are_left_out() -> None:
    values = np.array([4.0, 50, 1, np.nan])[:, None]
    chosen = np.array([True, True, False, True])[:, None]
    found = matched_means(values, chosen, np.array([0, 1, 0, 0]))
    assert (found.mean[0], found.control_mean[0], found.n_chosen[0]) == (4, 1, 1)


def test_difference_of_means_has_the_classical_error_when_moments_are_independent() -> None:
    # 20,000 independent values: blocks must not distort the two-sample (Welch) error.
    rng = np.random.default_rng(11)
    values = rng.normal(size=(20_000, 1))
    chosen = rng.random((20_000, 1)) < 0.2
    values[chosen] += 0.3
    difference, _ = mean_difference(values, chosen)
    a, b = values[chosen], values[~chosen]
    welch = np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
    assert difference.estimate[0] == pytest.approx(a.mean() - b.mean())
    assert difference.std_error[0] == pytest.approx(welch, rel=0.1)


def test_weekday_effects_do_not_pass_for_an_effect_of_the_chosen_days() -> None:
    # Mondays return 1 less; the chosen days are mostly Mondays, and do nothing themselves.
    rng = np.random.default_rng(12)
    strata = np.arange(5000) % 5
    values = rng.normal(size=(5000, 200)) - (strata == 0)[:, None]
    chosen = rng.random((5000, 200)) < np.where(strata == 0, 0.6, 0.1)[:, None]
    naive, _ = mean_difference(values, chosen)
    matched, _ = mean_difference(values, chosen, strata)
    assert (naive.high < 0).all()
    covered = ((matched.low < 0) & (matched.high > 0)).mean()
    assert 0.91 <= covered <= 0.99


def test_scores_without_information_are_undefined() -> None:
    zeros = np.zeros((50, 1))
    found = from_scores(np.array([1.0]), zeros, np.array([50]), zeros)
    assert not found.is_defined[0]


# --- closed forms --------------------------------------------------------------------------------


def test_fisher_band_is_a_quarter_at_sixty_pairs() -> None:
    # Method, C7: +-0.25 at n = 60.
    low, high = fisher_band(np.array([0.0, 1.0]), np.array([60, 60]))
    assert low[0] == pytest.approx(-0.2543, abs=1e-3)
    assert high[0] == -low[0]
    assert np.isnan(low[1])


@pytest.mark.parametrize("observed", [0, 1, 3, 5])
def test_one_stratum_is_the_hypergeometric_tail(observed: int) -> None:
    exact = stratified_upper_tail(observed, np.array([40]), np.array([18]), np.array([9]))
    assert exact == pytest.approx(stats.hypergeom.sf(observed - 1, 40, 18, 9))


def test_exact_probability_equals_the_count_of_all_permutations() -> None:
    # Two strata of 5 and 4 days, 2 and 1 of them chosen: C(5,2) x C(4,1) = 40 equally likely draws.
    first, second = [1, 1, 0, 0, 1], [1, 0, 0, 1]
    draws = [a[0] + a[1] + b for a in combinations(first, 2) for b in second]
    for observed in range(4):
        expected = sum(k >= observed for k in draws) / len(draws)
        exact = stratified_upper_tail(
            observed, np.array([5, 4]), np.array([3, 2]), np.array([2, 1])
        )
        assert exact == pytest.approx(expected)


def test_seven_of_nine_has_the_probability_that_the_method_states() -> None:
    # Method, C7: chance 5.6 to 9.0 %. With infinitely many control days the exact probability is
    # the binomial one: base rates of 0.44 and 0.50 give 4.7 % and 9.0 %.
    many = 200_000
    for rate in (0.44, 0.5):
        exact = stratified_upper_tail(
            7, np.array([many]), np.array([int(rate * many)]), np.array([9])
        )
        assert exact == pytest.approx(stats.binom.sf(6, 9, rate), abs=1e-3)
