"""Promises of the sampled series and of rolling and weekly correlations."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from liquidity_pipeline.contracts.assets.columns import CORRELATION_BAND
from liquidity_pipeline.contracts.marts import FAMILY_OF_MART
from liquidity_pipeline.models import engine
from liquidity_pipeline.models.assets import weekly_correlations
from liquidity_pipeline.models.assets.rolling_correlations import MARTS
from liquidity_pipeline_tests.models.worlds import sessions, wednesdays, world

pytestmark = pytest.mark.slow


def _daily(n: int, seed: int = 1) -> tuple[duckdb.DuckDBPyConnection, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(0, 20, n), rng.standard_t(4, n)
    y = y - 0.02 * x
    connection = world(daily=(sessions(n), {"tga_change": x}, {"SPX": y}))
    return connection, x, y


def _rolling(connection: duckdb.DuckDBPyConnection) -> list[dict[str, object]]:
    rows = MARTS["rolling_correlations"].build(connection).to_pylist()
    return sorted(rows, key=lambda row: (row["window_days"], row["date"]))


@pytest.mark.parametrize("window", [20, 60, 120])
def test_a_window_holds_pearson_spearman_and_beta_of_its_sessions(window: int) -> None:
    connection, x, y = _daily(150)
    row = [r for r in _rolling(connection) if r["window_days"] == window][-1]
    last_x, last_y = x[-window:], y[-window:]
    assert row["n_obs"] == window
    assert row["correlation"] == pytest.approx(stats.pearsonr(last_x, last_y)[0])
    assert row["spearman"] == pytest.approx(stats.spearmanr(last_x, last_y)[0])
    assert row["beta"] == pytest.approx(np.polyfit(last_x, last_y, 1)[0])
    reach = 1.96 / np.sqrt(window - 3)
    assert row["correlation_high"] == pytest.approx(np.tanh(np.arctanh(row["correlation"]) + reach))


def test_the_band_beside_a_correlation_is_that_of_fisher() -> None:
    """A formula, which DuckDB computes where a row of the published file is read."""
    rows = [(r, n) for r in (None, -1.0, -0.97, -0.2, 0.0, 0.6, 1.0) for n in (4, 18, 120)]
    low, high = (column.formula for column in CORRELATION_BAND)
    pairs = pa.table({"correlation": [r for r, _ in rows], "n_obs": [n for _, n in rows]})
    found = duckdb.from_arrow(pairs).project(f"correlation, n_obs, {low}, {high}")
    for r, n, *ends in found.fetchall():
        if r is None or abs(r) == 1:
            assert ends == [None, None]
        else:
            reach = 1.96 / np.sqrt(n - 3)
            expected = [np.tanh(np.arctanh(r) - reach), np.tanh(np.arctanh(r) + reach)]
            assert ends == pytest.approx(expected, abs=1e-15)


def test_short_windows_are_null_and_never_nan() -> None:
    connection, _, _ = _daily(59)
    rows = [r for r in _rolling(connection) if r["window_days"] == 60]
    # 90 % of sixty are 54; ranks want the whole window.
    assert [row["correlation"] is not None for row in rows] == [False] * 53 + [True] * 6
    assert all(row["spearman"] is None for row in rows)


def test_a_driver_that_does_not_move_has_no_correlation() -> None:
    n = 70
    y = np.random.default_rng(2).normal(size=n)
    connection = world(daily=(sessions(n), {"fed_bill_purchases": np.zeros(n)}, {"SPX": y}))
    rows = _rolling(connection)
    assert rows
    assert all(row["correlation"] is None and row["spearman"] is None for row in rows)


def test_a_driver_with_holidays_of_its_own_is_ranked_on_its_own_sessions() -> None:
    rng = np.random.default_rng(4)
    n = 100
    x, y = rng.normal(size=n), rng.normal(size=n)
    with_gaps = x.copy()
    with_gaps[[40, 77]] = np.nan
    drivers = {"tga_change": x, "sofr_iorb_change": with_gaps}
    connection = world(daily=(sessions(n), drivers, {"SPX": y}))
    last = [
        r
        for r in _rolling(connection)
        if r["driver"] == "sofr_iorb_change" and r["window_days"] == 60
    ][-1]
    kept = np.flatnonzero(~np.isnan(with_gaps))[-60:]
    assert last["spearman"] == pytest.approx(stats.spearmanr(x[kept], y[kept])[0])


# --- weekly --------------------------------------------------------------------------------------


def _weekly(
    seed: int, effect: float = 0.0
) -> tuple[list[dict[str, object]], dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    n = 170
    series = {name: rng.normal(0, 2, n) for name in ("SPX", "RUT", "BTC")}
    drain = rng.normal(0, 60, n)
    series["BTC"] = series["BTC"] + effect * drain
    weeks = wednesdays(n)
    rows = (
        weekly_correlations.MARTS["weekly_correlations"]
        .build(world(weekly=(weeks, {"reserve_drain": drain}, series)))
        .to_pylist()
    )
    return [r for r in rows if r["week_ending"] == weeks[-1]], series | {"drain": drain}


def test_weekly_rows_hold_the_textbook_estimates() -> None:
    rows, series = _weekly(5, effect=-0.02)
    row = next(r for r in rows if r["asset"] == "BTC" and r["window_weeks"] == 156)
    x, y = series["drain"][-156:], series["BTC"][-156:]
    pearson = stats.pearsonr(x, y)
    assert row["correlation"] == pytest.approx(pearson.statistic)
    assert row["p_value"] == pytest.approx(pearson.pvalue)
    assert row["spearman"] == pytest.approx(stats.spearmanr(x, y)[0])
    assert row["beta"] == pytest.approx(np.polyfit(x, y, 1)[0])
    assert row["correlation_low"] < row["correlation"] < row["correlation_high"]
    assert row["n_obs"] == 156


def test_weekly_p_values_are_adjusted_for_all_planned_tests() -> None:
    rows, _ = _weekly(6)
    of_window = [r for r in rows if r["window_weeks"] == 104]
    # Four followed assets and five weekly drivers, of which three and one are observed.
    assert [r["n_tests"] for r in of_window] == [20, 20, 20]
    expected = [min(1.0, 20 * float(str(r["p_value"]))) for r in of_window]
    assert [r["p_value_adjusted"] for r in of_window] == pytest.approx(expected)


# --- what is set beside what ---------------------------------------------------------------------


def test_drivers_count_on_the_next_session_and_by_week() -> None:
    connection = world(weekly=(wednesdays(2), {"reserve_drain": np.ones(2)}, {"SPX": np.ones(2)}))
    connection.execute("drop table marts.driver_changes")
    connection.execute(
        "create table marts.drains (date date, component text, amount_usd_mn double);"
        "create table marts.tga_daily (record_date date, change_1d_usd_mn double);"
        "create schema sources; create table sources.fed_operations (settlement_date date, "
        "direction text, accepted_usd_mn double, is_small_value boolean);"
        "create table marts.reserve_drains (week_ending date, drain_reserves_usd_mn double, "
        "d_tga_usd_mn double);"
        "create table marts.funding_conditions (date date, sofr_iorb_bp double);"
        "create table marts.settlement_calendar (settlement_date date, is_settled boolean, "
        "net_public_usd_mn double)"
    )
    # Good Friday 2024-03-29: the Fed is open, the exchange is not. Monday 1 April takes both days.
    connection.execute(
        "insert into marts.tga_daily values ('2024-03-28', 1000), ('2024-03-29', 2000), "
        "('2024-04-01', 4000), ('2024-04-03', 5000);"
        "insert into marts.drains values "
        "('2024-03-28', 'settlement', 500), ('2024-04-01', 'settlement', 7000);"
        # The daily estimate subtracts coupons as well as bills, on the day of settlement.
        "insert into sources.fed_operations values ('2024-04-03', 'purchase', 700, false), "
        "('2024-04-03', 'sale', 200, false), ('2024-04-03', 'purchase', 25, true)"
    )
    connection.execute("insert into marts.reserve_drains values ('2024-04-03', 64300, 12000)")
    connection.execute(
        "insert into marts.funding_conditions values ('2024-03-27', 1), ('2024-04-02', 3), "
        "('2024-04-03', 8)"
    )
    rows = connection.execute(engine.sql("driver_changes")).fetchall()
    found = {(frequency, str(day), driver): value for frequency, day, driver, value, *_ in rows}
    assert found[("daily", "2024-04-01", "tga_change")] == 6
    # The statement of 2 April did not come: unknown, not zero.
    assert ("daily", "2024-04-02", "tga_change") not in found
    assert found[("daily", "2024-04-02", "net_settlement")] == 0
    assert found[("daily", "2024-04-03", "sofr_iorb_change")] == 5
    assert found[("daily", "2024-04-03", "reserve_drain_estimate")] == 4.5
    assert found[("weekly", "2024-04-03", "sofr_iorb_change")] == 7
    assert found[("weekly", "2024-04-03", "reserve_drain")] == 64.3
    assert found[("weekly", "2024-04-03", "tga_change")] == 12


@pytest.mark.parametrize(
    "emptied", [(), ("sampled_returns",), ("sampled_returns", "driver_changes")]
)
def test_in_the_first_days_every_mart_is_short_or_empty_and_none_fails(
    emptied: tuple[str, ...],
) -> None:
    weeks, days = wednesdays(3), sessions(10)
    connection = world(
        weekly=(weeks, {"reserve_drain": np.ones(3)}, {"SPX": np.ones(3)}),
        daily=(days, {"tga_change": np.ones(10)}, {"SPX": np.ones(10)}),
    )
    connection.execute(
        "create table marts.drain_episode_weeks "
        "(week_ending date, episode_id text, is_open_at_end boolean)"
    )
    for name in emptied:
        connection.execute(f"delete from marts.{name}")
    given = {"asset_returns", "sampled_returns", "driver_changes"}
    for name in engine.build_order():
        if FAMILY_OF_MART[name] != "assets" or name in given:
            continue
        rows = engine.build(name, connection)
        connection.register("rows", rows)
        connection.execute(f"create table marts.{name} as from rows")
        # Ten sessions with three windows are all there is to say.
        assert rows.num_rows <= (0 if emptied else 30)
