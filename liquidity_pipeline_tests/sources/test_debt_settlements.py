"""Settlements past and to come: each dollar once, in the month in which it moves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest

from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.validation import validate
from liquidity_pipeline.sources.debt_settlements import (
    collect_debt_settlements,
    collect_upcoming_settlements,
)
from liquidity_pipeline.sources.errors import (
    EmptyAnswerError,
    NotRecordedError,
    TransientError,
    UnexpectedPayloadError,
)
from liquidity_pipeline.sources.fetch import Fetch
from liquidity_pipeline.sources.fiscal_data import collect_debt_transactions
from liquidity_pipeline_tests.conftest import Replay
from liquidity_pipeline_tests.sources.canned import DOWN, Canned
from liquidity_pipeline_tests.sources.fiscal_bodies import (
    AUCTIONS,
    BUYBACKS,
    FEED,
    Row,
    announcement,
    answer,
    auction,
    buyback,
    moment,
)

MakeFetch = Callable[..., Fetch]
FEBRUARY = (date(2026, 2, 1), date(2026, 2, 28))
MID_FEBRUARY = moment(2026, 2, 21, 3)
SUNDAY = moment(2026, 2, 2, 3)  # 22:00 New York on 2026-02-01
NOT_HELD = {"total_accepted": "null"}


class Auctions:
    """Auctions that answer range requests on one of their dates, as the service does."""

    def __init__(self, *rows: Row) -> None:
        self.rows = rows

    def __call__(self, params: dict[str, Any]) -> dict[str, Any]:
        found = list(self.rows)
        for condition in params["filter"].split(","):
            column, operator, value = condition.split(":")
            above, below = operator == "gte", operator == "lte"
            assert above or below
            found = [
                row for row in found if (row[column] >= value if above else row[column] <= value)
            ]
        return answer(found)


def settle(make_fetch: MakeFetch, *rows: Row, **others: Any) -> tuple[dict[str, pa.Table], Fetch]:
    transport = Canned({AUCTIONS: Auctions(*rows)} | others.pop("replies", {}))
    fetch = make_fetch(transport, *FEBRUARY, now=others.pop("now", MID_FEBRUARY))
    collected = collect_debt_settlements(fetch)
    for name, table in collected.items():
        validate(SOURCE_TABLES[name], table)
    return collected, fetch


def legs(collected: dict[str, pa.Table]) -> set[tuple[str, str, float]]:
    return {
        (row["settlement_date"].isoformat(), row["record_id"].split("/")[0], row["par_usd_mn"])
        for row in collected["debt_settlements"].to_pylist()
    }


def test_a_redemption_belongs_to_the_month_into_which_its_holiday_moves_it(make_fetch):
    moved_in = auction(cusip="IN", issue_date="2025-01-30", maturity_date="2026-01-31")
    moved_out = auction(cusip="OUT", issue_date="2025-02-27", maturity_date="2026-02-28")
    bill = auction(cusip="BILL")
    collected, _ = settle(make_fetch, moved_in, moved_out, bill)
    assert legs(collected) == {
        ("2026-02-02", "redemption", 80500.0),
        ("2026-02-05", "issue", 80500.0),
    }


def test_what_is_announced_for_the_rest_of_the_month_is_included(make_fetch):
    ahead = auction(issue_date="2026-02-26", auction_date="2026-02-23", **NOT_HELD)
    collected, _ = settle(make_fetch, ahead)
    assert legs(collected) == {("2026-02-26", "issue", 77000.0)}


def test_holdings_that_mature_at_the_end_of_a_month_are_found_on_the_auctions_after_it(make_fetch):
    refunding = auction(
        issue_date="2026-03-02",
        auction_date="2026-02-24",
        announcemt_date="2026-02-19",
        mat_date="2026-02-28",
        est_pub_held_mat_by_type_amt="142819000000",
        soma_holdings="30986000000",
        security_type="Note",
        **NOT_HELD,
    )
    collected, _ = settle(make_fetch, refunding)
    (row,) = collected["maturing_holdings"].to_pylist()
    assert (row["maturing_date"], row["public_usd_mn"]) == (date(2026, 2, 28), 142819)
    assert collected["debt_settlements"].num_rows == 0


def test_buybacks_that_are_not_served_are_a_gap_and_all_else_stands(make_fetch):
    collected, fetch = settle(make_fetch, auction())
    assert [gap.split(":")[0] for gap in fetch.gaps] == ["Treasury buybacks"]
    assert collected["debt_settlements"].num_rows == 1


@pytest.mark.parametrize("reply", [(403, "Forbidden"), DOWN])
def test_buybacks_that_cannot_be_had_cost_no_auction(make_fetch, reply):
    collected, fetch = settle(make_fetch, auction(), replies={BUYBACKS: reply})
    assert [gap.split(":")[0] for gap in fetch.gaps] == ["Treasury buybacks"]
    assert collected["debt_settlements"]["leg"].to_pylist() == ["issue"]


def test_auctions_that_cannot_be_had_cost_no_buyback(make_fetch):
    replies = {AUCTIONS: DOWN, BUYBACKS: answer([buyback()])}
    fetch = make_fetch(Canned(replies), *FEBRUARY)
    collected = collect_debt_settlements(fetch)
    assert collected["debt_settlements"]["leg"].to_pylist() == ["buyback"]
    assert collected["maturing_holdings"].num_rows == 0
    assert [gap.split(":")[0] for gap in fetch.gaps] == [
        "Treasury auctions, by day of issue",
        "Treasury auctions, by day of maturity",
    ]


def test_without_auctions_and_buybacks_the_fetch_fails(make_fetch):
    fetch = make_fetch(Canned({AUCTIONS: DOWN}), *FEBRUARY)
    with pytest.raises(TransientError, match="no answer in time"):
        collect_debt_settlements(fetch)


def test_a_buyback_is_a_leg_on_its_settlement_date(make_fetch, monkeypatch):
    monkeypatch.setattr(Fetch, "seen_at", moment(2026, 10, 1))
    tips = buyback(security_type="TIPS", maturity_bucket="1Y to 7.5Y")
    note = buyback(maturity_bucket="1Mo to 2Y", operation_close_time_est="null")
    ahead = buyback(
        operation_date="2026-02-24", settlement_date="2026-02-25", total_par_amt_accepted="null"
    )
    replies = {BUYBACKS: answer([buyback(), tips, note, ahead])}
    collected, fetch = settle(make_fetch, auction(), replies=replies)
    rows = {
        (row["security_class"], row["settlement_date"].day): row
        for row in collected["debt_settlements"].to_pylist()
        if row["leg"] == "buyback"
    }
    assert set(rows) == {("bond", 4), ("tips", 4), ("note", 4), ("bond", 25)}
    bond, planned = rows["bond", 4], rows["bond", 25]
    assert bond["record_id"] == "buyback/2026-02-03/Liquidity Support/Nominal Coupons/20Y to 30Y"
    assert (bond["par_usd_mn"], bond["public_usd_mn"], bond["cusip"]) == (2000, 2000, None)
    assert bond["known_at"] == moment(2026, 2, 3, 19, 5)  # 14:05 in New York
    assert rows["note", 4]["results_at"] == moment(2026, 2, 3, 18, 5)
    assert (planned["par_usd_mn"], planned["public_usd_mn"]) == (3000, None)
    # Announced at 11:00 in New York on the business day before the operation.
    assert (planned["results_at"], planned["known_at"]) == (None, moment(2026, 2, 23, 16))
    assert planned["announced_at"] == moment(2026, 2, 23, 16)
    assert fetch.gaps == []


def test_two_buybacks_of_one_bucket_on_a_day_are_two_legs(make_fetch):
    rows = [
        buyback(operation_start_time_est="01:40 PM"),
        buyback(operation_start_time_est="11:40 AM", total_par_amt_accepted="1000000000"),
    ]
    collected, fetch = settle(make_fetch, auction(), replies={BUYBACKS: answer(rows)})
    bought = [row for row in collected["debt_settlements"].to_pylist() if row["leg"] == "buyback"]
    labels = "buyback/2026-02-03/Liquidity Support/Nominal Coupons/20Y to 30Y"
    assert {row["record_id"]: row["par_usd_mn"] for row in bought} == {
        labels: 1000,
        f"{labels}/01:40 PM": 2000,
    }
    assert fetch.gaps == []


def test_a_planned_buyback_is_known_since_it_was_seen(make_fetch, monkeypatch):
    monkeypatch.setattr(Fetch, "seen_at", MID_FEBRUARY)
    ahead = buyback(
        operation_date="2026-02-24", settlement_date="2026-02-25", total_par_amt_accepted="null"
    )
    collected, _ = settle(make_fetch, auction(), replies={BUYBACKS: answer([ahead])})
    (planned,) = (r for r in collected["debt_settlements"].to_pylist() if r["leg"] == "buyback")
    assert planned["known_at"] == MID_FEBRUARY


def test_a_settled_buyback_without_an_amount_is_a_gap_and_left_out(make_fetch):
    replies = {BUYBACKS: answer([buyback(total_par_amt_accepted="null")])}
    collected, fetch = settle(make_fetch, auction(), replies=replies)
    assert collected["debt_settlements"].num_rows == 1
    assert "operation of 2026-02-03" in fetch.gaps[0]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([buyback(security_type="Bills")], "unknown buyback of 'Bills'"),
        ([buyback(maturity_bucket="Long")], "unknown buyback of 'Nominal Coupons', 'Long'"),
        ([buyback(), buyback(max_par_amt_redeemed="1")], "more than one row for"),
        ([buyback(settlement_date="02/04/2026")], "expected a day YYYY-MM-DD"),
        ([buyback(settlement_date="null")], "settlement_date is null"),
    ],
)
def test_buybacks_that_cannot_be_read_are_named_and_cost_no_auction(make_fetch, rows, message):
    collected, fetch = settle(make_fetch, auction(), replies={BUYBACKS: answer(rows)})
    assert {leg for _, leg, _ in legs(collected)} == {"issue"}
    (gap,) = fetch.gaps
    assert message in gap
    assert "archived as" in gap
    assert fetch.unread, "its silence withdraws nothing"


def test_one_buyback_that_cannot_be_read_costs_no_other(make_fetch):
    odd = {"security_type": "Gold"}, {"settlement_date": "02/04/2026"}, {"settlement_date": "null"}
    others = [buyback(maturity_bucket=f"{n}M to 2Y") for n in range(4)]
    for changes in odd:
        rows = [buyback(**changes), *others]
        collected, fetch = settle(make_fetch, auction(), replies={BUYBACKS: answer(rows)})
        assert collected["debt_settlements"]["leg"].to_pylist() == ["issue", *["buyback"] * 4]
        (gap,) = fetch.gaps
        assert "left out" in gap


@pytest.mark.parametrize("now", [moment(2026, 2, 3, 22), MID_FEBRUARY])
def test_of_an_operation_that_is_published_twice_the_results_stand(make_fetch, now):
    # On 2024-08-21 Treasury published every row twice, one of each pair without a value.
    announced = buyback(total_par_amt_accepted="null")
    for rows in ([buyback(), announced], [announced, buyback()], [buyback(), buyback()]):
        replies = {BUYBACKS: answer(rows)}
        collected, fetch = settle(make_fetch, auction(), replies=replies, now=now)
        bought = [r for r in collected["debt_settlements"].to_pylist() if r["leg"] == "buyback"]
        assert [row["public_usd_mn"] for row in bought] == [2000]
        assert fetch.gaps == []


def test_a_postponed_auction_is_named_and_nothing_of_it_settles(make_fetch):
    # The 2-year auction of 2015-10-27 was postponed on 2015-10-22; the others went ahead.
    postponed = auction(cusip="912797ZZ9", **NOT_HELD)
    held = auction(auction_date="2026-02-03")
    collected, fetch = settle(make_fetch, postponed, held)
    assert {row["cusip"] for row in collected["debt_settlements"].to_pylist()} == {"912797AA1"}
    gap = fetch.gaps[0]
    assert "CUSIP 912797ZZ9" in gap
    assert "postponed or cancelled" in gap
    assert "issue/912797ZZ9/2026-02-02" in fetch.withdrawn


def test_one_auction_that_cannot_be_read_costs_no_other(make_fetch):
    rows = [auction(cusip=f"912797A{n}1") for n in range(5)]
    rows[3] |= {"total_accepted": "a lot"}
    collected, fetch = settle(make_fetch, *rows)
    assert collected["debt_settlements"].num_rows == 4
    assert "total_accepted: expected a number" in fetch.gaps[0]


def test_no_auction_in_a_week_that_has_passed_is_an_error(make_fetch):
    with pytest.raises(EmptyAnswerError, match="no auction issued from 2026-02-01"):
        settle(make_fetch)
    collected, _ = settle(make_fetch, now=moment(2026, 2, 3, 12))
    assert collected["debt_settlements"].num_rows == 0


def upcoming(
    make_fetch: MakeFetch, *rows: Row, feed: Any = None, now: datetime = SUNDAY
) -> tuple[list[dict[str, Any]], Fetch]:
    replies = {AUCTIONS: Auctions(*rows), FEED: answer(feed or [])}
    fetch = make_fetch(Canned(replies), *FEBRUARY, now=now)
    table = collect_upcoming_settlements(fetch)["upcoming_settlements"]
    validate(SOURCE_TABLES["upcoming_settlements"], table)
    return table.to_pylist(), fetch


def names(rows: list[dict[str, Any]]) -> set[str]:
    return {row["record_id"] for row in rows}


OUTSTANDING = auction(
    cusip="OLD", auction_date="2025-08-04", issue_date="2025-08-07", announcemt_date="2025-07-31"
)


def test_upcoming_are_issues_after_today_and_redemptions_of_all_that_is_outstanding(make_fetch):
    today = auction(cusip="TODAY", issue_date="2026-01-29", maturity_date="2026-01-31")
    note = auction(cusip="NOTE", security_type="Note", maturity_date="2028-01-31", **NOT_HELD)
    # A bond of 1998 is in no stored month: neither its issue, nor, until 2028, its redemption.
    bond = auction(cusip="BOND", security_type="Bond", auction_date="1998-08-13",
                   announcemt_date="1998-08-05", issue_date="1998-08-17",
                   maturity_date="2028-08-15")  # fmt: skip
    issued_today = auction(cusip="NOW", issue_date="2026-02-01", **NOT_HELD)
    rows, _ = upcoming(make_fetch, today, note, bond, issued_today, OUTSTANDING)
    assert names(rows) == {
        "redemption/TODAY/2026-02-02",  # matured on Saturday, settles on Monday
        "issue/NOTE/2026-02-02",
        "redemption/NOTE/2026-02-02",
        "redemption/BOND/1998-08-13",
        "redemption/NOW/2026-02-02",
        "redemption/OLD/2025-08-04",
    }


def test_a_snapshot_that_an_earlier_version_asked_for_is_made_again_as_it_was(make_fetch):
    """Archives hold fetches that asked for the maturities of twelve months."""
    auctions = Auctions(OUTSTANDING, auction(cusip="NOW", issue_date="2026-02-01", **NOT_HELD))

    def recorded(params: dict[str, str]) -> Any:
        if "maturity_date:gte" in params["filter"] and "maturity_date:lte" not in params["filter"]:
            raise NotRecordedError("asked for otherwise then")
        return auctions(params)

    replies = {AUCTIONS: recorded, FEED: answer([])}
    fetch = make_fetch(Canned(replies), *FEBRUARY, now=SUNDAY)
    rows = collect_upcoming_settlements(fetch)["upcoming_settlements"].to_pylist()
    assert names(rows) == {"redemption/NOW/2026-02-02", "redemption/OLD/2025-08-04"}


def test_results_of_later_auctions_are_not_yet_in_the_snapshot(make_fetch):
    rows, _ = upcoming(make_fetch, auction(), OUTSTANDING)
    (issue,) = [row for row in rows if row["leg"] == "issue"]
    assert (issue["par_usd_mn"], issue["soma_usd_mn"]) == (77000, None)
    assert all(row["known_at"] <= SUNDAY for row in rows)


def test_the_feed_adds_what_is_scheduled_and_not_yet_an_auction(make_fetch):
    stale = announcement(auction_date="2025-02-25", issue_date="2025-02-28")
    listed = announcement(cusip="912797AA1", security_term="26-Week", auction_date="2026-02-02")
    # The CUSIP that the feed expected was not the one auctioned, as on 2026-01-26.
    renamed = announcement(cusip="912797BB2", security_term="26-Week", auction_date="2026-02-02")
    announced = announcement(
        cusip="CMB1",
        security_type="CMB",
        security_term="42-Day",
        offering_amt="60000000000",
        announcemt_date="2026-01-30",
        auction_date="2026-02-03",
        issue_date="2026-02-05",
    )
    feed = [announcement(), stale, listed, renamed, announced]
    rows, _ = upcoming(make_fetch, auction(**NOT_HELD), OUTSTANDING, feed=feed)
    found = {row["record_id"]: row for row in rows if row["leg"] == "issue"}
    assert set(found) == {
        "issue/912797AA1/2026-02-02",
        "issue/bill 13-Week/2026-02-09",
        "issue/CMB1/2026-02-03",
    }
    scheduled, cmb = found["issue/bill 13-Week/2026-02-09"], found["issue/CMB1/2026-02-03"]
    assert (scheduled["par_usd_mn"], scheduled["announced_at"]) == (None, None)
    assert scheduled["settlement_date"] == date(2026, 2, 12)
    assert scheduled["known_at"] == moment(2026, 1, 30, 21)  # 16:00 on its record_date
    assert (cmb["security_class"], cmb["par_usd_mn"]) == ("cmb", 60000)
    assert cmb["known_at"] == cmb["announced_at"] == moment(2026, 1, 30, 16)


def test_an_announcement_that_lies_ahead_is_not_one_yet(make_fetch):
    planned = announcement(announcemt_date="2026-02-05", record_date="2026-02-05")
    rows, _ = upcoming(make_fetch, OUTSTANDING, feed=[planned])
    (row,) = [row for row in rows if row["leg"] == "issue"]
    assert (row["announced_at"], row["known_at"]) == (None, SUNDAY)


def test_of_two_rows_for_one_scheduled_auction_the_last_published_holds(make_fetch):
    with_cusip = announcement(cusip="912797CC3", record_date="2026-01-31")
    rows, _ = upcoming(make_fetch, OUTSTANDING, feed=[with_cusip, announcement()])
    assert names(rows) == {"issue/912797CC3/2026-02-09", "redemption/OLD/2025-08-04"}


def test_as_of_a_day_the_feed_says_what_it_had_published_by_then(make_fetch, monkeypatch):
    """Two days later the auction was moved by a week; today's answer has both rows."""
    monkeypatch.setattr(Fetch, "seen_at", moment(2026, 10, 1))
    moved = announcement(record_date="2026-02-03", issue_date="2026-02-19")
    (first,) = (
        row
        for row in upcoming(make_fetch, OUTSTANDING, feed=[announcement(), moved])[0]
        if row["leg"] == "issue"
    )
    assert first["settlement_date"] == date(2026, 2, 12)
    (later,) = (
        row
        for row in upcoming(
            make_fetch, OUTSTANDING, feed=[announcement(), moved], now=moment(2026, 2, 4, 3)
        )[0]
        if row["leg"] == "issue"
    )
    assert later["settlement_date"] == date(2026, 2, 19)
    unseen = announcement(record_date="null")
    rows, _ = upcoming(make_fetch, OUTSTANDING, feed=[unseen])
    assert [row for row in rows if row["leg"] == "issue"] == [], "nobody knows since when"


