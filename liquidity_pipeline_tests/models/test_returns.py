"""asset_returns: two conventions for five days, dividends, and sessions that are missing."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from liquidity_pipeline import calendars
from liquidity_pipeline_tests.models.world import World, coin, price


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize(
    ("symbol", "closes", "five_sessions", "five_returns"),
    [
        ("SPX", (6915.61, 6950.23, 6939.03), -0.161, 0.339),
        ("IXIC", (23501.24, 23601.36, 23461.82), -0.591, -0.168),
        ("RUT", (2669.16, 2659.67, 2613.74), -1.727, -2.076),
    ],
)
def test_five_sessions_are_not_five_returns(
    world: World,
    symbol: str,
    closes: tuple[float, ...],
    five_sessions: float,
    five_returns: float,
) -> None:
    # Closes of 2026-01-23, 01-26 and 01-30, and both figures, from ../shared/replay/answers.md.
    days = (date(2026, 1, 23), date(2026, 1, 26), date(2026, 1, 30))
    world.add("index_prices", *(price(d, symbol, c) for d, c in zip(days, closes, strict=True)))
    row = world.one("asset_returns", date=date(2026, 1, 30))
    assert row["return_5_sessions_pct"] == pytest.approx(five_sessions, abs=5e-4)
    assert row["return_5d_pct"] == pytest.approx(five_returns, abs=5e-4)


def test_a_dividend_is_part_of_the_return(world: World) -> None:
    days = [date(2026, 2, day) for day in (2, 3, 4, 5, 6, 9)]
    closes = (80, 79.5, 79.5, 81, 80, 79)
    dividends = (None, 0.5, None, None, None, 0.4)
    rows = zip(days, closes, dividends, strict=True)
    world.add("index_prices", *(price(day, "HYG", c, dividend=d) for day, c, d in rows))
    first, last = (world.one("asset_returns", date=day) for day in (days[1], days[5]))
    assert first["return_1d_pct"] == pytest.approx(0, abs=1e-12)
    assert last["return_1d_pct"] == pytest.approx(100 * (79.4 / 80 - 1))
    # Each day's growth: 80/80, 79.5/79.5, 81/79.5, 80/81, 79.4/80.
    assert last["return_5d_pct"] == pytest.approx(100 * (79.4 / 79.5 - 1))
    # The drawdown is of the published price.
    assert last["drawdown_pct"] == pytest.approx(100 * (79 / 81 - 1))


def test_a_return_over_a_missing_session_is_unknown(world: World) -> None:
    days = calendars.days("nyse", date(2026, 1, 5), date(2026, 1, 13))
    present = [day for day in days if day != date(2026, 1, 8)]
    world.add("index_prices", *(price(day, "SPX", 100 + day.day) for day in present))
    rows = {row["date"]: row for row in world.mart("asset_returns")}
    assert rows[date(2026, 1, 9)]["return_1d_pct"] is None
    assert rows[date(2026, 1, 12)]["return_1d_pct"] == pytest.approx(100 * (112 / 109 - 1))
    assert rows[date(2026, 1, 12)]["return_5d_pct"] == pytest.approx(100 * (112 / 105 - 1))
    assert rows[date(2026, 1, 13)]["return_5_sessions_pct"] == pytest.approx(100 * (113 / 107 - 1))


def test_a_holiday_is_no_missing_session(world: World) -> None:
    world.add("index_prices", price(date(2026, 2, 13), "SPX", 100))
    world.add("index_prices", price(date(2026, 2, 17), "SPX", 103))
    row = world.one("asset_returns", date=date(2026, 2, 17))
    assert row["return_1d_pct"] == pytest.approx(3)


@pytest.mark.parametrize(("coins", "days_a_year"), [(False, 252), (True, 365)])
def test_volatility_is_the_annualised_deviation_of_twenty_returns(
    world: World, coins: bool, days_a_year: int
) -> None:
    closes = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.02, 23)))
    if coins:
        days = [date(2026, 1, 20) + timedelta(days=n) for n in range(23)]
        world.add("crypto_prices", *map(coin, days, closes))
    else:
        days = calendars.days("nyse", date(2026, 1, 5), date(2026, 2, 26))[:23]
        rows = zip(days, closes, strict=True)
        world.add("index_prices", *(price(day, "SPX", close) for day, close in rows))
    found = [row["vol_20d_pct"] for row in world.mart("asset_returns")]
    assert found[:20] == [None] * 20
    returns = 100 * (closes[1:] / closes[:-1] - 1)
    for place in (20, 21, 22):
        expected = np.std(returns[place - 20 : place], ddof=1) * np.sqrt(days_a_year)
        assert found[place] == pytest.approx(expected, rel=1e-7)


def test_volatility_needs_all_of_its_sessions(world: World) -> None:
    days = calendars.days("nyse", date(2026, 1, 5), date(2026, 2, 26))
    world.add("index_prices", *(price(d, "SPX", 100 + d.day) for d in days if d != days[10]))
    found = {row["date"]: row["vol_20d_pct"] for row in world.mart("asset_returns")}
    # The returns of the missing session and of the next one are unknown.
    assert found[days[30]] is None
    assert found[days[31]] is not None


def test_a_price_that_never_moves_has_no_volatility(world: World) -> None:
    days = calendars.days("nyse", date(2026, 1, 5), date(2026, 2, 26))[:21]
    world.add("index_prices", *(price(day, "SPX", 0.1) for day in days))
    assert world.mart("asset_returns")[-1]["vol_20d_pct"] == 0


def test_the_drawdown_is_from_the_highest_close_so_far(world: World) -> None:
    days = [date(2026, 2, day) for day in (2, 3, 4, 5)]
    rows = zip(days, (100, 120, 90, 130), strict=True)
    world.add("index_prices", *(price(day, "SPX", close) for day, close in rows))
    found = [row["drawdown_pct"] for row in world.mart("asset_returns")]
    assert found == pytest.approx([0, 0, -25, 0])


def test_coins_trade_on_weekends(world: World) -> None:
    saturday = date(2026, 2, 7)
    world.add("crypto_prices", *(coin(saturday + timedelta(days=n), 100 + n) for n in range(6)))
    rows = world.mart("asset_returns")
    assert rows[1]["return_1d_pct"] == pytest.approx(1)
    assert rows[5]["return_5d_pct"] == pytest.approx(5)


def test_history_that_is_added_later_changes_no_row(world: World) -> None:
    days = calendars.days("nyse", date(2025, 11, 3), date(2026, 2, 26))
    closes = 100 * np.exp(np.cumsum(np.random.default_rng(2).normal(0, 0.01, len(days))))
    for symbol in ("SPX", "IXIC", "RUT", "HYG"):
        rows = zip(days, closes, strict=True)
        world.add("index_prices", *(price(d, symbol, c, dividend=0.3) for d, c in rows))
    middle = date(2026, 1, 15)
    full = [row for row in world.mart("asset_returns") if row["date"] <= middle]
    assert world.at(middle).mart("asset_returns") == full
