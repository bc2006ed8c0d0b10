"""Contracts of the single settlements, and of what was known of them on each Friday."""

from __future__ import annotations

from liquidity_pipeline.contracts.reach import for_rows
from liquidity_pipeline.contracts.settlements.common import (
    AHEAD,
    AS_OF,
    BUYBACK_LEGS,
    BUYBACKS,
    CLASS,
    FROZEN,
    GROUP,
    IS_OPEN,
    OF_ITS_DAY,
    REDEEMED,
    REFINED,
    SNAPSHOT,
    SNAPSHOT_OF_ITS_DAY,
    SOMA_BASIS,
)
from liquidity_pipeline.contracts.sources.treasury import LEGS, STATUSES
from liquidity_pipeline.contracts.table import (
    KNOWN_AT,
    MART_KNOWN_AT,
    Table,
    day,
    flag,
    integer,
    moment,
    number,
    text,
    usd,
)

SETTLEMENT_LEGS = Table(
    "marts",
    "settlement_legs",
    "Every settlement of marketable debt, past and future, exactly once, from the two "
    "source tables that hold them.",
    key=("settlement_date", "record_id"),
    reach="settlement_date",
    # An operation that was announced before the record ended may have bought less by now.
    rests_on=(AHEAD, SNAPSHOT, *for_rows((BUYBACK_LEGS,), leg="buyback")),
    columns=(
        day("settlement_date", "Day on which the money moves"),
        text("record_id", "As in sources.debt_settlements"),
        text("leg", "issue, redemption or buyback", allowed=LEGS),
        text("cusip", "Security; NULL for buybacks and some scheduled issues", nullable=True),
        CLASS,
        flag("is_cmb", "A cash-management bill"),
        GROUP,
        text("tenor", "Length of a bill in weeks; for coupons the original term", nullable=True),
        flag("is_reopening", "An issue of a security that had been issued before"),
        day("issue_date", "Day on which this auction was issued", nullable=True),
        number("coupon_pct", "Coupon; NULL for bills, floating-rate notes, and before results"),
        day("maturity_date", "Stated maturity", nullable=True),
        number("offering_usd_mn", "Announced amount, without SOMA add-ons", low=0),
        number("par_usd_mn", "Face amount that settles, as in sources.debt_settlements", low=0),
        number("soma_usd_mn", "Add-on of the Fed's own account", low=0),
        moment("announced_at", "When it was announced", nullable=True),
        moment("results_at", "When its results were published", nullable=True),
        moment(
            "first_known_at",
            "When it was announced, or when its results were published if that is unknown",
            nullable=True,
        ),
        KNOWN_AT,
    ),
)

OUTLOOK_MOMENTS = Table(
    "marts",
    "outlook_moments",
    "Moments for which the coming settlements are recorded: each Friday evening, and the "
    "moment of the run.",
    key=("as_of_date", "is_open"),
    reach="as_of_date",
    rests_on=(FROZEN,),
    columns=(AS_OF, moment("moment", "Moment, UTC"), IS_OPEN, MART_KNOWN_AT),
)

EXPECTED_ISSUES = Table(
    "marts",
    "expected_issues",
    "Regular auctions that had not been announced yet, inferred from the past schedule: "
    "when they are expected to settle, and how large they are expected to be.",
    key=("as_of_date", "is_open", "settlement_date", "security_class", "tenor"),
    reach="as_of_date",
    rests_on=(FROZEN, OF_ITS_DAY, SNAPSHOT_OF_ITS_DAY),
    columns=(
        AS_OF,
        IS_OPEN,
        day("settlement_date", "Day on which it is expected to settle"),
        CLASS,
        text("tenor", "Length of a bill in weeks; for coupons the original term"),
        usd("offering_usd_mn", "Offering of the last issue of the same kind", nullable=False),
        moment("announced_by", "When it should have been announced"),
        MART_KNOWN_AT,
    ),
)

SETTLEMENT_VINTAGES = Table(
    "marts",
    "settlement_vintages",
    "Net settlement by day and class as it was known on each Friday for the next eight "
    "weeks, and as it is known now for all days. The rules on roll-overs and on the Fed's "
    "share are applied here and nowhere else.",
    key=("as_of_date", "is_open", "settlement_date", "security_class"),
    reach="as_of_date",
    rests_on=(FROZEN, OF_ITS_DAY, SNAPSHOT_OF_ITS_DAY, BUYBACKS, *REFINED),
    columns=(
        AS_OF,
        IS_OPEN,
        day("settlement_date", "Day on which the money moves"),
        CLASS,
        GROUP,
        usd("auctioned_usd_mn", "Issues with results, SOMA add-ons included", nullable=False),
        usd("announced_usd_mn", "Issues announced, without add-ons", nullable=False),
        integer(
            "scheduled_issues", "Issues on the schedule without an amount", low=0, unit="issues"
        ),
        usd(
            "expected_issues_usd_mn",
            "Regular issues still to be announced, each at the size of the last issue of its kind; "
            "NULL beyond eight weeks, for which none are inferred",
        ),
        usd("add_ons_usd_mn", "Add-ons of the issues with results", nullable=False),
        usd(
            "add_ons_expected_usd_mn",
            "Add-ons still to come for announced and expected issues: the Fed's holdings of "
            "the maturing securities; NULL where these have to be assumed and its purchases "
            "are not known, where these are missing, and where it is not known what buybacks had "
            "retired of them",
        ),
        REDEEMED,
        usd(
            "expected_redeemed_usd_mn",
            "Maturities of bills that are themselves to be announced; NULL beyond eight weeks",
        ),
        usd(
            "public_redeemed_usd_mn",
            "Maturing amount held by the public; NULL where it is not known what buybacks had "
            "retired of it or what the Fed holds of it",
        ),
        usd("cmb_issued_usd_mn", "Cash-management bills in the issues", nullable=False),
        usd("cmb_redeemed_usd_mn", "Cash-management bills in the maturities", nullable=False),
        usd("cmb_add_ons_usd_mn", "Add-ons of cash-management bills", nullable=False),
        usd(
            "buyback_usd_mn",
            "Amount bought back by operations with results; NULL where it is not known",
        ),
        usd(
            "buyback_maximum_usd_mn",
            "Maximum amount that operations without results may buy; NULL where not known, and "
            "for days beyond the month",
        ),
        usd(
            "net_usd_mn",
            "Issues and expected add-ons less maturities; NULL until is_announced, and where "
            "redeemed_usd_mn or add_ons_expected_usd_mn is",
        ),
        usd(
            "net_public_usd_mn",
            "Net paid by the public; NULL until is_announced, and where public_redeemed_usd_mn is",
        ),
        usd(
            "net_public_expected_usd_mn",
            "Net paid by the public with the expected issues included; equals net_public_usd_mn "
            "once everything is announced, and is NULL beyond eight weeks",
        ),
        SOMA_BASIS,
        flag(
            "is_announced",
            "Every expected issue of the day and group is announced; FALSE beyond eight weeks",
        ),
        text("status", "Status of the least certain issue of the day", allowed=STATUSES),
        MART_KNOWN_AT,
    ),
)