def test_a_feed_that_is_not_served_is_a_gap(make_fetch):
    fetch = make_fetch(Canned({AUCTIONS: Auctions(OUTSTANDING)}), *FEBRUARY, now=SUNDAY)
    assert collect_upcoming_settlements(fetch)["upcoming_settlements"].num_rows == 1
    assert [gap.split(":")[0] for gap in fetch.gaps] == ["Treasury announcements feed"]


@pytest.mark.parametrize("reply", [(403, "Forbidden"), DOWN])
def test_a_feed_that_cannot_be_had_costs_no_maturity(make_fetch, reply):
    replies = {AUCTIONS: Auctions(OUTSTANDING), FEED: reply}
    fetch = make_fetch(Canned(replies), *FEBRUARY, now=SUNDAY)
    assert collect_upcoming_settlements(fetch)["upcoming_settlements"].num_rows == 1
    assert [gap.split(":")[0] for gap in fetch.gaps] == ["Treasury announcements feed"]


def test_without_auctions_there_is_nothing_to_compare_the_feed_with(make_fetch):
    replies = {AUCTIONS: DOWN, FEED: answer([announcement()])}
    with pytest.raises(TransientError):
        collect_upcoming_settlements(make_fetch(Canned(replies), *FEBRUARY, now=SUNDAY))


