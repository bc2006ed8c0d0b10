"""settlement_calendar and weekly_settlements: who is paid, who pays, and how certain it is."""

from __future__ import annotations

from datetime import date, time, timedelta
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


def test_one_estimate_of_the_add_ons_enters_issues_and_maturities(world: World) -> None:
    # 150 offered to the public, auctioned tomorrow. 122 mature, of which the Fed took 12 at their
    # auction and so holds 12: the public pays 150 and is paid 110, the Fed rolls its 12 over.
    ahead = leg("issue", THURSDAY, 165, auction_date=date(2026, 2, 4), offering_usd_mn=150,
                soma_usd_mn=15, cusip="912797CC9")  # fmt: skip
    maturing = leg("redemption", THURSDAY, 122, auction_date=date(2025, 11, 3), soma_usd_mn=12)
    world.add("debt_settlements", maturing, ahead)
    row = world.at(TUESDAY).one("settlement_calendar", settlement_date=THURSDAY)
    assert (row["issued_usd_mn"], row["add_ons_expected_usd_mn"]) == (150, 12)
    assert (row["net_usd_mn"], row["net_public_usd_mn"]) == (40, 40)
    assert row["soma_basis"] == "assumed"
    # Once results are out the add-ons are known: 15 taken, so at least 15 were held.
    after = world.one("settlement_calendar", settlement_date=THURSDAY)
    assert (after["net_usd_mn"], after["net_public_usd_mn"]) == (165 - 122, 150 - (122 - 15))


def test_known_add_ons_are_not_public_money_where_nothing_matures(world: World) -> None:
    # 2022-04-18: the day after a Good Friday, on which what was refunded had been paid.
    world.add("debt_settlements", leg("issue", TUESDAY, 123_854.6, kind="note",
                                      soma_usd_mn=23_854.6))  # fmt: skip
    row = world.one("settlement_calendar")
    assert (row["net_usd_mn"], row["net_public_usd_mn"]) == (123_854.6, 100_000)
    assert world.reconcile("fed_share_agrees_with_known_add_ons").holds


def test_the_feds_holdings_by_cusip_come_before_any_estimate(world: World) -> None:
    held = {
        "as_of_date": date(2026, 1, 28), "cusip": "912797BB9", "holding_type": "bills",
        "par_usd_mn": 30, "known_at": utc(date(2026, 1, 29), time(16, 30)),
    }  # fmt: skip
    world.add("debt_settlements", leg("issue", TUESDAY, 162, soma_usd_mn=12))
    world.add("debt_settlements", leg("redemption", TUESDAY, 122, cusip="912797BB9"))
    world.add("maturing_holdings", holdings(TUESDAY, 110, 12))
    world.add("soma_securities", held)
    row = world.one("settlement_calendar")
    assert (row["net_public_usd_mn"], row["soma_basis"]) == (150 - 92, "holdings")


def test_a_security_that_the_fed_does_not_hold_is_all_the_publics(world: World) -> None:
    other = {
        "as_of_date": date(2026, 1, 28), "cusip": "912797ZZ9", "holding_type": "bills",
        "par_usd_mn": 30, "known_at": utc(date(2026, 1, 29), time(16, 30)),
    }  # fmt: skip
    world.add("debt_settlements", leg("redemption", TUESDAY, 122, cusip="912797BB9"))
    world.add("soma_securities", other)
    row = world.one("settlement_calendar")
    assert (row["net_public_usd_mn"], row["soma_basis"]) == (-122, "holdings")


def test_the_public_is_paid_the_inflation_of_what_it_holds(world: World) -> None:
    # 100 at face, 40 of them the Fed's, on which 10 of inflation compensation have accrued: a
    # quarter of face, so the public is paid 60 and 15.
    held = {
        "as_of_date": date(2026, 1, 28), "cusip": "912828BB9", "holding_type": "tips",
        "par_usd_mn": 40, "inflation_usd_mn": 10, "known_at": utc(date(2026, 1, 29), time(16, 30)),
    }  # fmt: skip
    world.add("debt_settlements", leg("redemption", TUESDAY, 100, kind="tips", cusip="912828BB9"))
    world.add("soma_securities", held)
    row = world.one("settlement_calendar")
    assert (row["net_usd_mn"], row["net_public_usd_mn"]) == (-100, -75)


