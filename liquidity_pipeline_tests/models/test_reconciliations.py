"""Reconciliations: each holds on records that agree, and misses when one number is altered."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from liquidity_pipeline.models.reconciliations.reconciliation import RECONCILIATIONS
from liquidity_pipeline_tests.models.test_reserve_drains import TOY_LEVELS, levels, toy
from liquidity_pipeline_tests.models.world import Row, World, leg, level, tga

WEDNESDAY = date(2026, 2, 11)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize("name", [reconciliation.name for reconciliation in RECONCILIATIONS])
def test_without_anything_to_compare_a_tie_does_not_hold(world: World, name: str) -> None:
    result = world.reconcile(name)
    assert (result.compared, result.misses, result.holds) == (0, 0, False)


@pytest.mark.parametrize(("h41", "holds"), [(893_245, True), (893_246, False)])
def test_the_close_is_h41s_wednesday_to_the_million(
    world: World, h41: float, *, holds: bool
) -> None:
    world.add("tga_balance", tga(WEDNESDAY, 893_245), tga(WEDNESDAY + timedelta(days=1), 1))
    result = world.add("fed_balance_sheet", level(WEDNESDAY, "WDTGAL", h41)).reconcile(
        "tga_close_equals_h41"
    )
    assert (result.compared, result.holds) == (1, holds)
    assert (result.largest_usd_mn, result.worst_day) == (h41 - 893_245, "2026-02-11")


def test_on_a_holiday_the_close_of_the_day_before_stands(world: World) -> None:
    christmas = date(2024, 12, 25)
    world.add("tga_balance", tga(date(2024, 12, 24), 700), tga(date(2024, 12, 26), 900))
    world.add("fed_balance_sheet", level(christmas, "WDTGAL", 700))
    assert world.reconcile("tga_close_equals_h41").holds


def test_a_level_without_a_statement_yet_is_not_compared(world: World) -> None:
    world.add("tga_balance", tga(WEDNESDAY - timedelta(days=1), 700))
    world.add("fed_balance_sheet", level(WEDNESDAY, "WDTGAL", 900))
    assert world.reconcile("tga_close_equals_h41").compared == 0


# Thursday 02-05 to Wednesday 02-11: Friday's 300 stands for three days, so the average is
# (100 + 3 x 300 + 200 + 400 + 500) / 7 = 300.
WEEK = {5: 100, 6: 300, 9: 200, 10: 400, 11: 500}


@pytest.mark.parametrize(("average", "holds"), [(302, True), (303, False)])
def test_the_week_average_is_over_seven_days(world: World, average: float, *, holds: bool) -> None:
    world.add("tga_balance", *(tga(date(2026, 2, day), close) for day, close in WEEK.items()))
    world.add("fed_balance_sheet", level(WEDNESDAY, "WTREGEN", average))
    result = world.reconcile("tga_week_average_equals_h41")
    assert (result.compared, result.holds) == (1, holds)
    assert result.largest_usd_mn == pytest.approx(average - 300)


@pytest.mark.parametrize(("withdrawn", "holds"), [(297_839, True), (297_840, False)])
def test_opening_and_flows_give_the_close(world: World, withdrawn: float, *, holds: bool) -> None:
    # 883,335 + 299,916 - 297,837 = 885,414.
    flows = {"opening_usd_mn": 883_335, "deposits_usd_mn": 299_916, "withdrawals_usd_mn": withdrawn}
    world.add("tga_balance", tga(WEDNESDAY, 885_414, **flows), tga(date(2026, 2, 12), 1))
    result = world.reconcile("tga_flows_close")
    assert (result.compared, result.holds) == (1, holds)


def test_a_week_that_began_before_the_record_is_not_averaged(world: World) -> None:
    world.add("tga_balance", *(tga(date(2026, 2, day), 300) for day in (9, 10, 11)))
    world.add("fed_balance_sheet", level(WEDNESDAY, "WTREGEN", 300))
    assert world.reconcile("tga_week_average_equals_h41").compared == 0


def statement(direction: str, kind: str, amount: float) -> Row:
    return {
        "record_date": WEDNESDAY,
        "dts_table": "IIIA",
        "transaction_type": direction,
        "security_market": "Marketable",
        "security_type": kind,
        "amount_usd_mn": amount,
    }


def table_iiia(world: World, *, bills: float = 250_717, notes: float = 733) -> World:
    """Issues of 250,712 and 13,718, redemptions of 245,714 at auction, 733 bought back."""
    world.add(
        "debt_transactions",
        statement("Issues", "Bills", bills),
        statement("Issues", "Bonds", 13_707),
        statement("Issues", "Inflation-Protected Securities Increment", 223),
        statement("Issues", "Federal Financing Bank", 4_000),
        statement("Redemptions", "Bills", 245_731),
        statement("Redemptions", "Notes", notes),
    )
    return world.add(
        "debt_settlements",
        leg("issue", WEDNESDAY, 250_712),
        leg("issue", WEDNESDAY, 13_718, kind="bond", cusip="912810AA1"),
        leg("redemption", WEDNESDAY, 245_714, cusip="912797BB9"),
        leg("buyback", WEDNESDAY, 733, kind="note", cusip="operation"),
    )


def test_issues_are_those_of_table_iiia(world: World) -> None:
    result = table_iiia(world).reconcile("issues_equal_table_iiia")
    assert (result.compared, result.holds, result.largest_usd_mn) == (1, True, 6)


def test_an_issue_that_is_not_in_the_auctions_is_missed(world: World) -> None:
    result = table_iiia(world, bills=250_717 + 60).reconcile("issues_equal_table_iiia")
    assert (result.misses, result.largest_usd_mn) == (1, 54)


def test_settlements_are_table_iiia_without_the_increment(world: World) -> None:
    # 264,424 - 246,464 on the statement, 264,430 - 246,447 in the auctions and buybacks.
    result = table_iiia(world).reconcile("settlements_equal_table_iiia")
    assert (result.compared, result.holds, result.largest_usd_mn) == (1, True, 23)


def test_a_redemption_that_nobody_records_is_missed(world: World) -> None:
    result = table_iiia(world, notes=2_898).reconcile("settlements_equal_table_iiia")
    assert (result.misses, result.largest_usd_mn) == (1, 23 + 2_898 - 733)


def test_a_day_on_which_only_the_statement_has_something_is_compared(world: World) -> None:
    world.add("debt_transactions", statement("Redemptions", "Notes", 2_000))
    assert world.reconcile("settlements_equal_table_iiia").largest_usd_mn == 2_000


@pytest.mark.parametrize(("account", "holds"), [(115_001, True), (115_002, False)])
def test_the_components_of_a_week_are_the_fall_of_reserves(
    world: World, account: float, *, holds: bool
) -> None:
    lines = TOY_LEVELS | {"WDTGAL": (100_000, account)}
    toy(world).add("fed_balance_sheet", *levels(**lines))
    result = world.reconcile("weekly_drains_tie_to_reserves")
    assert (result.compared, result.holds) == (1, holds)
    assert result.largest_usd_mn == account - 115_000
