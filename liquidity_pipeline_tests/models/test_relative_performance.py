"""Promises of relative performance: which weeks are set against which."""

from __future__ import annotations

from datetime import date

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from liquidity_pipeline.models import engine
from liquidity_pipeline.models.assets.relative_performance import build
from liquidity_pipeline_tests.models.worlds import wednesdays, world

WEEKS = wednesdays(520)
# Twenty episodes, open at the end of eight weeks; the ninth closes them.
EPISODES = [f"drain-{i // 26}" if i % 26 < 8 else None for i in range(520)]
EPISODE_WEEKS = {
    "week_ending": WEEKS,
    "episode_id": [f"drain-{i // 26}" if i % 26 < 9 else None for i in range(520)],
    "is_open_at_end": [i % 26 < 8 for i in range(520)],
}


def _world(returns: dict[str, np.ndarray]) -> duckdb.DuckDBPyConnection:
    connection = world(weekly=(WEEKS, {"reserve_drain": np.ones(520)}, returns))
    connection.register("state", pa.table(EPISODE_WEEKS))
    connection.execute("create table marts.drain_episode_weeks as from state")
    return connection


def _last(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], dict[str, object]]:
    rows = build(connection).to_pylist()
    return {(r["asset"], r["measure"]): r for r in rows if r["as_of"] == date(2024, 12, 25)}


def _returns(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    market = rng.normal(0, 2, 520)
    return {
        "SPX": market,
        "RUT": 1.2 * market + rng.normal(0, 1, 520),
        "TLT": rng.normal(0, 1, 520),
    }


def test_weeks_with_an_open_episode_stand_against_all_others() -> None:
    returns = _returns(1)
    in_drain = np.array([episode is not None for episode in EPISODES])
    row = _last(_world(returns))[("TLT", "return")]
    inside, outside = returns["TLT"][in_drain].mean(), returns["TLT"][~in_drain].mean()
    assert row["mean_in_drain_pct"] == pytest.approx(inside)
    assert row["mean_outside_pct"] == pytest.approx(outside)
    assert row["difference_pct"] == pytest.approx(inside - outside)
    assert (row["n_weeks_in_drain"], row["n_weeks_outside"], row["n_episodes"]) == (160, 360, 20)


def test_what_holds_up_better_is_found_and_only_that() -> None:
    returns = _returns(2)
    in_drain = np.array([episode is not None for episode in EPISODES])
    for name in ("SPX", "RUT"):
        returns[name] = returns[name] - 1.5 * in_drain
    rows = _last(_world(returns))
    assert rows[("SPX", "return")]["difference_high_pct"] < 0
    assert rows[("TLT", "return_less_large_cap")]["difference_low_pct"] > 0
    assert rows[("TLT", "return_less_large_cap")]["p_value_adjusted"] < 0.05
    assert rows[("RUT", "return_less_large_cap")]["p_value_adjusted"] > 0.05


def test_the_benchmark_less_itself_is_no_look() -> None:
    rows = _last(_world(_returns(3)))
    assert ("SPX", "return_less_large_cap") not in rows
    # Of each of four followed assets its return and that less the benchmark's, but for the latter.
    counted = {name: row["n_tests"] for (name, _), row in rows.items()}
    assert counted == {"SPX": 4, "RUT": 8, "TLT": 8}


def test_without_the_benchmark_returns_alone_are_still_compared() -> None:
    returns = _returns(3)
    good = _last(_world(returns))
    connection = _world({name: values for name, values in returns.items() if name != "SPX"})
    connection.execute("update meta.coverage set known_through = null where entity = 'SPX'")
    rows = engine.build("relative_performance", connection).to_pylist()
    assert {(row["asset"], row["measure"]) for row in rows} == {
        ("RUT", "return"), ("TLT", "return"),
    }  # fmt: skip
    unknown = {"p_value_adjusted": None, "n_tests": None}
    for row in rows:
        if row["as_of"] == date(2024, 12, 25):
            assert row == good[row["asset"], "return"] | unknown


@pytest.mark.slow
def test_on_noise_differences_are_claimed_in_at_most_one_world_in_twenty() -> None:
    # 40 worlds: 2 expected, at most 5 but for one case in a hundred.
    claimed = sum(
        any(row["p_value_adjusted"] < 0.05 for row in _last(_world(_returns(100 + i))).values())
        for i in range(40)
    )
    assert claimed <= 5


def test_a_row_uses_nothing_after_its_date() -> None:
    connection = _world(_returns(4))
    full = [r for r in build(connection).to_pylist() if r["as_of"] <= date(2024, 9, 25)]
    connection.execute("update meta.clock set now = timestamp '2024-09-27 12:00'")
    connection.execute("delete from marts.sampled_returns where date > date '2024-09-26'")
    connection.execute("delete from marts.drain_episode_weeks where week_ending > '2024-09-26'")
    assert build(connection).to_pylist() == full
