"""Returns: two conventions for five days, one clock for all assets, dividends, missing sessions."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from liquidity_pipeline import calendars
from liquidity_pipeline_tests.models.world import World, coin, end_of, price


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
    # The drawdown is of the published price; with dividends 79.4 is below 81 by less.
    assert last["drawdown_pct"] == pytest.approx(100 * (79 / 81 - 1))
    assert last["drawdown_with_dividends_pct"] == pytest.approx(100 * (80 / 81 * 79.4 / 80 - 1))
    assert last["drawdown_since"] == days[0]


def test_a_disputed_price_is_no_price_though_a_later_fetch_brought_it(world: World) -> None:
    days = [date(2026, 2, day) for day in (2, 3, 4)]
    world.add("index_prices", *(price(day, "IXIC", 100.0) for day in days))
    world.add("crypto_prices", *(coin(day, 50.0) for day in days))
    dispute = {"trade_date": days[1], "close": 100.0, "other_close": 99.0, "source": "yahoo"}
    dispute |= {"other_source": "fred", "relative_difference": -0.01, "known_at": end_of(days[1])}
    world.add("price_disagreements", dispute | {"symbol": "IXIC"})
    world.add("crypto_disagreements", dispute | {"symbol": "ETH"})
    rows = {(row["asset"], row["date"]) for row in world.mart("asset_returns")}
    assert ("IXIC", days[1]) not in rows
    assert {("IXIC", days[2]), ("BTC", days[1])} <= rows
    assert world.one("asset_returns", asset="IXIC", date=days[2])["return_1d_pct"] is None


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


# --- one clock -------------------------------------------------------------------------------


def test_a_coin_beside_a_share_is_measured_over_the_shares_own_week(world: World) -> None:
    # Bitcoin at the end of the UTC days: Friday 01-30, Sunday 02-01, Monday, Thursday, Friday.
    closes = {30: 84_128.66, 32: 76_974.45, 33: 78_688.77, 36: 62_702.10, 37: 70_555.39}
    first = date(2026, 1, 1)
    world.add("crypto_prices", *(coin(first + timedelta(n - 1), c) for n, c in closes.items()))
    shares = [date(2026, 1, 30), *(date(2026, 2, n) for n in range(2, 7))]
    world.add("index_prices", *(price(day, "SPX", 100 + n) for n, day in enumerate(shares)))
    rows = {r["asset"]: r for r in world.mart("asset_returns", date=date(2026, 2, 6))}
    btc, spx = rows["BTC"], rows["SPX"]
    # Five UTC days began on Sunday; the shares' five sessions on Friday a week before.
    assert btc["return_5d_pct"] == pytest.approx(-8.34, abs=5e-3)
    assert btc["return_5d_new_york_pct"] == pytest.approx(-16.13, abs=5e-3)
    assert btc["new_york_5d_from"] == spx["new_york_5d_from"] == date(2026, 1, 30)
    # Four sessions back is Monday 02-02.
    monday_to_friday = 100 * (70_555.39 / 78_688.77 - 1)
    assert btc["return_5_sessions_new_york_pct"] == pytest.approx(monday_to_friday)
    assert spx["return_5d_new_york_pct"] == spx["return_5d_pct"] == pytest.approx(5)
    assert (btc["session_kind"], spx["session_kind"]) == ("UTC day", "New York session")


def test_on_a_day_without_a_session_a_coin_has_no_return_on_the_shares_clock(world: World) -> None:
    friday = date(2026, 2, 6)
    world.add("crypto_prices", *(coin(friday + timedelta(n), 100 + 10 * n) for n in range(4)))
    rows = {row["date"]: row for row in world.mart("asset_returns")}
    saturday, monday = friday + timedelta(1), friday + timedelta(3)
    assert rows[saturday]["return_1d_pct"] == pytest.approx(10)
    assert rows[saturday]["return_1d_new_york_pct"] is None
    assert rows[saturday]["new_york_5d_from"] is None
    assert rows[monday]["return_1d_new_york_pct"] == pytest.approx(30)


def sampled(world: World, frequency: str, asset: str) -> dict[date, float]:
    rows = world.mart("sampled_returns", frequency=frequency, asset=asset)
    return {row["date"]: row["return_pct"] for row in rows}


def test_a_coin_is_sampled_over_the_weekend_like_the_stocks(world: World) -> None:
    days = [date(2026, 2, day) for day in range(5, 11)]
    closes = (100.0, 110, 120, 130, 121, 133.1)
    world.add("crypto_prices", *map(coin, days, closes))
    found = sampled(world, "daily", "BTC")
    # Friday the 6th to Monday the 9th: 110 to 121, Saturday and Sunday within.
    assert found == {date(2026, 2, day): pytest.approx(10) for day in (6, 9, 10)}


def test_a_week_runs_from_thursday_to_wednesday_and_needs_all_its_sessions(world: World) -> None:
    # Wednesday 4 to Wednesday 25 February 2026, without the 12th.
    days = calendars.days("nyse", date(2026, 2, 4), date(2026, 2, 25))
    missing = date(2026, 2, 12)
    bars = [(day, 100.0 + n) for n, day in enumerate(days) if day != missing]
    world.add("index_prices", *(price(day, "SPX", close) for day, close in bars))
    # 100 to 105 over the five sessions to the 11th; then a gap; then 109 (the 18th, after
    # Presidents' Day) to 114.
    assert sampled(world, "weekly", "SPX") == {
        date(2026, 2, 11): pytest.approx(5),
        date(2026, 2, 25): pytest.approx(100 * (114 / 109 - 1)),
    }


def test_a_coins_week_is_that_of_the_shares_over_a_holiday_too(tmp_path: Path) -> None:
    # Wednesday 2025-01-01 was a holiday: the week ends with Tuesday's close, and the next begins
    # there. The exchange was closed on Thursday 2025-01-09 as well.
    world = World(tmp_path, date(2025, 1, 20))
    days = [date(2024, 12, 24) + timedelta(n) for n in range(24)]
    world.add("crypto_prices", *(coin(day, 2.0**n) for n, day in enumerate(days)))
    sessions = calendars.days("nyse", days[0], days[-1])
    world.add("index_prices", *(price(d, "SPX", 2.0 ** (d - days[0]).days) for d in sessions))
    coins, shares = (sampled(world, "weekly", asset) for asset in ("BTC", "SPX"))
    # From 12-24 (Christmas is a Wednesday too) to 12-31: seven doublings; to 01-08: eight; to
    # 01-15: seven.
    assert coins == {
        date(2025, 1, 1): pytest.approx(100 * (2**7 - 1)),
        date(2025, 1, 8): pytest.approx(100 * (2**8 - 1)),
        date(2025, 1, 15): pytest.approx(100 * (2**7 - 1)),
    }
    assert coins == {day: pytest.approx(value) for day, value in shares.items()}


def test_history_that_is_added_later_changes_no_row(world: World) -> None:
    days = calendars.days("nyse", date(2025, 11, 3), date(2026, 2, 26))
    closes = 100 * np.exp(np.cumsum(np.random.default_rng(2).normal(0, 0.01, len(days))))
    for symbol in ("SPX", "IXIC", "RUT", "HYG"):
        rows = zip(days, closes, strict=True)
        world.add("index_prices", *(price(d, symbol, c, dividend=0.3) for d, c in rows))
    middle = date(2026, 1, 15)
    full = [row for row in world.mart("asset_returns") if row["date"] <= middle]
    assert world.at(middle).mart("asset_returns") == full
