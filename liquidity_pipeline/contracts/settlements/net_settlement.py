"""Contracts of net settlement by day, by week and by quarter."""

from __future__ import annotations

from dataclasses import replace

from liquidity_pipeline.contracts.settlements.common import (
    AHEAD,
    CLASS,
    GROUPS,
    ISSUED,
    MART_CLASSES,
    NET,
    REDEEMED,
    SNAPSHOT,
    SNAPSHOT_WEEK,
    SOMA_BASIS,
)
from liquidity_pipeline.contracts.sources.treasury import STATUSES
from liquidity_pipeline.contracts.table import (
    MART_KNOWN_AT,
    Table,
    day,
    flag,
    integer,
    number,
    text,
    usd,
)

SETTLEMENT_CALENDAR = Table(
    "marts",
    "settlement_calendar",
    "Net settlement of marketable Treasury debt by day and class, past and announced. Classes add "
    "up: a cash-management bill is part of bill and shown in the columns cmb_*.",
    key=("settlement_date", "security_class"),
    reach="settlement_date",
    rests_on=(AHEAD, SNAPSHOT),
    columns=(
        day("settlement_date", "Day on which the money moves"),
        CLASS,
        ISSUED,
        REDEEMED,
        usd(
            "add_ons_expected_usd_mn",
            "Add-ons that announced issues are expected to get; 0 once results are out",
        ),
        *NET,
        usd("cmb_issued_usd_mn", "Cash-management bills in issued_usd_mn", nullable=False),
        usd("cmb_redeemed_usd_mn", "Cash-management bills in redeemed_usd_mn", nullable=False),
        usd("cmb_net_usd_mn", "Their net: part of net_usd_mn, NULL as it"),
        usd("cmb_net_public_usd_mn", "Their part of net_public_usd_mn, NULL as it"),
        SOMA_BASIS,
        text("status", "Least certain of the day's issues", allowed=STATUSES),
        flag(
            "is_settled",
            "The day is past and Treasury's auctions are known through it: an actual figure",
        ),
        MART_KNOWN_AT,
    ),
)

WEEKLY_SETTLEMENTS = Table(
    "marts",
    "weekly_settlements",
    "Net settlement per calendar week by class, by bills and coupons, and for all. Of a week ahead "
    "the net is NULL until all that is expected to settle in it has been announced.",
    key=("week_start", "security_class"),
    reach="week_start",
    rests_on=(replace(AHEAD, days=6), SNAPSHOT_WEEK),
    columns=(
        day("week_start", "Monday of the week"),
        text(
            "security_class",
            "Class; bills, coupons, and all together. cmb is a memo item that bill and bills "
            "include: regular bills are bill less cmb",
            allowed=(*MART_CLASSES, "cmb", *GROUPS, "all"),
        ),
        ISSUED,
        REDEEMED,
        usd("add_ons_expected_usd_mn", "Add-ons that announced issues will get"),
        *NET,
        usd(
            "refinancing_usd_mn",
            "Maturing ahead on days for which issues are still to be announced",
            nullable=False,
        ),
        flag("is_settled", "All of the week's days are settled: an actual figure"),
        MART_KNOWN_AT,
    ),
)

QUARTERLY_BORROWING = Table(
    "marts",
    "quarterly_borrowing",
    "Treasury's privately-held net marketable borrowing per quarter by its own definition, beside "
    "its estimates and what the settlement calendar led to expect.",
    key=("quarter_end",),
    reach="quarter_end",
    rests_on=(AHEAD, SNAPSHOT),
    columns=(
        day("quarter_end", "Last day of the quarter"),
        text("quarter", "Quarter, e.g. 2026Q1"),
        number("issued_usd_mn", "Face amount issued, add-ons included", nullable=False, low=0),
        number("redeemed_usd_mn", "Face amount maturing, SOMA included", nullable=False, low=0),
        usd("net_public_usd_mn", "Net paid by the public, buybacks apart"),
        usd("buyback_usd_mn", "Bought back; NULL where Treasury did not answer for it"),
        usd(
            "privately_held_net_usd_mn",
            "Treasury's figure by our records: net_public less buybacks; NULL where either is",
        ),
        integer(
            "assumed_days",
            "Days on which the Fed's part of the maturing was assumed",
            low=0,
            unit="days",
        ),
        usd("first_estimate_usd_mn", "Treasury's estimate a quarter ahead; NULL if not on record"),
        usd("last_estimate_usd_mn", "Its estimate within the quarter; NULL if not on record"),
        day("statement_date", "Day of the latter", nullable=True),
        usd(
            "expected_net_public_usd_mn",
            "Settled and expected on the first Friday after that day; NULL where more than eight "
            "weeks were left",
        ),
        usd("quarter_end_cash_usd_mn", "Close of the TGA on the last day; NULL before it"),
        usd("assumed_cash_usd_mn", "What Treasury assumed within the quarter"),
        flag("is_open", "The quarter is not over, or not known to its end: so far"),
        MART_KNOWN_AT,
    ),
)
