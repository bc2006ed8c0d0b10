"""Contracts of the marts on the settlement of Treasury debt, past and ahead.

Three headlines circulate, and each has its own column and class. The press counts regular bills at
face value, the Fed's part included: `net_usd_mn` of class bill less class cmb. What the public pays
is `net_public_usd_mn` of class all. Treasury's own figure, privately-held net marketable borrowing,
is `privately_held_net_usd_mn`: the same net of buybacks.
"""

from __future__ import annotations

from dataclasses import replace

from liquidity_pipeline.contracts.reach import Input
from liquidity_pipeline.contracts.sources import LEGS, STATUSES
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

# In the marts a cash-management bill is a bill; class cmb is a memo item, never added to others.
MART_CLASSES = ("bill", "note", "bond", "tips", "frn")
GROUPS = ("bills", "coupons")
SOMA_BASES = ("holdings", "published", "assumed", "none")

_SOMA_BASIS = text(
    "soma_basis",
    "How the Fed's part of the maturing is known. holdings: its securities by CUSIP; published: "
    "Treasury's estimate of what the public holds; assumed: at least what it took of them at their "
    "auctions and takes as add-on on the day, at most all; none: nothing matures",
    allowed=SOMA_BASES,
)
_CLASS = text(
    "security_class",
    "Class of security; bill includes cash-management bills",
    allowed=MART_CLASSES,
)
_GROUP = text("security_group", "Bills, or coupons", allowed=GROUPS)

_ISSUED = usd("issued_usd_mn", "Face amount issued, SOMA add-ons included", nullable=False)
_REDEEMED = usd(
    "redeemed_usd_mn",
    "Face amount maturing, SOMA included, without what buybacks had retired (as far as these were "
    "ever served by security; see docs/reliability.md)",
    nullable=False,
)
_NET = (
    usd(
        "buyback_usd_mn",
        "Face amount bought back; NULL where Treasury's buybacks were not answered for",
    ),
    usd(
        "net_usd_mn",
        "Issued and expected add-ons less redeemed; buybacks apart. NULL while an issue is still "
        "to be announced, or where the auctions were not answered for",
    ),
    usd(
        "net_public_usd_mn",
        "Net paid by the public: without the Fed's add-ons and maturities. NULL as net_usd_mn",
    ),
    usd(
        "privately_held_net_usd_mn",
        "Treasury's privately-held net marketable borrowing: net_public less buybacks. NULL where "
        "either is",
    ),
)


# Auctions tell of days to come as well, as long as all that is due of them is known.
_AHEAD = Input("debt_settlements", "auctions", looks_ahead=True)
_OF_ITS_DAY = replace(_AHEAD, by="settlement_date")
# The open row is the run's own: what of it is known, the day of each settlement says.
_FROZEN = replace(_AHEAD, only={"is_open": ("false",)})
_BUYBACKS = Input(
    "debt_settlements",
    "buybacks",
    columns=("buyback_usd_mn", "buyback_maximum_usd_mn"),
    by="settlement_date",
    looks_ahead=True,
    # The programme began then; before it there is nothing to know.
    from_day="2024-05-29",
)
_SCHEDULE = Input("upcoming_settlements", "auctions", is_current=True)
# What matures and is announced for days to come is in its snapshot alone.
_SNAPSHOT = replace(_SCHEDULE, only_ahead=True)
_SNAPSHOT_WEEK = replace(_SNAPSHOT, days=6)
_SNAPSHOT_OF_ITS_DAY = replace(_SNAPSHOT, by="settlement_date")

# Of buybacks ahead both the auctions' record and the snapshot of what is upcoming tell.
_BUYBACKS_AHEAD = tuple(
    Input(table, "buybacks", columns=("buyback_maximum_usd_mn",), is_current=True)
    for table in ("debt_settlements", "upcoming_settlements")
)

# The effect on the repo rate takes the newest slope of marts.settlement_sensitivity. While an input
# of that mart is behind, its newest slope is an older one.
_NEWEST_SLOPE = tuple(
    Input(
        table,
        entity,
        columns=("funding_effect_bp", "funding_effect_low_bp", "funding_effect_high_bp"),
        is_current=True,
    )
    for table, entity in (
        ("reference_rates", "TGCR"),
        ("market_series", "RRPONTSYAWARD"),
        ("fed_balance_sheet", "WRBWFRBL"),
        ("market_series", "TLAACBW027SBOG"),
    )
)

