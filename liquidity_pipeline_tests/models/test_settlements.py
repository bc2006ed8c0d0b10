"""settlement_calendar and weekly_settlements: who is paid, who pays, and how certain it is."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest

from liquidity_pipeline.calendars import utc
from liquidity_pipeline_tests.models.world import Row, World, leg

TUESDAY, THURSDAY = date(2026, 2, 3), date(2026, 2, 5)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def holdings(day: date, public: float, soma: float, group: str = "bills") -> Row:
    return {
        "maturing_date": day,
        "security_group": group,
        "public_usd_mn": public,
        "soma_usd_mn": soma,
        "known_at": utc(date(2026, 1, 28), time(11)),
    }


def test_every_reopening_of_a_security_is_redeemed_with_it(world: World) -> None:
    first, second = date(2025, 8, 7), date(2025, 11, 6)
    world.add(
        "debt_settlements",
        leg("redemption", TUESDAY, 60_000, auction_date=first),
        leg("redemption", TUESDAY, 85_230.8035, auction_date=second),
        leg("issue", TUESDAY, 100_000),
    )
    row = world.one("settlement_calendar")
    assert (row["issued_usd_mn"], row["redeemed_usd_mn"]) == (100_000, 145_230.8035)
    assert row["net_usd_mn"] == -45_230.8035


@pytest.mark.parametrize(
    ("issued", "add_on", "net"),
    [pytest.param(162, 12, 40, id="roll-over"), pytest.param(150, 0, 28, id="run-off")],
)
def test_the_public_pays_the_same_whether_the_fed_rolls_over_or_not(
    world: World, issued: float, add_on: float, net: float
) -> None:
    # Offered 150 to the public, which holds 110 of the 122 maturing; the Fed holds 12.
    world.add("debt_settlements", leg("issue", TUESDAY, issued, soma_usd_mn=add_on))
    world.add("debt_settlements", leg("redemption", TUESDAY, 122, cusip="912797BB9"))
    world.add("maturing_holdings", holdings(TUESDAY, 110, 12))
    row = world.one("settlement_calendar")
    assert (row["net_usd_mn"], row["net_public_usd_mn"]) == (net, 40)
    assert row["soma_basis"] == "published"


def test_without_an_estimate_the_fed_is_taken_to_roll_over_in_full(world: World) -> None:
    world.add("debt_settlements", leg("issue", TUESDAY, 162, soma_usd_mn=12))
    world.add("debt_settlements", leg("redemption", TUESDAY, 122, cusip="912797BB9"))
    row = world.one("settlement_calendar")
    assert (row["net_usd_mn"], row["net_public_usd_mn"]) == (40, 40)
    assert row["soma_basis"] == "assumed"


def test_an_announced_issue_is_taken_to_get_the_add_on_of_the_last_of_its_term(
    world: World,
) -> None:
    # Offered 150 to the public; the 13-week bill before got 12 for the Fed, the one before that 30.
    # Auctioned on Wednesday, after the day of this run.
    ahead = leg("issue", THURSDAY, 165, auction_date=date(2026, 2, 4), security_term="13-Week",
                offering_usd_mn=150, soma_usd_mn=15, cusip="912797CC9")  # fmt: skip
    older = [
        leg("issue", day, 200, security_term="13-Week", soma_usd_mn=add_on, cusip=f"{add_on}")
        for day, add_on in ((date(2026, 1, 22), 30), (date(2026, 1, 29), 12))
    ]
    other = leg("issue", TUESDAY, 90, security_term="4-Week", soma_usd_mn=7)
    maturing = leg("redemption", THURSDAY, 122, auction_date=date(2025, 11, 3))
    world.add("debt_settlements", *older, other, maturing, ahead)
    row = world.at(TUESDAY).one("settlement_calendar", settlement_date=THURSDAY)
    assert (row["issued_usd_mn"], row["net_usd_mn"]) == (150, 28)
    assert (row["net_public_usd_mn"], row["soma_basis"]) == (150 + 12 - 122, "assumed")


def test_an_estimate_of_nothing_where_much_matures_is_no_estimate(world: World) -> None:
    # 2024-04-01: the reopenings carried a zero while 131,698 of coupons matured.
    world.add("debt_settlements", leg("redemption", TUESDAY, 131_698, kind="note"))
    world.add("maturing_holdings", holdings(TUESDAY, 0, 0, "coupons"))
    row = world.one("settlement_calendar")
    assert (row["net_public_usd_mn"], row["soma_basis"]) == (-131_698, "assumed")


def test_an_issue_that_refunds_nothing_is_paid_by_the_public_without_add_ons(world: World) -> None:
    world.add("debt_settlements", leg("issue", TUESDAY, 52, kind="cmb", soma_usd_mn=2))
    world.add("maturing_holdings", holdings(TUESDAY, 0, 0))
    row = world.one("settlement_calendar")
    assert (row["net_public_usd_mn"], row["soma_basis"]) == (50, "published")


def test_classes_share_what_the_public_holds_of_their_group(world: World) -> None:
    # 120 at face, of which the public holds 80, and 30 of inflation compensation paid to it.
    world.add(
        "debt_settlements",
        leg("redemption", TUESDAY, 90, kind="note"),
        leg("redemption", TUESDAY, 30, kind="tips", cusip="912828BB9"),
        leg("issue", TUESDAY, 50, kind="note", cusip="91282CCC9", soma_usd_mn=0),
        leg("redemption", TUESDAY, 500, kind="bill", cusip="912797DD9"),
    )
    world.add("maturing_holdings", holdings(TUESDAY, 110, 40, "coupons"))
    public = {
        r["security_class"]: r["net_public_usd_mn"] for r in world.mart("settlement_calendar")
    }
    assert public == {"note": 50 - 82.5, "tips": -27.5, "bill": -500}


def test_a_maturity_on_a_saturday_meets_its_holders_on_monday(world: World) -> None:
    saturday, monday = date(2026, 1, 31), date(2026, 2, 2)
    world.add("debt_settlements", leg("redemption", monday, 100, kind="note"))
    world.add("maturing_holdings", holdings(saturday, 70, 30, "coupons"))
    row = world.one("settlement_calendar", settlement_date=monday)
    assert (row["net_public_usd_mn"], row["soma_basis"]) == (-70, "published")


def test_buybacks_stand_apart_from_the_net(world: World) -> None:
    world.add("debt_settlements", leg("issue", TUESDAY, 40, kind="bond"))
    world.add("debt_settlements", leg("buyback", TUESDAY, 2, kind="bond", cusip="operation"))
    row = world.one("settlement_calendar")
    assert (row["buyback_usd_mn"], row["net_usd_mn"], row["net_public_usd_mn"]) == (2, 40, 40)


def test_the_least_certain_issue_gives_the_day_its_status(world: World) -> None:
    announced = leg("issue", THURSDAY, 77_000, cusip="912797CC9", offering_usd_mn=77_000)
    pending = announced | {"auction_date": date(2026, 2, 4), "results_at": None}
    auctioned = leg("issue", THURSDAY, 89_000, cusip="912797DD9")
    world.add("debt_settlements", auctioned)
    world.add("debt_settlements", leg("issue", date(2026, 2, 2), 5), pending)
    maturing = leg("redemption", date(2026, 2, 10), 1, auction_date=date(2025, 8, 7))
    world.add("debt_settlements", maturing)
    eve = world.at(date(2026, 2, 3)).mart("settlement_calendar")
    assert [row["status"] for row in eve] == ["settled", "announced", "scheduled"]
    assert [row["net_usd_mn"] for row in eve] == [5, 166_000, -1]


def test_a_row_is_known_when_the_last_of_its_group_is(world: World) -> None:
    late = utc(date(2026, 2, 2), time(11, 35))
    world.add(
        "debt_settlements",
        leg("redemption", TUESDAY, 100, auction_date=date(2025, 8, 4)),
        leg("redemption", TUESDAY, 10, kind="cmb", cusip="912797CC9", results_at=late),
    )
    world.add("maturing_holdings", holdings(TUESDAY, 110, 0))
    assert {row["known_at"] for row in world.mart("settlement_calendar")} == {late}


def test_what_is_upcoming_and_already_stored_counts_once(world: World) -> None:
    ahead = leg("issue", date(2026, 3, 3), 100, auction_date=date(2026, 2, 25))
    world.add("debt_settlements", ahead)
    world.add("upcoming_settlements", ahead, ahead | {"record_id": "issue/x", "par_usd_mn": 7})
    assert world.one("settlement_calendar")["issued_usd_mn"] == 107


def test_an_old_snapshot_of_what_was_upcoming_is_silent_on_the_past(world: World) -> None:
    world.add("debt_settlements", leg("issue", TUESDAY, 100))
    stale = leg("issue", TUESDAY, 90, results_at=None) | {"record_id": "issue/bill 4-Week/x"}
    world.add("upcoming_settlements", stale)
    assert world.one("settlement_calendar")["issued_usd_mn"] == 100


def test_the_week_of_the_64_billion_headline_adds_up(world: World) -> None:
    # The two bill days of the week of 2026-02-02, from ../shared/replay/answers.md.
    world.add(
        "debt_settlements",
        leg("issue", TUESDAY, 269_999.3497),
        leg("redemption", TUESDAY, 227_687.2850, cusip="912797BB9"),
        leg("issue", THURSDAY, 267_579.4564),
        leg("redemption", THURSDAY, 245_577.4973, cusip="912797BB9"),
        leg("issue", THURSDAY, 1_000, kind="note", cusip="91282CAA1"),
        leg("issue", date(2026, 2, 9), 1),
    )
    weeks = world.mart("weekly_settlements", week_start=date(2026, 2, 2))
    assert {row["security_class"]: row["net_usd_mn"] for row in weeks} == {
        "bill": 64_314.0238,
        "note": 1_000,
        "all": 65_314.0238,
    }
    assert all(row["is_settled"] for row in weeks)


def test_a_week_with_a_day_ahead_is_not_settled(world: World) -> None:
    world.add("debt_settlements", leg("issue", TUESDAY, 10), leg("issue", THURSDAY, 20))
    weeks = world.at(date(2026, 2, 4)).mart("weekly_settlements", security_class="all")
    assert [(row["net_usd_mn"], row["is_settled"]) for row in weeks] == [(30, False)]


def test_what_matures_ahead_without_an_issue_is_to_be_rolled_over_and_no_payment(
    world: World,
) -> None:
    maturing = leg("redemption", THURSDAY, 500, auction_date=date(2025, 11, 3))
    note = leg("issue", THURSDAY, 20, kind="note", cusip="91282CAA1")
    world.add("debt_settlements", maturing, note)

    def weeks(day: date) -> dict[str, tuple[float | None, float]]:
        return {
            row["security_class"]: (row["net_usd_mn"], row["refinancing_usd_mn"])
            for row in world.at(day).mart("weekly_settlements")
        }

    assert weeks(TUESDAY) == {"bill": (None, 500), "note": (20, 0), "all": (None, 500)}
    # On the day itself it was paid.
    assert weeks(THURSDAY) == {"bill": (-500, 0), "note": (20, 0), "all": (-480, 0)}
