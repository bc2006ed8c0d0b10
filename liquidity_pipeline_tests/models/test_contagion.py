"""Promises of the contagion tables: triggers by the past alone, returns ahead, who is first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pytest
from scipy import stats

from liquidity_pipeline.models.assets.contagion import (
    bad_days,
    build_contagion,
    build_order,
    build_sequences,
    forward_returns,
    order_counts,
    sequences,
    small_cap_stress,
)
from liquidity_pipeline.statistics.panels import Panel
from liquidity_pipeline_tests.models.worlds import sessions, world

DAYS = sessions(2000)


def test_a_bad_day_is_judged_by_the_days_before_it_alone() -> None:
    # 300 days from -1 to 1, then -0.95 (among the worst 5 %), then -0.5 (not).
    past = np.linspace(-1, 1, 300)
    values = np.concatenate([np.random.default_rng(1).permutation(past), [-0.95, -0.5]])
    found = bad_days(values)
    assert found[-2]
    assert not found[-1]
    assert not found[:252].any()
    # What comes later changes nothing.
    assert (bad_days(np.append(values, [-9.0] * 50))[: len(values)] == found).all()


def test_a_drawdown_is_measured_from_the_highest_close_of_a_year() -> None:
    returns = np.zeros(600)
    returns[300], returns[310], returns[320] = -9.0, -2.0, 5.0
    stress = small_cap_stress(returns)["drawdown_10pct"]
    # 0.91 x 0.98 = 0.8918: 10.8 % below; x 1.05 = 0.936: 6.4 % below.
    assert stress[310:320].all()
    assert not stress[:310].any()
    assert not stress[320:].any()


def test_returns_ahead_are_compounded_and_end_with_the_data() -> None:
    ahead = forward_returns(np.array([[1.0], [10.0], [10.0], [np.nan], [5.0]]), 2)
    assert ahead[0, 0] == pytest.approx(21)
    assert np.isnan(ahead[1:, 0]).all()


def _panel(**columns: np.ndarray) -> Panel:
    return Panel(
        sessions(len(next(iter(columns.values())))),
        tuple(columns),
        np.column_stack(list(columns.values())),
    )


def test_a_bout_lists_the_first_bad_day_of_each_class() -> None:
    rng = np.random.default_rng(2)
    small, large = rng.uniform(0.1, 1, 320), rng.uniform(0.1, 1, 320)
    # Small caps fall on day 300, large caps two sessions later, small caps again after three.
    small[[300, 303]], large[302] = -5.0, -4.0
    for series in (small, large):
        series[:252] = np.linspace(-1, 1, 252)
        series[252:300] = 0.5
    found = list(sequences(_panel(small_cap=small, large_cap=large), ["small_cap", "large_cap"]))
    days = sessions(320)
    assert found == [
        (days[300], "small_cap", days[300], 0),
        (days[300], "large_cap", days[302], 2),
    ]


def test_a_new_bout_needs_ten_quiet_sessions() -> None:
    returns = np.concatenate([np.linspace(-1, 1, 252), np.full(60, 0.5)])
    returns[[260, 268, 290]] = -5.0
    starts = [start for start, *_ in sequences(_panel(small_cap=returns), ["small_cap"])]
    days = sessions(312)
    assert starts == [days[260], days[290]]


def test_order_counts_first_same_day_and_later() -> None:
    bouts = [
        {"small_cap": 0, "large_cap": 2},
        {"small_cap": 0, "large_cap": 1},
        {"small_cap": 0, "large_cap": 0},
        {"small_cap": 3, "large_cap": 0},
        {"small_cap": 0},
    ]
    rows = {(r["first_class"], r["later_class"]): r for r in order_counts(bouts)}
    row = rows[("small_cap", "large_cap")]
    assert (row["n_bouts"], row["n_before"], row["n_same_day"], row["n_after"]) == (4, 2, 1, 1)
    assert row["p_value"] == pytest.approx(stats.binomtest(2, 3, alternative="greater").pvalue)
    # All ordered pairs of the five classes, observed or not.
    assert row["n_tests"] == 20
    assert row["p_value_adjusted"] == min(1, 20 * row["p_value"])


def test_contagion_is_found_where_it_is_and_not_where_it_is_not() -> None:
    # Large caps lose 1 % on the session after each of the small caps' bad days; crypto does not.
    rng = np.random.default_rng(3)
    small = rng.normal(0, 1, len(DAYS))
    large, coins = rng.normal(0, 0.5, len(DAYS)), rng.normal(0, 3, len(DAYS))
    large[1:] -= 1.0 * bad_days(small)[:-1]
    returns = {"RUT": small, "SPX": large, "BTC": coins}
    connection = world(daily=(DAYS, {"tga_change": np.ones(len(DAYS))}, returns))
    rows = {
        (r["trigger"], r["asset_class"], r["horizon_sessions"]): r
        for r in build_contagion(connection).to_pylist()
        if r["as_of"] == date(2024, 12, 25)
    }
    found = rows[("worst_5pct_day", "large_cap", 1)]
    assert found["difference_low_pct"] < -1 < found["difference_high_pct"]
    assert found["p_value_adjusted"] < 0.01
    assert rows[("worst_5pct_day", "crypto", 1)]["p_value_adjusted"] > 0.05
    # 1,996 sessions, of which 252 have too little past and the last one has no session ahead.
    assert sum(day <= date(2024, 12, 25) for day in DAYS) == 1996
    assert found["n_events"] + found["n_other"] == 1996 - 252 - 1


def test_rows_use_nothing_after_their_date() -> None:
    rng = np.random.default_rng(4)
    returns = {name: rng.normal(0, 1, len(DAYS)) for name in ("RUT", "SPX", "BTC")}
    connection = world(daily=(DAYS, {"tga_change": np.ones(len(DAYS))}, returns))

    def marts() -> list[list[dict[str, object]]]:
        connection.execute("drop table if exists marts.contagion_sequences")
        bouts = build_sequences(connection)
        connection.register("bouts", bouts)
        connection.execute("create table marts.contagion_sequences as from bouts")
        return [
            build_contagion(connection).to_pylist(),
            bouts.to_pylist(),
            build_order(connection).to_pylist(),
        ]

    full = marts()
    end = connection.execute("select timestamp '2024-09-26 23:00'").fetchone()[0]
    connection.execute("update meta.clock set now = timestamp '2024-09-26 23:00'")
    connection.execute("delete from marts.sampled_returns where date > date '2024-09-26'")
    for then, later in zip(marts(), full, strict=True):
        assert then == [row for row in later if row["known_at"] <= end]
        assert then


def test_a_class_that_is_not_held_takes_no_other_classes_bouts_away() -> None:
    rng = np.random.default_rng(5)
    returns = {name: rng.normal(0, 1, len(DAYS)) for name in ("RUT", "SPX", "BTC")}

    def rows(held: Sequence[str]) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
        kept = {name: returns[name] for name in held}
        connection = world(daily=(DAYS, {"tga_change": np.ones(len(DAYS))}, kept))
        bouts = build_sequences(connection)
        connection.register("bouts", bouts)
        connection.execute("create table marts.contagion_sequences as from bouts")
        return bouts.to_pylist(), build_order(connection).to_pylist()

    (all_bouts, all_orders), (bouts, orders) = rows(["RUT", "SPX", "BTC"]), rows(["RUT", "SPX"])
    assert bouts == [row for row in all_bouts if "crypto" not in str(row["classes"])]
    of_two = {"small_cap", "large_cap"}
    assert orders == [
        row for row in all_orders if {row["first_class"], row["later_class"]} == of_two
    ]
    assert bouts
    assert orders