def test_no_maturity_at_all_is_an_error(make_fetch):
    with pytest.raises(EmptyAnswerError, match="nothing matures after 2026-02-01"):
        upcoming(make_fetch)


def test_an_unknown_label_of_the_feed_is_named_and_costs_no_redemption(make_fetch):
    replies = {
        AUCTIONS: Auctions(OUTSTANDING),
        FEED: answer([announcement(security_type="Gold")]),
    }
    fetch = make_fetch(Canned(replies), *FEBRUARY, now=SUNDAY)
    assert collect_upcoming_settlements(fetch)["upcoming_settlements"].num_rows == 1
    assert "unknown security_type {'Gold'}" in fetch.gaps[0]


def by_day(table: pa.Table, leg: str) -> dict[str, float]:
    sums: dict[str, float] = {}
    for row in table.to_pylist():
        if row["leg"] == leg:
            day = row["settlement_date"].isoformat()
            sums[day] = sums.get(day, 0) + row["par_usd_mn"]
    return sums


@pytest.mark.replay
def test_the_recorded_week_nets_to_the_headline_of_64_3_bn(replay: Replay, make_fetch: MakeFetch):
    fetch = make_fetch(replay("2026-02-06"), *FEBRUARY, now=moment(2026, 2, 7, 3))
    table = collect_debt_settlements(fetch)["debt_settlements"]
    validate(SOURCE_TABLES["debt_settlements"], table)
    issued, redeemed = by_day(table, "issue"), by_day(table, "redemption")
    tuesday, thursday = "2026-02-03", "2026-02-05"
    assert issued[tuesday] == pytest.approx(269_999.3497, abs=1e-4)
    assert redeemed[tuesday] == pytest.approx(227_687.2850, abs=1e-4)
    assert issued[thursday] == pytest.approx(267_579.4564, abs=1e-4)
    assert redeemed[thursday] == pytest.approx(245_577.4973, abs=1e-4)
    net = sum(issued[day] - redeemed[day] for day in (tuesday, thursday))
    assert net == pytest.approx(64_314.0238, abs=1e-3)
    days = [row for row in table.to_pylist() if str(row["settlement_date"]) in (tuesday, thursday)]
    assert {row["security_class"] for row in days} == {"bill"}
    assert all(row["record_id"].split("/")[1] == row["cusip"] for row in days)


