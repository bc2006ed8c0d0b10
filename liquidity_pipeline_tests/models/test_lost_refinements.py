"""A silent record that makes others more exact costs the values that rest on it, and no others.

The Fed's holdings by security tell who is paid; what buybacks retired of a security tells how much
of it still matures. Face amounts that neither can change stay.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from liquidity_pipeline.calendars import utc
from liquidity_pipeline_tests.models.world import Row, World, leg

pytestmark = pytest.mark.slow

TODAY, LAST = date(2026, 2, 20), date(2026, 2, 10)
# Before the records end, after it, and ahead.
BEFORE, AFTER, NOTES, AHEAD = (date(2026, 2, d) for d in (5, 12, 17, 26))
BUYBACKS = ("debt_settlements", "buybacks")
AMOUNTS = ("issued_usd_mn", "redeemed_usd_mn", "net_usd_mn", "net_public_usd_mn")


def held(week: date, cusip: str, par: float, kind: str = "bills") -> Row:
    return {
        "as_of_date": week, "cusip": cusip, "holding_type": kind, "par_usd_mn": par,
        "known_at": utc(week + timedelta(days=1), time(16, 30)),
    }  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Bills before and after 10 February, notes after it, and a bill that is only announced.

    Of each maturing bill of 122 the Fed holds 30 and rolls 12 over: the public pays 150 and is paid
    92, which is 58; at face value 162 less 122 is 40. Of the notes that mature it holds 10 of 60.
    """
    world = World(tmp_path, TODAY)
    for day, cusip in ((BEFORE, "912797BB9"), (AFTER, "912797CC7")):
        world.add("debt_settlements", leg("issue", day, 162, soma_usd_mn=12))
        world.add("debt_settlements", leg("redemption", day, 122, cusip=cusip))
        world.add("soma_securities", held(day - timedelta(days=1), cusip, 30))
    world.add("debt_settlements", leg("issue", NOTES, 100, kind="note", cusip="91282CZZ1"))
    world.add("debt_settlements", leg("redemption", NOTES, 60, kind="note", cusip="91282CAA1"))
    world.add("soma_securities", held(date(2026, 2, 11), "91282CAA1", 10, "notes_bonds"))
    world.add("debt_settlements", leg("redemption", NOTES, 28, kind="frn", cusip="91282CBB9"))
    coming = {"offering_usd_mn": 150, "auction_date": date(2026, 2, 23)}
    announced = {"announced_at": utc(date(2026, 2, 19), time(11)), "results_at": None}
    world.add(
        "debt_settlements", leg("issue", AHEAD, 150, cusip="912797DD5", **coming, **announced)
    )
    maturing = leg("redemption", AHEAD, 122, cusip="912797EE3", auction_date=date(2025, 11, 20))
    world.add("debt_settlements", maturing)
    world.add("soma_securities", held(date(2026, 2, 18), "912797EE3", 30))
    return world


def amounts(world: World, day: date, kind: str = "bill") -> tuple[float | None, ...]:
    row = world.one("settlement_calendar", settlement_date=day, security_class=kind)
    return tuple(row[name] for name in AMOUNTS)


def test_with_all_of_them_the_amounts_are_those_on_paper(world: World) -> None:
    assert amounts(world, BEFORE) == amounts(world, AFTER) == (162, 122, 40, 58)
    assert amounts(world, NOTES, "note") == (100, 60, 40, 50)
    # The issue gets the 30 that the Fed holds of the maturing: 150 + 30 - 122, and 150 - 92.
    assert amounts(world, AHEAD) == (150, 122, 58, 58)


def test_without_the_feds_holdings_only_the_publics_part_and_expected_add_ons_are_unknown(
    world: World,
) -> None:
    world.known("soma_securities", through=LAST)
    assert amounts(world, BEFORE) == (162, 122, 40, 58)
    assert amounts(world, AFTER) == (162, 122, 40, None)
    assert amounts(world, NOTES, "note") == (100, 60, 40, None)
    assert amounts(world, AHEAD) == (150, 122, None, None)
    bases = {row["settlement_date"]: row["soma_basis"] for row in world.mart("settlement_calendar")}
    assert bases == {BEFORE: "holdings", AFTER: None, NOTES: None, AHEAD: None}
    week = world.one("weekly_settlements", week_start=date(2026, 2, 9), security_class="all")
    assert tuple(week[name] for name in AMOUNTS) == (162, 122, 40, None)
    assert week["privately_held_net_usd_mn"] is None
    assert week["is_settled"]
    (coming,) = world.mart("settlement_outlook")
    assert (coming["announced_usd_mn"], coming["redeemed_usd_mn"]) == (150, 122)
    assert coming["net_public_expected_usd_mn"] is coming["add_ons_expected_usd_mn"] is None
    items = {row["item"]: row["amount_usd_mn"] for row in world.mart("forward_calendar")}
    assert (items["issues announced"], items["maturities"]) == (150, -122)
    assert items["add-ons expected"] is items["redemptions not paid to the public"] is None


