"""Contracts of the itemised source tables: details of amounts that other tables hold as totals.

Buybacks by operation and by security, the Fed's holdings by security, Treasury's cash flows by
line of the statement. Each total is in `sources`; a tie proves that the items add up to it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from liquidity_pipeline import calendars
from liquidity_pipeline.contracts.table import (
    KNOWN_AT,
    Ascending,
    Column,
    Table,
    day,
    flag,
    moment,
    number,
    text,
)

BUYBACK_CLASSES = ("note", "bond", "tips")
HOLDING_TYPES = ("bills", "notes_bonds", "tips", "frn")
DIRECTIONS = ("deposits", "withdrawals")
LINE_GROUPS = (
    "public_debt",
    "taxes",
    "tax_refunds",
    "interest",
    "social_security",
    "health",
    "defense",
    "federal_pay",
    "veterans",
    "other",
)

BUYBACKS = Table(
    "sources",
    "buybacks",
    "Treasury's buyback operations, one row per operation. The announced row is replaced when "
    "results are published; on an earlier day it is seen without them.",
    key=("operation_date", "start_time"),
    day="operation_date",
    origin="US Treasury, buybacks_operations",
    parts={"": "/buybacks_operations"},
    ascending=(
        Ascending(("accepted_usd_mn", "offered_usd_mn")),
        Ascending(("issues_accepted", "issues_eligible")),
    ),
    columns=(
        day("operation_date", "Day of the operation"),
        text("start_time", "New York time at which offers open, HH:MM: the publisher's own key"),
        day("settlement_date", "Day on which the securities are retired and the cash is paid"),
        text("operation_type", "Liquidity Support, Cash Management, Small Value, ..."),
        text("security_type", "Nominal Coupons or TIPS"),
        text("maturity_bucket", "Remaining maturities that are bought, e.g. 20Y to 30Y"),
        text(
            "security_class",
            "tips; for nominal coupons bond where the bucket reaches beyond ten years, else note",
            allowed=BUYBACK_CLASSES,
        ),
        number("maximum_usd_mn", "Maximum par amount that may be bought", low=0, high=1_000_000),
        number("offered_usd_mn", "Par offered; NULL until results", low=0, high=1_000_000),
        number(
            "accepted_usd_mn",
            "Par bought; NULL until results are published, and where results never were published",
            low=0,
            high=1_000_000,
        ),
        Column("issues_eligible", "integer", "Securities that could be offered", low=0),
        Column("issues_accepted", "integer", "Securities bought; NULL until results", low=0),
        moment("announced_at", "When the operation was announced", nullable=True),
        moment("results_at", "When its results were published; NULL until then", nullable=True),
        KNOWN_AT,
    ),
)

BUYBACK_SCHEDULE = Table(
    "sources",
    "buyback_schedule",
    "Treasury's tentative schedule of buyback operations as last published, for one refunding "
    "quarter. It announces nothing: each operation is announced a business day ahead (buybacks).",
    key=("operation_date", "start_time", "security_type", "maturity_bucket"),
    day="operation_date",
    origin="US Treasury, Tentative-Buyback-Schedule.xml; only the latest version is served",
    parts={"": "/Tentative-Buyback-Schedule.xml"},
    notes_revisions=True,
    columns=(
        day("operation_date", "Day for which the operation is planned"),
        text("start_time", "New York time at which offers are to open, HH:MM"),
        day("settlement_date", "Day on which it would settle"),
        text("operation_type", "Liquidity Support, Cash Management, ..."),
        text("security_type", "Nominal Coupons or TIPS"),
        text("maturity_bucket", "Remaining maturities that would be bought, as in buybacks"),
        text(
            "security_class",
            "tips; for nominal coupons bond where the bucket reaches beyond ten years, else note",
            allowed=BUYBACK_CLASSES,
        ),
        number(
            "maximum_usd_mn",
            "Most that would be bought, par; NULL where the schedule leaves it open",
            low=0,
            high=1_000_000,
        ),
        text("schedule", "The publisher's name of the schedule, with its version"),
        KNOWN_AT,
    ),
)

BUYBACK_SECURITIES = Table(
    "sources",
    "buyback_securities",
    "Amount bought of each eligible security in a buyback, once results are published. The "
    "rows of an operation add up to its accepted amount; an operation whose rows do not is "
    "left out and reported.",
    key=("operation_date", "start_time", "cusip"),
    day="operation_date",
    origin="US Treasury, buybacks_security_details",
    parts={"": "/buybacks_security_details"},
    columns=(
        day("operation_date", "Day of the operation"),
        text("start_time", "New York time at which offers open, HH:MM; see buybacks"),
        text("cusip", "Security"),
        day("settlement_date", "Day on which the security is retired and the cash is paid"),
        day("maturity_date", "Stated maturity", nullable=True),
        number("coupon_pct", "Coupon of the security", low=0, high=20),
        number(
            "accepted_usd_mn",
            "Par bought; 0 for an eligible security that was not bought",
            nullable=False,
            low=0,
            high=1_000_000,
        ),
        number(
            "price_per100",
            "Average price paid, without accrued interest; NULL where nothing was bought",
            low=10,
            high=1_000,
            unit="USD per 100 of face",
        ),
        KNOWN_AT,
    ),
)

SOMA_SECURITIES = Table(
    "sources",
    "soma_securities",
    "The Fed's Treasury securities by CUSIP, weekly, at par. When a week is restated all "
    "of its rows are replaced; the sums by type equal soma_holdings.",
    key=("as_of_date", "cusip"),
    day="as_of_date",
    origin="Federal Reserve Bank of New York, SOMA holdings by security",
    releases={"": replace(calendars.H41, since=date(2003, 7, 9))},
    whole_days=True,
    columns=(
        day("as_of_date", "Wednesday of the holdings"),
        text("cusip", "Security"),
        text("holding_type", "Kind of security, as in soma_holdings", allowed=HOLDING_TYPES),
        day("maturity_date", "Stated maturity", nullable=True),
        number("coupon_pct", "Coupon; NULL for bills and floating-rate notes", low=0, high=20),
        number("par_usd_mn", "Par held", nullable=False, low=0, high=1_000_000),
        number(
            "inflation_usd_mn",
            "Inflation compensation on the par held",
            low=-100_000,
            high=1_000_000,
        ),
        number(
            "share_outstanding_ratio",
            "Share of the outstanding amount that the Fed holds",
            low=0,
            high=1.001,
        ),
        KNOWN_AT,
    ),
)

TGA_FLOWS = Table(
    "sources",
    "tga_flows",
    "Treasury's deposits and withdrawals by line of the Daily Treasury Statement (table "
    "II). A day is stored only if the lines of both sides add up to the statement's totals "
    "within rounding; a day that was only partly published is reported as a gap.",
    key=("record_date", "direction", "category"),
    day="record_date",
    origin="US Treasury, Daily Treasury Statement, table II",
    releases={"": calendars.DTS},
    whole_days=True,
    columns=(
        day("record_date", "Day of the statement"),
        text("direction", "Into or out of the account", allowed=DIRECTIONS),
        text("category", "The statement's line; a second label follows after ' / '"),
        text(
            "line_group",
            "Group of the line, by its name; defined in `sources/statement_lines.py`",
            allowed=LINE_GROUPS,
        ),
        flag(
            "is_known_line",
            "The line is listed in `sources/statement_lines.py`; FALSE for lines that are new or "
            "renamed",
        ),
        number(
            "amount_usd_mn",
            "Amount of the day; negative values are corrections",
            nullable=False,
            low=-1_000_000,
            high=5_000_000,
        ),
        KNOWN_AT,
    ),
)
