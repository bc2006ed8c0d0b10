"""Table II by line: totals among the lines, days that were half published, names that are new."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liquidity_pipeline.contracts.sources.itemised import LINE_GROUPS, TGA_FLOWS
from liquidity_pipeline.contracts.validation import validate
from liquidity_pipeline.settings import default_reference_dir
from liquidity_pipeline.sources.errors import (
    EmptyAnswerError,
    TransientError,
    UnexpectedPayloadError,
)
from liquidity_pipeline.sources.fetch import Fetch, Window
from liquidity_pipeline.sources.statement_lines import KNOWN, group_of
from liquidity_pipeline.sources.tga_flows import COLUMNS, collect_tga_flows
from liquidity_pipeline.universe import Universe
from liquidity_pipeline_tests.sources.canned import DOWN, Canned
from liquidity_pipeline_tests.sources.fiscal_bodies import CASH_FLOWS, Row, answer, moment
from liquidity_pipeline_tests.sources.mutations import Bytes, damaged, is_json, outcome

MakeFetch = Callable[..., Fetch]
UNIVERSE = Universe.load(default_reference_dir())
FEBRUARY = (date(2026, 2, 1), date(2026, 2, 28))
NOW = moment(2026, 2, 5, 3)  # the statements of 2 and 3 February are out
TAXES, BENEFITS = "Taxes - Corporate Income", "SSA - Benefits Payments"


def line(day: str, way: str, name: str, amount: str, **changes: str) -> Row:
    return {
        "record_date": day,
        "account_type": "Treasury General Account (TGA)",
        "transaction_type": way,
        "transaction_catg": name,
        "transaction_catg_desc": "null",
        "transaction_today_amt": amount,
        "src_line_nbr": "1",
    } | changes


def total(day: str, way: str, amount: str) -> Row:
    account = f"Treasury General Account Total {way}"
    return line(day, way, "null", amount, account_type=account, src_line_nbr="99")


def statement(day: str) -> list[Row]:
    return [
        line(day, "Deposits", TAXES, "300", src_line_nbr="1"),
        line(day, "Deposits", "Public Debt Cash Issues (Table IIIB)", "2000", src_line_nbr="2"),
        total(day, "Deposits", "2301"),
        line(day, "Withdrawals", BENEFITS, "-20", src_line_nbr="4"),
        line(day, "Withdrawals", "Public Debt Cash Redemp. (Table IIIB)", "1791", src_line_nbr="5"),
        total(day, "Withdrawals", "1771"),
    ]


MONDAY, TUESDAY = statement("2026-02-02"), statement("2026-02-03")


def collect(make_fetch: MakeFetch, rows: Any) -> tuple[list[dict[str, Any]], list[str]]:
    reply = answer(rows) if isinstance(rows, list) else rows
    fetch = make_fetch(Canned({CASH_FLOWS: reply}), *FEBRUARY, NOW)
    return validate(TGA_FLOWS, collect_tga_flows(fetch)["tga_flows"]).to_pylist(), fetch.gaps


def test_lines_are_rows_and_totals_are_not(make_fetch: MakeFetch) -> None:
    rows, gaps = collect(make_fetch, [*MONDAY, *TUESDAY])
    monday = [row for row in rows if row["record_date"] == date(2026, 2, 2)]
    assert [
        (row["direction"], row["category"], row["amount_usd_mn"], row["line_group"])
        for row in monday
    ] == [
        ("deposits", "Public Debt Cash Issues (Table IIIB)", 2000, "public_debt"),
        ("deposits", TAXES, 300, "taxes"),
        ("withdrawals", "Public Debt Cash Redemp. (Table IIIB)", 1791, "public_debt"),
        ("withdrawals", BENEFITS, -20, "social_security"),
    ]
    assert {row["known_at"] for row in monday} == {moment(2026, 2, 3, 21)}
    assert len(rows) == 8
    assert gaps == []


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (TUESDAY[1:], "deposits of 2,000 in 1 lines, 2,301 stated"),
        ([row for row in TUESDAY if row["transaction_catg"] != "null"], "deposits have no total"),
        (TUESDAY[:3], "no withdrawals"),
        ([*TUESDAY[:3], *TUESDAY[3:4], TUESDAY[5]], "withdrawals of -20 in 1 lines, 1,771 stated"),
    ],
)
def test_half_a_day_is_a_named_gap_and_not_a_day(
    make_fetch: MakeFetch, rows: list[Row], problem: str
) -> None:
    found, (gap,) = collect(make_fetch, [*MONDAY, *rows])
    assert {row["record_date"] for row in found} == {date(2026, 2, 2)}
    assert gap.startswith(
        "Daily Treasury Statement, table II: 1 day(s) from 2026-02-03 to 2026-02-03 left out"
    )
    assert f"2026-02-03: {problem}" in gap


def test_each_line_may_be_off_by_half_a_million_for_rounding(make_fetch: MakeFetch) -> None:
    # Two lines and their total, each rounded to a million: together at most 1.5.
    for stated, stored in (("2301", True), ("2302", False)):
        rows = [row for row in TUESDAY if row["transaction_today_amt"] != "2301"]
        found, _ = collect(make_fetch, [*MONDAY, *rows, total("2026-02-03", "Deposits", stated)])
        assert (date(2026, 2, 3) in {row["record_date"] for row in found}) == stored


def test_new_and_renamed_lines_are_kept_and_marked(make_fetch: MakeFetch) -> None:
    renamed = [row | {"transaction_catg": "SSA - Old Age Benefits"} if
               row["transaction_catg"] == BENEFITS else row for row in MONDAY]  # fmt: skip
    rows, gaps = collect(make_fetch, renamed)
    new = {row["category"]: row["line_group"] for row in rows if not row["is_known_line"]}
    assert new == {"SSA - Old Age Benefits": "social_security"}
    assert gaps == []


def test_sub_totals_are_no_lines_and_a_line_in_two_parts_is_one(make_fetch: MakeFetch) -> None:
    day = "2026-02-02"
    parts = [line(day, "Deposits", TAXES, "100", src_line_nbr="1"),
             line(day, "Deposits", TAXES, "200", src_line_nbr="7"),
             line(day, "Deposits", "Sub-Total Deposits", "300", src_line_nbr="8")]  # fmt: skip
    rows, gaps = collect(make_fetch, [*parts, *MONDAY[1:]])
    assert {row["amount_usd_mn"] for row in rows if row["category"] == TAXES} == {300}
    assert len(rows) == 4
    assert gaps == []


def test_a_second_label_is_part_of_the_name(make_fetch: MakeFetch) -> None:
    rows = [MONDAY[0] | {"transaction_catg_desc": "Estimated"}, *MONDAY[1:]]
    found, _ = collect(make_fetch, rows)
    assert f"{TAXES} / Estimated" in {row["category"] for row in found}


def test_a_table_that_is_not_served_is_a_named_gap(make_fetch: MakeFetch) -> None:
    rows, (gap,) = collect(make_fetch, (404, "<html>"))
    assert rows == []
    assert gap == "tga_flows: table II of the Daily Treasury Statement: HTTP 404"


QUARTER = (date(2026, 1, 1), date(2026, 4, 30), datetime.fromisoformat("2026-04-15 12:00"))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (DOWN, "no answer in time, after 5 attempts, at http://test; the next run asks again"),
        ((403, "Forbidden"), "HTTP 403: Forbidden"),
    ],
)
def test_months_that_cannot_be_had_cost_no_others(
    make_fetch: MakeFetch, bad: Any, said: str
) -> None:
    def reply(params: dict[str, Any]) -> Any:
        if "gte:2026-03-01" not in params["filter"]:
            return answer([*MONDAY, *TUESDAY])
        if isinstance(bad, Exception):
            raise bad
        return bad

    fetch = make_fetch(Canned({CASH_FLOWS: reply}), *QUARTER)
    days = set(collect_tga_flows(fetch)["tga_flows"]["record_date"].to_pylist())
    assert days == {date(2026, 2, 2), date(2026, 2, 3)}
    what = "tga_flows: table II of the Daily Treasury Statement, two months from 2026-03-01"
    assert fetch.gaps == [f"{what}: {said}"]


def test_after_a_refusal_in_the_middle_what_came_before_is_kept(make_fetch: MakeFetch) -> None:
    def reply(params: dict[str, Any]) -> Any:
        return (404, "") if "gte:2026-03-01" in params["filter"] else answer([*MONDAY, *TUESDAY])

    transport = Canned({CASH_FLOWS: reply})
    fetch = make_fetch(
        transport, QUARTER[0], date(2026, 8, 31), datetime.fromisoformat("2026-08-15 12:00")
    )
    assert collect_tga_flows(fetch)["tga_flows"].num_rows > 0
    assert len(transport.asked) == 2


def test_where_no_month_can_be_had_the_failure_is_raised(make_fetch: MakeFetch) -> None:
    with pytest.raises(TransientError, match="no answer in time"):
        collect_tga_flows(make_fetch(Canned({CASH_FLOWS: DOWN}), *QUARTER))


def test_an_empty_answer_where_statements_are_due_is_refused(make_fetch: MakeFetch) -> None:
    with pytest.raises(EmptyAnswerError, match="2 statements from 2026-02-02 to 2026-02-03"):
        collect(make_fetch, [])


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"transaction_type": "Transfers"}, "unknown transaction_type 'Transfers'"),
        ({"transaction_catg": "null"}, "null in a line of 2026-02-02 that is no total"),
        ({"transaction_today_amt": "null"}, "is null where a value is due"),
        ({"transaction_today_amt": "a lot"}, "expected a number"),
    ],
)
def test_what_is_not_as_expected_is_refused(
    make_fetch: MakeFetch, changes: dict[str, str], problem: str
) -> None:
    with pytest.raises(UnexpectedPayloadError, match=problem):
        collect(make_fetch, [MONDAY[0] | changes, *MONDAY[1:]])


@pytest.mark.parametrize(
    "changes",
    [
        {"transaction_type": "Transfers"},
        {"transaction_today_amt": "1,234"},
        {"transaction_catg": "null"},
        {"record_date": "02/03/2026"},
        {"transaction_catg": 7},
    ],
)
def test_a_row_that_cannot_be_read_costs_its_day_and_no_other(
    make_fetch: MakeFetch, changes: dict[str, Any]
) -> None:
    rows, gaps = collect(make_fetch, [*MONDAY, TUESDAY[0] | changes, *TUESDAY[1:]])
    assert {row["record_date"] for row in rows} == {date(2026, 2, 2)}
    assert gaps


def test_a_footnote_is_no_line(make_fetch: MakeFetch) -> None:
    note = line("2026-02-02", "null", "1/ Includes transfers.", "null")
    assert collect(make_fetch, [*MONDAY, *TUESDAY, note]) == collect(
        make_fetch, [*MONDAY, *TUESDAY]
    )


def test_months_are_asked_for_in_parts_and_never_beyond_today(make_fetch: MakeFetch) -> None:
    transport = Canned({CASH_FLOWS: lambda _: answer(MONDAY)})
    fetch = make_fetch(transport, date(2025, 10, 1), date(2026, 6, 30), NOW)
    collect_tga_flows(fetch)
    spans = [asked["filter"] for _, asked in transport.asked]
    assert spans == [
        "record_date:gte:2025-10-01,record_date:lte:2025-11-30",
        "record_date:gte:2025-12-01,record_date:lte:2026-01-31",
        "record_date:gte:2026-02-01,record_date:lte:2026-02-04",
    ]


def test_every_known_line_has_a_group_and_debt_is_its_own() -> None:
    assert {group_of(name) for name in KNOWN} == set(LINE_GROUPS)
    debt = {name for name in KNOWN if group_of(name) == "public_debt"}
    assert debt == {
        f"Public Debt Cash {what} (Table {table})"
        for what in ("Issues", "Redemp.")
        for table in ("IIIB", "III-B")
    }


def test_every_recorded_line_is_known(payloads: Path) -> None:
    name = "deposits_withdrawals_operating_cash__2026-08_EXCERPT_41of3600rows.json"
    recorded = json.loads((payloads / "fiscaldata" / name).read_text())["data"]
    assert set(COLUMNS) <= set(recorded[0])
    assert {row["transaction_catg"] for row in recorded} - {"null"} <= KNOWN


@given(data=st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_answer_gives_rows_or_a_declared_failure(data: st.DataObject) -> None:
    body = data.draw(damaged(answer([*MONDAY, *TUESDAY])))
    if not is_json(body):
        return
    fetch = Fetch(Window(*FEBRUARY), NOW, UNIVERSE, Bytes(body))
    outcome(lambda fetch: validate(TGA_FLOWS, collect_tga_flows(fetch)["tga_flows"]), fetch)
