"""tga_daily: what moved the Treasury's account, and how far it is from the assumed balance."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from liquidity_pipeline.calendars import utc
from liquidity_pipeline_tests.models.hand_made import build
from liquidity_pipeline_tests.models.world import Row, World, tga


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def cash(day: date, direction: str, amount: float) -> Row:
    label = {"Issues": "Public Debt Cash Issues", "Redemptions": "Public Debt Cash Redemp."}
    return {
        "record_date": day,
        "dts_table": "II",
        "transaction_type": direction,
        "security_market": "All",
        "security_type": f"{label[direction]} (Table IIIB)",
        "amount_usd_mn": amount,
    }


def estimate(announced: date, quarter_end: date, balance: float) -> Row:
    return {
        "event_date": announced,
        "kind": "refunding_cash_balance",
        "subject": f"to {quarter_end}",
        "value": balance,
        "unit": "USD billions",
        "effective_date": quarter_end,
        "source": "test",
        "evidence": "published",
        "known_at": utc(announced, time(15)),
    }


# The statement of 2026-10-06 and the day before: real figures, from the wire contract.
DAY_BEFORE, DAY = date(2026, 10, 5), date(2026, 10, 6)
BALANCES = (
    tga(DAY_BEFORE, 883_335),
    tga(
        DAY,
        885_414,
        opening_usd_mn=883_335,
        deposits_usd_mn=299_916,
        withdrawals_usd_mn=297_837,
    ),
)


def test_the_change_is_debt_cash_plus_other_flows(tmp_path: Path) -> None:
    world = World(tmp_path, date(2026, 10, 8)).add("tga_balance", *BALANCES)
    world.add("debt_transactions", cash(DAY, "Issues", 291_668), cash(DAY, "Redemptions", 280_670))
    row = world.one("tga_daily", record_date=DAY)
    assert row["net_debt_cash_usd_mn"] == 10_998
    assert row["other_flows_usd_mn"] == -8_919
    assert row["change_1d_usd_mn"] == 2_079


@pytest.mark.parametrize("lines", [[], [cash(DAY, "Issues", 291_668)]], ids=["none", "one"])
def test_without_both_lines_of_table_ii_the_split_is_unknown(
    tmp_path: Path, lines: list[Row]
) -> None:
    world = World(tmp_path, date(2026, 10, 8)).add("tga_balance", *BALANCES)
    world.add("debt_transactions", *lines)
    row = world.one("tga_daily", record_date=DAY)
    assert (row["net_debt_cash_usd_mn"], row["other_flows_usd_mn"]) == (None, None)
    assert row["change_1d_usd_mn"] == 2_079


def test_changes_count_statement_days(world: World) -> None:
    # 2026-02-16 is Presidents' Day.
    days = [date(2026, 2, day) for day in (9, 10, 11, 12, 13, 17)]
    closes = (900, 910, 905, 925, 920, 950)
    world.add("tga_balance", *map(tga, days, closes))
    row = world.one("tga_daily", record_date=date(2026, 2, 17))
    assert (row["change_1d_usd_mn"], row["change_5d_usd_mn"]) == (30, 50)


def test_a_change_over_a_missing_statement_is_unknown(world: World) -> None:
    world.add("tga_balance", tga(date(2026, 2, 9), 900), tga(date(2026, 2, 11), 905))
    assert [row["change_1d_usd_mn"] for row in world.mart("tga_daily")] == [None, None]


def test_the_target_is_the_last_estimate_that_was_public_with_the_statement(world: World) -> None:
    march, december = date(2026, 3, 31), date(2025, 12, 31)
    world.add(
        "policy_events",
        estimate(date(2025, 11, 3), december, 850),
        estimate(date(2025, 11, 3), march, 840),
        estimate(date(2026, 2, 2), march, 900),
    )
    # The statement of 01-29 came out on Friday 01-30, before the estimate of Monday 02-02.
    days = (december, date(2026, 1, 29), date(2026, 2, 2))
    world.add("tga_balance", *(tga(day, 870_000) for day in days))
    rows = world.mart("tga_daily")
    assert [row["target_usd_mn"] for row in rows] == [850_000, 840_000, 900_000]
    assert [row["gap_to_target_usd_mn"] for row in rows] == [-20_000, -30_000, 30_000]


def test_without_an_estimate_there_is_no_target(world: World) -> None:
    row = world.add("tga_balance", tga(date(2026, 1, 29), 870_000)).one("tga_daily")
    assert (row["target_usd_mn"], row["gap_to_target_usd_mn"]) == (None, None)


def _outlook(friday: date, expected: float) -> dict[str, object]:
    return {
        "as_of_date": friday, "weeks_ahead": 1, "component": "tga",
        "start_date": date(2026, 1, 14), "week_ending": date(2026, 1, 28),
        "expected_usd_mn": expected, "expected_low_usd_mn": expected - 30_000,
        "expected_high_usd_mn": expected + 40_000, "start_level_usd_mn": 800_000.0,
        "expected_level_usd_mn": 800_000.0 + expected,
    }  # fmt: skip


def _trajectory(outlooks: list[dict[str, object]]) -> dict[date, dict[str, object]]:
    """The path from the close of Tuesday 20 January 2026 (public on the 21st), by Wednesday."""
    fridays = [date(2026, 1, 9), date(2026, 1, 16), date(2026, 1, 23)]
    rows = build(
        "tga_trajectory",
        "2026-01-31 00:00",
        tga_balance=[
            {"record_date": date(2026, 1, 20), "closing_usd_mn": 850_000.0,
             "known_at": utc(date(2026, 1, 21), time(16))},
        ],
        policy_events=[
            {"event_date": date(2025, 11, 3), "kind": "refunding_cash_balance",
             "subject": "2026Q1", "value": 850.0, "effective_date": date(2026, 3, 31),
             "known_at": utc(date(2025, 11, 3), time(15))},
        ],
        outlook_moments=[
            {"as_of_date": friday, "is_open": False,
             "moment": datetime.combine(friday + timedelta(days=1), time(4))}
            for friday in fridays
        ],
        drain_outlook=outlooks,
    )  # fmt: skip
    return {row["week_ending"]: row for row in rows}


def test_the_expected_path_is_the_outlook_of_the_friday_before() -> None:
    friday = date(2026, 1, 16)
    path = _trajectory([_outlook(date(2026, 1, 9), 1_000.0), _outlook(friday, 20_000.0)])
    row = path[date(2026, 1, 28)]
    assert row["expected_as_of_date"] == friday
    assert row["expected_balance_usd_mn"] == 820_000
    assert row["expected_balance_low_usd_mn"] == 790_000
    assert row["expected_balance_high_usd_mn"] == 860_000
    assert row["implied_balance_usd_mn"] == 850_000
    assert path[date(2026, 3, 25)]["expected_balance_usd_mn"] is None


def test_without_the_last_fridays_outlook_nothing_older_takes_its_place() -> None:
    row = _trajectory([_outlook(date(2026, 1, 9), 1_000.0)])[date(2026, 1, 28)]
    assert row["expected_balance_usd_mn"] is None
    assert row["expected_as_of_date"] is None
