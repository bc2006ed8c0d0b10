"""Every identity holds to the dollar in the tables that report it, read over HTTP."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise

import pytest

from liquidity_pipeline_tests.sandbox.client import get, rows, series

SPAN = "record_date:gte:2025-09-02,record_date:lte:2026-08-20"
MN = 1_000_000


@pytest.fixture(scope="module")
def tga(sandbox: str) -> dict[str, dict[str, int]]:
    """Table I of a year: {date: {line: amount}}."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows(sandbox, "dts/operating_cash_balance", filter=SPAN):
        found[row["record_date"]][row["src_line_nbr"]] = int(row["open_today_bal"])
    return found


@pytest.fixture(scope="module")
def table_two(sandbox: str) -> list[dict[str, str]]:
    """Table II of a year."""
    return rows(sandbox, "dts/deposits_withdrawals_operating_cash", filter=SPAN)


def test_cash_balance_rolls_forward(tga):
    previous = None
    for lines in tga.values():
        assert lines["1"] + lines["2"] - lines["3"] == lines["4"]
        assert previous in (None, lines["1"])
        previous = lines["4"]
    # The recorded statement has 243 days after 2025-09-02 to this evening.
    assert len(tga) == 1 + 243


def test_items_add_up_to_the_totals_of_table_one(tga, table_two):
    items: dict[tuple[str, str], int] = defaultdict(int)
    totals: dict[tuple[str, str], int] = {}
    for row in table_two:
        key, amount = (row["record_date"], row["transaction_type"]), row["transaction_today_amt"]
        if row["transaction_catg"] == "null":
            totals[key] = int(amount)
        else:
            items[key] += int(amount)
    assert items == totals
    for day, lines in tga.items():
        assert (totals[day, "Deposits"], totals[day, "Withdrawals"]) == (lines["2"], lines["3"])


def test_month_to_date_is_the_running_sum(table_two):
    running: dict[tuple[str, ...], int] = defaultdict(int)
    for row in table_two:
        if row["record_date"] < "2025-10-01":
            continue
        name = (row["transaction_type"], row["transaction_catg"])
        month, year = (*name, row["record_date"][:7]), (*name, row["record_fiscal_year"])
        running[month] += int(row["transaction_today_amt"])
        running[year] += int(row["transaction_today_amt"])
        assert int(row["transaction_mtd_amt"]) == running[month]
        assert int(row["transaction_fytd_amt"]) == running[year]


def test_table_three_b_leads_from_face_value_to_the_debt_rows_of_table_two(sandbox, table_two):
    cash = {
        (row["record_date"], "Issues" if "Issues" in row["transaction_catg"] else "Redemptions"):
            int(row["transaction_today_amt"])
        for row in table_two
        if row["transaction_catg"].startswith("Public Debt Cash")
    }  # fmt: skip
    face: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows(sandbox, "dts/public_debt_transactions", filter=SPAN):
        face[row["record_date"], row["transaction_type"]] += int(row["transaction_today_amt"])
    adjusted: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows(sandbox, "dts/adjustment_public_debt_transactions_cash_basis", filter=SPAN):
        key, amount = (row["record_date"], row["transaction_type"]), int(row["adj_today_amt"])
        if row["adj_type"].startswith("Total"):
            assert amount == cash[key]
            continue
        if "(Table IIIA)" in row["adj_type"]:
            assert amount == face[key]
        minus = "(-)" in row["adj_type"] + row["adj_type_desc"]
        adjusted[key] += -amount if minus else amount
    assert adjusted == cash


def test_table_three_a_is_what_the_auctions_settle_and_redeem(sandbox):
    auctions = rows(
        sandbox,
        "od/auctions_query",
        fields="cusip,auction_date,issue_date,maturity_date,security_type,total_accepted",
        filter="total_accepted:gt:0",
    )
    buybacks = rows(sandbox, "od/buybacks_operations", filter="total_par_amt_accepted:gt:0")
    expected: dict[tuple[str, str], int] = defaultdict(int)
    days = sorted(
        {r["record_date"] for r in rows(sandbox, "dts/operating_cash_balance", filter=SPAN)}
    )
    for row in auctions:
        amount = int(row["total_accepted"]) // MN
        expected["Issues", row["issue_date"]] += amount
        paid = next((day for day in days if day >= row["maturity_date"]), "")
        expected["Redemptions", paid if row["maturity_date"] > "2025-08-29" else ""] += amount
    for row in buybacks:
        accepted = int(float(row["total_par_amt_accepted"])) // MN
        expected["Redemptions", row["settlement_date"]] += accepted
    found: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows(sandbox, "dts/public_debt_transactions", filter=SPAN):
        market = row["security_market"] == "Marketable"
        if market and "Increment" not in row["security_type"]:
            key = (row["transaction_type"], row["record_date"])
            found[key] += int(row["transaction_today_amt"])
    for key, amount in found.items():
        assert amount == expected[key], key


