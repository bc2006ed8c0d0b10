"""Items and totals of one world: buybacks by security, SOMA by CUSIP, the banks' balance sheet."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from liquidity_pipeline.sandbox import days
from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.publishers import fiscal_buybacks, fiscal_query, fred
from liquidity_pipeline.sandbox.publishers.wire import Request, World
from liquidity_pipeline.sandbox.server import make_world
from liquidity_pipeline_tests.sandbox.client import get, rows, series

OPERATIONS, SECURITIES = "od/buybacks_operations", "od/buybacks_security_details"
MN = 1_000_000


def key(row: Mapping[str, str]) -> tuple[str, str]:
    """Return the publisher's own key of an operation."""
    return row["operation_date"], row["operation_start_time_est"]


def at(world: World, *moment: int) -> World:
    """Return the world as seen at a New York time."""
    day, hour, minute = days.day(*moment[:3]), *moment[3:]
    seen = days.new_york_time(day, hour, minute)
    return World(world.economy, world.start, lambda: seen, world.kept)


def ask(table: fiscal_query.Table, **given: str) -> list[dict[str, str]]:
    reply = fiscal_query.answer(table, Request("", [*given.items(), ("page[size]", "10000")], {}))
    found: list[dict[str, str]] = json.loads(str(reply.body))["data"]
    return found


def test_what_was_bought_of_each_security_adds_up_to_the_operation(sandbox):
    bought: dict[tuple[str, str], float] = defaultdict(float)
    listed: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows(sandbox, SECURITIES):
        listed[key(row)].add(row["cusip_nbr"])
        if row["par_amt_accepted"] != "null":
            bought[key(row)] += float(row["par_amt_accepted"])
    operations = rows(sandbox, OPERATIONS)
    # 117 Wednesdays from 2024-05-29 to 2026-08-19 less three holidays (Juneteenth and Christmas
    # 2024, New Year 2025), and one small test in each of four Marches and Septembers.
    assert len(operations) == 117 - 3 + 4
    assert len({key(row) for row in operations}) == len(operations)
    for row in operations:
        accepted = float(row["total_par_amt_accepted"])
        assert bought[key(row)] == accepted <= float(row["max_par_amt_redeemed"])
        assert len(listed[key(row)]) == int(row["nbr_issues_eligible"])
    # Two operations of one bucket on a day, told apart by the time alone.
    assert sum(row["operation_date"] == "2026-03-04" for row in operations) == 2
    # Both spellings of an amount.
    assert {"." in row["total_par_amt_accepted"] for row in operations} == {True, False}


def test_one_day_of_securities_is_published_twice_and_once_without_values(sandbox):
    found = rows(sandbox, SECURITIES, filter="operation_date:eq:2024-08-21")
    by_security: dict[str, list[str]] = defaultdict(list)
    for row in found:
        by_security[row["cusip_nbr"]].append(row["par_amt_accepted"])
    assert all(len(amounts) == 2 and "null" in amounts for amounts in by_security.values())
    other = rows(sandbox, SECURITIES, filter="operation_date:eq:2024-08-28")
    assert len({row["cusip_nbr"] for row in other}) == len(other)
    # Eligible and not bought: a zero, or "null".
    assert {"0.00", "null"} < {row["par_amt_accepted"] for row in other}


@pytest.mark.parametrize(
    ("moment", "there", "results"),
    [
        ((2026, 8, 18, 10, 59), False, False),
        ((2026, 8, 18, 11, 0), True, False),
        ((2026, 8, 19, 14, 4), True, False),
        ((2026, 8, 19, 14, 5), True, True),
    ],
)
def test_an_operation_is_announced_the_day_before_and_filled_in_after_it(
    world, moment, there, results
):
    seen = at(world, *moment)
    found = ask(fiscal_buybacks.buybacks_operations(seen), filter="operation_date:eq:2026-08-19")
    assert len(found) == there
    for row in found:
        assert (row["total_par_amt_accepted"] != "null") == results
        assert row["max_par_amt_redeemed"] == "3000000000"
    listed = ask(
        fiscal_buybacks.buybacks_security_details(seen), filter="operation_date:eq:2026-08-19"
    )
    assert any(row["par_amt_accepted"] not in {"null", "0.00"} for row in listed) == results


def test_the_detail_rows_have_the_columns_of_the_capture(sandbox, payloads):
    for table, name in (
        (OPERATIONS, "buybacks_operations__rows_2026.json"),
        (SECURITIES, "buybacks_security_details__sample.json"),
    ):
        real = json.loads((payloads / "fiscaldata" / name).read_text())
        ours = rows(sandbox, table)[0]
        assert list(ours) == list(real["data"][0])
    assert get_types(sandbox) == real["meta_types"]