SETTLEMENT_LEGS = Table(
    "marts",
    "settlement_legs",
    "Every settlement of marketable debt, past and ahead, once: what both sources of it hold.",
    key=("settlement_date", "record_id"),
    reach="settlement_date",
    rests_on=(_AHEAD, _SNAPSHOT),
    columns=(
        day("settlement_date", "Day on which the money moves"),
        text("record_id", "As in sources.debt_settlements"),
        text("leg", "issue, redemption or buyback", allowed=LEGS),
        text("cusip", "Security; NULL for buybacks and some scheduled issues", nullable=True),
        _CLASS,
        flag("is_cmb", "A cash-management bill"),
        _GROUP,
        text("tenor", "Length of a bill in weeks; for coupons the term", nullable=True),
        flag("is_reopening", "An issue of a security that had been issued before"),
        day("issue_date", "Day on which this auction was issued", nullable=True),
        number("coupon_pct", "Coupon; NULL for bills, floating-rate notes, and before results"),
        day("maturity_date", "Stated maturity", nullable=True),
        number("offering_usd_mn", "Announced amount, without SOMA add-ons", low=0),
        number("par_usd_mn", "Face amount that settles, as in sources.debt_settlements", low=0),
        number("soma_usd_mn", "Add-on of the Fed's own account", low=0),
        moment("announced_at", "When it was announced", nullable=True),
        moment("results_at", "When its results were published", nullable=True),
        moment("first_known_at", "Announcement, or results where that is unknown", nullable=True),
        KNOWN_AT,
    ),
)


_AS_OF = day("as_of_date", "Day at whose end the row was known")
_IS_OPEN = flag(
    "is_open", "Known at the run's moment and replaced by the next run; false: a Friday, for good"
)

OUTLOOK_MOMENTS = Table(
    "marts",
    "outlook_moments",
    "Moments from which the settlements ahead are looked at: each Friday evening, and the run's.",
    key=("as_of_date", "is_open"),
    reach="as_of_date",
    rests_on=(_FROZEN,),
    columns=(_AS_OF, moment("moment", "The moment"), _IS_OPEN, MART_KNOWN_AT),
)


EXPECTED_ISSUES = Table(
    "marts",
    "expected_issues",
    "Regular auctions whose announcement was still to come, by the rhythm of the past: when they "
    "settle and how large they are expected to be.",
    key=("as_of_date", "is_open", "settlement_date", "security_class", "tenor"),
    reach="as_of_date",
    rests_on=(_FROZEN, _OF_ITS_DAY, _SNAPSHOT_OF_ITS_DAY),
    columns=(
        _AS_OF,
        _IS_OPEN,
        day("settlement_date", "Day on which it is expected to settle"),
        _CLASS,
        text("tenor", "Length of a bill in weeks; for coupons the term"),
        usd("offering_usd_mn", "Offering of the last issue of its kind", nullable=False),
        moment("announced_by", "When it should have been announced"),
        MART_KNOWN_AT,
    ),
)


SETTLEMENT_VINTAGES = Table(
    "marts",
    "settlement_vintages",
    "Net settlement by day and class as it was known on each Friday for the next eight weeks, and "
    "as it is known now for all days: where the rules on roll-overs and the Fed's part are kept.",
    key=("as_of_date", "is_open", "settlement_date", "security_class"),
    reach="as_of_date",
    rests_on=(_FROZEN, _OF_ITS_DAY, _SNAPSHOT_OF_ITS_DAY, _BUYBACKS),
    columns=(
        _AS_OF,
        _IS_OPEN,
        day("settlement_date", "Day on which the money moves"),
        _CLASS,
        _GROUP,
        usd("auctioned_usd_mn", "Issues with results, SOMA add-ons included", nullable=False),
        usd("announced_usd_mn", "Issues announced, without add-ons", nullable=False),
        integer(
            "scheduled_issues", "Issues on the schedule without an amount", low=0, unit="issues"
        ),
        usd(
            "expected_issues_usd_mn",
            "Regular issues still to be announced, at the size of the last of their kind",
            nullable=False,
        ),
        usd("add_ons_usd_mn", "Add-ons of the issues with results", nullable=False),
        usd(
            "add_ons_expected_usd_mn",
            "Add-ons to come for announced and expected issues: what the Fed holds of the "
            "maturing; NULL where its purchases, on which an assumption would rest, are not known",
        ),
        _REDEEMED,
        usd(
            "expected_redeemed_usd_mn",
            "Maturities of bills that are themselves still to be announced",
            nullable=False,
        ),
        usd("public_redeemed_usd_mn", "Maturing and held by the public; NULL as before"),
        usd("cmb_issued_usd_mn", "Cash-management bills in the issues", nullable=False),
        usd("cmb_redeemed_usd_mn", "Cash-management bills in the maturities", nullable=False),
        usd("cmb_add_ons_usd_mn", "Add-ons of cash-management bills", nullable=False),
        usd("buyback_usd_mn", "Bought back by the operations with results; NULL where not known"),
        usd(
            "buyback_maximum_usd_mn",
            "Most that operations still without results would buy; NULL where not known",
        ),
        usd("net_usd_mn", "Issues and expected add-ons less maturities; NULL until is_announced"),
        usd("net_public_usd_mn", "Net paid by the public; NULL until is_announced"),
        usd(
            "net_public_expected_usd_mn",
            "The same with the expected issues; equals net_public_usd_mn once all is announced",
        ),
        _SOMA_BASIS,
        flag("is_announced", "No issue of the day and group is expected to be announced any more"),
        text("status", "Least certain of the day's issues", allowed=STATUSES),
        MART_KNOWN_AT,
    ),
)


