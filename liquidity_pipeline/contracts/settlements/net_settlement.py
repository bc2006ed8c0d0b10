"""Contracts of net settlement by day, by week and by quarter."""

from __future__ import annotations

from dataclasses import replace

from liquidity_pipeline.contracts.settlements.common import (
    AHEAD,
    BUYBACK_LEGS,
    CLASS,
    GROUPS,
    ISSUED,
    MART_CLASSES,
    NET,
    NET_OF_BUYBACKS,
    REDEEMED,
    SNAPSHOT,
    SNAPSHOT_WEEK,
    SOMA_BASIS,
)
from liquidity_pipeline.contracts.sources.treasury import STATUSES
from liquidity_pipeline.contracts.table import (
    MART_KNOWN_AT,
    Column,
    Table,
    day,
    flag,
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
        usd(
            "cmb_net_usd_mn",
            "Net settlement of cash-management bills: part of net_usd_mn, and NULL where that is",
        ),
        usd(
            "cmb_net_public_usd_mn",
            "Cash-management bills' part of net_public_usd_mn, and NULL where that is",
        ),
        flag(
            "is_announced",
            "No issue of the day and group is still to be announced; FALSE beyond eight weeks",
        ),
        SOMA_BASIS,
        text("status", "Status of the least certain issue of the day", allowed=STATUSES),
        flag(
            "is_settled",
            "TRUE where the day is past and Treasury's auctions are known through it, so that the "
            "figures that are not NULL are actual",
        ),
        MART_KNOWN_AT,
    ),
)

WEEKLY_SETTLEMENTS = Table(
    "marts",
    "weekly_settlements",
    "Net settlement per calendar week by class, by bills and coupons, and in total. The "
    "net of a future week is NULL until everything that is expected to settle in it has "
    "been announced.",
    key=("week_start", "security_class"),
    reach="week_start",
    rests_on=(
        replace(AHEAD, days=6, since="week_start"),
        SNAPSHOT_WEEK,
        replace(BUYBACK_LEGS, columns=NET_OF_BUYBACKS, days=6, since="week_start"),
    ),
    columns=(
        day("week_start", "Monday of the week"),
        text(
            "security_class",
            "Class, group (bills, coupons), or all. cmb is a memo item that bill and bills "
            "include: regular bills are bill less cmb",
            allowed=(*MART_CLASSES, "cmb", *GROUPS, "all"),
        ),
        ISSUED,
        REDEEMED,
        usd("add_ons_expected_usd_mn", "Add-ons that announced issues are expected to get"),
        *NET,
        usd(
            "refinancing_usd_mn",
            "Amount maturing on future days for which issues are still to be announced; NULL where "
            "redeemed_usd_mn is NULL on one of them",
        ),
        flag(
            "is_settled",
            "TRUE where all days of the week are settled, so that the figures that are not NULL "
            "are actual",
        ),
        MART_KNOWN_AT,
    ),
)

QUARTERLY_BORROWING = Table(
    "marts",
    "quarterly_borrowing",
    "Treasury's privately-held net marketable borrowing per quarter by Treasury's own "
    "definition, with Treasury's estimates and the expectation from the settlement "
    "calendar.",
    key=("quarter_end",),
    reach="quarter_end",
    rests_on=(AHEAD, SNAPSHOT, replace(BUYBACK_LEGS, columns=NET_OF_BUYBACKS)),
    columns=(
        day("quarter_end", "Last day of the quarter"),
        text("quarter", "Quarter, e.g. 2026Q1"),
        number("issued_usd_mn", "Face amount issued, add-ons included", nullable=False, low=0),
        number(
            "redeemed_usd_mn",
            "Face amount maturing, SOMA included; NULL where it is not known what buybacks had "
            "retired of it",
            low=0,
        ),
        usd("net_public_usd_mn", "Net paid by the public; buybacks are not included"),
        usd(
            "buyback_usd_mn",
            "Amount bought back; NULL where Treasury's answer on buybacks is missing",
        ),
        usd(
            "privately_held_net_usd_mn",
            "Treasury's figure computed from these records: net_public_usd_mn less buyback_usd_mn; "
            "NULL where either is",
        ),
        Column(
            "assumed_days",
            "integer",
            "Days on which the Fed's share of the maturing securities was assumed; NULL where it "
            "is not known how it is determined",
            low=0,
            unit="days",
        ),
        usd("first_estimate_usd_mn", "Treasury's estimate a quarter ahead; NULL if not on record"),
        usd(
            "last_estimate_usd_mn", "Treasury's estimate within the quarter; NULL if not on record"
        ),
        day("statement_date", "Day of the estimate within the quarter", nullable=True),
        usd(
            "expected_net_public_usd_mn",
            "Amount settled and expected on the first Friday after statement_date; NULL where "
            "more than eight weeks of the quarter were left",
        ),
        usd(
            "quarter_end_cash_usd_mn",
            "Closing balance of the TGA on the quarter's last day; NULL before that day",
        ),
        usd(
            "assumed_cash_usd_mn",
            "Quarter-end cash balance that Treasury assumed within the quarter",
        ),
        flag(
            "is_open",
            "TRUE where the quarter is not over or not known to its end; the figures then cover it "
            "so far",
        ),
        MART_KNOWN_AT,
    ),
)