@pytest.mark.parametrize("through", [LAST, None], ids=["ended", "never served"])
def test_without_what_buybacks_retired_only_what_they_buy_is_unknown(
    world: World, through: date | None
) -> None:
    """The programme buys notes, bonds and TIPS; bills and floating-rate notes mature as issued."""
    world.known("buyback_securities", through=through)
    assert amounts(world, BEFORE) == amounts(world, AFTER) == (162, 122, 40, 58)
    assert amounts(world, NOTES, "note") == (100, None, None, None)
    assert amounts(world, NOTES, "frn")[:3] == (0, 28, -28)
    assert amounts(world, AHEAD) == (150, 122, 58, 58)
    week = {
        row["security_class"]: tuple(row[name] for name in AMOUNTS)
        for row in world.mart("weekly_settlements", week_start=date(2026, 2, 16))
    }
    assert week["coupons"] == week["all"] == (100, None, None, None)
    assert week["frn"][:3] == (0, 28, -28)


@pytest.mark.parametrize("table", ["buyback_securities", "soma_securities"])
def test_a_quarter_has_no_sum_of_which_a_part_is_unknown(world: World, table: str) -> None:
    # A quarter counts as held where the records begin in its first week.
    world.add(
        "debt_settlements", leg("issue", date(2026, 1, 5), 10, kind="note", cusip="91282CXX1")
    )
    quarter = world.one("quarterly_borrowing")
    assert quarter["issued_usd_mn"] == 10 + 162 + 162 + 100
    assert quarter["redeemed_usd_mn"] == 122 + 122 + 60 + 28
    assert quarter["assumed_days"] == 0
    world.known(table, through=LAST)
    lost = world.one("quarterly_borrowing")
    assert lost["issued_usd_mn"] == 434
    is_retired = table == "buyback_securities"
    assert lost["redeemed_usd_mn"] == (None if is_retired else 332)
    assert lost["assumed_days"] == (0 if is_retired else None)
    assert lost["net_public_usd_mn"] is lost["privately_held_net_usd_mn"] is None


def test_where_buybacks_were_never_answered_for_the_coarser_basis_stands(world: World) -> None:
    world.known("buyback_securities", through=None)
    world.known(*BUYBACKS, through=None)
    assert amounts(world, NOTES, "note") == (100, 60, 40, 50)


def test_where_the_holdings_were_never_served_the_coarser_basis_stands(world: World) -> None:
    world.known("soma_securities", through=None)
    assert amounts(world, AFTER)[:3] == (162, 122, 40)
    assert amounts(world, AFTER)[3] is not None


@pytest.mark.parametrize("through", [LAST, None], ids=["ended", "never served"])
def test_days_whose_maturities_are_unknown_do_not_fail_the_tie_to_the_statement(
    world: World, through: date | None
) -> None:
    def line(day: date, kind: str, amount: float) -> Row:
        return {
            "record_date": day, "dts_table": "IIIA", "transaction_type": kind,
            "security_market": "Marketable", "security_type": "Bills", "amount_usd_mn": amount,
            "known_at": datetime.combine(day + timedelta(days=1), time(21)),
        }  # fmt: skip

    for day, issued, redeemed in ((BEFORE, 162, 122), (AFTER, 162, 122), (NOTES, 100, 88)):
        world.add("debt_transactions", line(day, "Issues", issued))
        world.add("debt_transactions", line(day, "Redemptions", redeemed))
    assert world.reconcile("settlements_equal_table_iiia").compared == 3
    world.known("buyback_securities", through=through)
    found = world.reconcile("settlements_equal_table_iiia")
    assert (found.compared, found.misses) == (2, 0)
    world.known("buyback_securities", through=AHEAD).known(*BUYBACKS, through=BEFORE)
    found = world.reconcile("settlements_equal_table_iiia")
    assert (found.compared, found.misses) == (1, 0)
    world.known(*BUYBACKS, through=AHEAD).known("buyback_securities", through=through)
    assert world.reconcile("fed_share_agrees_with_known_add_ons").misses == 0


@pytest.mark.parametrize("is_known", [True, False])
def test_a_week_of_which_one_days_settlement_is_unknown_has_none(
    world: World, is_known: bool
) -> None:
    """The H.4.1 week of 12 to 18 February: 10 and 20 settled, and the account rose by 25."""
    days = (date(2026, 2, 12), date(2026, 2, 17))
    amounts = [(days[0], "settlement", 10.0, 0), (days[1], "settlement", 20.0, 0)]
    rows: list[Row] = [
        {
            "date": day, "component": component, "amount_usd_mn": amount,
            "drain_reserves_usd_mn": amount * sign, "drain_headline_usd_mn": amount * (1 - sign),
            "drain_headline_net_of_buybacks_usd_mn": amount * (1 - sign), "complete": True,
            "known_at": utc(day, time(21)),
        }
        for day, component, amount, sign in [*amounts, (date(2026, 2, 13), "tga", 25.0, 1)]
    ]  # fmt: skip
    third = {"settlement_date": date(2026, 2, 18), "security_class": "bill", "is_settled": True,
             "net_public_usd_mn": 0.0 if is_known else None}  # fmt: skip
    world.put("drains", rows).put("settlement_calendar", [third])
    found = {
        row["component"]: (row["drain_reserves_usd_mn"], row["drain_headline_usd_mn"])
        for row in world.build("weekly_drains")
    }
    settled = {"settlement": (0, 30)} if is_known else {}
    assert found == {"tga": (25, 0), "total": (25, 30 if is_known else None), **settled}