def test_what_a_buyback_retired_no_longer_matures(world: World) -> None:
    world.add("debt_settlements", leg("redemption", TUESDAY, 100, kind="note", cusip="91282CAA1"))
    world.add("buyback_securities", {
        "operation_date": date(2025, 6, 3), "start_time": "13:40", "cusip": "91282CAA1",
        "settlement_date": date(2025, 6, 4), "accepted_usd_mn": 7,
        "known_at": utc(date(2025, 6, 3), time(14, 5)),
    })  # fmt: skip
    assert world.one("settlement_calendar")["redeemed_usd_mn"] == 93


def test_a_bill_includes_cash_management_bills_and_shows_them(world: World) -> None:
    # 2020-06-30 in small: regular bills -50, cash-management bills +65.
    world.add(
        "debt_settlements",
        leg("issue", TUESDAY, 100, soma_usd_mn=0),
        leg("redemption", TUESDAY, 150, cusip="912797BB9", soma_usd_mn=0),
        leg("issue", TUESDAY, 65, kind="cmb", cusip="912797CC9", soma_usd_mn=0),
    )
    row = world.one("settlement_calendar")
    assert (row["security_class"], row["net_usd_mn"], row["cmb_net_usd_mn"]) == ("bill", 15, 65)
    weeks = {r["security_class"]: r["net_usd_mn"] for r in world.mart("weekly_settlements")}
    assert weeks == {"bill": 15, "cmb": 65, "bills": 15, "all": 15}


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


def test_buybacks_stand_apart_and_reduce_what_treasury_calls_net_borrowing(world: World) -> None:
    world.add("debt_settlements", leg("issue", TUESDAY, 40, kind="bond"))
    world.add("debt_settlements", leg("buyback", TUESDAY, 2, kind="bond", cusip="operation"))
    row = world.one("settlement_calendar")
    assert (row["buyback_usd_mn"], row["net_usd_mn"], row["net_public_usd_mn"]) == (2, 40, 40)
    assert row["privately_held_net_usd_mn"] == 38


def test_buybacks_that_treasury_did_not_answer_for_are_unknown_not_zero(world: World) -> None:
    world.add("debt_settlements", leg("issue", TUESDAY, 40, kind="bond"))
    row = world.known("debt_settlements", "buybacks", through=None).one("settlement_calendar")
    assert (row["buyback_usd_mn"], row["privately_held_net_usd_mn"]) == (None, None)
    assert row["net_public_usd_mn"] == 40
    # Before the programme began on 2024-05-29 there were none.
    early = date(2024, 5, 28)
    world.add("debt_settlements", leg("issue", early, 40, kind="bond", cusip="912810BB1"))
    before = world.known("debt_settlements", "buybacks", through=None).one(
        "settlement_calendar", settlement_date=early
    )
    assert (before["buyback_usd_mn"], before["privately_held_net_usd_mn"]) == (0, 40)


