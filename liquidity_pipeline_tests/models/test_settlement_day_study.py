"""Promises of the study of settlement days: what counts, against what, and how exactly."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from scipy import stats

from liquidity_pipeline.models.assets.settlement_day_study import Sessions, build, study
from liquidity_pipeline_tests.models.worlds import sessions, world

pytestmark = pytest.mark.slow

DAYS = sessions(1600)


def _history(net: np.ndarray, returns: np.ndarray, strata: np.ndarray | None = None) -> Sessions:
    dates = sessions(len(net))
    strata = np.zeros(len(net), dtype=np.int64) if strata is None else strata
    return Sessions(dates, net.astype(float), returns[:, None].astype(float), strata)


def _row(rows: list[dict[str, object]], bucket: str) -> dict[str, object]:
    return next(row for row in rows if row["size_bucket"] == bucket)


def test_seven_of_nine_is_counted_against_all_other_days() -> None:
    # 100 other days, 44 of them down; nine settlement days, seven of them down.
    returns = np.array([-1.0] * 44 + [1.0] * 56 + [-2.0] * 7 + [1.0] * 2)
    net = np.array([0.0] * 100 + [30.0] * 9)
    row = _row(study(_history(net, returns), ["SPX"], last=9), "all")
    assert (row["n_days"], row["n_down"], row["n_control"]) == (9, 7, 100)
    assert row["share_down"] == pytest.approx(7 / 9)
    assert row["base_rate_down"] == pytest.approx(0.44)
    assert row["mean_return_pct"] == pytest.approx((7 * -2 + 2) / 9)
    assert row["control_mean_pct"] == pytest.approx(0.12)
    assert row["p_value_binomial"] == pytest.approx(stats.binom.sf(6, 9, 0.44))
    # Nine drawn from all 109 days, 51 of them down.
    assert row["p_value"] == pytest.approx(stats.hypergeom.sf(6, 109, 51, 9))
    assert row["difference_low_pct"] is None or np.isnan(row["difference_low_pct"])


def test_days_go_into_the_bucket_of_their_size_and_redemptions_are_controls() -> None:
    net = np.array([-40.0, 0, 20, 20.1, 50, 50.1, 120] + [0] * 60)
    rows = study(_history(net, np.linspace(-1, 1, len(net))), ["SPX"])
    counts = {row["size_bucket"]: row["n_days"] for row in rows}
    assert counts == {"all": 5, "up_to_20bn": 1, "20_to_50bn": 2, "over_50bn": 2}
    assert _row(rows, "all")["n_control"] == 62


def test_the_last_nine_of_a_size_are_the_last_nine_of_that_size() -> None:
    net = np.array([0.0] * 70 + [60.0] * 10 + [10.0] * 5)
    returns = np.concatenate([np.linspace(-1, 1, 70), [-1.0], [2.0] * 9, [-3.0] * 5])
    rows = study(_history(net, returns), ["SPX"], last=9)
    assert _row(rows, "over_50bn")["n_down"] == 0
    assert _row(rows, "all")["n_down"] == 5
    assert _row(rows, "up_to_20bn")["n_days"] == 5


def test_mondays_are_compared_with_mondays() -> None:
    # Settlement days are all of stratum 0, where every other day falls too: no effect.
    strata = np.array([0] * 100 + [1] * 60)
    net = np.where(np.arange(160) < 20, 30.0, 0.0)
    returns = np.where(strata == 0, -1.0, 1.0)
    row = _row(study(_history(net, returns, strata), ["SPX"]), "all")
    assert row["base_rate_down"] == 1
    assert row["control_mean_pct"] == -1
    assert row["p_value"] == 1


def test_an_unknown_settlement_is_neither_a_settlement_day_nor_a_control() -> None:
    net = np.array([np.nan] * 5 + [0.0] * 70 + [30.0] * 3)
    row = _row(study(_history(net, np.linspace(-1, 1, len(net))), ["SPX"]), "all")
    assert (row["n_days"], row["n_control"]) == (3, 70)


def test_all_looks_are_counted_and_corrected_for() -> None:
    rng = np.random.default_rng(1)
    net = rng.choice([0.0, 10, 30, 80], 600)
    history = Sessions(sessions(600), net, rng.normal(size=(600, 3)), np.zeros(600, dtype=np.int64))
    rows = study(history, ["A", "B", "C"])
    assert {row["n_tests"] for row in rows} == {12}
    adjusted = [min(1.0, 12 * float(str(row["p_value"]))) for row in rows]
    assert [row["p_value_adjusted"] for row in rows] == pytest.approx(adjusted)


def test_without_an_effect_the_exact_probability_is_uniform_and_a_fall_is_found() -> None:
    # 300 worlds: P(p < 0.1) is at most 0.1 for an exact test of a discrete count.
    rng = np.random.default_rng(2)
    net = np.where(rng.random(500) < 0.4, 30.0, 0.0)
    p = [
        _row(study(_history(net, rng.normal(size=500)), ["SPX"]), "all")["p_value"]
        for _ in range(300)
    ]
    assert 0.04 <= np.mean(np.array(p) < 0.1) <= 0.14
    falling = rng.normal(size=500) - 0.5 * (net > 0)
    row = _row(study(_history(net, falling), ["SPX"]), "all")
    assert row["p_value"] < 0.01
    assert row["difference_high_pct"] < 0


def test_the_mart_freezes_samples_on_its_dates() -> None:
    rng = np.random.default_rng(3)
    net = rng.choice([0.0, 30.0], len(DAYS))
    returns = {"SPX": rng.normal(size=len(DAYS))}
    connection = world(daily=(DAYS, {"net_settlement": net}, returns))
    rows = build(connection).to_pylist()
    by_date: dict[date, set[str]] = {}
    for row in rows:
        by_date.setdefault(row["as_of"], set()).add(row["sample"])
    assert by_date[date(2024, 9, 25)] == {"full", "since_2022", "last_9"}
    assert by_date[date(2024, 10, 30)] == {"last_9"}
    assert by_date[date(2023, 9, 27)] == {"last_9"}
    since = next(
        r
        for r in rows
        if (r["as_of"], r["sample"], r["size_bucket"]) == (date(2024, 12, 25), "since_2022", "all")
    )
    days = np.array(DAYS, dtype="datetime64[D]")
    used = (days >= np.datetime64("2022-01-01")) & (days <= np.datetime64("2024-12-25"))
    assert since["n_days"] == (net[used] > 0).sum()
