"""The Daily Treasury Statement: every generation of labels, and nothing guessed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.validation import validate
from liquidity_pipeline.sources.errors import (
    EmptyAnswerError,
    NotServedError,
    UnexpectedPayloadError,
)
from liquidity_pipeline.sources.fetch import Fetch
from liquidity_pipeline.sources.fiscal_client import Page, Records
from liquidity_pipeline.sources.fiscal_data import (
    collect_debt_transactions,
    collect_tga_balance,
    parse_cash_transactions,
    parse_face_transactions,
    parse_tga_balance,
)
from liquidity_pipeline_tests.conftest import Replay
from liquidity_pipeline_tests.sources.canned import DOWN, Canned
from liquidity_pipeline_tests.sources.fiscal_bodies import (
    CASH_FLOWS,
    FACE,
    OPERATING_CASH,
    answer,
    balance,
    cash,
    face,
    moment,
    statement,
)

MakeFetch = Callable[..., Fetch]
FEBRUARY = (date(2026, 2, 1), date(2026, 2, 28))
EARLY = moment(2026, 2, 5, 3)  # 22:00 New York on the 4th: the statements of 2 and 3 are out


def records(rows: list[dict[str, str]]) -> Records:
    return Records.of(rows, tuple(rows[0]))


def tga(rows: list[dict[str, str]]) -> list[dict[str, Any]]:
    return parse_tga_balance(records(rows)).to_pylist()


def saved(folder: Path, name: str) -> Records:
    payload = json.loads((folder / "fiscaldata" / name).read_text())
    rows = Page.parse(payload).rows if "meta" in payload else payload["data"]
    return Records.of(rows, tuple(rows[0]))


def test_until_2021_the_close_stands_on_the_federal_reserve_account():
    (row,) = tga(
        [
            balance("2016-01-04", "Federal Reserve Account", "333447", "332106"),
            balance("2016-01-04", "Supplementary Financing Program Account", "0", "0", line=2),
            balance("2016-01-04", "Short-Term Cash Investments (Table V)", "0", "0", line=3),
        ]
    )
    assert row == {
        "record_date": date(2016, 1, 4),
        "opening_usd_mn": 333447.0,
        "deposits_usd_mn": None,
        "withdrawals_usd_mn": None,
        "closing_usd_mn": 332106.0,
        "known_at": moment(2016, 1, 5, 21),  # 16:00 in New York on the next business day
    }


def test_from_october_2021_the_close_stands_on_the_renamed_account():
    (row,) = tga([balance("2021-10-01", "Treasury General Account (TGA)", "215160", "132452")])
    assert (row["opening_usd_mn"], row["closing_usd_mn"]) == (215160, 132452)


def test_from_april_2022_the_close_stands_in_the_opening_column_of_its_own_line():
    (row,) = tga(statement("2022-04-18", "578473", "284332", "21553", "841253"))
    assert row["opening_usd_mn"] + row["deposits_usd_mn"] - row["withdrawals_usd_mn"] == 841252
    assert row["closing_usd_mn"] == 841253


def test_a_statement_without_flows_has_none():
    opening, *_, closing = statement("2026-08-21", "935077", "-", "-", "930000")
    (row,) = tga([closing, opening])
    assert (row["deposits_usd_mn"], row["withdrawals_usd_mn"]) == (None, None)


def test_a_day_whose_close_cannot_be_found_is_refused_with_its_labels():
    *others, closing = statement("2026-02-03", "897983", "1", "1", "907892")
    renamed = closing | {"account_type": "TGA Balance at Close"}
    with pytest.raises(UnexpectedPayloadError, match=r"on 2026-02-03.*TGA Balance at Close"):
        tga([*statement("2026-02-02", "1", "1", "1", "1"), *others, renamed])


def test_an_unknown_line_in_the_present_layout_is_refused():
    opening, deposits, withdrawals, closing = statement("2026-02-03", "1", "1", "1", "1")
    renamed = deposits | {"account_type": "Total Deposits"}
    with pytest.raises(UnexpectedPayloadError, match=r"unknown account_type \{'Total Deposits'\}"):
        tga([opening, renamed, withdrawals, closing])


@pytest.mark.parametrize("line", range(4))
def test_a_line_without_its_figure_is_refused(line):
    rows = statement("2026-02-03", "1", "2", "3", "4")
    rows[line]["open_today_bal"] = "null"
    with pytest.raises(UnexpectedPayloadError, match="open_today_bal is null where a value is due"):
        tga(rows)


def test_a_footnote_among_the_lines_costs_no_statement():
    note = balance("2026-02-03", "1/ Preliminary figures.", "null", line=5)
    nameless = balance("2026-02-03", "null", "null", line=6)
    rows = statement("2026-02-03", "1", "2", "3", "4")
    assert tga([*rows, note, nameless]) == tga(rows)


def test_two_closes_of_one_day_are_refused():
    rows = statement("2026-02-03", "1", "2", "3", "4")
    with pytest.raises(UnexpectedPayloadError, match="more than one row for"):
        tga([*rows, rows[-1] | {"open_today_bal": "5"}])


def test_no_balance_at_all_is_an_error_only_where_a_statement_is_due(make_fetch: MakeFetch):
    transport = Canned({OPERATING_CASH: answer([])})
    with pytest.raises(EmptyAnswerError, match="2 statements from 2026-02-02 to 2026-02-03"):
        collect_tga_balance(make_fetch(transport, *FEBRUARY, now=EARLY))
    before_the_first = moment(2026, 2, 2, 12)
    found = collect_tga_balance(make_fetch(transport, *FEBRUARY, now=before_the_first))
    assert found["tga_balance"].num_rows == 0


def test_the_range_is_asked_for_once_and_ends_today(make_fetch: MakeFetch):
    transport = Canned({OPERATING_CASH: answer(statement("2026-02-02", "1", "1", "1", "1"))})
    collect_tga_balance(make_fetch(transport, *FEBRUARY, now=EARLY))
    ((_, params),) = transport.asked
    assert params["filter"] == "record_date:gte:2026-02-01,record_date:lte:2026-02-04"


def test_face_amounts_keep_the_statements_lines_without_its_totals():
    table = parse_face_transactions(
        records(
            [
                face(
                    "2026-02-03", "Issues", "Bills", "283770", security_type_desc="Regular Series"
                ),
                face("2026-02-03", "Issues", "Notes", "-14"),
                face("2026-02-03", "Issues", "Total Issues", "283756", security_market="null"),
            ]
        )
    )
    assert [
        (row["dts_table"], row["security_type"], row["security_type_desc"], row["amount_usd_mn"])
        for row in table.to_pylist()
    ] == [("IIIA", "Bills", "Regular Series", 283770.0), ("IIIA", "Notes", None, -14.0)]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (face("2026-02-03", "Issues", "Bills", "2"), "more than one row for"),
        (face("2026-02-03", "Swaps", "Bills", "2"), r"unknown transaction_type \{'Swaps'\}"),
        (
            face("2026-02-03", "Issues", "Bills", "2", security_market="Digital"),
            r"unknown security_market \{'Digital'\}",
        ),
        (face("2026-02-03", "Issues", "Notes", "null"), "transaction_today_amt is null"),
    ],
)
def test_face_lines_that_cannot_be_told_apart_or_read_are_refused(second, message):
    with pytest.raises(UnexpectedPayloadError, match=message):
        parse_face_transactions(records([face("2026-02-03", "Issues", "Bills", "1"), second]))


def test_cash_lines_of_both_spellings_become_issues_and_redemptions():
    table = parse_cash_transactions(
        records(
            [
                cash("2026-10-06", "Public Debt Cash Issues (Table IIIB)", "291668"),
                cash("2026-10-06", "Public Debt Cash Redemp. (Table IIIB)", "280670"),
                cash("2010-10-06", "Public Debt Cash Redemp. (Table III-B)", "1"),
            ]
        )
    )
    assert table["transaction_type"].to_pylist() == ["Issues", "Redemptions", "Redemptions"]
    assert set(table["dts_table"].to_pylist()) == {"II"}
    assert set(table["security_market"].to_pylist()) == {"All"}
    assert table["security_type"][2].as_py() == "Public Debt Cash Redemp. (Table III-B)"


def test_a_table_that_is_not_served_is_a_gap_and_the_other_goes_on(make_fetch: MakeFetch):
    day = answer([face("2026-02-02", "Issues", "Bills", "7")])
    fetch = make_fetch(Canned({FACE: day}), *FEBRUARY, now=EARLY)
    rows = collect_debt_transactions(fetch)["debt_transactions"]
    assert rows["amount_usd_mn"].to_pylist() == [7]
    assert [gap.split(":")[0] for gap in fetch.gaps] == ["Daily Treasury Statement, table II"]


@pytest.mark.parametrize("reply", [(403, "Forbidden"), DOWN])
@pytest.mark.parametrize(("failing", "left"), [(FACE, 3), (CASH_FLOWS, 7)])
def test_a_table_that_cannot_be_had_costs_no_other(
    make_fetch: MakeFetch, failing: str, left: int, reply: Any
):
    replies = {
        FACE: answer([face("2026-02-02", "Issues", "Bills", "7")]),
        CASH_FLOWS: answer([cash("2026-02-02", "Public Debt Cash Issues (Table IIIB)", "3")]),
    }
    fetch = make_fetch(Canned({**replies, failing: reply}), *FEBRUARY, now=EARLY)
    rows = collect_debt_transactions(fetch)["debt_transactions"]
    assert rows["amount_usd_mn"].to_pylist() == [left]


def test_a_day_without_its_cash_lines_is_a_gap_because_a_label_may_have_changed(
    make_fetch: MakeFetch,
):
    lines = [
        cash("2026-02-02", "Public Debt Cash Issues (Table IIIB)", "3"),
        cash("2026-02-02", "Public Debt Cash Redemp. (Table IIIB)", "2"),
        cash("2026-02-03", "Public Debt Cash Issues (Table IIIB)", "1"),
    ]
    transport = Canned(
        {FACE: answer([face("2026-02-02", "Issues", "Bills", "7")]), CASH_FLOWS: answer(lines)}
    )
    fetch = make_fetch(transport, *FEBRUARY, now=EARLY)
    rows = collect_debt_transactions(fetch)["debt_transactions"]
    validate(SOURCE_TABLES["debt_transactions"], rows)
    assert rows.num_rows == 4
    (gap,) = fetch.gaps
    assert "on 1 of 2 days, first 2026-02-03" in gap


def test_neither_table_served_or_no_face_amounts_is_an_error(make_fetch: MakeFetch):
    with pytest.raises(NotServedError, match=r"table IIIA: HTTP 404.*table II: HTTP 404"):
        collect_debt_transactions(make_fetch(Canned({}), *FEBRUARY, now=EARLY))
    with pytest.raises(EmptyAnswerError, match="2 statements"):
        collect_debt_transactions(make_fetch(Canned({FACE: answer([])}), *FEBRUARY, now=EARLY))


def test_real_bodies_of_table_one_are_read(payloads: Path):
    (latest,) = parse_tga_balance(
        saved(payloads, "operating_cash_balance__2026-10-06_all_lines.json")
    ).to_pylist()
    assert [latest[f"{name}_usd_mn"] for name in ("opening", "deposits", "withdrawals")] == [
        883335,
        299916,
        297837,
    ]
    assert latest["closing_usd_mn"] == 885414
    week = parse_tga_balance(
        saved(payloads, "operating_cash_balance__2026-06-01_2026-06-10_EXCERPT_data_only.json")
    ).to_pylist()
    assert (len(week), week[0]["closing_usd_mn"], week[1]["opening_usd_mn"]) == (8, 856842, 856842)


def test_the_real_first_statement_of_2005_is_read(payloads: Path):
    payload = json.loads(
        (payloads / "fiscaldata/operating_cash_balance__earliest_row_2005-10-03.json").read_text()
    )
    rows = payload["data"]
    (row,) = tga(rows)
    assert (row["opening_usd_mn"], row["closing_usd_mn"]) == (4381, 5448)


def test_the_real_worked_example_of_table_iiia_nets_to_11258(payloads: Path):
    rows = parse_face_transactions(
        saved(payloads, "public_debt_transactions__2026-10-06_marketable.json")
    )
    assert net_face(rows) == 283993 - 272735 == 11258


def net_face(rows: pa.Table) -> float:
    sign = {"Issues": 1, "Redemptions": -1}
    return sum(sign[row["transaction_type"]] * row["amount_usd_mn"] for row in rows.to_pylist())


@pytest.mark.replay
def test_the_recorded_history_gives_the_published_balances(replay: Replay, make_fetch: MakeFetch):
    fetch = make_fetch(replay(), date(2016, 1, 1), date(2026, 2, 28))
    rows = collect_tga_balance(fetch)["tga_balance"]
    validate(SOURCE_TABLES["tga_balance"], rows)
    close = {row["record_date"].isoformat(): row["closing_usd_mn"] for row in rows.to_pylist()}
    published = {
        "2016-01-04": 332106,
        "2019-09-16": 298755,
        "2019-09-17": 307731,
        "2020-07-31": 1763090,
        "2021-09-30": 215160,
        "2021-10-01": 132452,
        "2022-04-15": 578473,
        "2022-04-18": 841253,
        "2023-06-01": 22892,
        "2025-09-02": 690094,
        "2025-09-12": 707770,
        "2025-09-15": 857709,
        "2025-12-31": 872853,
        "2026-01-30": 893245,
    }
    assert {day: close.get(day) for day in published} == published
    for row in rows.filter(pa.compute.is_valid(rows["deposits_usd_mn"])).to_pylist():
        flows = row["deposits_usd_mn"] - row["withdrawals_usd_mn"]
        assert abs(row["opening_usd_mn"] + flows - row["closing_usd_mn"]) <= 2, row["record_date"]


@pytest.mark.replay
def test_the_recorded_months_without_table_iiia_are_an_empty_answer(
    replay: Replay, make_fetch: MakeFetch
):
    with pytest.raises(EmptyAnswerError, match="statements from 2025-12-01"):
        collect_debt_transactions(make_fetch(replay(), date(2025, 12, 1), date(2025, 12, 31)))