SETTLEMENT_CALENDAR = Table(
    "marts",
    "settlement_calendar",
    "Net settlement of marketable Treasury debt by day and class, past and announced. Classes add "
    "up: a cash-management bill is part of bill and shown in the columns cmb_*.",
    key=("settlement_date", "security_class"),
    reach="settlement_date",
    rests_on=(_AHEAD, _SNAPSHOT),
    columns=(
        day("settlement_date", "Day on which the money moves"),
        _CLASS,
        _ISSUED,
        _REDEEMED,
        usd(
            "add_ons_expected_usd_mn",
            "Add-ons that announced issues are expected to get; 0 once results are out",
        ),
        *_NET,
        usd("cmb_issued_usd_mn", "Cash-management bills in issued_usd_mn", nullable=False),
        usd("cmb_redeemed_usd_mn", "Cash-management bills in redeemed_usd_mn", nullable=False),
        usd("cmb_net_usd_mn", "Their net: part of net_usd_mn, NULL as it"),
        usd("cmb_net_public_usd_mn", "Their part of net_public_usd_mn, NULL as it"),
        flag("is_announced", "No issue of the day and group is still to be announced"),
        _SOMA_BASIS,
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
    rests_on=(replace(_AHEAD, days=6), _SNAPSHOT_WEEK),
    columns=(
        day("week_start", "Monday of the week"),
        text(
            "security_class",
            "Class; bills, coupons, and all together. cmb is a memo item that bill and bills "
            "include: regular bills are bill less cmb",
            allowed=(*MART_CLASSES, "cmb", *GROUPS, "all"),
        ),
        _ISSUED,
        _REDEEMED,
        usd("add_ons_expected_usd_mn", "Add-ons that announced issues will get"),
        *_NET,
        usd(
            "refinancing_usd_mn",
            "Maturing ahead on days for which issues are still to be announced",
            nullable=False,
        ),
        flag("is_settled", "All of the week's days are settled: an actual figure"),
        MART_KNOWN_AT,
    ),
)


SETTLEMENT_OUTLOOK = Table(
    "marts",
    "settlement_outlook",
    "Net settlements of the coming eight weeks as known at the run's moment: the one mart whose "
    "rows all change with the run. What it said in the past is in settlement_outlook_score.",
    key=("settlement_date", "security_class"),
    reach="settlement_date",
    rests_on=(_AHEAD, _SCHEDULE, *_BUYBACKS_AHEAD, *_NEWEST_SLOPE),
    columns=(
        day("as_of", "Day of the run"),
        day("settlement_date", "Day ahead on which the money moves"),
        _CLASS,
        usd("auctioned_usd_mn", "Issues with results, SOMA add-ons included", nullable=False),
        usd("announced_usd_mn", "Issues announced, add-ons still to come", nullable=False),
        integer(
            "scheduled_issues", "Issues on the schedule without an amount", low=0, unit="issues"
        ),
        usd(
            "expected_issues_usd_mn",
            "Regular issues still to be announced, at the size of the last of their kind",
            nullable=False,
        ),
        usd(
            "add_ons_expected_usd_mn",
            "Add-ons to come for both: what the Fed holds of the maturing",
        ),
        _REDEEMED,
        usd("net_public_usd_mn", "Net paid by the public; NULL until all is announced"),
        usd("net_public_expected_usd_mn", "The same with the issues that are expected"),
        usd(
            "refinancing_usd_mn",
            "Maturing while issues of the day and group are still to be announced: rolled over",
        ),
        usd(
            "buyback_maximum_usd_mn",
            "Most that announced buybacks would retire; NULL while these are not answered for",
        ),
        number(
            "funding_effect_bp",
            "Expected effect on the overnight repo rate of the expected net of coupons: that of "
            "marts.settlement_sensitivity's last complete quarter; NULL for bills",
            unit="basis points",
        ),
        number("funding_effect_low_bp", "Lower end of its 95 % interval", unit="basis points"),
        number("funding_effect_high_bp", "Upper end of its 95 % interval", unit="basis points"),
        _SOMA_BASIS,
        MART_KNOWN_AT,
    ),
)


SETTLEMENT_OUTLOOK_SCORE = Table(
    "marts",
    "settlement_outlook_score",
    "What was known and expected on Friday evenings of the settlements of the next eight weeks, "
    "and what settled; beside it the errors of two simple forecasts.",
    key=("as_of_date", "weeks_ahead", "security_group"),
    reach="week_start",
    rests_on=(replace(_AHEAD, days=6), _SNAPSHOT_WEEK),
    columns=(
        day("as_of_date", "Friday"),
        integer("weeks_ahead", "Calendar weeks ahead, the next one is 1", low=1, unit="weeks"),
        text("security_group", "Bills, coupons, or all", allowed=(*GROUPS, "all")),
        day("week_start", "Monday of the week ahead"),
        usd("issued_known_usd_mn", "Issues known: results, or announced amount", nullable=False),
        usd("issued_usd_mn", "Issues that settled, SOMA add-ons included", nullable=False),
        number("coverage_ratio", "Known over settled issues; add-ons are not announced", low=0),
        usd("redeemed_known_usd_mn", "Maturities known then", nullable=False),
        usd("redeemed_usd_mn", "Maturities that settled", nullable=False),
        usd(
            "net_public_known_usd_mn",
            "Net paid by the public as known then; NULL while issues were still to be announced",
        ),
        usd("net_public_expected_usd_mn", "The same with the issues that were expected"),
        usd("net_public_usd_mn", "Net paid by the public", nullable=False),
        usd("error_usd_mn", "Settled less expected net; NULL without a year of history"),
        usd("rollover_error_usd_mn", "Error of expecting a full roll-over: the settled net itself"),
        usd(
            "last_year_error_usd_mn",
            "Settled less the net of the week 52 weeks before; NULL where that is not held",
        ),
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
    rests_on=(_AHEAD, _SNAPSHOT),
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


COUPON_INTEREST = Table(
    "marts",
    "coupon_interest",
    "Interest that Treasury pays on notes and bonds by day, past and eight weeks ahead, from the "
    "coupons and amounts of its auctions; without floating-rate notes.",
    key=("payment_date",),
    reach="payment_date",
    rests_on=(_AHEAD, _SNAPSHOT),
    columns=(
        day("payment_date", "Day on which it is paid"),
        usd(
            "interest_usd_mn",
            "Half a year's coupon on what is outstanding; NULL where the coupon of a hundredth or "
            "more of the face amount is not known, or less than ten years of auctions are held",
        ),
        usd("paying_usd_mn", "Face amount of the securities that pay", nullable=False),
        number("coverage_ratio", "Part of it whose coupon is known", low=0, high=1.000001),
        MART_KNOWN_AT,
    ),
)


_USUAL_DAYS = {"item": ("tax date", "benefits")}

FORWARD_CALENDAR = Table(
    "marts",
    "forward_calendar",
    "What moves the Treasury's account in the coming eight weeks by day, as known at the run's "
    "moment: positive amounts flow into the account and drain.",
    key=("date", "item", "part"),
    reach="date",
    rests_on=(
        _AHEAD,
        _SCHEDULE,
        # Without the statement's lines a marked day has no usual amount, and stays a marked day.
        Input("tga_flows", columns=("amount_usd_mn", "n_obs"), only=_USUAL_DAYS, is_current=True),
        Input("buybacks", only={"item": ("buybacks",)}, is_current=True),
    ),
    columns=(
        day("as_of", "Day of the run"),
        day("date", "Day ahead"),
        text(
            "item",
            "What moves",
            allowed=(
                "issues auctioned",
                "issues announced",
                "issues expected",
                "add-ons expected",
                "maturities",
                "buybacks",
                "coupon interest",
                "tax date",
                "benefits",
            ),
        ),
        text("part", "Bills or coupons; the month of a tax date, the kind of benefit day"),
        usd("amount_usd_mn", "Amount; NULL where it cannot be told"),
        text(
            "certainty",
            "known; announced: results to come; expected: announcement to come; usual: the mean of "
            "such days in the past, by table II of the statement",
            allowed=("known", "announced", "expected", "usual"),
        ),
        number(
            "n_obs",
            "Past days behind a usual amount, operations behind a take-up",
            low=0,
            unit="days or operations",
        ),
        MART_KNOWN_AT,
    ),
)
