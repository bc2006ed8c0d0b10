"""From auctions to legs: what settles, when, whose it is, and since when that was known."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.validation import validate
from liquidity_pipeline.sources.auctions import (
    AUCTION_COLUMNS,
    issue_legs,
    known_by,
    maturing_holdings,
    overdue,
    parse_auctions,
    redemption_legs,
    without_results,
)
from liquidity_pipeline.sources.errors import UnexpectedPayloadError
from liquidity_pipeline.sources.fiscal_client import Page, Records
from liquidity_pipeline_tests.sources.fiscal_bodies import Row, auction, moment

NOW = moment(2026, 2, 7, 3)
NOT_HELD = {"total_accepted": "null"}


def parse(*rows: Row, now: datetime = NOW) -> Any:
    return parse_auctions(Records.of(rows, AUCTION_COLUMNS), now)


def issue(**changes: str) -> dict[str, Any]:
    legs = issue_legs(parse(auction(**changes)))
    validate(SOURCE_TABLES["debt_settlements"], legs)
    return legs.to_pylist()[0]


def test_an_issue_leg_settles_the_accepted_amount_on_the_issue_date_in_usd_mn():
    leg = issue(total_accepted="80500000100", price_per100="98.033389")
    assert (leg["settlement_date"], leg["leg"]) == (date(2026, 2, 5), "issue")
    assert leg["record_id"] == "issue/912797AA1/2026-02-02"
    assert (leg["par_usd_mn"], leg["offering_usd_mn"]) == (80500.0001, 77000)
    assert leg["price_per100"] == 98.033389


def test_every_reopening_of_a_cusip_redeems_its_own_amount_at_maturity():
    reopening = auction(auction_date="2026-03-02", issue_date="2026-03-05", **NOT_HELD)
    legs = redemption_legs(parse(auction(), reopening)).to_pylist()
    assert [(leg["settlement_date"], leg["par_usd_mn"]) for leg in legs] == [
        (date(2026, 8, 6), 80500),
        (date(2026, 8, 6), 77000),
    ]
    assert len({leg["record_id"] for leg in legs}) == 2
    # What the Fed took at each auction; the second was without results.
    assert [leg["soma_usd_mn"] for leg in legs] == [3500, None]
    assert {leg["public_usd_mn"] for leg in legs} == {None}


@pytest.mark.parametrize(
    ("maturity", "settlement"),
    [
        ("2025-02-15", date(2025, 2, 18)),  # Saturday, then Presidents' Day on Monday
        ("2026-01-31", date(2026, 2, 2)),  # Saturday at the end of a month
        ("2026-04-03", date(2026, 4, 3)),  # Good Friday is a Federal Reserve business day
    ],
)
def test_a_maturity_on_a_holiday_settles_on_the_next_business_day(maturity, settlement):
    (leg,) = redemption_legs(parse(auction(maturity_date=maturity))).to_pylist()
    assert (leg["settlement_date"], leg["maturity_date"].isoformat()) == (settlement, maturity)


@pytest.mark.parametrize(
    ("changes", "soma", "public"),
    [
        ({"soma_accepted": "3000000000"}, 3000, 77500),
        ({}, 3500, 77000),  # accepted beyond the offering
        ({"soma_accepted": "0"}, 0, 80500),
        ({"total_accepted": "76000000000"}, 0, 76000),
        (NOT_HELD, None, None),
    ],
)
def test_the_soma_part_is_what_is_published_else_what_exceeds_the_offering(changes, soma, public):
    leg = issue(**changes)
    assert (leg["soma_usd_mn"], leg["public_usd_mn"]) == (soma, public)


def test_the_inferred_soma_part_is_at_most_an_eighth_of_a_million_too_high(payloads: Path):
    name = "fiscaldata/auctions_query__EXCERPT_3of3828rows_full_meta.json"
    rows = json.loads((payloads / name).read_text())["data"]
    published = issue_legs(parse(*rows))
    inferred = issue_legs(parse(*[row | {"soma_accepted": "null"} for row in rows]))
    assert published["soma_usd_mn"].to_pylist() == [4521.159, 0, 6068.9665]
    for known, guess in zip(
        published["soma_usd_mn"].to_pylist(), inferred["soma_usd_mn"].to_pylist(), strict=True
    ):
        assert 0 <= guess - known <= 0.125


def test_the_envelope_of_an_excerpt_miscounts_and_is_refused(payloads: Path):
    name = "fiscaldata/auctions_query__EXCERPT_3of3828rows_full_meta.json"
    with pytest.raises(UnexpectedPayloadError, match="says that it has 3828 rows and has 3"):
        Page.parse(json.loads((payloads / name).read_text()))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "bill"),
        ({"cash_management_bill_cmb": "Yes"}, "cmb"),
        ({"security_type": "Note"}, "note"),
        ({"security_type": "Note", "inflation_index_security": "Yes"}, "tips"),
        ({"security_type": "Bond", "inflation_index_security": "Yes"}, "tips"),
        ({"security_type": "Note", "floating_rate": "Yes"}, "frn"),
        ({"security_type": "Bond", "inflation_index_security": "null"}, "bond"),
    ],
)
def test_the_class_follows_the_flags_before_the_type(changes, expected):
    assert issue(**changes)["security_class"] == expected


def test_the_term_is_the_original_one_where_it_is_published():
    term = {"security_term": "9-Year 10-Month"}
    assert issue(**term, original_security_term="10-Year")["security_term"] == "10-Year"
    assert issue(**term)["security_term"] == "9-Year 10-Month"


def test_results_are_known_five_minutes_after_the_close_in_new_york():
    leg = issue()
    assert leg["announced_at"] == moment(2026, 1, 29, 16)  # 11:00 in winter
    assert leg["results_at"] == leg["known_at"] == moment(2026, 2, 2, 16, 35)
    assert issue(closing_time_comp="null")["results_at"] == moment(2026, 2, 2, 18, 5)
    assert issue(auction_date="2026-07-06")["results_at"] == moment(2026, 7, 6, 15, 35)


def test_an_announced_auction_is_its_offering_known_since_the_announcement():
    leg = issue(**NOT_HELD)
    assert (leg["par_usd_mn"], leg["results_at"]) == (77000, None)
    assert leg["known_at"] == leg["announced_at"] == moment(2026, 1, 29, 16)


def test_an_auction_without_announcement_or_results_is_known_now_or_since_its_close():
    row = auction(announcemt_date="null", **NOT_HELD)
    sunday, tuesday = moment(2026, 2, 1, 12), moment(2026, 2, 3, 12)
    assert parse(row, now=sunday)["known_at"].to_pylist() == [sunday]
    assert parse(row, now=tuesday)["known_at"].to_pylist() == [moment(2026, 2, 2, 16, 30)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"security_type": "Certificate"}, "security_type 'Certificate'"),
        ({"floating_rate": "Maybe"}, "expected one of Bill, Note, Bond, and Yes, No or null"),
        ({"offering_amt": "77000"}, "offering_amt is 77000; expected full dollars"),
        ({"total_accepted": "80500"}, "total_accepted is 80500; expected full dollars"),
        ({"offering_amt": "null"}, "offering_amt is null where a value is due"),
        ({"closing_time_comp": "11h30"}, "closing_time_comp is '11h30'"),
    ],
)
def test_an_auction_that_cannot_be_read_is_refused(changes, message):
    with pytest.raises(UnexpectedPayloadError, match=message):
        parse(auction(**changes))


def test_an_auction_without_results_among_later_ones_was_postponed_and_late_ones_are_named():
    held = auction(cusip="912797BB9", auction_date="2026-02-03")
    rows = parse(auction(**NOT_HELD), held)
    assert rows.filter(without_results(rows))["cusip"].to_pylist() == ["912797AA1"]
    # Without a later result it is the feed that is late, or stands in the past.
    late = overdue(parse(auction(**NOT_HELD)), date(2026, 2, 6))
    assert late["cusip"].to_pylist() == ["912797AA1"]
    assert overdue(parse(auction(**NOT_HELD)), date(2026, 2, 5)).num_rows == 0


def test_one_auction_twice_is_refused():
    with pytest.raises(UnexpectedPayloadError, match="cusip, auction_date should be unique"):
        parse(auction(), auction(total_accepted="1000000000"))


def test_as_of_an_earlier_moment_nothing_later_is_known():
    later = auction(cusip="912797ZZ9", announcemt_date="2026-02-03", auction_date="2026-02-04")
    auctions = parse(auction(soma_accepted="1000000000", price_per100="98.0"), later)
    (before,) = issue_legs(known_by(auctions, moment(2026, 2, 2, 16, 34))).to_pylist()
    assert (before["par_usd_mn"], before["soma_usd_mn"]) == (77000, None)
    assert (before["price_per100"], before["results_at"]) == (None, None)
    assert before["known_at"] == before["announced_at"]
    (after,) = issue_legs(known_by(auctions, moment(2026, 2, 2, 16, 35))).to_pylist()
    assert (after["par_usd_mn"], after["soma_usd_mn"]) == (80500, 1000)


def refunding(cusip: str, public: str, soma: str, **changes: str) -> Row:
    amounts = {"est_pub_held_mat_by_type_amt": public, "soma_holdings": soma}
    return auction(cusip=cusip, mat_date="2026-02-05", **amounts, **changes)


def holdings(*rows: Row) -> list[tuple[Any, ...]]:
    table = maturing_holdings(parse(*rows))
    validate(SOURCE_TABLES["maturing_holdings"], table)
    return [tuple(row.values())[1:] for row in table.to_pylist()]


CMB = {"cash_management_bill_cmb": "Yes"}


def test_a_maturing_group_is_stated_once_however_many_auctions_repeat_it():
    amounts = ("258883000000", "18898000000")
    later = refunding("B", *amounts, announcemt_date="2026-01-30")
    note = refunding("C", "84379000000", "null", security_type="Note")
    first_announced = moment(2026, 1, 29, 16)
    assert holdings(later, refunding("A", *amounts), note) == [
        ("bills", 258883, 18898, first_announced),
        ("coupons", 84379, None, first_announced),
    ]


def test_of_differing_statements_the_latest_counts_but_a_zero_or_negative_gives_way():
    first = refunding("A", "124995000000", "0")
    second = refunding("B", "125020000000", "0", announcemt_date="2026-01-30")
    zero = refunding("C", "0", "0", announcemt_date="2026-02-01", **CMB)
    negative = refunding("D", "-2414000000", "2414000000", announcemt_date="2026-02-01", **CMB)
    assert holdings(second, zero, negative, first) == [
        ("bills", 125020, 0, moment(2026, 1, 30, 16))
    ]
    same_day = refunding("E", "100121000000", "0", **CMB)
    assert holdings(same_day, first) == [("bills", 124995, 0, moment(2026, 1, 29, 16))]
    assert holdings(negative) == []