@pytest.mark.replay
def test_on_the_sunday_before_half_of_it_is_an_announced_256_bn(
    replay: Replay, make_fetch: MakeFetch
):
    fetch = make_fetch(replay("2026-02-01"), *FEBRUARY, now=SUNDAY)
    rows = collect_upcoming_settlements(fetch)["upcoming_settlements"]
    validate(SOURCE_TABLES["upcoming_settlements"], rows)
    month = collect_debt_settlements(fetch)["debt_settlements"]
    for table in (rows, month):
        issues = [row for row in table.to_pylist() if row["leg"] == "issue"]
        thursday = [row for row in issues if row["settlement_date"] == date(2026, 2, 5)]
        assert sorted(row["par_usd_mn"] for row in thursday) == [77_000, 89_000, 90_000]
        assert {row["results_at"] for row in thursday} == {row["soma_usd_mn"] for row in thursday}
        assert all(row["announced_at"] <= SUNDAY for row in thursday)
        tuesday = [row for row in issues if row["settlement_date"] == date(2026, 2, 3)]
        assert sum(row["par_usd_mn"] for row in tuesday) == pytest.approx(269_999.3497)
    scheduled = [row for row in rows.to_pylist() if row["par_usd_mn"] is None]
    assert scheduled
    assert all(row["auction_date"] > date(2026, 2, 1) for row in scheduled)


