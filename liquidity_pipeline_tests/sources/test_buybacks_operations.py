"""Buybacks by operation and by security: two spellings, results that come later, doubled rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liquidity_pipeline.contracts.sources.itemised import BUYBACK_SECURITIES, BUYBACKS
from liquidity_pipeline.contracts.validation import validate
from liquidity_pipeline.settings import default_reference_dir
from liquidity_pipeline.sources.buybacks_operations import (
    OPERATION_COLUMNS,
    collect_buybacks,
    parse_operations,
)
from liquidity_pipeline.sources.errors import TransientError
from liquidity_pipeline.sources.fetch import Fetch, Window
from liquidity_pipeline.sources.fiscal_client import Records
from liquidity_pipeline.universe import Universe
from liquidity_pipeline_tests.sources.canned import DOWN, Canned
from liquidity_pipeline_tests.sources.fiscal_bodies import ROOT, Row, answer, moment
from liquidity_pipeline_tests.sources.mutations import Bytes, damaged, is_json, outcome

MakeFetch = Callable[..., Fetch]
UNIVERSE = Universe.load(default_reference_dir())
OPERATIONS, SECURITIES = f"{ROOT}/od/buybacks_operations", f"{ROOT}/od/buybacks_security_details"
FEBRUARY = (date(2026, 2, 1), date(2026, 2, 28))
AFTERWARDS = moment(2026, 2, 21, 3)
NO_RESULTS = {
    "total_par_amt_offered": "null", "total_par_amt_accepted": "null", "nbr_issues_accepted": "null"
}  # fmt: skip


def operation(**changes: str) -> Row:
    """Return an operation of Tuesday 2026-02-03 that bought USD 2 billion of three bonds."""
    return {
        "operation_date": "2026-02-03",
        "operation_start_time_est": "01:40 PM",
        "operation_close_time_est": "02:00 PM",
        "settlement_date": "2026-02-04",
        "operation_type": "Liquidity Support",
        "security_type": "Nominal Coupons",
        "maturity_bucket": "20Y to 30Y",
        "nbr_issues_accepted": "2",
        "total_par_amt_offered": "19868000000",
        "max_par_amt_redeemed": "3000000000",
        "nbr_issues_eligible": "3",
        "total_par_amt_accepted": "2000000000",
    } | changes


def security(cusip: str, par: str, price: str = "null", **changes: str) -> Row:
    return {
        "operation_date": "2026-02-03",
        "operation_start_time_est": "01:40 PM",
        "cusip_nbr": cusip,
        "coupon_rate_pct": "2.250",
        "maturity_date": "2049-08-15",
        "par_amt_accepted": par,
        "weighted_avg_accepted_price": price,
    } | changes


BOUGHT = [
    security("912810SJ8", "1500000000.00", "56.117"),
    security("912810SZ2", "500000000", "51.055"),
    security("912810UX4", "0.00"),
]


def collect(
    make_fetch: MakeFetch, operations: Any, securities: Any, now: datetime = AFTERWARDS
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]:
    replies = {OPERATIONS: operations, SECURITIES: securities}
    fetch = make_fetch(
        Canned({name: answer(r) if isinstance(r, list) else r for name, r in replies.items()}),
        *FEBRUARY,
        now,
    )
    found = collect_buybacks(fetch)
    held = validate(BUYBACKS, found["buybacks"]).to_pylist()
    bought = validate(BUYBACK_SECURITIES, found["buyback_securities"]).to_pylist()
    return held, bought, fetch.gaps


def test_dollars_become_millions_in_either_spelling(make_fetch: MakeFetch) -> None:
    other = operation(
        operation_start_time_est="10:30 AM", total_par_amt_accepted="25000000.00",
        total_par_amt_offered="100000000.00", max_par_amt_redeemed="25000000",
        operation_close_time_est="null",
    )  # fmt: skip
    small = [security("912810SJ8", "25000000.00", "56.0", operation_start_time_est="10:30 AM")]
    held, bought, gaps = collect(make_fetch, [operation(), other], [*BOUGHT, *small])
    # Two operations of one bucket on one day, told apart by the time at which they open.
    assert [(row["start_time"], row["accepted_usd_mn"]) for row in held] == [
        ("10:30", 25.0), ("13:40", 2000.0),
    ]  # fmt: skip
    # Results are counted five minutes after the close, 20 minutes after the opening.
    assert held[0]["results_at"] == moment(2026, 2, 3, 15, 55)
    assert held[1]["known_at"] == moment(2026, 2, 3, 19, 5)
    assert (held[1]["offered_usd_mn"], held[1]["maximum_usd_mn"]) == (19_868, 3000)
    assert sum(row["accepted_usd_mn"] for row in bought) == 2025
    assert gaps == []


def test_securities_carry_settlement_and_price_and_those_not_bought_a_zero(
    make_fetch: MakeFetch,
) -> None:
    rows = [*BOUGHT[:2], security("912810UX4", "null"), security("912810TT5", "0.00")]
    _, bought, gaps = collect(make_fetch, [operation()], rows)
    assert {row["cusip"]: (row["accepted_usd_mn"], row["price_per100"]) for row in bought} == {
        "912810SJ8": (1500, 56.117), "912810SZ2": (500, 51.055),
        "912810UX4": (0, None), "912810TT5": (0, None),
    }  # fmt: skip
    assert {row["settlement_date"] for row in bought} == {date(2026, 2, 4)}
    assert gaps == []


def test_of_rows_published_twice_the_one_with_a_value_stands(make_fetch: MakeFetch) -> None:
    doubled = [*BOUGHT, *(security(row["cusip_nbr"], "null") for row in BOUGHT)]
    for rows in (doubled, doubled[::-1]):
        _, bought, gaps = collect(make_fetch, [operation()], rows)
        assert [row["accepted_usd_mn"] for row in bought] == [1500, 500, 0]
        assert gaps == []


def test_securities_that_do_not_make_the_total_are_left_out_and_named(
    make_fetch: MakeFetch,
) -> None:
    held, bought, (gap,) = collect(make_fetch, [operation()], BOUGHT[:1])
    assert len(held) == 1
    assert bought == []
    assert "2026-02-03 13:40 (20Y to 30Y) add up to 1,500.000000 of 2,000.000000" in gap


@pytest.mark.parametrize("now", [moment(2026, 2, 2, 15, 30), moment(2026, 2, 3, 18)])
def test_an_announced_operation_has_no_results_and_no_securities(
    make_fetch: MakeFetch, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fetch, "seen_at", now)
    listed = [security("912810UX4", "null")]
    held, bought, gaps = collect(make_fetch, [operation(**NO_RESULTS)], listed, now)
    (row,) = held
    assert (row["accepted_usd_mn"], row["results_at"]) == (None, None)
    # 11:00 of the business day before, or when it was seen if a row was there even earlier.
    assert row["known_at"] == row["announced_at"] == min(moment(2026, 2, 2, 16), now)
    assert (bought, gaps) == ([], [])


def test_as_of_a_day_an_operation_is_not_known_before_it_was_announced(
    make_fetch: MakeFetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer of today lists it, and a fetch as of Friday 30 January is given that answer."""
    monkeypatch.setattr(Fetch, "seen_at", moment(2026, 10, 1))
    (row,), _, _ = collect(make_fetch, [operation(**NO_RESULTS)], [], moment(2026, 1, 30, 22))
    assert row["known_at"] == row["announced_at"] == moment(2026, 2, 2, 16)


