"""The sandbox speaks as Treasury and the New York Fed do: the same requests to it and the replay.

Each case compares status, headers and body, reduced to its form where the numbers are simulated.
Where the replay holds less than the captured bodies, `test_payloads` decides.
"""

from __future__ import annotations

import re

import pytest

from liquidity_pipeline_tests.sandbox.client import (
    FISCAL,
    form,
    get,
    headers_of,
    keys_in_order,
    rows,
    skeleton,
    text_form,
)

pytestmark = pytest.mark.replay

OCB = f"{FISCAL}/dts/operating_cash_balance"
LABELS = {
    "dts/operating_cash_balance": ["account_type", "table_nbr", "table_nm", "sub_table_name"],
    "dts/public_debt_transactions": [
        "transaction_type", "security_market", "security_type", "security_type_desc",
        "table_nbr", "table_nm", "src_line_nbr",
    ],
    "dts/debt_subject_to_limit": [
        "debt_catg", "debt_catg_desc", "table_nbr", "table_nm", "sub_table_name", "src_line_nbr",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("table", "days"),
    [
        ("dts/operating_cash_balance", "2026-08-13:2026-08-20"),
        ("dts/operating_cash_balance", "2021-09-29:2021-10-04"),
        ("dts/operating_cash_balance", "2022-04-14:2022-04-19"),
        ("dts/public_debt_transactions", "2026-04-22:2026-04-28"),
        ("dts/debt_subject_to_limit", "2021-09-29:2021-10-04"),
        ("dts/debt_subject_to_limit", "2025-08-27:2025-09-02"),
    ],
)
def test_statement_rows_have_the_labels_and_forms_of_the_day(both, table, days):
    first, last = days.split(":")
    found = [
        rows(root, table, filter=f"record_date:gte:{first},record_date:lte:{last}") for root in both
    ]
    labels = [[[row[c] for c in ["record_date", *LABELS[table]]] for row in r] for r in found]
    assert labels[0] == labels[1]
    assert [list(row) for row in found[0]] == [list(row) for row in found[1]]
    ours, theirs = ([[text_form(v) for v in row.values()] for row in r] for r in found)
    if "limit" not in table:  # the limit of suspended days is not simulated
        assert ours == theirs


@pytest.mark.parametrize(
    "table",
    [
        "dts/operating_cash_balance",
        "dts/public_debt_transactions",
        "dts/debt_subject_to_limit",
        "od/auctions_query",
        "od/upcoming_auctions",
    ],
)
def test_envelope_of_a_table_is_the_same(both, table):
    answers = [get(root, f"{FISCAL}/{table}", page_size="2") for root in both]
    ours, theirs = (answer.json() for answer in answers)
    assert list(ours) == list(theirs) == ["data", "meta", "links"]
    assert list(ours["meta"]) == list(theirs["meta"])
    for block in ("labels", "dataTypes", "dataFormats"):
        assert list(ours["meta"][block].items()) == list(theirs["meta"][block].items())
    assert [list(row) for row in ours["data"]] == [list(row) for row in theirs["data"]]
    assert [type(v) for v in ours["meta"].values()] == [type(v) for v in theirs["meta"].values()]
    assert list(ours["links"]) == list(theirs["links"])
    assert ours["links"]["self"] == theirs["links"]["self"]
    assert headers_of(answers[0]) == headers_of(answers[1])


@pytest.mark.parametrize(
    "query",
    [
        {"fields": "record_date,nothing"},
        {"filter": "nothing:eq:1"},
        {"filter": "record_date:like:2026"},
        {"filter": "record_date"},
        {"filter": "record_date:eq:"},
        {"sort": "-nothing"},
        {"sorts": "-record_date"},
        {"page_number": "9999", "page_size": "10000"},
        {"page_number": "0"},
        {"page_size": "10001"},
        {"format": "csv"},
        {"filter": "record_date:eq:1990-01-01"},
    ],
)
def test_refusals_and_empty_answers_are_the_same_to_the_letter(both, query):
    ours, theirs = (get(root, OCB, **query) for root in both)
    assert (ours.status_code, ours.text) == (theirs.status_code, theirs.text)
    assert headers_of(ours) == headers_of(theirs)


@pytest.mark.parametrize(
    "query",
    [
        {"fields": "record_date,account_type,open_today_bal", "sort": "-record_date,src_line_nbr"},
        {"fields": "record_date,open_today_bal", "sort": "-record_date"},  # adds up the four lines
        {"fields": "account_type", "sort": "account_type"},
        {"sort": "-open_today_bal", "page_number": "2", "page_size": "3"},
        {"filter": "record_date:gte:2026-08-12,account_type:in:(Total TGA Deposits (Table II))"},
        {"filter": "record_date:gte:2026-08-12,src_line_nbr:in:(1,4)"},
        {"filter": "record_date:gte:2026-08-19,account_type:in:()"},
        {"filter": "record_date:eq:2026-08-19,src_line_nbr:gt:2"},
        {"filter": "record_date:lt:2026-08-13,record_date:gte:2026-08-12", "page_offset": "7"},
    ],
)
def test_selections_pick_the_same_rows(both, query):
    query = {"filter": "record_date:gte:2026-08-12", "page_size": "50"} | query
    ours, theirs = (get(root, OCB, **query).json() for root in both)
    assert len(ours["data"]) == len(theirs["data"]) > 0
    assert ours["meta"]["dataTypes"] == theirs["meta"]["dataTypes"]
    assert form(ours["data"]) == form(theirs["data"])
    dates = [[row.get("record_date") for row in d["data"]] for d in (ours, theirs)]
    if query.get("sort") != "-open_today_bal":
        assert dates[0] == dates[1]
    assert ours["links"] == theirs["links"]


def test_auctions_are_announced_and_settled_on_the_same_days(both):
    """Treasury's rhythm: term, announcement, auction, settlement, maturity, reopening."""
    columns = ["announcemt_date", "auction_date", "issue_date", "maturity_date", "reopening"]
    found = []
    for root in both:
        bills = rows(
            root,
            "od/auctions_query",
            filter="issue_date:gte:2026-06-01,issue_date:lte:2026-08-27,security_type:eq:Bill",
        )
        found.append(sorted([r["security_term"], *(r[c] for c in columns)] for r in bills))
    assert found[0] == found[1]


def test_results_are_null_until_the_auction(both):
    for root in both:
        found = rows(root, "od/auctions_query", filter="issue_date:gte:2026-08-17")
        for row in found:
            closed = row["auction_date"] <= "2026-08-21"
            for column in ("total_accepted", "bid_to_cover_ratio"):
                assert (row[column] != "null") == (closed and row[column] != "null")
            assert (row["total_accepted"] != "null") == closed
            assert row["offering_amt"] != "null"
            assert row["record_date"] == row["issue_date"]


def test_what_the_replay_knows_of_an_auction_the_sandbox_writes_alike(both):
    for kind in ("Bill", "Note", "Bond"):
        query = f"security_type:eq:{kind},issue_date:gte:2025-03-01,issue_date:lte:2025-03-31"
        ours, theirs = (rows(root, "od/auctions_query", filter=query) for root in both)
        for column in theirs[0]:
            forms = [{text_form(r[column]) for r in f} - {"null"} for f in (ours, theirs)]
            if forms[1] and column not in _FREE_TEXT:
                assert forms[0], f"{column} of a {kind} is null in the sandbox"
                assert forms[0] <= forms[1] | {"whole"}, column


# Columns in which Treasury's own form varies from row to row, or that only real securities have.
_FREE_TEXT = {
    "cusip", "corpus_cusip", "tint_cusip_1", "tint_cusip_2", "announcemtd_cusip", "series",
    "currently_outstanding", "allocation_pctage", "pdf_filenm_spec_announcemt", "original_cusip",
    "accrued_int_per1000", "accrued_int_per100", "adj_accrued_int_per1000", "adj_price",
    "unadj_accrued_int_per1000", "unadj_price", "index_ratio_on_issue_date",
    "ref_cpi_on_dated_date", "ref_cpi_on_issue_date", "cpi_base_reference_period",
    "frn_index_determination_date", "frn_index_determination_rate", "std_int_payment_per1000",
    "security_term_day_month", "tiin_conversion_factor_per1000", "high_discnt_margin", "spread",
    "original_dated_date", "back_dated_date", "original_security_term", "high_yield", "int_rate",
}  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [
        "rates/secured/sofr/search.json?startDate=2026-07-20&endDate=2026-07-24",
        "rates/secured/tgcr/search.json?startDate=2026-07-20&endDate=2026-07-24",
        "rates/unsecured/effr/search.json?startDate=2026-07-01&endDate=2026-07-07",
        "rates/unsecured/all/search.json?startDate=2026-07-20&endDate=2026-07-24",
        "rates/secured/sofr/search.json?startDate=2026-07-20&endDate=2026-07-24&type=rate",
        "rates/secured/sofr/search.json?startDate=2026-07-20&endDate=2026-07-24&type=volume",
        "rates/secured/sofr/search.json?startDate=2026-04-03&endDate=2026-04-03",
        "rates/secured/bgcr/search.json?startDate=2026-07-02&endDate=2026-07-06",
    ],
)
def test_reference_rates_agree_to_the_blank(both, path):
    """Only digits may differ: order, keys, blanks, decimals and days are the publisher's."""
    answers = [get(root, f"/nyfed/api/{path}") for root in both]
    assert skeleton(answers[0].text) == skeleton(answers[1].text)
    dates = [re.findall(r'"effectiveDate": "([^"]+)", "type": "(\w+)"', a.text) for a in answers]
    assert dates[0] == dates[1]
    assert headers_of(answers[0]) == headers_of(answers[1])


