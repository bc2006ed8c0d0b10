"""Coupon interest: who pays on a day, and where that is not known."""

from __future__ import annotations

from datetime import date, time, timedelta
from pathlib import Path

import pytest

from liquidity_pipeline.calendars import utc
from liquidity_pipeline.models import engine
from liquidity_pipeline_tests.models.world import Row, World, leg


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def bond(issued: date, matures: date, par: float, coupon: float | None, **more: object) -> Row:
    return leg("issue", issued, par, kind="bond", cusip=f"C{matures}{par}", issue_date=issued,
               maturity_date=matures, coupon_pct=coupon, soma_usd_mn=0, **more)  # fmt: skip


def test_half_the_coupon_is_paid_twice_a_year_on_what_is_outstanding(world: World) -> None:
    # 1,000 at 4 % to 15 August 2040 pay 20 on each 15 February and August; 15 February 2026 is a
    # Sunday and the 16th a holiday.
    world.add(
        "debt_settlements",
        bond(date(2015, 8, 17), date(2040, 8, 15), 1_000, 4.0),
        bond(date(2015, 9, 15), date(2040, 9, 15), 500, 3.0),
    )
    rows = {row["payment_date"]: row for row in world.mart("coupon_interest")}
    assert rows[date(2026, 2, 17)]["interest_usd_mn"] == 20
    assert rows[date(2026, 3, 16)]["interest_usd_mn"] == 7.5


def redemption(matures: date, par: float, coupon: float, *, issued: date) -> Row:
    """The leg that is held of a bond whose auction was before the first stored month."""
    return bond(issued, matures, par, coupon) | {
        "leg": "redemption", "settlement_date": matures,
        "record_id": f"redemption/C{matures}{par}/{issued - timedelta(days=5)}",
    }  # fmt: skip


def test_a_bond_that_was_auctioned_before_the_first_stored_month_pays_too(world: World) -> None:
    # Of 1996, at 6 %: 1,000 matured on 15 August 2025 and paid 30 in February 2025 for the last but
    # one time; 2,000 mature in February 2031, pay 60, and are in the snapshot alone.
    issued = date(1996, 2, 15)
    world.add("debt_settlements", redemption(date(2025, 8, 15), 1_000, 6.0, issued=issued))
    world.add("upcoming_settlements", redemption(date(2031, 2, 18), 2_000, 6.0, issued=issued)
              | {"maturity_date": date(2031, 2, 15)})  # fmt: skip
    paid = {row["payment_date"]: row["interest_usd_mn"] for row in world.mart("coupon_interest")}
    days = [date(2025, 2, 18), date(2025, 8, 15), date(2026, 2, 17)]
    assert [paid[day] for day in days] == [90, 90, 60]


def test_an_auction_of_which_both_legs_are_held_pays_once(world: World) -> None:
    issued, matures, stated = date(2015, 8, 17), date(2026, 8, 17), date(2026, 8, 15)
    issue = bond(issued, matures, 1_000, 4.0) | {"maturity_date": stated}
    ahead = redemption(matures, 1_000, 4.0, issued=issued) | {"maturity_date": stated}
    world.add("debt_settlements", issue).add("upcoming_settlements", ahead)
    row = world.one("coupon_interest", payment_date=date(2026, 2, 17))
    assert (row["interest_usd_mn"], row["paying_usd_mn"]) == (20, 1_000)


def test_interest_is_not_told_before_the_first_stored_day_or_without_the_snapshot(
    world: World,
) -> None:
    # What matured before that day is not held, and neither is who paid with it.
    world.add("debt_settlements", bond(date(2015, 8, 17), date(2040, 8, 15), 1_000, 4.0))
    with world.session() as connection:
        connection.execute("update meta.coverage set known_from = date '2020-03-01'")
        days = engine.build("coupon_interest", connection)["payment_date"].to_pylist()
    assert min(days) == date(2020, 8, 17)
    world.known("upcoming_settlements", "auctions", through=None)
    assert not world.mart("coupon_interest")


def test_without_the_record_of_buybacks_interest_is_known_to_be_at_most_so_much(
    world: World,
) -> None:
    # 1,000 at 4 % pay 20; of 100 that were bought back in 2025 nothing is paid any more.
    issued = bond(date(2015, 8, 17), date(2040, 8, 15), 1_000, 4.0)
    world.add("debt_settlements", issued)
    world.add(
        "buyback_securities",
        {"operation_date": date(2025, 6, 4), "start_time": "13:40", "cusip": issued["cusip"],
         "settlement_date": date(2025, 6, 5), "accepted_usd_mn": 100.0,
         "known_at": utc(date(2025, 6, 4), time(14, 5))},
    )  # fmt: skip
    day = date(2026, 2, 17)
    row = world.one("coupon_interest", payment_date=day)
    assert (row["interest_usd_mn"], row["interest_at_most_usd_mn"]) == (18, 20)
    world.known("buyback_securities", through=None).known("buybacks", through=None)
    world.known("debt_settlements", "buybacks", through=None)
    row = world.one("coupon_interest", payment_date=day)
    assert (row["interest_usd_mn"], row["interest_at_most_usd_mn"]) == (None, 20)
    # Before the programme began there was nothing to know.
    assert world.one("coupon_interest", payment_date=date(2024, 2, 15))["interest_usd_mn"] == 20


def test_interest_is_not_told_where_the_first_buybacks_are_not_held(world: World) -> None:
    """What was bought before the record of buybacks begins is retired as well."""
    world.add("debt_settlements", bond(date(2015, 8, 17), date(2040, 8, 15), 1_000, 4.0))
    with world.session() as connection:
        connection.execute(
            "update meta.coverage set known_from = date '2024-06-01'"
            " where table_name = 'buyback_securities'"
        )
        rows = engine.build("coupon_interest", connection).to_pylist()
    paid = {row["payment_date"]: row["interest_usd_mn"] for row in rows}
    assert (paid[date(2024, 2, 15)], paid[date(2024, 8, 15)]) == (20, None)


def test_interest_is_not_told_while_coupons_are_unknown(world: World) -> None:
    world.add(
        "debt_settlements",
        bond(date(2015, 8, 17), date(2040, 8, 15), 1_000, 4.0),
        bond(date(2015, 8, 17), date(2045, 8, 15), 100, None),
    )
    row = world.one("coupon_interest", payment_date=date(2026, 2, 17))
    assert row["interest_usd_mn"] is None
    assert row["coverage_ratio"] == pytest.approx(1_000 / 1_100, abs=1e-6)
