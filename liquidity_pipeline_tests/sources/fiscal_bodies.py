"""Hand-written bodies of the shape of Treasury Fiscal Data: every value is text, null is "null"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from liquidity_pipeline.sources.auctions import AUCTION_COLUMNS

Row = dict[str, str]

ROOT = "fiscaldata/services/api/fiscal_service/v1/accounting"
OPERATING_CASH = f"{ROOT}/dts/operating_cash_balance"
CASH_FLOWS = f"{ROOT}/dts/deposits_withdrawals_operating_cash"
FACE = f"{ROOT}/dts/public_debt_transactions"
AUCTIONS = f"{ROOT}/od/auctions_query"
FEED = f"{ROOT}/od/upcoming_auctions"
BUYBACKS = f"{ROOT}/od/buybacks_operations"


def moment(*parts: int) -> datetime:
    """Return a naive UTC moment."""
    year, month, day, *clock = parts
    return datetime(year, month, day, *clock, tzinfo=UTC).replace(tzinfo=None)


def answer(rows: Sequence[Mapping[str, str]], **meta: Any) -> dict[str, Any]:
    """Return one page; `meta` changes what it says about itself."""
    counts = {"count": len(rows), "total-count": len(rows), "total-pages": 1 if rows else 0}
    return {"data": list(rows), "meta": counts | meta, "links": {}}


def balance(day: str, label: str, opened: str, closed: str = "null", line: int = 1) -> Row:
    """Return one line of table I."""
    return {
        "record_date": day,
        "account_type": label,
        "open_today_bal": opened,
        "close_today_bal": closed,
        "src_line_nbr": str(line),
    }


def statement(day: str, opening: str, deposits: str, withdrawals: str, closing: str) -> list[Row]:
    """Return the four lines of table I as printed since 2022-04-18."""
    account = "Treasury General Account (TGA)"
    return [
        balance(day, f"{account} Opening Balance", opening, line=1),
        balance(day, "Total TGA Deposits (Table II)", deposits, line=2),
        balance(day, "Total TGA Withdrawals (Table II) (-)", withdrawals, line=3),
        balance(day, f"{account} Closing Balance", closing, line=4),
    ]


def face(day: str, way: str, kind: str, amount: str, **changes: str) -> Row:
    """Return one marketable line of table IIIA."""
    return {
        "record_date": day,
        "transaction_type": way,
        "security_market": "Marketable",
        "security_type": kind,
        "security_type_desc": "null",
        "transaction_today_amt": amount,
        "src_line_nbr": "1",
    } | changes


def cash(day: str, label: str, amount: str) -> Row:
    """Return one debt line of table II."""
    return {
        "record_date": day,
        "account_type": "Treasury General Account (TGA)",
        "transaction_type": "Deposits" if "Issues" in label else "Withdrawals",
        "transaction_catg": label,
        "transaction_catg_desc": "null",
        "transaction_today_amt": amount,
        "src_line_nbr": "90",
    }


def auction(**changes: str) -> Row:
    """Return a 26-week bill: auctioned on Monday 2026-02-02 at 11:30, issued on Thursday."""
    row = dict.fromkeys(AUCTION_COLUMNS, "null") | {
        "cusip": "912797AA1",
        "auction_date": "2026-02-02",
        "issue_date": "2026-02-05",
        "maturity_date": "2026-08-06",
        "security_type": "Bill",
        "security_term": "26-Week",
        "cash_management_bill_cmb": "No",
        "inflation_index_security": "No",
        "floating_rate": "No",
        "announcemt_date": "2026-01-29",
        "closing_time_comp": "11:30 AM",
        "offering_amt": "77000000000",
        "total_accepted": "80500000000",
    }
    return row | changes


def announcement(**changes: str) -> Row:
    """Return a row of the announcements feed: a 13-week bill that is scheduled, not announced."""
    return {
        "record_date": "2026-01-30",
        "security_type": "Bill",
        "security_term": "13-Week",
        "reopening": "No",
        "cusip": "null",
        "offering_amt": "null",
        "announcemt_date": "null",
        "auction_date": "2026-02-09",
        "issue_date": "2026-02-12",
    } | changes


def buyback(**changes: str) -> Row:
    """Return an operation in long nominal coupons that bought USD 2 billion."""
    return {
        "operation_date": "2026-02-03",
        "operation_start_time_est": "01:40 PM",
        "operation_close_time_est": "02:00 PM",
        "settlement_date": "2026-02-04",
        "operation_type": "Liquidity Support",
        "security_type": "Nominal Coupons",
        "maturity_bucket": "20Y to 30Y",
        "max_par_amt_redeemed": "3000000000",
        "total_par_amt_accepted": "2000000000",
    } | changes