def test_an_operation_without_results_afterwards_is_named(make_fetch: MakeFetch) -> None:
    held, _, gaps = collect(make_fetch, [operation(**NO_RESULTS)], [])
    assert held[0]["accepted_usd_mn"] is None
    assert gaps == ["Treasury buybacks: no results of 2026-02-03 13:40 (20Y to 30Y)"]


def test_what_is_not_served_is_a_named_gap(make_fetch: MakeFetch) -> None:
    nothing = (404, "<html>")
    held, bought, gaps = collect(make_fetch, nothing, nothing)
    assert (held, bought) == ([], [])
    assert gaps == ["buybacks: Treasury's operations: HTTP 404"]
    held, bought, gaps = collect(make_fetch, [operation()], nothing)
    assert (len(held), bought) == (1, [])
    assert gaps == ["buyback_securities: HTTP 404"]


def test_details_that_cannot_be_had_cost_no_operation(make_fetch: MakeFetch) -> None:
    held, bought, (gap,) = collect(make_fetch, [operation()], DOWN)
    assert (len(held), bought) == (1, [])
    assert gap.startswith("buyback_securities: no answer in time")


def test_without_the_operations_nothing_can_be_said_of_their_securities(
    make_fetch: MakeFetch,
) -> None:
    with pytest.raises(TransientError):
        collect(make_fetch, DOWN, BOUGHT)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"security_type": "Bills"}, "unknown buyback of 'Bills'"),
        ({"maturity_bucket": "long"}, "a bucket like 20Y to 30Y"),
        ({"total_par_amt_accepted": "2000"}, "expected full dollars"),
        ({"total_par_amt_accepted": "nan"}, "expected a finite number"),
        ({"operation_start_time_est": "13:40"}, "a time like 01:40 PM"),
        ({"operation_start_time_est": "null"}, "is null where a value is due"),
        ({"nbr_issues_eligible": "2.5"}, "expected a count"),
    ],
)
def test_what_is_not_as_expected_is_left_out_and_named(
    make_fetch: MakeFetch, changes: dict[str, str], problem: str
) -> None:
    good = [operation(operation_date="2026-02-04"), operation(operation_date="2026-02-05")]
    held, _, gaps = collect(make_fetch, [operation(**changes), *good], BOUGHT)
    assert len(held) == 2, "one bad row costs itself alone"
    assert any(problem in gap for gap in gaps), gaps


