"""Daily Treasury Statement on Fiscal Data: tables I, II, IIIA, IIIB and IIIC, USD mn.

Labels change with the publisher's eras: 2021-10-01 (name of the account) and 2022-04-18 (four
lines, the close in the opening column). A day's statement appears on the next business day.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from liquidity_pipeline.sandbox import days, policy
from liquidity_pipeline.sandbox.clock import DAILY_TREASURY_STATEMENT
from liquidity_pipeline.sandbox.days import IntArray
from liquidity_pipeline.sandbox.economy import Economy
from liquidity_pipeline.sandbox.publishers.fiscal_query import NULL, Column, Row, Table
from liquidity_pipeline.sandbox.publishers.wire import World
from liquidity_pipeline.sandbox.statement import statement

_ACCOUNT_NAMED = days.day(2021, 10, 1)
_FOUR_LINES = days.day(2022, 4, 18)
_NEW_TABLE_NAMES = days.day(2023, 2, 14)
# What a line was called before the overhaul of February 2023, where the name has changed.
_OLD_LINES = {
    "DHS - Customs Duties, Taxes, and Fees": "Customs and Certain Excise Taxes",
    "DOL - Unemployment Benefits": "Unemployment",
    "SSA - Benefits Payments": "Social Security Benefits (EFT)",
    "HHS - Grants to States for Medicaid": "Medicaid",
    "DoD - Military Active Duty Pay": "Military Active Duty Pay (EFT)",
    "USDA - Supplemental Nutrition Assist Program (SNAP)": "Food Stamps",
}
_OLD_ACCOUNT, _ACCOUNT = "Federal Reserve Account", "Treasury General Account (TGA)"

CALENDAR_COLUMNS = [
    Column("record_fiscal_year", "YEAR", "Fiscal Year"),
    Column("record_fiscal_quarter", "QUARTER", "Fiscal Quarter Number"),
    Column("record_calendar_year", "YEAR", "Calendar Year"),
    Column("record_calendar_quarter", "QUARTER", "Calendar Quarter Number"),
    Column("record_calendar_month", "MONTH", "Calendar Month Number"),
    Column("record_calendar_day", "DAY", "Calendar Day Number"),
]
_DATE = Column("record_date", "DATE", "Record Date")
_TABLE = [
    Column("table_nbr", "STRING", "Table Number"),
    Column("table_nm", "STRING", "Table Name"),
]
_SUB_TABLE = Column("sub_table_name", "STRING", "Sub Table Name")
_LINE = Column("src_line_nbr", "INTEGER", "Source Line Number")
_BALANCES = [
    Column("close_today_bal", "CURRENCY0", "Closing Balance Today"),
    Column("open_today_bal", "CURRENCY0", "Opening Balance Today"),
    Column("open_month_bal", "CURRENCY0", "Opening Balance This Month"),
    Column("open_fiscal_year_bal", "CURRENCY0", "Opening Balance This Fiscal Year"),
]
_TRANSACTIONS = [
    Column("transaction_today_amt", "CURRENCY0", "Transactions Today"),
    Column("transaction_mtd_amt", "CURRENCY0", "Transactions Month to Date"),
    Column("transaction_fytd_amt", "CURRENCY0", "Transactions Fiscal Year to Date"),
]
_ADJUSTMENTS = [
    Column("adj_today_amt", "CURRENCY0", "Adjustments Today"),
    Column("adj_mtd_amt", "CURRENCY0", "Adjustments Month to Date"),
    Column("adj_fytd_amt", "CURRENCY0", "Adjustments Fiscal Year to Date"),
]
_TRANSACTION_TYPE = Column("transaction_type", "STRING", "Transaction Type")
_COLUMNS = {
    "operating_cash_balance": [
        _DATE, Column("account_type", "STRING", "Type of Account"), *_BALANCES, *_TABLE,
        _SUB_TABLE, _LINE,
    ],
    "deposits_withdrawals_operating_cash": [
        _DATE, Column("account_type", "STRING", "Type of Account"), _TRANSACTION_TYPE,
        Column("transaction_catg", "STRING", "Transaction Category"),
        Column("transaction_catg_desc", "STRING", "Transaction Category Description"),
        *_TRANSACTIONS, *_TABLE, _LINE,
    ],
    "public_debt_transactions": [
        _DATE, _TRANSACTION_TYPE, Column("security_market", "STRING", "Security Marketability"),
        Column("security_type", "STRING", "Security Type"),
        Column("security_type_desc", "STRING", "Security Type Description"),
        *_TRANSACTIONS, *_TABLE, _LINE,
    ],
    "adjustment_public_debt_transactions_cash_basis": [
        _DATE, _TRANSACTION_TYPE, Column("adj_type", "STRING", "Adjustment Type"),
        Column("adj_type_desc", "STRING", "Adjustment Type Description"),
        *_ADJUSTMENTS, *_TABLE, _SUB_TABLE, _LINE,
    ],
    "debt_subject_to_limit": [
        _DATE, Column("debt_catg", "STRING", "Debt Category"),
        Column("debt_catg_desc", "STRING", "Debt Category Description"),
        *_BALANCES, *_TABLE, _SUB_TABLE, _LINE,
    ],
}  # fmt: skip
TABLES = frozenset(_COLUMNS)


@dataclass(frozen=True)
class _Line:
    """One line of a table: its labels, and a text for each business day in each amount column."""

    labels: tuple[str, ...]
    amounts: tuple[list[str], ...]
    number: int


@dataclass(frozen=True)
class _Era:
    """How a table looks from a day on; `names` are the table's number, name and sub-table."""

    since: int
    names: tuple[str, ...]
    lines: list[_Line]