def get_types(sandbox: str) -> dict[str, str]:
    path = f"/fiscaldata/services/api/fiscal_service/v1/accounting/{SECURITIES}"
    found: dict[str, str] = get(sandbox, path).json()["meta"]["dataTypes"]
    return found


def holdings(sandbox: str, day: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = get(sandbox, f"/nyfed/api/soma/tsy/get/asof/{day}.json").json()[
        "soma"
    ]["holdings"]
    return found


@pytest.mark.parametrize("day", ["2019-01-09", "2022-03-16", "2024-12-25", "2026-08-19"])
def test_holdings_by_security_add_up_to_the_summary_to_the_dollar(sandbox, day):
    summary: list[dict[str, Any]] = get(sandbox, "/nyfed/api/soma/summary.json").json()["soma"][
        "summary"
    ]
    (week,) = [row for row in summary if row["asOfDate"] == day]
    sums: dict[str, int] = defaultdict(int)
    for row in holdings(sandbox, day):
        sums[row["securityType"]] += int(row["parValue"])
        sums["inflation"] += int(row["inflationCompensation"] or 0)
        assert 0 < float(row["percentOutstanding"]) <= 1
    expected = {
        "Bills": "bills", "NotesBonds": "notesbonds", "FRN": "frn", "TIPS": "tips",
        "inflation": "tipsInflationCompensation",
    }  # fmt: skip
    assert sums == {kind: float(week[name]) for kind, name in expected.items()}


def test_holdings_change_by_what_they_say(sandbox):
    before = {row["cusip"]: int(row["parValue"]) for row in holdings(sandbox, "2026-08-12")}
    now = holdings(sandbox, "2026-08-19")
    assert len(now) > 250
    for row in now:
        change = int(row["parValue"]) - before.get(row["cusip"], 0)
        assert int(row["changeFromPriorWeek"]) == change


def test_holdings_have_the_keys_of_the_capture_and_other_days_have_none(sandbox, payloads):
    real = json.loads(
        (payloads / "nyfed" / "soma_tsy_get_asof_2026-08-26__2of431rows.json").read_text()
    )
    row = holdings(sandbox, "2026-08-19")[0]
    assert set(real["soma"]["holdings"][0]) <= set(row)
    assert all(isinstance(value, str) for value in row.values())
    assert holdings(sandbox, "2026-08-20") == holdings(sandbox, "2026-08-26") == []


def test_what_soma_holds_of_a_maturing_bill_is_on_the_auctions_that_refund_it(sandbox):
    """The Fed's share of what matures, by CUSIP: exact, and equal to Treasury's statement."""
    held = {row["cusip"]: int(row["parValue"]) for row in holdings(sandbox, "2026-08-12")}
    query = "maturity_date:eq:2026-08-13,security_type:eq:Bill"
    maturing = {row["cusip"] for row in rows(sandbox, "od/auctions_query", filter=query)}
    (stated,) = {
        row["soma_holdings"]
        for row in rows(sandbox, "od/auctions_query", filter="issue_date:eq:2026-08-13")
        if row["security_type"] == "Bill"
    }
    assert sum(held[name] for name in maturing if name in held) == int(stated) > 0


def test_bank_assets_and_loans_are_published_nine_days_late():
    world = make_world(Options(today=date(2026, 8, 21), start=date(2024, 1, 2)))
    shown = {}
    for moment in ((2026, 8, 21, 16, 14), (2026, 8, 21, 16, 15)):
        asked = Request("graph/fredgraph.csv", [("id", "TLAACBW027SBOG")], {})
        body = str(fred.answer(at(world, *moment), asked).body)
        shown[moment] = body.splitlines()[-1].split(",")[0]
    assert list(shown.values()) == ["2026-08-05", "2026-08-12"]


def test_bank_loans_are_a_part_of_bank_assets(sandbox):
    assets, loans = (series(sandbox, name) for name in ("TLAACBW027SBOG", "TOTLL"))
    assert assets.keys() == loans.keys()
    first = datetime.fromisoformat(next(iter(assets)))
    assert list(assets)[1] == f"{first + timedelta(days=7):%Y-%m-%d}"
    for day, value in assets.items():
        # The ample level of reserves is measured against 24.5 trillion in 2026.
        assert 15_000 < float(value) < 26_000
        assert 0.45 < float(loans[day]) / float(value) < 0.6