@pytest.mark.replay
def test_settlements_tie_to_table_iiia_but_for_tips_accrual_and_buybacks(
    replay: Replay, make_fetch: MakeFetch
):
    fetch = make_fetch(replay(), date(2025, 9, 1), date(2026, 4, 30), now=moment(2026, 8, 22, 2))
    settled = collect_debt_settlements(fetch)["debt_settlements"]
    issued, redeemed = by_day(settled, "issue"), by_day(settled, "redemption")
    lines: dict[str, dict[str, float]] = {}
    for row in collect_debt_transactions(fetch)["debt_transactions"].to_pylist():
        accrual = row["security_type"] == "Inflation-Protected Securities Increment"
        if row["security_market"] == "Marketable" and not accrual:
            day = lines.setdefault(row["record_date"].isoformat(), {"Issues": 0, "Redemptions": 0})
            day[row["transaction_type"]] += row["amount_usd_mn"]
    assert len(lines) == 15
    # The statement books corrections of up to 20 mn under the issues of any day.
    assert dict.fromkeys(lines, 0) == {
        day: round((line["Issues"] - issued.get(day, 0)) / 50) for day, line in lines.items()
    }
    # Redeemed beyond the maturing face: buybacks. What they retired no longer matures later, so
    # that 2025-09-30, a day with coupons, redeems 0.7 bn less than was auctioned.
    beyond = {day: line["Redemptions"] - redeemed.get(day, 0) for day, line in lines.items()}
    bought_back = {day: amount for day, amount in beyond.items() if abs(amount) > 20}
    assert bought_back == {
        "2025-09-30": pytest.approx(-700, abs=50),
        "2025-10-02": pytest.approx(2_900, abs=50),
        "2025-10-03": 2_000,
        "2025-10-29": 2_000,
        "2026-04-23": pytest.approx(15_000, abs=50),
        "2026-04-24": 358,
    }
    assert not {"2025-10-03", "2025-10-29", "2026-04-24"} & redeemed.keys()


@pytest.mark.replay
def test_a_repeated_page_of_the_recorded_history_is_refused(replay: Replay, make_fetch: MakeFetch):
    root = replay("2026-08-21", "--faults", "duplicate_page:1.0")
    whole = make_fetch(root, date(1979, 11, 1), date(2026, 8, 31))
    with pytest.raises(UnexpectedPayloadError, match="page 2 repeats page 1"):
        collect_debt_settlements(whole)