def test_all_rates_agree_but_for_the_averages_that_the_replay_does_not_hold(both):
    """The captured `all/latest` has SOFRAI first, so the sandbox has it, too."""
    path = "/nyfed/api/rates/all/search.json?startDate=2026-07-20&endDate=2026-07-22"
    ours, theirs = (
        [(r["effectiveDate"], r["type"]) for r in get(root, path).json()["refRates"]]
        for root in both
    )
    assert [row for row in ours if row[1] != "SOFRAI"] == theirs


@pytest.mark.parametrize(
    "path",
    [
        "rates/secured/effr/search.json",
        "rates/none/all/search.json",
        "rates/all/search.json?type=other",
        "rates/all/search.json?startDate=nonsense",
        "rates/all/last/0.json",
        "tsy/all/results/none/last/2.json",
        "rp/all/all/results/last/501.json",
        "rp/srf/all/results/last/5.json",
        "rp/results/search.json?operationTypes=Loan",
        "rp/repo/propositions/search.json",
        "soma/none.json",
        "nothing.json",
    ],
)
def test_bad_requests_to_the_new_york_fed(both, path):
    ours, theirs = (get(root, f"/nyfed/api/{path}") for root in both)
    assert ours.status_code == theirs.status_code == 400
    assert headers_of(ours) == headers_of(theirs)


