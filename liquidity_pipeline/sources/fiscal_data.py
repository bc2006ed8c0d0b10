"""The tables of the Daily Treasury Statement, from Treasury Fiscal Data. USD millions.

Auctions and buybacks, which the same service publishes in full dollars, do not belong here: see
`debt_settlements`. How pages are read is `fiscal_client`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline.calendars import DTS
from liquidity_pipeline.sources.boundary import declared
from liquidity_pipeline.sources.errors import EmptyAnswerError
from liquidity_pipeline.sources.fetch import Fetch
from liquidity_pipeline.sources.fiscal_client import (
    ACCOUNTING,
    PUBLISHER,
    Records,
    between,
    good_rows,
    read,
)

_OPERATING_CASH = f"{ACCOUNTING}/dts/operating_cash_balance"
_CASH_FLOWS = f"{ACCOUNTING}/dts/deposits_withdrawals_operating_cash"
_DEBT_TRANSACTIONS = f"{ACCOUNTING}/dts/public_debt_transactions"

_BALANCE_COLUMNS = (
    "record_date",
    "account_type",
    "open_today_bal",
    "close_today_bal",
    "src_line_nbr",
)
_FACE_COLUMNS = (
    "record_date",
    "transaction_type",
    "security_market",
    "security_type",
    "security_type_desc",
    "transaction_today_amt",
    "src_line_nbr",
)
_CASH_COLUMNS = (
    "record_date",
    "account_type",
    "transaction_type",
    "transaction_catg",
    "transaction_catg_desc",
    "transaction_today_amt",
    "src_line_nbr",
)

# From 2022-04-18 a day has these four lines, each with its figure in open_today_bal.
_OPENING = "Treasury General Account (TGA) Opening Balance"
_DEPOSITS = "Total TGA Deposits (Table II)"
_WITHDRAWALS = "Total TGA Withdrawals (Table II) (-)"
_CLOSING = "Treasury General Account (TGA) Closing Balance"
_DETAILS = (_OPENING, _DEPOSITS, _WITHDRAWALS, _CLOSING)
# Before, one line held both balances: under the first name until 2021-09-30, then the second.
_ACCOUNTS = ("Federal Reserve Account", "Treasury General Account (TGA)")

_CASH_LINES = {"Public Debt Cash Issues": "Issues", "Public Debt Cash Redemp.": "Redemptions"}
# The service has no prefix filter, and table II has 180 lines a day: ask for the known spellings.
_CASH_LABELS = tuple(
    f"{line} (Table {table})" for line in _CASH_LINES for table in ("IIIB", "III-B")
)


def collect_tga_balance(fetch: Fetch) -> dict[str, pa.Table]:
    """Collect `tga_balance`, USD millions, from table I of the Daily Treasury Statement.

    Raises EmptyAnswerError where statements are due, UnexpectedPayloadError for unknown labels.
    """
    records = read(
        fetch,
        _OPERATING_CASH,
        _BALANCE_COLUMNS,
        where=between("record_date", fetch.window.start, fetch.last_day),
        sort=("record_date", "src_line_nbr"),
        usd_mn=("open_today_bal", "close_today_bal"),
        unit="record_date",
    )
    _refuse_empty(fetch, records)
    name = fetch.left_out("tga_balance")
    return {"tga_balance": good_rows(records, parse_tga_balance, name, ("record_date",))}


@declared("lines of the Daily Treasury Statement", publisher=PUBLISHER)
def parse_tga_balance(records: Records) -> pa.Table:
    """Return one row per statement, for each of the three generations of labels.

    Deposits and withdrawals are NULL where the statement has no line for them. Raises
    UnexpectedPayloadError for a day without a recognised close, and for an unknown line among the
    four of the present layout; the older layouts list other accounts as well. A footnote, a row of
    another name without any figure, is no line.
    """
    records = _without_footnotes(records)
    records.refuse_duplicates("record_date", "account_type")
    line = {
        label: records.where(pc.equal(records.table["account_type"], label))
        for label in (*_DETAILS, *_ACCOUNTS)
    }
    detailed = _by_day(line[_CLOSING], "open_today_bal")
    closing, opening = dict(detailed), _by_day(line[_OPENING], "open_today_bal")
    for account in _ACCOUNTS:
        closing |= _by_day(line[account], "close_today_bal")
        opening |= _by_day(line[account], "open_today_bal")
    _refuse_unknown_lines(records, closing.keys(), detailed.keys())
    deposits, withdrawals = (
        _by_day(line[label], "open_today_bal") for label in (_DEPOSITS, _WITHDRAWALS)
    )
    days = sorted(closing)
    return pa.table(
        {
            "record_date": pa.array(days, pa.date32()),
            "opening_usd_mn": _amounts(opening, days),
            "deposits_usd_mn": _amounts(deposits, days),
            "withdrawals_usd_mn": _amounts(withdrawals, days),
            "closing_usd_mn": _amounts(closing, days),
            "known_at": pa.array(DTS.known_at(days), pa.timestamp("us")),
        }
    )


def _without_footnotes(records: Records) -> Records:
    is_known = pc.is_in(records.table["account_type"], value_set=pa.array([*_DETAILS, *_ACCOUNTS]))
    return records.where(pc.or_(is_known, records.has_any("open_today_bal", "close_today_bal")))


def _by_day(records: Records, column: str) -> dict[date, float]:
    records.require("record_date", column)
    days, amounts = records.days("record_date"), records.numbers(column)
    return dict(zip(days.to_pylist(), amounts.to_pylist(), strict=True))


def _amounts(line: Mapping[date, float], days: Sequence[date]) -> pa.Array:
    return pa.array([line.get(day) for day in days], pa.float64())


def _refuse_unknown_lines(
    records: Records, closed: Iterable[date], detailed: Iterable[date]
) -> None:
    labels: dict[date, set[str | None]] = {}
    days = records.days("record_date").to_pylist()
    for day, label in zip(days, records.text("account_type"), strict=True):
        labels.setdefault(day, set()).add(label)
    for day in sorted(labels.keys() - set(closed)):
        raise records.error(
            f"no closing balance on {day}: account_type is {sorted(map(str, labels[day]))}, and "
            f"none of '{_CLOSING}', '{_ACCOUNTS[1]}', '{_ACCOUNTS[0]}'"
        )
    for day in detailed:
        if unknown := labels[day] - set(_DETAILS):
            raise records.error(f"unknown account_type {unknown} on {day}; known are {_DETAILS}")


def collect_debt_transactions(fetch: Fetch) -> dict[str, pa.Table]:
    """Collect `debt_transactions`, USD millions: table IIIA at face value, table II in cash.

    Either table may be a named gap. Raises PublisherError if neither can be had, EmptyAnswerError
    if table IIIA has no row where statements are due.
    """
    parts = fetch.parts(
        {
            "Daily Treasury Statement, table IIIA": lambda: _collect_face(fetch),
            "Daily Treasury Statement, table II": lambda: _collect_cash(fetch),
        }
    )
    return {"debt_transactions": pa.concat_tables(parts)}


def _collect_face(fetch: Fetch) -> pa.Table:
    records = read(
        fetch,
        _DEBT_TRANSACTIONS,
        _FACE_COLUMNS,
        where=between("record_date", fetch.window.start, fetch.last_day),
        sort=("record_date", "src_line_nbr"),
        usd_mn=("transaction_today_amt",),
        unit="record_date",
    )
    _refuse_empty(fetch, records)
    name = fetch.left_out("Daily Treasury Statement, table IIIA")
    return good_rows(records, parse_face_transactions, name, ("record_date",))


def _collect_cash(fetch: Fetch) -> pa.Table:
    records = read(
        fetch,
        _CASH_FLOWS,
        _CASH_COLUMNS,
        where=(
            *between("record_date", fetch.window.start, fetch.last_day),
            f"transaction_catg:in:({','.join(_CASH_LABELS)})",
        ),
        sort=("record_date", "src_line_nbr"),
        usd_mn=("transaction_today_amt",),
        unit="record_date",
    )
    name = fetch.left_out("Daily Treasury Statement, table II")
    rows = good_rows(records, parse_cash_transactions, name, ("record_date",))
    # A new label would go unnoticed, because the service applies the filter.
    due, lines = _due(fetch), Counter(rows["record_date"].to_pylist())
    without = [day for day in due if lines[day] < len(_CASH_LINES)]
    if without:
        fetch.gap(
            f"Daily Treasury Statement, table II: not both lines of public debt cash on "
            f"{len(without)} of {len(due)} days, first {without[0]}; asked for "
            f"{', '.join(_CASH_LABELS)}"
        )
    return rows


@declared("lines of the Daily Treasury Statement", publisher=PUBLISHER)
def parse_face_transactions(records: Records) -> pa.Table:
    """Return table IIIA's lines; its totals, which have no market, are left out.

    Raises UnexpectedPayloadError for an unknown direction or market, and for two equal lines on a
    day: whether to add them is for a person to decide.
    """
    lines = records.where(pc.is_valid(records.table["security_market"]))
    for column, known in (
        ("transaction_type", {"Issues", "Redemptions"}),
        ("security_market", {"Marketable", "Nonmarketable"}),
    ):
        if unknown := set(lines.text(column)) - known:
            raise records.error(f"unknown {column} {unknown}; known are {sorted(known)}")
    return _transactions(
        lines,
        "IIIA",
        {
            name: lines.table[name]
            for name in (
                "transaction_type",
                "security_market",
                "security_type",
                "security_type_desc",
            )
        },
    )


@declared("lines of the Daily Treasury Statement", publisher=PUBLISHER)
def parse_cash_transactions(records: Records) -> pa.Table:
    """Return table II's two debt lines of each day; the label is in security_type."""
    records.require("transaction_catg")
    directions = []
    for label in records.text("transaction_catg"):
        found = [way for prefix, way in _CASH_LINES.items() if str(label).startswith(prefix)]
        if not found:
            raise records.error(f"unknown transaction_catg '{label}'; asked for {_CASH_LABELS}")
        directions += found
    return _transactions(
        records,
        "II",
        {
            "transaction_type": pa.array(directions, pa.string()),
            "security_market": pa.repeat("All", len(records)),
            "security_type": records.table["transaction_catg"],
            "security_type_desc": records.table["transaction_catg_desc"],
        },
    )


def _transactions(records: Records, dts_table: str, labels: Mapping[str, Any]) -> pa.Table:
    records.require("record_date", "transaction_today_amt")
    days = records.days("record_date")
    Records(pa.table({"record_date": days, **labels}), records.url).refuse_duplicates(
        "record_date", *labels
    )
    return pa.table(
        {
            "record_date": days,
            "dts_table": pa.repeat(dts_table, len(records)),
            **labels,
            "amount_usd_mn": records.numbers("transaction_today_amt"),
            "known_at": pa.array(DTS.known_at(days.to_pylist()), pa.timestamp("us")),
        }
    )


def _due(fetch: Fetch) -> list[date]:
    return DTS.due(fetch.window.start, fetch.last_day, fetch.now)


def _refuse_empty(fetch: Fetch, records: Records) -> None:
    due = _due(fetch)
    if due and not len(records):
        raise EmptyAnswerError(
            f"no row, though {len(due)} statements from {due[0]} to {due[-1]} are due",
            publisher=PUBLISHER,
            url=records.url,
        )