def test_accepted_amounts_of_an_auction_add_up(sandbox):
    parts = ("comp_accepted", "noncomp_accepted", "fima_noncomp_accepted", "soma_accepted")
    bidders = ("primary_dealer_accepted", "direct_bidder_accepted", "indirect_bidder_accepted")
    found = rows(
        sandbox, "od/auctions_query", filter="auction_date:gte:2025-01-01,total_accepted:gt:0"
    )
    assert len(found) > 600
    for row in found:
        assert sum(int(row[p]) for p in parts) == int(row["total_accepted"])
        assert sum(int(row[b]) for b in bidders) == int(row["comp_accepted"])
        assert int(row["total_accepted"]) - int(row["soma_accepted"]) == int(row["offering_amt"])


def test_wednesday_level_is_the_statement_and_the_average_its_seven_days(sandbox, tga):
    level = series(sandbox, "WDTGAL", cosd="2025-10-01")
    average = series(sandbox, "WTREGEN", cosd="2025-10-01")
    assert level.keys() == average.keys()
    assert len(level) == 47
    closes = {day: lines["4"] for day, lines in tga.items()}

    def close(day: date) -> int:
        while day.isoformat() not in closes:
            day -= timedelta(days=1)
        return closes[day.isoformat()]

    for text, amount in level.items():
        week = [date.fromisoformat(text) - timedelta(days=n) for n in range(7)]
        assert int(amount) == close(week[0])
        assert int(average[text]) == round(sum(close(day) for day in week) / 7)


def test_balance_sheet_series_tie_to_each_other_and_to_the_operations(sandbox):
    """The residual of total assets is other liabilities: it moves slowly and is never negative."""
    names = ("WALCL", "WLFN", "WLRRAL", "WLRRAFOIAL", "WLRRAOL", "WDTGAL", "WRBWFRBL", "TREAST",
             "WSHOMCB", "WLODLL", "WDFOL", "WLDLCL", "WLTLECL", "WORAL", "WLCFLPCL")  # fmt: skip
    found = {name: series(sandbox, name, cosd="2025-09-01") for name in names}
    overnight = series(sandbox, "RRPONTSYD", cosd="2025-09-01")
    soma = {
        row["asOfDate"]: row
        for row in get(sandbox, "/nyfed/api/soma/summary.json").json()["soma"]["summary"]
    }
    for day in found["WALCL"]:
        at = {name: int(column[day]) for name, column in found.items()}
        assert at["WLRRAL"] == at["WLRRAFOIAL"] + at["WLRRAOL"]
        if overnight.get(day):
            assert at["WLRRAOL"] == round(float(overnight[day]) * 1000)
        other = at["WALCL"] - at["WLFN"] - at["WLRRAL"] - at["WDTGAL"] - at["WRBWFRBL"]
        assert 400_000 < other < 650_000
        assert at["WLODLL"] == at["WRBWFRBL"]
        other_deposits = at["WLDLCL"] - at["WLODLL"] - at["WDTGAL"] - at["WDFOL"]
        other_liabilities = at["WLTLECL"] - at["WLFN"] - at["WLRRAL"] - at["WLDLCL"]
        capital = at["WALCL"] - at["WLTLECL"]
        assert min(other_deposits, other_liabilities, capital, at["WDFOL"]) > 0
        assert other_deposits + other_liabilities + capital + at["WDFOL"] == other
        assert 0 <= at["WORAL"] + at["WLCFLPCL"] + at["TREAST"] + at["WSHOMCB"] <= at["WALCL"]
        row = {k: float(v or 0) / MN for k, v in soma[day].items() if k != "asOfDate"}
        held = row["bills"] + row["notesbonds"] + row["tips"] + row["frn"]
        assert held + row["tipsInflationCompensation"] == at["TREAST"]
        assert held + row["mbs"] == row["total"]
        assert row["mbs"] == at["WSHOMCB"]


def test_answer_key_gives_the_drains_that_the_series_give(sandbox):
    key = get(sandbox, "/truth").json()
    assert key["synthetic"] is True
    reserves = series(sandbox, "WRBWFRBL")
    tga, repos = series(sandbox, "WDTGAL"), series(sandbox, "WLRRAL")
    currency, assets = series(sandbox, "WLFN"), series(sandbox, "WALCL")
    days = sorted(reserves)
    drains = {row["week_ending"]: row for row in key["weekly_drains"]}
    assert set(drains) == set(days[1:])
    for before, day in pairwise(days):
        row = drains[day]

        def change(column: dict[str, str], a: str = before, b: str = day) -> int:
            return int(column[b]) - int(column[a])

        assert row["drain_reserves_usd_mn"] == -change(reserves)
        assert row["d_tga_usd_mn"] == change(tga)
        assert row["d_rrp_usd_mn"] == change(repos)
        assert row["d_currency_usd_mn"] == change(currency)
        assert row["d_fed_assets_usd_mn"] == -change(assets)
        parts = sum(v for k, v in row.items() if k.startswith("d_"))
        assert parts == row["drain_reserves_usd_mn"]
