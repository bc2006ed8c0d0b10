"""rolling_correlations: against numpy, its band and its sign by hand, and what is unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from liquidity_pipeline import calendars
from liquidity_pipeline_tests.models.world import (
    Row,
    World,
    coin,
    leg,
    price,
    purchase,
    rate,
    repo,
    series,
    tga,
)

Moves = Mapping[date, float]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def account(start: date, end: date, moves: Moves) -> list[Row]:
    """Statements from the day before `start`; `moves` are changes on Fed days, USD mn."""
    days = calendars.days("fed", start - timedelta(days=7), end)
    days = days[days.index(calendars.shift("fed", [start], -1, "forward")[0]) :]
    closes = 500_000 + np.cumsum([moves.get(day, 0.0) for day in days])
    return [tga(day, close) for day, close in zip(days, closes, strict=True)]


def closes(start: date, end: date, returns: Moves, make: Callable[[date, float], Row]) -> list[Row]:
    """Bars of NYSE sessions from the one before `start`; `returns` in percent."""
    days = calendars.days("nyse", start - timedelta(days=7), end)
    days = days[days.index(calendars.shift("nyse", [start], -1, "forward")[0]) :]
    levels = 100 * np.cumprod([1 + returns.get(day, 0.0) / 100 for day in days])
    return [make(day, level) for day, level in zip(days, levels, strict=True)]


def spx(day: date, close: float) -> Row:
    return price(day, "SPX", close)


def estimates(world: World, day: date, asset: str = "SPX") -> dict[tuple[str, int], Row]:
    rows = world.mart("rolling_correlations", date=day, asset=asset)
    return {(row["driver"], row["window_days"]): row for row in rows}


def on_session(days: Sequence[date], sessions: Sequence[date]) -> list[int]:
    """Position of the session on or after each day."""
    return [next(i for i, session in enumerate(sessions) if session >= day) for day in days]


@pytest.mark.slow
def test_correlation_and_beta_are_those_of_numpy(world: World) -> None:
    start, end = date(2025, 7, 21), date(2026, 2, 26)
    random = np.random.default_rng(3)
    fed, nyse = (calendars.days(name, start, end) for name in ("fed", "nyse"))
    moves = dict(zip(fed, random.normal(0, 40_000, len(fed)).round(), strict=True))
    rrp = dict(zip(fed, random.integers(1_000, 50_000, len(fed)).tolist(), strict=True))
    bills = {day: float(random.integers(1_000, 9_000)) for day in fed[::3]}
    net = {day: float(random.integers(-90_000, 90_000)) for day in fed[::2]}
    iorb, sofr = 3.65, dict(zip(fed, random.normal(3.6, 0.05, len(fed)).round(2), strict=True))
    returns = dict(zip(nyse, random.normal(0, 1, len(nyse)), strict=True))
    world.add("tga_balance", *account(start, end, moves))
    before = calendars.shift("fed", [start], -1, "forward")[0]
    world.add("repo_operations", *(repo(d, "on_rrp", x) for d, x in ({before: 0} | rrp).items()))
    world.add("fed_operations", *(purchase(day, x) for day, x in bills.items()))
    for day, x in net.items():
        world.add("debt_settlements", leg("issue" if x > 0 else "redemption", day, abs(x)))
    sifma = calendars.days("sifma", start, end)
    world.add("reference_rates", *(rate(d, "SOFR", x) for d, x in sofr.items() if d in sifma))
    world.add("market_series", *(series(day, "IORB", iorb) for day in fed))
    world.add("index_prices", *closes(start, end, returns, spx))
    found = estimates(world, nyse[-1])

    y = np.array([returns[day] for day in nyse])
    drivers = {name: np.zeros(len(nyse)) for name in ("tga", "rrp", "bills", "net")}
    rises = {fed[0]: rrp[fed[0]]} | {b: rrp[b] - rrp[a] for a, b in pairwise(fed)}
    for name, flows in (("tga", moves), ("rrp", rises), ("bills", bills), ("net", net)):
        np.add.at(drivers[name], on_session(list(flows), nyse), np.array([*flows.values()]) / 1000)
    expected = {
        "tga_change": drivers["tga"],
        "net_settlement": drivers["net"],
        "fed_bill_purchases": drivers["bills"],
        "reserve_drain_estimate": drivers["tga"] + drivers["rrp"] - drivers["bills"],
    }
    for (driver, window), row in found.items():
        if driver == "sofr_iorb_change":
            known = [i for i in range(1, len(nyse)) if {nyse[i], nyse[i - 1]} <= set(sofr)]
            known = [i for i in known if i >= len(nyse) - window]
            x = np.array([100 * (sofr[nyse[i]] - sofr[nyse[i - 1]]) for i in known])
            pairs = x, y[known]
        else:
            # Columbus and Veterans Day: stocks trade, and no flow can be known.
            open_ = [i for i in range(len(nyse) - window, len(nyse)) if nyse[i] in moves]
            pairs = expected[driver][open_], y[open_]
        assert row["n_obs"] == len(pairs[0])
        assert row["correlation"] == pytest.approx(np.corrcoef(*pairs)[0, 1], abs=1e-6)
        slope = np.cov(*pairs)[0, 1] / np.var(pairs[0], ddof=1)
        assert row["beta"] == pytest.approx(slope, rel=1e-5)
    assert len(found) == 5 * 3


def test_the_band_is_fishers(world: World) -> None:
    # x alternates, e is orthogonal to it, and y = x + sqrt(3) e: r = 1/2 over twenty pairs.
    sessions = calendars.days("nyse", date(2026, 1, 20), date(2026, 2, 17))
    assert len(sessions) == 20
    x = dict(zip(sessions, [1, -1] * 10, strict=True))
    e = dict(zip(sessions, [1, 1, -1, -1] * 5, strict=True))
    move = {day: 1_000.0 * x[day] for day in sessions}
    returns = {day: x[day] + 3**0.5 * e[day] for day in sessions}
    world.add("tga_balance", *account(sessions[0], sessions[-1], move))
    world.add("index_prices", *closes(sessions[0], sessions[-1], returns, spx))
    row = estimates(world, sessions[-1])["tga_change", 20]
    # atanh(0.5) = 0.549306, less and plus 1.96 / sqrt(17) = 0.475370.
    assert row["correlation"] == pytest.approx(0.5, abs=1e-6)
    assert row["correlation_low"] == pytest.approx(0.073801, abs=2e-6)
    assert row["correlation_high"] == pytest.approx(0.771764, abs=2e-6)
    assert row["beta"] == pytest.approx(1, abs=1e-6)


def test_a_drain_that_lowers_prices_has_a_negative_beta_in_percent_per_billion(
    world: World,
) -> None:
    # Good Friday 2025 has a statement and no session: its flow counts on Monday. On Columbus Day
    # it would be the other way about.
    start, end = date(2025, 4, 1), date(2025, 5, 5)
    fed, nyse = (calendars.days(name, start, end) for name in ("fed", "nyse"))
    assert set(fed) - set(nyse) == {date(2025, 4, 18)}
    moves = dict(zip(fed, np.random.default_rng(4).normal(0, 9_000, len(fed)).round(), strict=True))
    returns = {day: -0.1 * moves[day] / 1000 for day in nyse}
    returns[date(2025, 4, 21)] += -0.1 * moves[date(2025, 4, 18)] / 1000
    world.add("tga_balance", *account(start, end, moves))
    world.add("index_prices", *closes(start, end, returns, spx))
    row = estimates(world, end)["tga_change", 20]
    assert row["correlation"] == pytest.approx(-1, abs=1e-9)
    assert row["beta"] == pytest.approx(-0.1, abs=1e-6)


def test_a_session_without_a_statement_due_has_no_change(world: World) -> None:
    # Columbus Day 2025: stocks trade, the Federal Reserve rests.
    start, end = date(2025, 9, 29), date(2025, 10, 24)
    fed, nyse = (calendars.days(name, start, end) for name in ("fed", "nyse"))
    assert set(nyse) - set(fed) == {date(2025, 10, 13)}
    moves = dict(zip(fed, np.random.default_rng(5).normal(0, 9_000, len(fed)).round(), strict=True))
    world.add("tga_balance", *account(start, end, moves))
    returns = {day: moves.get(day, 0.0) / 1000 for day in nyse}
    world.add("index_prices", *closes(start, end, returns, spx))
    row = estimates(world, end)["tga_change", 20]
    assert (row["n_obs"], row["correlation"]) == (19, pytest.approx(1, abs=1e-9))
    assert not world.mart("driver_changes", frequency="daily", date=date(2025, 10, 13))


def test_coins_are_sampled_between_sessions(world: World) -> None:
    start, end = date(2025, 12, 1), date(2026, 1, 9)
    fed, nyse = (calendars.days(name, start, end) for name in ("fed", "nyse"))
    moves = dict(zip(fed, np.random.default_rng(6).normal(0, 9_000, len(fed)).round(), strict=True))
    bars = closes(start, end, {day: moves.get(day, 0.0) / 1000 for day in nyse}, coin)
    weekend = [coin(day, 7) for day in (date(2025, 12, 13), date(2026, 1, 3))]
    world.add("tga_balance", *account(start, end, moves)).add("crypto_prices", *bars, *weekend)
    row = estimates(world, end, "BTC")["tga_change", 20]
    assert row["correlation"] == pytest.approx(1, abs=1e-9)


def noisy(world: World, sessions: list[date], *, without: Sequence[date] = ()) -> None:
    random = np.random.default_rng(7)
    returns = dict(zip(sessions, random.normal(0, 1, len(sessions)), strict=True))
    moves = {day: float(random.integers(-9_000, 9_000)) for day in sessions}
    bars = closes(sessions[0], sessions[-1], returns, spx)
    world.add("index_prices", *(bar for bar in bars if bar["trade_date"] not in without))
    world.add("tga_balance", *account(sessions[0], sessions[-1], moves))


def test_what_does_not_vary_has_no_correlation(world: World) -> None:
    sessions = calendars.days("nyse", date(2026, 1, 5), date(2026, 2, 26))
    noisy(world, sessions)
    # Issues of the same size every day, and never a bill purchase.
    steady = [leg("issue", day, 100.1) for day in sessions if calendars.is_day("fed", day)]
    world.add("debt_settlements", *steady)
    found = estimates(world, sessions[-1])
    row = found["net_settlement", 20]
    names = ("correlation", "correlation_low", "correlation_high", "beta")
    assert [row[name] for name in names] == [None] * 4
    assert row["n_obs"] == 20
    assert ("fed_bill_purchases", 20) not in found, "a programme that never was is no driver"


def test_fewer_than_nine_tenths_of_a_window_are_too_few(world: World) -> None:
    sessions = calendars.days("nyse", date(2026, 1, 5), date(2026, 2, 26))
    noisy(world, sessions)
    by_day = {day: estimates(world, day)["tga_change", 20] for day in sessions[15:18]}
    assert [row["n_obs"] for row in by_day.values()] == [16, 17, 18]
    assert [row["correlation"] is None for row in by_day.values()] == [True, True, False]


def test_a_window_is_of_sessions_and_not_of_what_is_left_of_them(world: World) -> None:
    sessions = calendars.days("nyse", date(2026, 1, 5), date(2026, 2, 26))
    # Two missing bars are three missing returns in the last twenty sessions.
    noisy(world, sessions, without=sessions[-6:-4])
    row = estimates(world, sessions[-1])["tga_change", 20]
    assert (row["n_obs"], row["correlation"]) == (17, None)


def test_a_session_whose_statement_is_missing_has_no_pair(world: World) -> None:
    sessions = calendars.days("nyse", date(2026, 1, 5), date(2026, 2, 26))
    noisy(world, sessions)
    rows = [row for row in world.rows("tga_balance") if row["record_date"] != sessions[-4]]
    other = World(world.folder / "gap").add("tga_balance", *rows)
    other.add("index_prices", *world.rows("index_prices"))
    # Neither its own change nor the next one is known.
    assert estimates(other, sessions[-1])["tga_change", 20]["n_obs"] == 18