def table(world: World, name: str) -> Table:
    """Return the public part of one table of the statement."""
    whole = world.once(f"dts {name}", lambda: _build(world, name))
    cut = days.iso(world.last_public(DAILY_TREASURY_STATEMENT))
    public = bisect_right(whole.rows, cut, key=lambda row: row[0])
    return whole if public == len(whole.rows) else Table(whole.columns, whole.rows[:public])


def _build(world: World, name: str) -> Table:
    first = max(world.start, policy.FIRST_STATEMENT)
    row = int(np.searchsorted(world.economy.days, first))
    book = world.once("dts book", lambda: _Book(world.economy, row))
    eras = {
        "operating_cash_balance": _table_one,
        "deposits_withdrawals_operating_cash": _table_two,
        "public_debt_transactions": _table_three_a,
        "adjustment_public_debt_transactions_cash_basis": _table_three_b,
        "debt_subject_to_limit": _table_three_c,
    }[name](book)
    return Table([*_COLUMNS[name], *CALENDAR_COLUMNS], list(_rows(book, eras)))


def _rows(book: _Book, eras: list[_Era]) -> Iterator[Row]:
    era_of_day = np.searchsorted([era.since for era in eras], book.days, side="right") - 1
    for i, (day, which) in enumerate(zip(book.days.tolist(), era_of_day.tolist(), strict=True)):
        era, date, calendar = eras[which], days.iso(day), calendar_values(day)
        for line in era.lines:
            amounts = [column[i] for column in line.amounts]
            yield (date, *line.labels, *amounts, *era.names, str(line.number), *calendar)


