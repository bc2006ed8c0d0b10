"""Promises of the scenarios: arithmetic of the impact, the portfolio file and its errors."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pytest

from liquidity_pipeline.models.assets.scenarios import (
    Betas,
    PortfolioError,
    build,
    drain_scenarios,
    portfolio_scenarios,
    read_portfolio,
    scenario,
)
from liquidity_pipeline.statistics.inference import Moments, slopes
from liquidity_pipeline_tests.models.worlds import wednesdays, world

KNOWN = ("BTC", "RUT", "SPX", "TLT")


def _betas() -> tuple[Betas, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    drain = rng.normal(0, 60, 156)
    returns = np.column_stack([-0.05 * drain, -0.01 * drain]) + rng.normal(0, 1, (156, 2))
    moments = Moments.of_pairs(np.repeat(drain[:, None], 2, axis=1), returns)
    return Betas(("BTC", "SPX"), slopes(moments, 60).slope), drain, returns


def _connection(seed: int = 2, weeks: int = 300) -> duckdb.DuckDBPyConnection:
    rng = np.random.default_rng(seed)
    drain = rng.normal(5, 60, weeks)
    returns = {"BTC": -0.05 * drain, "SPX": -0.01 * drain, "TLT": 0.0 * drain}
    noisy = {name: values + rng.normal(0, 1, weeks) for name, values in returns.items()}
    noisy["TLT"][:-40] = np.nan
    return world(weekly=(wednesdays(weeks), {"reserve_drain": drain}, noisy))


def test_scenarios_follow_the_last_four_weeks_and_the_worst_of_the_past() -> None:
    # 97 four-week drains: 94 times 4, then 103, 202, 301. The 95th percentile lies at position
    # 0.95 x 96 = 91.2 of the sorted ones, among the fours.
    drains = np.array([1.0] * 97 + [100.0] * 3)
    assert drain_scenarios(drains) == {"continue": 301, "worsen": 301, "reverse": -301}
    drains = np.array([100.0] * 50 + [1.0] * 50)
    assert drain_scenarios(drains) == {"continue": 4, "worsen": 400, "reverse": -4}


def test_an_impact_is_beta_times_drain_and_its_interval_that_of_the_beta() -> None:
    betas, _, _ = _betas()
    rows = {row.asset: row for row in scenario({"SPX": 1.0}, betas, {"continue": 100.0})}
    beta = betas.slope.estimate[1]
    assert rows["SPX"].impact_pct == pytest.approx(100 * beta)
    assert rows["SPX"].impact_low_pct == pytest.approx(100 * betas.slope.low[1])
    assert rows["portfolio"].impact_pct == rows["SPX"].impact_pct
    reverse = scenario({"SPX": 1.0}, betas, {"reverse": -100.0})[0]
    assert reverse.impact_low_pct == pytest.approx(-100 * betas.slope.high[1])
    assert reverse.impact_low_pct < reverse.impact_pct < reverse.impact_high_pct


def test_a_portfolio_has_the_beta_of_its_own_return() -> None:
    betas, drain, returns = _betas()
    row = scenario({"BTC": 0.3, "SPX": 0.5}, betas, {"continue": 1.0})[-1]
    own = returns @ [0.3, 0.5]
    direct = slopes(Moments.of_pairs(drain[:, None], own[:, None]), 60).slope
    assert row.asset == "portfolio"
    assert row.weight == pytest.approx(0.8)
    assert row.beta == pytest.approx(np.polyfit(drain, own, 1)[0])
    assert row.impact_low_pct == pytest.approx(direct.low[0])


def test_cash_takes_no_part() -> None:
    betas, _, _ = _betas()
    full, half = (scenario({"BTC": w}, betas, {"continue": 50.0})[-1] for w in (1.0, 0.5))
    assert half.impact_pct == pytest.approx(full.impact_pct / 2)


def test_an_asset_without_a_beta_is_refused_by_name() -> None:
    betas, _, _ = _betas()
    with pytest.raises(PortfolioError, match=r"no beta for 'RUT'; .*BTC, SPX"):
        scenario({"RUT": 1.0}, betas, {"continue": 1.0})


def test_the_mart_holds_all_scenarios_and_nothing_estimated_on_too_few_weeks() -> None:
    rows = [r for r in build(_connection()).to_pylist() if r["as_of"] == date(2024, 12, 25)]
    assert {(r["scenario"], r["asset"]) for r in rows} == {
        (s, a) for s in ("continue", "worsen", "reverse") for a in ("BTC", "SPX")
    }
    by_key = {(r["scenario"], r["asset"]): r for r in rows}
    last, back = by_key[("continue", "BTC")], by_key[("reverse", "BTC")]
    assert back["impact_pct"] == -last["impact_pct"]
    assert by_key[("worsen", "BTC")]["drain_usd_bn"] >= last["drain_usd_bn"]
    assert last["impact_pct"] == pytest.approx(last["beta"] * last["drain_usd_bn"])
    assert last["beta"] == pytest.approx(-0.05, abs=0.01)
    assert last["n_obs"] == 156


def test_a_portfolio_file_is_read_and_answered(tmp_path: Path) -> None:
    path = tmp_path / "portfolio.csv"
    path.write_text("symbol,weight\nBTC,0.25\nSPX,0.5\n", encoding="utf-8")
    rows = portfolio_scenarios(_connection(), path).impacts
    assert {(row.scenario, row.asset) for row in rows} == {
        (s, a) for s in ("continue", "worsen", "reverse") for a in ("BTC", "SPX", "portfolio")
    }
    whole = {row.scenario: row for row in rows if row.asset == "portfolio"}
    # 0.25 x -0.05 + 0.5 x -0.01 = -0.0175 % per USD bn.
    assert whole["continue"].beta == pytest.approx(-0.0175, abs=0.003)
    path.write_text("symbol,weight\nTLT,1\n", encoding="utf-8")
    with pytest.raises(PortfolioError, match=r"TLT: fewer than 60 of the last 156 weeks"):
        portfolio_scenarios(_connection(), path)
    path.write_text("symbol,weight\nRUT,1\n", encoding="utf-8")
    with pytest.raises(PortfolioError, match=r"RUT: followed, but no weekly return"):
        portfolio_scenarios(_connection(), path)


def test_a_portfolio_is_told_through_which_week_each_return_is_known(tmp_path: Path) -> None:
    path = tmp_path / "portfolio.csv"
    path.write_text("symbol,weight\nBTC,0.25\nSPX,0.5\n", encoding="utf-8")
    rng = np.random.default_rng(3)
    drain = rng.normal(5, 60, 200)
    coins = rng.normal(0, 1, 200)
    coins[-2:] = np.nan
    weeks = wednesdays(200)
    connection = world(
        weekly=(weeks, {"reserve_drain": drain}, {"BTC": coins, "SPX": rng.normal(0, 1, 200)})
    )
    found = portfolio_scenarios(connection, path)
    assert found.drains_through == weeks[-1]
    assert found.returns_through == {"BTC": weeks[-3], "SPX": weeks[-1]}


def test_without_a_drain_it_is_said_that_none_is_known(tmp_path: Path) -> None:
    path = tmp_path / "portfolio.csv"
    path.write_text("symbol,weight\nSPX,1\n", encoding="utf-8")
    none = np.full(200, np.nan)
    connection = world(weekly=(wednesdays(200), {"reserve_drain": none}, {"SPX": none}))
    with pytest.raises(PortfolioError, match="no weekly drain of reserves is known"):
        portfolio_scenarios(connection, path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("asset,share\nSPX,1\n", "first line must be 'symbol,weight'"),
        ("", "first line must be"),
        ("symbol,weight\n", "holds no position"),
        ("symbol,weight\nSPX,0.5\nXYZ,0.5\n", "line 3: 'XYZ' is not followed.*BTC, RUT"),
        ("symbol,weight\nSPX,half\n", "line 2: the weight of 'SPX' is 'half'"),
        ("symbol,weight\nSPX,\n", "the weight of 'SPX' is ''"),
        ("symbol,weight\nSPX,nan\n", "expected a number"),
        ("symbol,weight\nSPX,0.5\nSPX,0.2\n", "line 3: 'SPX' is listed twice"),
        ("symbol,weight\nSPX,60\nTLT,40\n", "add up to 100.*0.25 for a quarter"),
    ],
)
def test_errors_say_where_and_what_to_write(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "portfolio.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(PortfolioError, match=message):
        read_portfolio(path, KNOWN)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PortfolioError, match=r"none\.csv cannot be read"):
        read_portfolio(tmp_path / "none.csv", KNOWN)


def test_spaces_a_byte_order_mark_and_short_positions_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "portfolio.csv"
    path.write_text("\ufeffsymbol, weight\nSPX , 1.0\nTLT, -0.2\n", encoding="utf-8")
    assert read_portfolio(path, KNOWN) == {"SPX": 1.0, "TLT": -0.2}