def test_what_will_be_bought_back_is_unknown_until_the_operation_has_results(world: World) -> None:
    # Treasury announces on Friday an operation of Monday, which settles on Tuesday.
    friday, monday = date(2026, 1, 30), date(2026, 2, 2)
    world.add(
        "debt_settlements",
        leg("issue", monday, 10, kind="note", cusip="91282CAA1", auction_date=date(2026, 1, 28)),
        leg("issue", TUESDAY, 40, kind="bond", cusip="912810BB1", auction_date=date(2026, 1, 28)),
        leg("issue", TUESDAY, 30, auction_date=date(2026, 1, 28)),
        leg("issue", date(2026, 2, 4), 20, kind="note", cusip="91282CDD1",
            auction_date=date(2026, 1, 28)),
        leg("buyback", TUESDAY, 2, kind="tips", cusip="operation", auction_date=monday,
            offering_usd_mn=3, announced_at=utc(friday, time(11)),
            results_at=utc(monday, time(14, 5))),
    )  # fmt: skip

    def days(today: date) -> dict[tuple[int, str], tuple[float | None, float | None]]:
        return {
            (row["settlement_date"].day, row["security_class"]): (
                row["buyback_usd_mn"],
                row["privately_held_net_usd_mn"],
            )
            for row in world.at(today).mart("settlement_calendar")
        }

    # What Friday's own operation settles on Monday lies beyond the month, which is asked for next.
    assert days(friday) == {
        (2, "note"): (None, None),
        (3, "bill"): (None, None),
        (3, "bond"): (None, None),
        (4, "note"): (None, None),
    }
    week = world.at(friday).one(
        "weekly_settlements", week_start=monday, security_class="all"
    )  # fmt: skip
    assert (week["net_public_usd_mn"], week["privately_held_net_usd_mn"]) == (100, None)
    maximum = {
        (row["settlement_date"].day, row["security_class"]): row["buyback_maximum_usd_mn"]
        for row in world.at(friday).mart("settlement_outlook")
    }
    # The next month is not asked for yet.
    assert maximum[3, "tips"] is None
    known = days(monday)
    assert (known[3, "tips"], known[3, "bond"]) == ((2, -2), (0, 40))
    assert known[4, "note"] == (None, None)


def test_a_buyback_that_is_announced_has_a_maximum_and_later_days_have_none(world: World) -> None:
    monday, tuesday, wednesday = (date(2026, 2, day) for day in (9, 10, 11))
    world.add(
        "debt_settlements",
        leg("issue", date(2026, 2, 2), 1, cusip="912797EE9"),
        leg("issue", monday, 10, kind="note", cusip="91282CAA1", auction_date=TUESDAY),
        leg("issue", tuesday, 40, kind="bond", cusip="912810BB1", auction_date=TUESDAY),
        leg("issue", wednesday, 20, kind="note", cusip="91282CDD1", auction_date=TUESDAY),
        leg("buyback", tuesday, 3, kind="bond", cusip="operation", auction_date=monday,
            offering_usd_mn=3, announced_at=utc(date(2026, 2, 6), time(11)), results_at=None),
    )  # fmt: skip
    ahead = world.at(date(2026, 2, 6)).mart("settlement_outlook")
    assert {row["settlement_date"]: row["buyback_maximum_usd_mn"] for row in ahead} == {
        monday: 0,
        tuesday: 3,
        wednesday: None,
    }
    # Friday's operation, of which there was none, would settle on Monday.
    net = {
        row["settlement_date"]: row["privately_held_net_usd_mn"]
        for row in world.at(date(2026, 2, 6)).mart("settlement_calendar")
    }
    assert (net[monday], net[tuesday], net[wednesday]) == (10, None, None)


@pytest.mark.parametrize(("ahead", "is_announced"), [(58, True), (59, False), (301, False)])
def test_beyond_eight_weeks_a_maturity_is_known_and_no_net(
    world: World, ahead: int, is_announced: bool
) -> None:
    """Within them the regular issues are looked for; beyond, any issue may still come."""
    today, day = date(2026, 2, 2), date(2026, 2, 2) + timedelta(days=ahead)
    world.add("debt_settlements", leg("issue", today, 40))
    sold = date(2026, 1, 21)
    world.add("debt_settlements", leg("redemption", day, 90, cusip="912797BB9", auction_date=sold))
    then = world.at(today)
    row = then.one("settlement_calendar", settlement_date=day)
    assert (row["redeemed_usd_mn"], row["is_announced"]) == (90, is_announced)
    net = -90 if is_announced else None
    assert (row["net_usd_mn"], row["net_public_usd_mn"]) == (net, net)
    week = then.one(
        "weekly_settlements", week_start=day - timedelta(days=day.weekday()), security_class="all"
    )
    assert (week["net_usd_mn"], week["refinancing_usd_mn"]) == (net, 0 if is_announced else 90)
    vintage = then.one("settlement_vintages", is_open=True, settlement_date=day)
    expected = [vintage[f"{name}_usd_mn"] for name in ("expected_issues", "net_public_expected")]
    assert expected == ([0, -90] if is_announced else [None, None])


