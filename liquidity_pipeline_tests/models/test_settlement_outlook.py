"""What is still to settle: amounts apart by certainty, and past outlooks against what settled."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from liquidity_pipeline.calendars import utc
from liquidity_pipeline_tests.models.hand_made import build
from liquidity_pipeline_tests.models.world import Row, World, leg

CLOCK = "2026-02-14 04:59"  # the end of Friday, 13 February, in New York
SOME_TIME = datetime.fromisoformat("2026-02-01")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def vintage(day: str, **columns: object) -> Row:
    """A row of settlement_vintages at the run's moment; amounts that are not given are zero."""
    amounts = dict.fromkeys(
        (
            "auctioned_usd_mn", "announced_usd_mn", "scheduled_issues", "expected_issues_usd_mn",
            "add_ons_usd_mn", "add_ons_expected_usd_mn", "redeemed_usd_mn",
            "expected_redeemed_usd_mn", "public_redeemed_usd_mn", "cmb_issued_usd_mn",
            "cmb_redeemed_usd_mn", "cmb_add_ons_usd_mn", "buyback_usd_mn",
            "buyback_maximum_usd_mn", "net_public_expected_usd_mn",
        ),
        0,
    )  # fmt: skip
    return amounts | {
        "as_of_date": date(2026, 2, 13),
        "is_open": True,
        "settlement_date": date.fromisoformat(day),
        "security_class": "bill",
        "security_group": "bills",
        "soma_basis": "assumed",
        "is_announced": True,
        "status": "announced",
        "known_at": SOME_TIME,
        **columns,
    }


def slope(regressor: str = "coupons", end: str = "2025-12-31", bp: float = 10.0) -> Row:
    return {
        "window_kind": "quarter", "window_name": "2025Q4", "regressor": regressor,
        "window_start": date(2025, 10, 1), "window_end": date.fromisoformat(end),
        "coefficient_bp_per_100bn": bp, "low_bp_per_100bn": bp - 4, "high_bp_per_100bn": bp + 4,
        "n_obs": 62, "known_at": SOME_TIME,
    }  # fmt: skip


def test_amounts_stand_apart_and_what_is_not_announced_is_no_payment() -> None:
    first, second = build(
        "settlement_outlook",
        CLOCK,
        settlement_vintages=[
            vintage("2026-02-17", auctioned_usd_mn=200, announced_usd_mn=50, redeemed_usd_mn=180,
                    net_public_usd_mn=70, net_public_expected_usd_mn=70),
            vintage("2026-02-24", expected_issues_usd_mn=195, redeemed_usd_mn=190,
                    net_public_expected_usd_mn=5, is_announced=False, scheduled_issues=1),
        ],
        settlement_calendar=[
            {"settlement_date": date(2026, 2, 17), "security_class": "bill",
             "net_public_usd_mn": 70.0, "known_at": SOME_TIME},
        ],
    )  # fmt: skip
    assert first["as_of"] == date(2026, 2, 13)
    assert (first["auctioned_usd_mn"], first["announced_usd_mn"]) == (200, 50)
    assert (first["net_public_usd_mn"], first["refinancing_usd_mn"]) == (70, 0)
    assert (second["net_public_usd_mn"], second["refinancing_usd_mn"]) == (None, 190)
    assert (second["net_public_expected_usd_mn"], second["scheduled_issues"]) == (5, 1)


def test_the_outlook_begins_tomorrow_and_ends_after_eight_weeks() -> None:
    days = [date(2026, 2, 13) + timedelta(days=n) for n in (0, 1, 56, 57)]
    rows = build(
        "settlement_outlook", CLOCK, settlement_vintages=[vintage(str(day)) for day in days]
    )
    assert [row["settlement_date"] for row in rows] == days[1:3]