def test_treasury_operations_have_the_same_rows(both):
    """The replay leaves times blank, the captured row of 2026-08-31 has them."""
    path = "/nyfed/api/tsy/all/results/summary/search.json?startDate=2026-06-01&endDate=2026-08-21"
    ours, theirs = (get(root, path) for root in both)
    first, second = (a.json()["treasury"]["auctions"] for a in (ours, theirs))
    assert [list(row) for row in first[:1]] == [list(row) for row in second[:1]]
    for column, value in second[0].items():
        assert value == "" or text_form(first[0][column]) == text_form(value)
    for found in (first, second):
        dates = [row["operationDate"] for row in found]
        assert dates == sorted(dates, reverse=True)
    assert keys_in_order(ours.text)[:2] == keys_in_order(theirs.text)[:2]
    assert headers_of(ours) == headers_of(theirs)


def test_repo_operations_have_the_same_rows(both):
    path = "/nyfed/api/rp/results/search.json?startDate=2025-10-30&endDate=2025-10-31"
    ours, theirs = (get(root, path).json()["repo"]["operations"] for root in both)
    fixed = [
        "operationId", "auctionStatus", "operationDate", "settlementDate", "maturityDate",
        "operationType", "operationMethod", "settlementType", "termCalenderDays", "term",
        "releaseTime", "closeTime",
    ]  # fmt: skip
    assert [[r[c] for c in fixed] for r in ours] == [[r[c] for c in fixed] for r in theirs]
    for mine, real in zip(ours, theirs, strict=True):
        assert list(mine) == list(real)
        assert {type(v) for v in mine.values()} == {type(v) for v in real.values()}
        for side, other in zip(mine["details"], real["details"], strict=True):
            assert (side["amtAccepted"] > 0) != (other["amtAccepted"] > 0) or list(side) == list(
                other
            )


def test_propositions_and_soma_have_the_same_form(both):
    days = "startDate=2026-06-29&endDate=2026-07-06"
    path = f"/nyfed/api/rp/reverserepo/propositions/search.json?{days}"
    ours, theirs = (get(root, path) for root in both)
    assert form(ours.json()) == form(theirs.json())
    operations = [a.json()["repo"]["operations"] for a in (ours, theirs)]
    assert [r["operationId"] for r in operations[0]] == [r["operationId"] for r in operations[1]]
    ours, theirs = (get(root, "/nyfed/api/soma/summary.json").json()["soma"] for root in both)
    assert list(ours["summary"][0]) == list(theirs["summary"][0])
    for kind in ("list", "latest"):
        ours, theirs = (get(root, f"/nyfed/api/soma/asofdates/{kind}.json") for root in both)
        assert form(ours.json()) == form(theirs.json())