def test_of_two_different_results_of_one_operation_neither_is_believed(
    make_fetch: MakeFetch,
) -> None:
    twice = [operation(), operation(total_par_amt_accepted="1000000000")]
    held, _, gaps = collect(make_fetch, twice, BOUGHT)
    assert held == []
    assert any("comes twice with different values" in gap for gap in gaps), gaps
    # An announced row that lingers beside the results gives way.
    held, _, _ = collect(make_fetch, [operation(), operation(**NO_RESULTS)], BOUGHT)
    assert [row["accepted_usd_mn"] for row in held] == [2000]


def test_the_recorded_rows_are_read(payloads: Path) -> None:
    path = payloads / "fiscaldata" / "buybacks_operations__rows_2026.json"
    recorded = [
        dict.fromkeys(OPERATION_COLUMNS, "null") | row
        for row in json.loads(path.read_text())["data"]
    ]
    rows = parse_operations(Records.of(recorded, OPERATION_COLUMNS), moment(2026, 10, 1))
    assert [(row["accepted_usd_mn"], row["security_class"]) for row in rows] == [
        (2000, "bond"), (5187, "bond"),
    ]  # fmt: skip


@given(data=st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_answer_gives_rows_or_a_declared_failure(data: st.DataObject) -> None:
    """Both tables get the same damaged body: the columns of each are in it."""
    whole = [operation() | row for row in BOUGHT]
    body = data.draw(damaged(answer(whole)))
    if not is_json(body):
        return
    window = Window(*FEBRUARY)
    outcome(
        lambda fetch: {
            table.name: validate(table, rows)
            for table, rows in zip(
                (BUYBACKS, BUYBACK_SECURITIES), collect_buybacks(fetch).values(), strict=True
            )
        },
        Fetch(window, AFTERWARDS, UNIVERSE, Bytes(body)),
    )