def calendar_values(day: int) -> Row:
    """Return the six calendar columns of a day; the fiscal year begins in October."""
    when = days.date_of(day)
    fiscal_year = when.year + (when.month >= 10)
    return (
        str(fiscal_year), str((when.month + 2) % 12 // 3 + 1), str(when.year),
        str((when.month - 1) // 3 + 1), f"{when.month:02d}", f"{when.day:02d}",
    )  # fmt: skip


class _Book:
    """The accounts from the first served day on, written as the statement prints them."""

    def __init__(self, economy: Economy, first: int) -> None:
        self.economy, self.statement, self.first = economy, statement(economy), first
        self.days = economy.days[first:]
        dates = economy.days.astype("datetime64[D]")
        months = dates.astype("datetime64[M]").astype(np.int64)
        self._month_start = np.searchsorted(months, months)
        fiscal = (months + 3) // 12  # months count from January 1970, fiscal years from October
        self._fiscal_start = np.searchsorted(fiscal, fiscal)

    def flow(self, amounts: IntArray) -> tuple[list[str], ...]:
        """Write a flow: today, month to date, fiscal year to date."""
        sums = np.concatenate([[0], np.cumsum(amounts)])
        month = sums[1:] - sums[self._month_start]
        fiscal_year = sums[1:] - sums[self._fiscal_start]
        return self._text(amounts), self._text(month), self._text(fiscal_year)

    def balance(self, closes: IntArray) -> tuple[list[str], ...]:
        """Write a balance: close, and the openings of day, month and fiscal year."""
        opens = np.concatenate([closes[:1], closes[:-1]])
        return self._text(closes), *self.openings(opens)

    def openings(self, opens: IntArray) -> tuple[list[str], ...]:
        """Write the openings of day, month and fiscal year."""
        month, fiscal_year = opens[self._month_start], opens[self._fiscal_start]
        return self._text(opens), self._text(month), self._text(fiscal_year)

    def same(self, text: str) -> list[str]:
        """Repeat a text for every day."""
        return [text] * len(self.days)

    def _text(self, amounts: IntArray) -> list[str]:
        return [str(amount) for amount in amounts[self.first :].tolist()]


def _table_one(book: _Book) -> list[_Era]:
    close, *opens = book.balance(book.economy.sheet.tga)
    deposits, withdrawals = _totals(book)
    null = book.same(NULL)
    zero = (book.same("0"),) * 4
    old_names = ("I", "Operating Cash Balance", "Type of account")
    old_lines = [
        _Line(("Supplementary Financing Program Account",), zero, 2),
        _Line(("Short-Term Cash Investments (Table V)",), zero, 3),
    ]
    new_lines = [
        _Line((f"{_ACCOUNT} Opening Balance",), (null, *opens), 1),
        _Line(("Total TGA Deposits (Table II)",), (null, *book.flow(deposits)), 2),
        _Line(("Total TGA Withdrawals (Table II) (-)",), (null, *book.flow(withdrawals)), 3),
        _Line((f"{_ACCOUNT} Closing Balance",), (null, close, close, close), 4),
    ]
    return [
        _Era(0, old_names, [_Line((_OLD_ACCOUNT,), (close, *opens), 1), *old_lines]),
        _Era(_ACCOUNT_NAMED, old_names, [_Line((_ACCOUNT,), (close, *opens), 1), *old_lines]),
        _Era(_FOUR_LINES, ("I", "Operating Cash Balance", "Cash Balance Details"), new_lines),
    ]


def _totals(book: _Book) -> tuple[IntArray, IntArray]:
    """Return total deposits and withdrawals, debt included."""
    cash, debt = book.economy.cash, book.statement
    return (
        cash.deposits.sum(axis=1) + debt.cash_issues,
        cash.withdrawals.sum(axis=1) + debt.cash_redemptions,
    )


def _table_two(book: _Book) -> list[_Era]:
    names = ("II", "Deposits and Withdrawals of Operating Cash")
    return [
        _Era(0, names, _table_two_lines(book, _OLD_ACCOUNT, "III-B")),
        _Era(_ACCOUNT_NAMED, names, _table_two_lines(book, _ACCOUNT, "III-B")),
        _Era(_NEW_TABLE_NAMES, names, _table_two_lines(book, _ACCOUNT, "IIIB")),
    ]


def _table_two_lines(book: _Book, account: str, debt_table: str) -> list[_Line]:
    cash, debt = book.economy.cash, book.statement
    total = account.removesuffix(" (TGA)") + " Total "
    sides = [
        ("Deposits", cash.deposit_names, cash.deposits, "Issues", debt.cash_issues),
        ("Withdrawals", cash.withdrawal_names, cash.withdrawals, "Redemp.", debt.cash_redemptions),
    ]
    lines: list[_Line] = []
    for (side, names, flows, debt_name, debt_flow), sum_of_side in zip(
        sides, _totals(book), strict=True
    ):
        items = [*zip(names, flows.T, strict=True)]
        items.append((f"Public Debt Cash {debt_name} (Table {debt_table})", debt_flow))
        old = {} if debt_table == "IIIB" else _OLD_LINES
        for name, flow in items:
            lines.append(
                _Line((account, side, old.get(name, name), NULL), book.flow(flow), len(lines) + 1)
            )
        labels = (total + side, side, NULL, NULL)
        lines.append(_Line(labels, book.flow(sum_of_side), len(lines) + 1))
    return lines


def _table_three_a(book: _Book) -> list[_Era]:
    s = book.statement
    nothing = np.zeros_like(s.savings)
    issued, redeemed = s.marketable_issues.T, s.marketable_redemptions.T
    market, other, savings = "Marketable", "Nonmarketable", "United States Savings Securities"
    account = "Government Account Series"
    lines = [
        (1, "Issues", market, "Bills", "Regular Series", issued[0]),
        (2, "Issues", market, "Bills", "Cash Management Series", issued[1]),
        (3, "Issues", market, "Notes", NULL, issued[2]),
        (4, "Issues", market, "Bonds", NULL, issued[3]),
        (5, "Issues", market, "Inflation-Protected Securities Increment", NULL,
         s.inflation_increment),
        (6, "Issues", market, "Federal Financing Bank", NULL, nothing),
        (7, "Issues", other, savings, "Cash Issue Price", s.savings),
        (8, "Issues", other, savings, "Interest Increment", nothing),
        (9, "Issues", other, account, NULL, s.government_account_issues),
        (10, "Issues", other, "Domestic Series", NULL, nothing),
        (11, "Issues", other, "Foreign Series", NULL, nothing),
        (12, "Issues", other, "State and Local Series", NULL, nothing),
        (13, "Issues", other, "Other", NULL, nothing),
        (15, "Redemptions", market, "Bills", NULL, redeemed[0]),
        (16, "Redemptions", market, "Notes", NULL, redeemed[1]),
        (17, "Redemptions", market, "Bonds", NULL, redeemed[2]),
        (18, "Redemptions", market, "Federal Financing Bank", NULL, nothing),
        (19, "Redemptions", other, savings, NULL, s.savings),
        (20, "Redemptions", other, account, NULL, s.government_account_redemptions),
        (21, "Redemptions", other, "Domestic Series", NULL, nothing),
        (22, "Redemptions", other, "Foreign Series", NULL, nothing),
        (23, "Redemptions", other, "State and Local Series", NULL, nothing),
        (24, "Redemptions", other, "Other", NULL, nothing),
    ]  # fmt: skip
    done = [_Line(tuple(labels), book.flow(flow), number) for number, *labels, flow in lines]
    return [_Era(0, ("IIIA", "Public Debt Transactions"), done)]


def _table_three_b(book: _Book) -> list[_Era]:
    """Lead from face value to cash; the texts of the lines are from memory, not from a capture."""
    s = book.statement
    premium = np.maximum(-s.coupon_discount, 0)
    lines = [
        ("Issues", "Public Debt Issues (Table IIIA)", NULL, s.issues),
        ("Issues", "Premium on New Issues", NULL, premium),
        ("Issues", "Discount on New Issues", "Bills (-)", s.bill_discount),
        ("Issues", "Discount on New Issues", "Bonds and Notes (-)", s.coupon_discount + premium),
        ("Issues", "Government Account Transactions (-)", NULL, s.government_account_issues),
        ("Issues", "Inflation-Protected Securities Increment (-)", NULL, s.inflation_increment),
        ("Issues", "Total Public Debt Cash Issues", NULL, s.cash_issues),
        ("Redemptions", "Public Debt Redemptions (Table IIIA)", NULL, s.redemptions),
        ("Redemptions", "Discount on Debt Buyback Operation (-)", NULL, s.buyback_discount),
        ("Redemptions", "Government Account Transactions (-)", NULL,
         s.government_account_redemptions),
        ("Redemptions", "Total Public Debt Cash Redemptions", NULL, s.cash_redemptions),
    ]  # fmt: skip
    done = [
        _Line(tuple(labels), book.flow(flow), number)
        for number, (*labels, flow) in enumerate(lines, start=1)
    ]
    name = "Adjustment of Public Debt Transactions to Cash Basis"
    return [_Era(0, ("IIIB", name, "Adjustment of Public Debt Transactions"), done)]


def _table_three_c(book: _Book) -> list[_Era]:
    s = book.statement
    small = [("Other Debt", 475), ("Unamortized Discount", 105_000), ("Federal Financing Bank", 0)]
    older = [*small, ("Hope Bonds", 0)]

    def lines(less: str, suffix: str, plus: str, small: list[tuple[str, int]]) -> list[_Line]:
        last = len(small) + 6  # totals, which the service leaves out, have numbers too
        held = [
            _Line(("Debt Held by the Public", NULL), book.balance(s.held_by_public), 1),
            _Line(("Intragovernmental Holdings", NULL), book.balance(s.intragovernmental), 2),
        ]
        excluded = [
            _Line((less, name + suffix), (book.same(str(amount)),) * 4, 4 + i)
            for i, (name, amount) in enumerate(small)
        ]
        guaranteed = (plus, "Guaranteed Debt of Government Agencies")
        return [
            *held,
            *excluded,
            _Line(guaranteed, (book.same("0"),) * 4, last - 2),
            _Line(("Statutory Debt Limit", NULL), book.balance(s.limit), last),
        ]

    name, sub = "Debt Subject to Limit", "Balance Transactions"
    old = lines("Less Debt Not Subject to Limit", "", "Plus Other Debt Subject to Limit", older)
    new = lines("Debt Not Subject to Limit", " (-)", "Other Debt Subject to Limit", small)
    return [
        _Era(0, ("III-C", name, sub), old),
        _Era(_NEW_TABLE_NAMES, ("IIIC", name, sub), new),
    ]
