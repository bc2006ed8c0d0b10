"""The New York Fed source: units, labels, one row per rate or operation, nothing in silence."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from liquidity_pipeline.sources import ny_fed
from liquidity_pipeline.sources.answers import Answer
from liquidity_pipeline.sources.errors import EmptyAnswerError, UnexpectedPayloadError
from liquidity_pipeline.sources.fetch import Fetch

MakeFetch = Callable[..., Fetch]


class Stub:
    """A transport that gives one body to every request and remembers what was asked."""

    def __init__(self, body: Any) -> None:
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def get(self, publisher: str, path: str, params: Any = None, *, form: str = "json") -> Answer:
        self.asked.append((path, dict(params or {})))
        return answer(self.body, path)


def at(text: str) -> datetime:
    """Return a moment in naive UTC."""
    return datetime.fromisoformat(text)


def answer(body: Any, path: str = "/api") -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = f"https://nyfed.example{path}"
    return Answer("nyfed", path, url, 200, {}, content, at("2026-01-01 00:00"))


def rate(**changes: Any) -> dict[str, Any]:
    row = {
        "effectiveDate": "2026-10-07",
        "type": "SOFR",
        "percentRate": 3.88,
        "percentPercentile1": 3.81,
        "percentPercentile25": 3.86,
        "percentPercentile75": 3.92,
        "percentPercentile99": 3.96,
        "volumeInBillions": 2968,
        "revisionIndicator": "",
    }
    return row | changes


def outright(**changes: Any) -> dict[str, Any]:
    row = {
        "operationId": "OR 083126 25",
        "auctionStatus": "Results",
        "operationType": "Outright Bill Purchase",
        "operationDate": "2026-08-31",
        "settlementDate": "2026-09-01",
        "maturityRangeStart": "2026-10-01",
        "maturityRangeEnd": "2026-12-24",
        "operationDirection": "P",
        "releaseTime": "09:00",
        "closeTime": "09:20",
        "totalParAmtSubmitted": "39346000000",
        "totalParAmtAccepted": "4243000000",
        "note": "",
    }
    return row | changes


def repo(**changes: Any) -> dict[str, Any]:
    row = {
        "operationId": "RP 021726 27",
        "auctionStatus": "Results",
        "operationDate": "2026-02-17",
        "settlementDate": "2026-02-17",
        "maturityDate": "2026-02-18",
        "operationType": "Repo",
        "operationMethod": "Full Allotment",
        "term": "Overnight",
        "releaseTime": "13:30",
        "closeTime": "13:45",
        "note": "",
        "totalAmtSubmitted": 20500000000,
        "totalAmtAccepted": 20500000000,
        "details": [],
    }
    return row | changes


def rates(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return ny_fed.parse_reference_rates(answer({"refRates": list(rows)}))


def outrights(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return ny_fed.parse_fed_operations(answer({"treasury": {"auctions": list(rows)}}))


def repos(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return ny_fed.parse_repo_operations(answer({"repo": {"operations": list(rows)}}))


# Reference rates


def test_na_and_absent_fields_of_a_rate_are_missing() -> None:
    row = rate(percentPercentile1="NA")
    del row["volumeInBillions"]
    (found,) = rates(row)
    assert found["p1_pct"] is None
    assert found["volume_usd_bn"] is None
    assert found["target_from_pct"] is None
    assert found["rate_pct"] == 3.88


def test_a_rate_is_known_on_the_next_day_of_its_own_calendar() -> None:
    # 2026-04-03 is Good Friday: a Federal Reserve day, and no day of the secured rates.
    secured, unsecured = rates(
        rate(effectiveDate="2026-04-02"), rate(effectiveDate="2026-04-02", type="EFFR")
    )
    assert secured["known_at"] == at("2026-04-06 12:00")  # 08:00 New York, summer
    assert unsecured["known_at"] == at("2026-04-03 13:00")


def test_averages_are_no_rate_and_an_unknown_rate_is_an_error() -> None:
    assert rates({"effectiveDate": "2026-10-08", "type": "SOFRAI", "index": 1.26}) == []
    with pytest.raises(UnexpectedPayloadError, match="unknown type 'SONIA'"):
        rates(rate(type="SONIA"))


def test_a_rate_in_basis_points_or_a_volume_in_millions_is_refused() -> None:
    with pytest.raises(UnexpectedPayloadError, match="'percentRate' is 388, expected percent"):
        rates(rate(percentRate=388))
    with pytest.raises(UnexpectedPayloadError, match=r"volume is 2.968e\+06, expected USD bn"):
        rates(rate(volumeInBillions=2968000))


def test_a_gone_column_is_refused_with_the_url() -> None:
    row = rate()
    del row["percentRate"]
    with pytest.raises(UnexpectedPayloadError, match=r"'percentRate'.*https://nyfed.example/api"):
        rates(row)


@pytest.mark.parametrize("revised_first", [True, False])
def test_the_revised_one_of_two_rates_stands_and_is_known_in_the_afternoon(
    revised_first: bool,
) -> None:
    rows = [rate(), rate(percentRate=3.89, revisionIndicator="[r]")]
    (found,) = rates(*(reversed(rows) if revised_first else rows))
    assert (found["rate_pct"], found["revision"]) == (3.89, "[r]")
    assert found["known_at"] == at("2026-10-08 18:30")


def test_a_rate_twice_is_an_error_only_where_the_rows_differ() -> None:
    assert len(rates(rate(), rate())) == 1
    with pytest.raises(UnexpectedPayloadError, match=r"SOFR.* comes twice"):
        rates(rate(), rate(percentRate=3.89))


def test_a_rate_on_no_day_of_its_calendar_is_left_out_and_named(make_fetch: MakeFetch) -> None:
    rows = [
        rate(type="EFFR", effectiveDate=day, percentRate=1.0, volumeInBillions="NA")
        for day in ("2003-07-18", "2003-07-20", "2003-07-21")
    ]
    fetch = make_fetch(Stub({"refRates": rows}), date(2003, 7, 1), date(2003, 7, 31))
    found = ny_fed.collect_reference_rates(fetch)["reference_rates"]
    assert found["effective_date"].to_pylist() == [date(2003, 7, 18), date(2003, 7, 21)]
    assert fetch.gaps == ["EFFR: left out 2003-07-20, no fed day"]


def test_a_rate_that_is_missing_altogether_is_a_named_gap(make_fetch: MakeFetch) -> None:
    body = {"refRates": [rate(effectiveDate="2019-03-01")]}
    fetch = make_fetch(Stub(body), date(2019, 3, 1), date(2019, 3, 31))
    ny_fed.collect_reference_rates(fetch)
    assert "BGCR: nyfed has none from 2019-03-01 to 2019-03-31" in fetch.gaps
    assert not any(gap.startswith("SOFR") for gap in fetch.gaps)


def test_rates_published_without_a_value_are_named_and_not_stored(make_fetch: MakeFetch) -> None:
    body = {"refRates": [rate(), rate(effectiveDate="2026-10-06", percentRate="NA")]}
    fetch = make_fetch(Stub(body), date(2026, 10, 1), date(2026, 10, 31))
    found = ny_fed.collect_reference_rates(fetch)["reference_rates"]
    assert found["effective_date"].to_pylist() == [date(2026, 10, 7)]
    assert "SOFR: nyfed has no value for 2026-10-06" in fetch.gaps


def test_no_rates_is_an_error_only_where_some_are_due(make_fetch: MakeFetch) -> None:
    empty = Stub({"refRates": []})
    with pytest.raises(EmptyAnswerError, match="reference_rates"):
        ny_fed.collect_reference_rates(make_fetch(empty, date(2026, 7, 1), date(2026, 7, 31)))
    # 2026-08-01 is a Saturday: on Sunday nothing of August is due.
    weekend = make_fetch(empty, date(2026, 8, 1), date(2026, 8, 31), at("2026-08-02 12:00"))
    assert ny_fed.collect_reference_rates(weekend)["reference_rates"].num_rows == 0
    assert empty.asked[-1][1] == {"startDate": "2026-08-01", "endDate": "2026-08-02"}


@pytest.mark.parametrize("body", [{}, {"refRates": {}}, [1], {"refRates": ["x"]}])
def test_another_shape_of_answer_is_refused(body: Any) -> None:
    with pytest.raises(UnexpectedPayloadError, match="expected a list of objects in refRates"):
        ny_fed.parse_reference_rates(answer(body))


# Outright operations


def test_an_outright_operation_is_read_in_millions() -> None:
    (found,) = outrights(outright())
    assert found == {
        "operation_id": "OR 083126 25",
        "operation_date": date(2026, 8, 31),
        "settlement_date": date(2026, 9, 1),
        "operation_type": "Outright Bill Purchase",
        "security_class": "bill",
        "direction": "purchase",
        "accepted_usd_mn": 4243.0,
        "submitted_usd_mn": 39346.0,
        "maturity_from": date(2026, 10, 1),
        "maturity_to": date(2026, 12, 24),
        "is_small_value": False,
        "note": None,
        "known_at": at("2026-08-31 13:40"),  # 09:20 + 20 minutes in New York
    }


def test_an_operation_without_times_is_known_at_four_in_the_afternoon() -> None:
    (found,) = outrights(outright(closeTime=""))
    assert found["known_at"] == at("2026-08-31 20:00")


def test_a_small_sale_is_marked_as_a_test_of_systems() -> None:
    sale = {"operationType": "Outright Coupon Sale", "operationDirection": "S"}
    (found,) = outrights(outright(**sale, totalParAmtAccepted="25000000"))
    assert (found["direction"], found["security_class"]) == ("sale", "coupon")
    assert found["is_small_value"] is True
    assert found["accepted_usd_mn"] == 25.0


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"operationType": "Bill Purchase"}, "unknown operationType"),
        ({"operationType": "Outright T-Bill Purchase"}, "unknown operationType"),
        ({"operationDirection": "S"}, "unknown operationType"),  # a purchase that is called a sale
        ({"operationDirection": "B"}, "unknown operationDirection 'B'"),
        ({"auctionStatus": "Pending"}, "unknown auctionStatus"),
        ({"totalParAmtAccepted": "4243"}, "'totalParAmtAccepted' is 4243, expected dollars"),
        ({"totalParAmtAccepted": "many"}, "expected a number"),
        ({"settlementDate": "09/01/2026"}, "expected YYYY-MM-DD in 'settlementDate'"),
    ],
)
def test_an_operation_that_is_not_as_expected_is_named(
    changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(UnexpectedPayloadError, match=f"OR 083126 25 2026-08-31: {problem}"):
        outrights(outright(**changes))


def test_operation_ids_are_unique_even_if_the_desk_uses_one_twice() -> None:
    again = outright(operationDate="2026-09-10", settlementDate="2026-09-11")
    found = outrights(outright(), outright(), again)
    assert [row["operation_id"] for row in found] == ["OR 083126 25", "OR 083126 25 2026-09-10"]
    with pytest.raises(UnexpectedPayloadError, match="comes twice"):
        outrights(outright(), outright(totalParAmtAccepted="5000000000"))


def test_two_operations_of_a_day_with_one_identifier_are_both_kept() -> None:
    # Two sectors of maturities in one morning: 4,243 and 1,500 mn, of which nothing may be lost.
    second = outright(
        releaseTime="10:10",
        closeTime="10:30",
        maturityRangeStart="2026-12-31",
        maturityRangeEnd="2027-08-26",
        totalParAmtAccepted="1500000000",
    )
    for rows in ([outright(), second], [second, outright(), second]):
        found = {row["operation_id"]: row["accepted_usd_mn"] for row in outrights(*rows)}
        assert found == {"OR 083126 25": 4243, "OR 083126 25 (2)": 1500}
    without_times = [
        {k: v for k, v in row.items() if k not in ("releaseTime", "closeTime")}
        for row in (outright(), second)
    ]
    assert len(outrights(*without_times)) == 2
    morning = repo(releaseTime="08:15", closeTime="08:30", totalAmtAccepted=10_000_000_000)
    assert {row["operation_id"]: row["accepted_usd_mn"] for row in repos(repo(), morning)} == {
        "RP 021726 27": 10000,
        "RP 021726 27 (2)": 20500,
    }


def test_a_window_without_outright_operations_is_in_order(make_fetch: MakeFetch) -> None:
    empty = Stub({"treasury": {"auctions": []}})
    fetch = make_fetch(empty, date(2008, 5, 1), date(2008, 5, 31))
    assert ny_fed.collect_fed_operations(fetch)["fed_operations"].num_rows == 0
    assert fetch.gaps == []


# Repo operations


def test_two_operations_of_a_day_are_two_rows_that_add_up(make_fetch: MakeFetch) -> None:
    morning = repo(
        operationId="RP 021726 25",
        releaseTime="08:15",
        closeTime="08:30",
        totalAmtAccepted=10001000000,
        totalAmtSubmitted=10001000000,
    )
    body = {"repo": {"operations": [repo(), morning]}}
    fetch = make_fetch(Stub(body), date(2026, 2, 1), date(2026, 2, 28))
    found = ny_fed.collect_repo_operations(fetch)["repo_operations"]
    assert found["kind"].to_pylist() == ["srf", "srf"]
    assert sum(found["accepted_usd_mn"].to_pylist()) == 30501.0
    assert sorted(found["known_at"].to_pylist()) == [
        at("2026-02-17 13:31"),
        at("2026-02-17 18:46"),
    ]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"operationMethod": "Multiple Price"}, "srf"),
        ({"operationDate": "2021-07-28", "operationMethod": "Multiple Price"}, "repo"),
        ({"term": "Term"}, "repo"),
        ({"operationMethod": "Fixed Rate"}, "repo"),
        ({"operationType": "Reverse Repo", "operationMethod": "Fixed Rate"}, "on_rrp"),
        (
            {
                "operationType": "Reverse Repo",
                "operationMethod": "Fixed Rate",
                "operationDate": "2013-09-20",
            },
            "reverse_repo",
        ),
        (
            {"operationType": "Reverse Repo", "operationMethod": "Fixed Rate", "term": "Term"},
            "reverse_repo",
        ),
        ({"operationType": "Reverse Repo", "operationMethod": "Single Price"}, "reverse_repo"),
        (
            {
                "operationType": "Reverse Repo",
                "operationMethod": "Fixed Rate",
                "details": [{"securityType": "Mortgage-Backed", "amtAccepted": 44000000}],
            },
            "reverse_repo",
        ),
    ],
)
def test_the_facilities_are_told_from_other_operations(changes: dict[str, Any], kind: str) -> None:
    assert repos(repo(**changes))[0]["kind"] == kind


@pytest.mark.parametrize(
    ("changes", "small"),
    [
        ({"note": "This operation is a Small Value Exercise (SVE)"}, True),
        ({"note": "This is a small value exercise for operational readiness testing."}, True),
        ({"releaseTime": "10:30"}, True),
        ({"operationDate": "2019-10-01", "releaseTime": "10:30"}, False),
        ({"note": "The settled amount is $7 million less than the accepted amount."}, False),
    ],
)
def test_exercises_are_known_by_their_note_or_hour(changes: dict[str, Any], small: bool) -> None:
    assert repos(repo(**changes))[0]["is_small_value"] is small


def test_a_repo_without_times_is_known_when_its_facility_usually_reports() -> None:
    reverse = {"operationType": "Reverse Repo", "operationMethod": "Fixed Rate"}
    (late,) = repos(repo(closeTime=""))
    (early,) = repos(repo(closeTime="", **reverse))
    assert late["known_at"] == at("2026-02-17 18:46")
    assert early["known_at"] == at("2026-02-17 18:16")


@pytest.mark.parametrize(
    "changes",
    [
        {"operationType": "Swap"},
        {"operationMethod": "Dutch"},
        {"term": "Fortnight"},
        {"closeTime": "noon"},
        {"closeTime": None},
        {"totalAmtAccepted": 20500},
    ],
)
def test_a_repo_that_is_not_as_expected_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedPayloadError, match="RP 021726 27"):
        repos(repo(**changes))


def test_no_repo_operations_where_they_are_due_is_an_error(make_fetch: MakeFetch) -> None:
    fetch = make_fetch(Stub({"repo": {"operations": []}}), date(2026, 2, 1), date(2026, 2, 28))
    with pytest.raises(EmptyAnswerError, match="repo_operations"):
        ny_fed.collect_repo_operations(fetch)