def test_a_week_is_net_of_buybacks_once_none_of_its_days_may_have_another(world: World) -> None:
    """Nothing else settles from Wednesday on: the day of a buyback would not be in the calendar."""
    world.add("debt_settlements", leg("issue", TUESDAY, 40, kind="bond"))
    whole = {"week_start": date(2026, 2, 2), "security_class": "all"}

    def net(today: date) -> tuple[float | None, float | None]:
        week = world.at(today).one("weekly_settlements", **whole)
        return week["buyback_usd_mn"], week["privately_held_net_usd_mn"]

    # What settles on Friday is bought on Thursday.
    assert net(TUESDAY) == (None, None)
    assert net(date(2026, 2, 4)) == (None, None)
    assert net(THURSDAY) == (0, 40)
    world.known("debt_settlements", "buybacks", through=TUESDAY)
    assert net(date(2026, 2, 10)) == (None, None)


def test_a_day_whose_auctions_are_not_known_is_no_actual_figure(world: World) -> None:
    # Redemptions are known a year ahead; the issues of Thursday were never served.
    world.add("debt_settlements", leg("issue", TUESDAY, 40), leg("redemption", THURSDAY, 386))
    late = world.known("debt_settlements", "auctions", through=TUESDAY)
    # Neither a net of redemptions alone nor "not settled": the day and its week are absent.
    (row,) = late.mart("settlement_calendar")
    assert (row["settlement_date"], row["is_settled"]) == (TUESDAY, True)
    assert late.mart("weekly_settlements") == []


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
    # Later than the midnight at which the day begins, by which any buyback is known.
    late = utc(TUESDAY, time(11, 35))
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
        "bills": 64_314.0238,
        "note": 1_000,
        "coupons": 1_000,
        "all": 65_314.0238,
    }
    assert all(row["is_settled"] for row in weeks)


def test_a_week_with_a_day_ahead_is_not_settled(world: World) -> None:
    world.add("debt_settlements", leg("issue", TUESDAY, 10), leg("issue", THURSDAY, 20))
    weeks = world.at(date(2026, 2, 4)).mart("weekly_settlements", security_class="all")
    assert [(row["net_usd_mn"], row["is_settled"]) for row in weeks] == [(30, False)]


def weekly_bills(last: date, count: int, par: float = 50_000) -> list[Row]:
    """Four-week bills that settle each week up to a day, announced a week before and maturing."""
    days = [last - timedelta(days=7 * n) for n in range(count)]
    return [
        row
        for number, day in enumerate(days)
        for row in (
            leg("issue", day, par, cusip=f"9127970{number:02d}", offering_usd_mn=par, soma_usd_mn=0,
                issue_date=day, maturity_date=day + timedelta(days=28),
                announced_at=utc(day - timedelta(days=7), time(11)),
                auction_date=day - timedelta(days=6)),
            leg("redemption", day + timedelta(days=28), par, cusip=f"9127970{number:02d}",
                announced_at=utc(day - timedelta(days=7), time(11)), soma_usd_mn=0,
                issue_date=day, auction_date=day - timedelta(days=6)),
        )
    ]  # fmt: skip


def test_a_regular_bill_is_refinanced_until_its_announcement_is_overdue(world: World) -> None:
    # Bills of 50 settle each Tuesday, announced the Tuesday before: the last one on the 3rd.
    world.add("debt_settlements", *weekly_bills(TUESDAY, 8))
    tenth = date(2026, 2, 10)

    def week(day: date) -> Row:
        return world.at(day).one("weekly_settlements", week_start=date(2026, 2, 9),
                                 security_class="bills")  # fmt: skip

    # On Monday the announcement of the next is still to come: nothing is known to be paid out.
    assert (week(date(2026, 2, 2))["net_usd_mn"], week(date(2026, 2, 2))["refinancing_usd_mn"]) == (
        None,
        50_000,
    )
    ahead = world.at(date(2026, 2, 2)).one("settlement_vintages", is_open=True,
                                           settlement_date=tenth)  # fmt: skip
    assert (ahead["expected_issues_usd_mn"], ahead["net_public_expected_usd_mn"]) == (50_000, 0)
    # On Wednesday it is overdue: what matures is redeemed.
    assert week(date(2026, 2, 4))["net_usd_mn"] == -50_000