def test_the_expected_effect_is_the_days_coupons_times_the_last_quarters_slope() -> None:
    # 30 bn of notes and 10 bn of bonds at 10 [6, 14] bp per 100 bn; an older quarter had 99.
    note, bond, bill = (
        vintage("2026-02-17", security_class=name, security_group=group,
                net_public_expected_usd_mn=net)
        for name, group, net in (("note", "coupons", 30_000), ("bond", "coupons", 10_000),
                                 ("bill", "bills", 90_000))
    )  # fmt: skip
    slopes = [slope(), slope(end="2025-09-30", bp=99.0), slope(regressor="bills", bp=50.0)]
    rows = build(
        "settlement_outlook",
        CLOCK,
        settlement_vintages=[note, bond, bill],
        settlement_sensitivity=slopes,
    )
    effect = {
        row["security_class"]: (
            row["funding_effect_bp"], row["funding_effect_low_bp"], row["funding_effect_high_bp"]
        )
        for row in rows
    }  # fmt: skip
    assert effect["note"] == effect["bond"] == pytest.approx((4.0, 2.4, 5.6))
    assert effect["bill"] == (None, None, None)


def test_a_friday_knows_results_and_announced_amounts_of_its_day_only(world: World) -> None:
    # The week of 16 February 2026. On the Friday before, the bill of Thursday has results, that of
    # Tuesday is announced at 200 and will get 20 for the Fed, which holds 18 of what matures.
    tuesday, thursday = date(2026, 2, 17), date(2026, 2, 19)
    world.add(
        "debt_settlements",
        leg("issue", thursday, 110, cusip="A", auction_date=date(2026, 2, 9), soma_usd_mn=0,
            offering_usd_mn=110, announced_at=utc(date(2026, 2, 5), time(11))),
        leg("issue", tuesday, 220, cusip="B", auction_date=tuesday, offering_usd_mn=200,
            soma_usd_mn=20, announced_at=utc(date(2026, 2, 12), time(11))),
        leg("redemption", thursday, 100, cusip="C", auction_date=date(2025, 11, 17),
            soma_usd_mn=0),
        leg("redemption", tuesday, 200, cusip="D", auction_date=date(2026, 1, 21),
            soma_usd_mn=18),
        leg("issue", date(2026, 1, 2), 1, cusip="E", soma_usd_mn=0),
    )  # fmt: skip
    rows = world.mart("settlement_outlook_score", week_start=date(2026, 2, 16),
                      security_group="all")  # fmt: skip
    found = {row["weeks_ahead"]: row for row in rows}
    one, two = found[1], found[2]
    assert one["as_of_date"] == date(2026, 2, 13)
    assert (one["issued_known_usd_mn"], one["redeemed_known_usd_mn"]) == (310, 300)
    assert one["coverage_ratio"] == pytest.approx(310 / 330, abs=1e-6)
    # Known: 110 + 200 - 100 - (200 - 18). Settled: the Fed took 20, so it held at least 20.
    assert (one["net_public_known_usd_mn"], one["error_usd_mn"]) == (28, 2)
    assert one["rollover_error_usd_mn"] == 30
    # A week earlier only the bill of Thursday was announced.
    assert (two["issued_known_usd_mn"], two["redeemed_known_usd_mn"]) == (110, 300)
    # Settled on Thursday, scored when the week is over: Monday, 16:30 in New York.
    assert one["known_at"] == datetime.fromisoformat("2026-02-23 21:30")
    sunday = world.at(date(2026, 2, 22))
    assert not sunday.mart("settlement_outlook_score", week_start=date(2026, 2, 16))


def test_a_week_that_is_not_known_to_its_end_is_not_scored(world: World) -> None:
    tuesday = date(2026, 2, 17)
    world.add("debt_settlements", leg("redemption", tuesday, 200, auction_date=date(2026, 1, 21)))
    world.add("debt_settlements", leg("issue", date(2026, 1, 2), 1, cusip="E"))
    assert world.mart("settlement_outlook_score", week_start=date(2026, 2, 16))
    world.known("debt_settlements", "auctions", through=date(2026, 2, 10))
    assert not world.mart("settlement_outlook_score", week_start=date(2026, 2, 16))
