"""reserve_drains, drains and weekly_drains: the accounting closes and nothing counts twice."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from liquidity_pipeline_tests.models.test_settlement_calendar import holdings
from liquidity_pipeline_tests.models.world import Row, World, leg, level, purchase, repo, tga

# Two Wednesdays, and the Federal Reserve days between them.
BEFORE, WEDNESDAY = date(2026, 2, 4), date(2026, 2, 11)
THURSDAY, FRIDAY, MONDAY, TUESDAY = (date(2026, 2, day) for day in (5, 6, 9, 10))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def statements(closes: tuple[float, ...]) -> list[Row]:
    days = (BEFORE, THURSDAY, FRIDAY, MONDAY, TUESDAY, WEDNESDAY)
    return [tga(day, close) for day, close in zip(days, closes, strict=True)]


def levels(**lines: tuple[float, float]) -> list[Row]:
    return [
        level(day, name, value)
        for name, values in lines.items()
        for day, value in zip((BEFORE, WEDNESDAY), values, strict=True)
    ]


def toy(world: World) -> World:
    """The toy check of the method, C4, in USD bn times 1,000.

    Offering 150, public maturing 110, SOMA roll 12/12, Fed buys 8, taxes 30, outlays 55:
    dTGA +15, dSOMA +8, dReserves -7.
    """
    world.add("tga_balance", *statements((100_000, 140_000, 170_000, 170_000, 115_000, 115_000)))
    world.add(
        "debt_settlements",
        leg("issue", THURSDAY, 162_000, soma_usd_mn=12_000),
        leg("redemption", THURSDAY, 122_000, cusip="912797BB9"),
    )
    world.add("maturing_holdings", holdings(THURSDAY, 110_000, 12_000))
    world.add("fed_operations", purchase(TUESDAY, 8_000))
    return world


TOY_LEVELS = {
    "WRBWFRBL": (3_000_000, 2_993_000),
    "WDTGAL": (100_000, 115_000),
    "WALCL": (6_500_000, 6_508_000),
    "WLRRAL": (400_000, 400_000),
}


def week(world: World) -> dict[str, Row]:
    rows = world.mart("weekly_drains", week_ending=WEDNESDAY)
    return {row["component"]: row for row in rows}


def test_the_toy_check_closes_and_counts_the_settlement_once(world: World) -> None:
    toy(world).add("fed_balance_sheet", *levels(**TOY_LEVELS))
    amounts = {name: row["amount_usd_mn"] for name, row in week(world).items()}
    assert amounts == {
        "tga": 15_000,
        "settlement": 40_000,
        "fed_bill_purchases": 8_000,
        "fed_other_assets": 0,
        "foreign_rrp": 0,
        "other_liabilities": 0,
        "total": None,
    }
    counted = {name: row["drain_reserves_usd_mn"] for name, row in week(world).items()}
    assert counted["settlement"] == 0
    assert counted["fed_bill_purchases"] == -8_000
    # 7, not the 55 of "settlement + dTGA".
    assert counted["total"] == 7_000
    assert world.one("reserve_drains")["drain_reserves_usd_mn"] == 7_000


def test_run_off_instead_of_roll_over_drains_the_same(world: World) -> None:
    # The Fed's 12 are paid from the account and not rolled: dTGA +3, dSOMA -4, dReserves -7.
    world.add("tga_balance", *statements((100_000, 128_000, 158_000, 158_000, 103_000, 103_000)))
    world.add(
        "debt_settlements",
        leg("issue", THURSDAY, 150_000, soma_usd_mn=0),
        leg("redemption", THURSDAY, 122_000, cusip="912797BB9"),
    )
    world.add("maturing_holdings", holdings(THURSDAY, 110_000, 12_000))
    world.add("fed_operations", purchase(TUESDAY, 8_000))
    lines = TOY_LEVELS | {"WDTGAL": (100_000, 103_000), "WALCL": (6_500_000, 6_496_000)}
    world.add("fed_balance_sheet", *levels(**lines))
    counted = {name: row["drain_reserves_usd_mn"] for name, row in week(world).items()}
    assert counted["tga"] == 3_000
    assert counted["fed_other_assets"] == 12_000
    assert counted["total"] == 7_000
    assert week(world)["settlement"]["amount_usd_mn"] == 40_000


def test_the_headline_counts_settlements_and_purchases_as_drains(world: World) -> None:
    toy(world).add("fed_balance_sheet", *levels(**TOY_LEVELS))
    headline = {name: row["drain_headline_usd_mn"] for name, row in week(world).items()}
    assert headline == {
        "settlement": 40_000,
        "fed_bill_purchases": 8_000,
        "tga": 0,
        "fed_other_assets": 0,
        "foreign_rrp": 0,
        "other_liabilities": 0,
        "total": 48_000,
    }


# Assets +8, less -7 of reserves, +15 of the TGA, +3 of reverse repos and +2 of currency: -5 other,
# of which foreign official accounts +1, others' deposits -9, other liabilities +2, capital +1.
ALL_LINES = TOY_LEVELS | {
    "WLRRAL": (400_000, 403_000),
    "WLFN": (2_300_000, 2_302_000),
    "WLODLL": (3_000_000, 2_993_000),
    "WDFOL": (9_000, 10_000),
    "WLDLCL": (3_309_000, 3_309_000),
    "WLTLECL": (6_459_000, 6_466_000),
}
PARTS_OF_OTHER = (
    "d_foreign_official_usd_mn",
    "d_other_deposits_usd_mn",
    "d_other_liabilities_usd_mn",
    "d_capital_usd_mn",
)


def test_with_every_line_the_identity_leaves_nothing(world: World) -> None:
    toy(world).add("fed_balance_sheet", *levels(**ALL_LINES))
    world.add("repo_operations", repo(BEFORE, "on_rrp", 5_000), repo(WEDNESDAY, "on_rrp", 6_000))
    row = world.one("reserve_drains")
    assert row["rrp_basis"] == "H.4.1 total"
    assert (row["d_rrp_usd_mn"], row["d_currency_usd_mn"]) == (3_000, 2_000)
    assert (row["d_other_usd_mn"], row["residual_usd_mn"]) == (-5_000, 0)
    assert row["d_currency_and_other_usd_mn"] == -3_000
    assert [row[name] for name in PARTS_OF_OTHER] == [1_000, -9_000, 2_000, 1_000]
    counted = {name: row["drain_reserves_usd_mn"] for name, row in week(world).items()}
    assert (counted["on_rrp"], counted["foreign_rrp"]) == (1_000, 2_000)
    # Notes and the rest together: 2 - 5.
    assert counted["other_liabilities"] == -3_000
    assert counted["total"] == 7_000


def test_two_statements_of_what_banks_hold_that_differ_leave_a_residual(world: World) -> None:
    # Reserve balances fall by 7, the deposits of depository institutions by 6: other falls by 6.
    toy(world).add("fed_balance_sheet", *levels(**ALL_LINES | {"WLODLL": (3_000_000, 2_994_000)}))
    row = world.one("reserve_drains")
    assert (row["d_other_usd_mn"], row["residual_usd_mn"]) == (-6_000, 1_000)
    assert week(world)["total"]["drain_reserves_usd_mn"] == 7_000


@pytest.mark.parametrize("line", ["WLRRAL", "WLFN", "WLODLL"])
def test_without_one_of_its_lines_the_rest_is_unknown_and_not_a_remainder(
    world: World, line: str
) -> None:
    lines = {name: values for name, values in ALL_LINES.items() if name != line}
    toy(world).add("fed_balance_sheet", *levels(**lines))
    row = world.one("reserve_drains")
    assert (row["d_other_usd_mn"], row["residual_usd_mn"]) == (None, None)


def test_without_the_notes_the_week_closes_with_notes_and_the_rest_together(world: World) -> None:
    lines = TOY_LEVELS | {"WRBWFRBL": (3_000_000, 2_990_000)}
    toy(world).add("fed_balance_sheet", *levels(**lines))
    row = world.one("reserve_drains")
    missing = ("d_currency_usd_mn", "d_other_usd_mn", "residual_usd_mn")
    assert [row[name] for name in missing] == [None] * 3
    # 10 = 15 + 0 + both - 8
    assert row["d_currency_and_other_usd_mn"] == 3_000
    assert week(world)["other_liabilities"]["drain_reserves_usd_mn"] == 3_000
    assert week(world)["total"]["drain_reserves_usd_mn"] == 10_000


def test_the_overnight_facility_does_not_stand_in_for_the_missing_line(world: World) -> None:
    lines = {name: values for name, values in TOY_LEVELS.items() if name != "WLRRAL"}
    toy(world).add("fed_balance_sheet", *levels(**lines))
    world.add("repo_operations", repo(BEFORE, "on_rrp", 5_000), repo(WEDNESDAY, "on_rrp", 9_000))
    row = world.one("reserve_drains")
    missing = ("rrp_basis", "d_rrp_usd_mn", "d_other_usd_mn", "residual_usd_mn")
    assert [row[name] for name in missing] == [None] * 4
    assert week(world) == {}


def test_the_week_in_which_the_facility_begins_still_closes(world: World) -> None:
    toy(world).add("fed_balance_sheet", *levels(**TOY_LEVELS))
    world.add("repo_operations", repo(TUESDAY, "on_rrp", 2_000), repo(WEDNESDAY, "on_rrp", 2_500))
    assert week(world)["on_rrp"]["drain_reserves_usd_mn"] == 500
    assert week(world)["foreign_rrp"]["drain_reserves_usd_mn"] == -500
    assert week(world)["total"]["drain_reserves_usd_mn"] == 7_000


INPUTS_OF_A_WEEK = [
    ("fed_operations", ""),
    ("repo_operations", "on_rrp"),
]


@pytest.mark.parametrize(("table", "entity"), INPUTS_OF_A_WEEK)
@pytest.mark.parametrize("through", [None, TUESDAY])
def test_a_week_of_which_a_part_is_not_known_has_no_part(
    world: World, table: str, entity: str, through: date | None
) -> None:
    toy(world).add("fed_balance_sheet", *levels(**TOY_LEVELS))
    assert all(row["complete"] for row in world.mart("drains", date=WEDNESDAY))
    world.known(table, entity, through=through)
    assert week(world) == {}
    assert {row["component"] for row in world.mart("drains", date=WEDNESDAY)} == {"tga"}
    assert all(row["complete"] is None for row in world.mart("drains"))


def test_without_the_auctions_the_press_has_no_total(world: World) -> None:
    toy(world).add("fed_balance_sheet", *levels(**TOY_LEVELS))
    world.known("debt_settlements", "auctions", through=TUESDAY)
    assert "settlement" not in week(world)
    total = week(world)["total"]
    assert (total["drain_reserves_usd_mn"], total["drain_headline_usd_mn"]) == (7_000, None)


def test_the_headline_net_of_buybacks_counts_what_the_public_was_paid(world: World) -> None:
    # Settlements drain 40 and bill purchases count 8; Treasury bought back 5.
    toy(world).add("fed_balance_sheet", *levels(**TOY_LEVELS))
    world.add("debt_settlements", leg("buyback", TUESDAY, 5_000, kind="bond", cusip="operation"))

    def net() -> dict[str, float | None]:
        column = "drain_headline_net_of_buybacks_usd_mn"
        return {name: week(world)[name][column] for name in ("settlement", "tga", "total")}

    assert net() == {"settlement": 35_000, "tga": 0, "total": 43_000}
    assert week(world)["total"]["drain_headline_usd_mn"] == 48_000
    world.known("debt_settlements", "buybacks", through=date(2026, 2, 2))
    assert net() == {"settlement": None, "tga": 0, "total": None}
    assert week(world)["total"]["drain_headline_usd_mn"] == 48_000


@pytest.mark.parametrize("line", ["WDTGAL", "WALCL"])
def test_without_the_account_or_the_assets_nothing_is_told_apart(world: World, line: str) -> None:
    lines = {name: values for name, values in TOY_LEVELS.items() if name != line}
    toy(world).add("fed_balance_sheet", *levels(**lines))
    row = world.one("reserve_drains")
    assert (row["drain_reserves_usd_mn"], row["residual_usd_mn"]) == (7_000, None)
    components = {row["component"] for row in world.mart("drains")}
    assert components == {"tga", "settlement", "fed_bill_purchases"}
    assert week(world) == {}


def test_a_week_without_all_statements_is_left_out(world: World) -> None:
    closes = statements((100_000, 140_000, 170_000, 170_000, 115_000, 115_000))
    world.add("tga_balance", *closes[:3], *closes[4:])
    world.add("fed_balance_sheet", *levels(**TOY_LEVELS))
    assert week(world) == {}
    world.add("tga_balance", closes[3])
    assert week(world)["total"]["drain_reserves_usd_mn"] == 7_000


def test_a_wednesday_without_the_one_before_has_no_drain(world: World) -> None:
    world.add("fed_balance_sheet", level(date(2026, 1, 28), "WRBWFRBL", 3_000_000))
    world.add("fed_balance_sheet", level(WEDNESDAY, "WRBWFRBL", 2_990_000))
    assert world.mart("reserve_drains") == []


def test_exercises_and_coupons_are_no_bill_purchases_and_sales_are_negative(world: World) -> None:
    world.add(
        "fed_operations",
        purchase(MONDAY, 8_199),
        purchase(MONDAY, 300, direction="sale"),
        purchase(MONDAY, 25, is_small_value=True),
        purchase(MONDAY, 700, security_class="coupon"),
    )
    row = world.one("drains", component="fed_bill_purchases")
    assert (row["amount_usd_mn"], row["drain_reserves_usd_mn"]) == (7_899, -7_899)


def test_two_operations_of_a_day_add_up_and_exercises_do_not(world: World) -> None:
    world.add(
        "repo_operations",
        repo(MONDAY, "on_rrp", 5_000),
        repo(TUESDAY, "on_rrp", 5_500),
        repo(TUESDAY, "on_rrp", 200),
        repo(TUESDAY, "on_rrp", 40, is_small_value=True),
        repo(TUESDAY, "srf", 999),
    )
    assert world.one("drains", component="on_rrp")["amount_usd_mn"] == 700


def test_a_purchase_counts_when_it_settles(world: World) -> None:
    world.add("fed_operations", purchase(TUESDAY, 8_000))
    assert world.at(MONDAY).mart("drains") == []
    assert world.at(WEDNESDAY).one("drains")["date"] == TUESDAY


def test_balance_sheet_lines_appear_with_h41(world: World) -> None:
    toy(world).add("fed_balance_sheet", *levels(**TOY_LEVELS))
    assert world.at(WEDNESDAY).mart("weekly_drains") == []
    assert world.at(date(2026, 2, 12)).mart("weekly_drains") != []