def test_a_bill_that_missed_its_announcement_is_not_expected_any_more(world: World) -> None:
    # April 2020 in small: a bill came on three Tuesdays and never again. Its next issue, of the
    # 10th, should have been announced on Tuesday the 3rd.
    world.add("debt_settlements", *weekly_bills(TUESDAY, 3))

    def expected(today: date) -> list[date]:
        rows = world.at(today).mart("expected_issues", is_open=True)
        return [row["settlement_date"] for row in rows][:2]

    assert expected(date(2026, 2, 2)) == [date(2026, 2, 10), date(2026, 2, 17)]
    # A day late, the announcement may have moved with a holiday; ten days late, it will not come.
    assert expected(date(2026, 2, 4)) == [date(2026, 2, 17), date(2026, 2, 24)]
    assert not expected(date(2026, 2, 13))


def test_a_cash_management_bill_and_a_test_bill_are_redeemed(world: World) -> None:
    # 2025-12-08 in small: a bill of 25 million without a successor does not blank the week.
    tenth = date(2026, 2, 10)
    world.add("debt_settlements", *weekly_bills(tenth, 8))
    world.add("debt_settlements", leg("redemption", tenth + timedelta(days=1), 25, kind="cmb",
                                      cusip="912797ZZ9", auction_date=TUESDAY))  # fmt: skip
    week = world.at(date(2026, 2, 6)).one(
        "weekly_settlements", week_start=date(2026, 2, 9), security_class="all"
    )
    assert (week["net_usd_mn"], week["refinancing_usd_mn"]) == (-25, 0)


def test_inflation_protected_securities_without_an_issue_are_redeemed_on_friday(
    world: World,
) -> None:
    # 2026-01-15 in small: notes are sold, and the inflation-protected note that matures is not
    # replaced by one of its class.
    fifteenth = date(2026, 1, 15)
    world.add(
        "debt_settlements",
        leg("issue", fifteenth, 119, kind="note", cusip="91282CAA1", offering_usd_mn=119,
            auction_date=date(2026, 1, 12), announced_at=utc(date(2026, 1, 8), time(11))),
        leg("redemption", fifteenth, 42, kind="tips", cusip="912828BB9",
            auction_date=date(2016, 1, 21)),
    )  # fmt: skip
    friday = world.at(date(2026, 1, 9))
    weeks = {r["security_class"]: r["net_usd_mn"] for r in friday.mart("weekly_settlements")}
    assert weeks == {"note": 119, "tips": -42, "coupons": 77, "all": 77}


def test_last_years_calendar_of_coupons_is_expected_again(world: World) -> None:
    # A two-year note settled at the end of January 2025: one is expected a year later, as large as
    # the last two-year note, until the Friday before its week.
    def note(settled: date, size: float) -> Row:
        return leg("issue", settled, size, kind="note", cusip=f"91282C{settled.month:02d}1",
                   security_term="2-Year", offering_usd_mn=size, soma_usd_mn=0,
                   auction_date=settled - timedelta(days=5))  # fmt: skip

    world.add("debt_settlements", note(date(2025, 1, 31), 69_000), note(date(2025, 12, 31), 72_000))
    ahead = world.at(date(2026, 1, 15)).mart("expected_issues", is_open=True)
    # 31 January 2026 is a Saturday: it settles on Monday.
    assert [(row["settlement_date"], row["offering_usd_mn"]) for row in ahead] == [
        (date(2026, 2, 2), 72_000)
    ]
    assert not world.at(date(2026, 1, 30)).mart("expected_issues", is_open=True)
