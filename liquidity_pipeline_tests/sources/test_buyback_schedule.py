"""The tentative schedule of buybacks: read by its root, hardened, dated by its file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from liquidity_pipeline.contracts.sources.itemised import BUYBACK_SCHEDULE
from liquidity_pipeline.contracts.validation import validate
from liquidity_pipeline.sources.answers import Answer
from liquidity_pipeline.sources.buyback_schedule import (
    PATH,
    PUBLISHER,
    collect_buyback_schedule,
    parse,
)
from liquidity_pipeline.sources.errors import UnexpectedPayloadError
from liquidity_pipeline.sources.fetch import Fetch

MakeFetch = Callable[..., Fetch]
AUGUST = (date(2026, 8, 1), date(2026, 8, 31))
FETCHED = datetime.fromisoformat("2026-08-20 21:00")
NAME = "August 2026 Refunding Tentative Buyback Calendar"


def operation(**changes: str) -> dict[str, str]:
    """Return an operation in long bonds, on Thursday 2026-08-27, as the file writes one."""
    return {
        "PurchaseBucketName": "Nominal Coupons 20Y to 30Y",
        "SecurityType": "NOMINAL COUPONS",
        "OperationType": "Liquidity Support",
        "MinimumPurchaseAmountDollars": "0",
        "MaximumPurchaseAmountDollars": "2000000000",
        "AnnouncementDate": "2026-08-26",
        "OperationDate": "2026-08-27",
        "SettlementDate": "2026-08-28",
        "OperationStartTimeEasternUS": "13:40",
        "OperationEndTimeEasternUS": "14:00",
    } | changes


def document(*rows: dict[str, str], name: str = f"{NAME} V1", head: str = "") -> bytes:
    parts = [
        f"<BuybackCalendarDate>{''.join(f'<{k}>{v}</{k}>' for k, v in row.items())}"
        "</BuybackCalendarDate>"
        for row in rows
    ]
    return (
        f"{head}<BuyBackCalendar><BuybackCalendarName>{name}</BuybackCalendarName>"
        f"<StartDate>2026-08-18</StartDate><EndDate>2026-11-05</EndDate>{''.join(parts)}"
        "</BuyBackCalendar>"
    ).encode()


class Served:
    """A transport with one answer, last changed at a moment (UTC), if that is told."""

    def __init__(self, body: bytes, changed: str | None = None, status: int = 200) -> None:
        self.body, self.status = body, status
        moment = changed and datetime.fromisoformat(f"{changed}+00:00")
        self.headers = {"last-modified": format_datetime(moment, usegmt=True)} if moment else {}

    def get(self, publisher: str, path: str, params: Any = None, *, form: str = "json") -> Answer:
        assert (publisher, path, form) == (PUBLISHER, PATH, "xml")
        return Answer(publisher, path, "http://test", self.status, self.headers, self.body, FETCHED)


def collect(
    make_fetch: MakeFetch, served: Served, now: datetime = FETCHED
) -> tuple[list[dict[str, Any]], list[str]]:
    fetch = make_fetch(served, *AUGUST, now)
    rows = validate(BUYBACK_SCHEDULE, collect_buyback_schedule(fetch)["buyback_schedule"])
    return rows.to_pylist(), fetch.gaps


def test_dollars_become_millions_and_a_bucket_loses_its_securities(make_fetch: MakeFetch) -> None:
    tips = operation(
        PurchaseBucketName="TIPS 1Y to 10Y", SecurityType="TIPS",
        MaximumPurchaseAmountDollars="750000000.00", OperationStartTimeEasternUS="10:30:00",
    )  # fmt: skip
    short = operation(
        PurchaseBucketName="Nominal Coupons 1Mo to 2Y", OperationType="Cash Management",
        MaximumPurchaseAmountDollars="12500000000", OperationStartTimeEasternUS="11:00",
    )  # fmt: skip
    rows, gaps = collect(make_fetch, Served(document(operation(), tips, short)))
    labels = ("start_time", "security_type", "maturity_bucket", "security_class")
    assert {tuple(row[name] for name in labels): row["maximum_usd_mn"] for row in rows} == {
        ("10:30", "TIPS", "1Y to 10Y", "tips"): 750.0,
        ("11:00", "Nominal Coupons", "1Mo to 2Y", "note"): 12_500.0,
        ("13:40", "Nominal Coupons", "20Y to 30Y", "bond"): 2_000.0,
    }
    assert {row["settlement_date"] for row in rows} == {date(2026, 8, 28)}
    assert {row["schedule"] for row in rows} == {f"{NAME} V1"}
    assert gaps == []


def test_an_empty_maximum_is_not_zero(make_fetch: MakeFetch) -> None:
    ((row,), gaps) = collect(
        make_fetch, Served(document(operation(MaximumPurchaseAmountDollars="")))
    )
    assert row["maximum_usd_mn"] is None
    assert gaps == []


@pytest.mark.parametrize(
    ("name", "changed", "known"),
    [
        # The file says when it was changed: 08:30 in New York on the day of the refunding.
        ("V1", "2026-08-05 12:30", "2026-08-05 12:30"),
        ("V2", "2026-09-09 12:30", "2026-08-20 21:00"),
        # It does not say: since the first operation's morning, and a revision since it was seen.
        ("V1", None, "2026-08-18 12:30"),
        ("V2", None, "2026-08-20 21:00"),
    ],
)
def test_a_version_is_known_since_its_file_was_changed_at_the_latest_since_it_was_fetched(
    make_fetch: MakeFetch, name: str, changed: str | None, known: str
) -> None:
    served = Served(document(operation(), name=f"{NAME} {name}"), changed)
    ((row,), _) = collect(make_fetch, served)
    assert row["known_at"] == datetime.fromisoformat(known)


def test_what_was_published_after_the_runs_day_is_named(make_fetch: MakeFetch) -> None:
    served = Served(document(operation()), "2026-08-05 12:30")
    ((row,), (gap,)) = collect(make_fetch, served, datetime.fromisoformat("2026-08-04 02:00"))
    # The row keeps its moment, before which no mart sees it.
    assert row["known_at"] == datetime.fromisoformat("2026-08-05 12:30")
    assert "was published on 2026-08-05" in gap


def test_a_schedule_that_is_over_is_named(make_fetch: MakeFetch) -> None:
    rows, (gap,) = collect(
        make_fetch, Served(document(operation())), datetime.fromisoformat("2026-11-07 02:00")
    )
    assert len(rows) == 1
    assert gap.endswith("ended on 2026-11-05, with none after it")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"MaximumPurchaseAmountDollars": "2000"}, "expected full dollars"),
        ({"MaximumPurchaseAmountDollars": "-2000000000"}, "expected full dollars"),
        ({"MaximumPurchaseAmountDollars": "nan"}, "expected full dollars"),
        ({"MaximumPurchaseAmountDollars": "two billion"}, "cannot be read"),
        ({"OperationDate": "8/27/2026"}, "cannot be read"),
        ({"OperationDate": ""}, "expected a value in OperationDate"),
        ({"OperationStartTimeEasternUS": "25:00"}, "cannot be read"),
        ({"SecurityType": "FRN"}, "unknown buyback of 'FRN'"),
        ({"PurchaseBucketName": "long"}, "a bucket like 20Y to 30Y"),
    ],
)
def test_one_bad_row_costs_itself_alone(
    make_fetch: MakeFetch, changes: dict[str, str], problem: str
) -> None:
    good = [operation(OperationDate=f"2026-08-{day}") for day in (25, 26)]
    rows, (gap,) = collect(make_fetch, Served(document(operation(**changes), *good)))
    assert [row["operation_date"].day for row in rows] == [25, 26]
    assert problem in gap


def test_of_two_different_rows_of_one_operation_neither_is_believed(
    make_fetch: MakeFetch,
) -> None:
    same = operation(OperationDate="2026-08-25")
    other = operation(MaximumPurchaseAmountDollars="4000000000")
    rows, (gap,) = collect(make_fetch, Served(document(same, same, operation(), other)))
    assert [row["operation_date"].day for row in rows] == [25]
    assert "comes twice with different values" in gap


_LAUGHS = "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "ha">' for n in range(12)
)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (document(head='<!DOCTYPE x SYSTEM "file:///etc/passwd">'), "no document type"),
        (document(head='<!DOCTYPE x PUBLIC "a" "http://127.0.0.1/x">'), "no document type"),
        (document(operation(OperationType="&l11;"), head=f"<!DOCTYPE x [{_LAUGHS}]>"),
         "no document type"),
        ("<!DOCTYPE x><BuyBackCalendar/>".encode("utf-16"), "no document type"),
        (b"<page><BuyBackCalendar/></page>", "expected the root BuyBackCalendar, got page"),
        (document(), "expected elements BuybackCalendarDate, got none"),
        (document(operation())[:-5], "cannot be read"),
        (b"<BuyBackCalendar>" + b"<a>" * 50_000, "cannot be read"),
        (document(operation(OperationDate="")), "expected a value in OperationDate"),
    ],
)  # fmt: skip
def test_another_document_is_refused(body: bytes, problem: str) -> None:
    with pytest.raises(UnexpectedPayloadError, match=problem):
        parse(body)


def test_what_is_not_there_is_not_served(make_fetch: MakeFetch) -> None:
    assert collect(make_fetch, Served(b"Not Found", status=404)) == (
        [], ["buyback_schedule: HTTP 404: Not Found"]
    )  # fmt: skip


def test_the_recorded_shape_is_read(payloads: Path) -> None:
    body = (payloads / "treasury" / "Tentative-Buyback-Schedule__SHAPE.xml").read_bytes()
    whole = body.replace(
        b"<MaximumPurchaseAmountDollars>SHAPE", b"<MaximumPurchaseAmountDollars>750000000"
    )
    (row,) = parse(whole).rows
    assert (row["operation_date"], row["start_time"]) == (date(2026, 10, 21), "13:40")
    assert (row["security_class"], row["maturity_bucket"]) == ("tips", "1Y to 10Y")
    # As it is recorded the amount is a placeholder, which is no amount.
    with pytest.raises(UnexpectedPayloadError, match="'SHAPE', which cannot be read"):
        parse(body)
