"""What is still to settle: amounts apart by certainty, roll-overs no payment, outlooks scored."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from liquidity_pipeline_tests.models.hand_made import build

SOME_TIME = datetime.fromisoformat("2026-02-01")
CLOCK = "2026-02-14 04:59"  # the end of Friday, 13 February, in New York


def leg(kind: str, settles: str, par: float | None, **more: Any) -> dict[str, Any]:
    """Return a settlement leg; `announced` and `results` are days, at 16:00 and 18:05 UTC."""
    row: dict[str, Any] = {
        "settlement_date": date.fromisoformat(settles),
        "leg": kind,
        "security_class": more.pop("security_class", "bill"),
        "security_term": more.pop("security_term", "13-Week"),
        "par_usd_mn": par,
        "offering_usd_mn": more.pop("offering", par),
        "soma_usd_mn": more.pop("soma", None),
        "status": more.pop("status", "settled"),
    }
    for column, hour in (("announced", time(16)), ("results", time(18, 5))):
        day = more.pop(column, None)
        row[f"{column}_at"] = day and datetime.combine(date.fromisoformat(day), hour)
    row["record_id"] = more.pop("record_id", f"{kind}{settles}{row['security_term']}{par}")
    assert not more
    return row | {"known_at": row["results_at"] or row["announced_at"] or SOME_TIME}


def ahead(day: str, security_class: str, redeemed: float, net: float) -> dict[str, Any]:
    return {
        "settlement_date": date.fromisoformat(day),
        "security_class": security_class,
        "redeemed_usd_mn": redeemed,
        "net_public_usd_mn": net,
        "soma_basis": "assumed",
        "known_at": SOME_TIME,
    }


def test_amounts_stand_apart_by_how_certain_they_are() -> None:
    legs = [
        leg("issue", "2026-02-17", 200.0, status="auctioned"),
        leg("issue", "2026-02-17", 50.0, status="announced", security_term="4-Week"),
        leg("issue", "2026-02-24", None, status="scheduled", security_term="6-Week"),
        leg("redemption", "2026-02-17", 180.0, status="scheduled"),
        leg("redemption", "2026-02-24", 190.0, status="scheduled"),
    ]
    calendar = [ahead("2026-02-17", "bill", 180, 70), ahead("2026-02-24", "bill", 190, -190)]
    first, second = build(
        "settlement_outlook",
        CLOCK,
        debt_settlements=legs[:1],
        # What stands in both tables counts once.
        upcoming_settlements=legs,
        settlement_calendar=calendar,
    )
    assert first["as_of"] == date(2026, 2, 13)
    assert (first["auctioned_usd_mn"], first["announced_usd_mn"]) == (200, 50)
    assert (first["net_public_usd_mn"], first["refinancing_usd_mn"]) == (70, 0)
    # Nothing announced: 190 mature and will be rolled over; that is no payment of 190.
    assert (second["net_public_usd_mn"], second["refinancing_usd_mn"]) == (None, 190)
    assert second["scheduled_issues"] == 1


def test_the_outlook_begins_tomorrow_and_ends_after_eight_weeks() -> None:
    days = [date(2026, 2, 13) + timedelta(days=n) for n in (0, 1, 56, 57)]
    calendar = [ahead(day.isoformat(), "bill", 1, 1) for day in days]
    rows = build("settlement_outlook", CLOCK, settlement_calendar=calendar)
    assert [row["settlement_date"] for row in rows] == days[1:3]


# Week of Monday, 16 February 2026; the Friday before is the 13th.
WEEK = {
    "week_start": date(2026, 2, 16), "security_class": "all", "issued_usd_mn": 330.0,
    "redeemed_usd_mn": 300.0, "net_public_usd_mn": 30.0,
}  # fmt: skip


def score(*legs: dict[str, Any], **tables: Any) -> dict[int, dict[str, Any]]:
    rows = build(
        "settlement_outlook_score", "2026-03-01 00:00",
        debt_settlements=list(legs), weekly_settlements=[WEEK], **tables,
    )  # fmt: skip
    return {row["weeks_ahead"]: row for row in rows}


def test_an_outlook_knows_results_and_announced_amounts_of_its_day_only() -> None:
    found = score(
        leg("issue", "2026-02-19", 110.0, announced="2026-02-05", results="2026-02-09"),
        # Auctioned on Tuesday: on Friday its announced amount is known, without add-ons.
        leg("issue", "2026-02-17", 220.0, offering=200.0, announced="2026-02-12",
            results="2026-02-17", security_term="4-Week"),
        leg("redemption", "2026-02-19", 100.0, announced="2025-11-13", results="2025-11-17"),
        leg("redemption", "2026-02-17", 200.0, announced="2026-01-15", results="2026-01-21",
            security_term="4-Week"),
    )  # fmt: skip
    one, two = found[1], found[2]
    assert one["as_of_date"] == date(2026, 2, 13)
    assert (one["issued_known_usd_mn"], one["redeemed_known_usd_mn"]) == (310, 300)
    assert one["coverage_ratio"] == pytest.approx(310 / 330, abs=1e-6)
    assert (one["net_public_known_usd_mn"], one["error_usd_mn"]) == (10, 20)
    # A week earlier only the 13-week bill was announced: the 4-week one is taken as rolled over.
    assert (two["issued_known_usd_mn"], two["net_public_known_usd_mn"]) == (110, 10)
    assert found[4]["net_public_known_usd_mn"] == 0
    # Settled on Thursday, scored when the week is over: Monday, 16:30 in New York.
    assert one["known_at"] == datetime.fromisoformat("2026-02-23 21:30")


def test_a_week_is_not_scored_before_it_is_over() -> None:
    legs = [leg("redemption", "2026-02-19", 100.0, announced="2025-11-13", results="2025-11-17")]
    for now, rows in (("2026-02-23 21:29", 0), ("2026-02-23 21:30", 4)):
        found = build(
            "settlement_outlook_score", now, debt_settlements=legs, weekly_settlements=[WEEK]
        )
        assert len(found) == rows


def test_the_feds_roll_over_is_no_payment_of_the_public() -> None:
    # Notes of 100 mature, 40 of them the Fed's; 90 are sold to the public, 40 added for the Fed.
    found = score(
        leg("issue", "2026-02-17", 130.0, offering=90.0, soma=40.0, announced="2026-02-04",
            results="2026-02-11", security_class="note"),
        leg("redemption", "2026-02-17", 100.0, announced="2023-02-01", results="2023-02-07",
            security_class="note"),
        maturing_holdings=[{
            "maturing_date": date(2026, 2, 15), "security_group": "coupons",
            "public_usd_mn": 60.0, "soma_usd_mn": 40.0,
            "known_at": datetime.fromisoformat("2026-02-04 16:00"),
        }],
    )  # fmt: skip
    # 15 February is a Sunday and the 16th a holiday: it settles on Tuesday. 90 paid, 60 received.
    assert found[1]["net_public_known_usd_mn"] == 30
    # With only the announcement, the same from the other side: 90 without add-ons.
    assert found[2]["net_public_known_usd_mn"] == 30


def test_an_add_on_to_come_is_expected_to_be_the_last_one_of_its_term() -> None:
    found = score(
        leg("issue", "2026-01-20", 150.0, soma=12.0, announced="2026-01-08", results="2026-01-13",
            security_term="4-Week"),
        leg("issue", "2026-02-17", 220.0, offering=200.0, soma=20.0, announced="2026-02-12",
            results="2026-02-17", security_term="4-Week"),
        leg("redemption", "2026-02-17", 205.0, announced="2026-01-15", results="2026-01-21",
            security_term="4-Week"),
    )  # fmt: skip
    # On Friday 13 February: 200 offered, 12 added as the last time, 205 mature.
    assert found[1]["net_public_known_usd_mn"] == 7


def test_cash_management_bills_of_next_week_are_not_rolled_over() -> None:
    found = score(
        leg("redemption", "2026-02-19", 50.0, announced="2026-01-05", results="2026-01-06",
            security_class="cmb"),
    )  # fmt: skip
    assert [found[n]["net_public_known_usd_mn"] for n in (1, 2, 3, 4)] == [-50, 0, 0, 0]
