"""Contracts of the settlements and other flows of the account in the coming weeks."""

from __future__ import annotations

from dataclasses import replace

from liquidity_pipeline.contracts.reach import (
    HOLDINGS,
    RETIRED,
    Input,
    public_share,
    refined,
)
from liquidity_pipeline.contracts.settlements.common import (
    AHEAD,
    BUYBACKS_AHEAD,
    CLASS,
    GROUPS,
    REDEEMED,
    SCHEDULE,
    SNAPSHOT_WEEK,
    SOMA_BASIS,
)
from liquidity_pipeline.contracts.table import MART_KNOWN_AT, Table, day, integer, number, text, usd

# The effect on the repo rate takes the slope of the newest quarter in marts.settlement_sensitivity.
# While an input of it is behind, the newest slope is an older one.
_EFFECT = ("funding_effect_bp", "funding_effect_low_bp", "funding_effect_high_bp")
_NEWEST_SLOPE = tuple(
    Input(
        table,
        entity,
        columns=_EFFECT,
        is_current=True,
    )
    for table, entity in (
        ("reference_rates", "TGCR"),
        ("market_series", "RRPONTSYAWARD"),
    )
) + public_share(Input("debt_settlements", "auctions", columns=_EFFECT, is_current=True))

SETTLEMENT_OUTLOOK = Table(
    "marts",
    "settlement_outlook",
    "Net settlements of the coming eight weeks as known at the moment of the run. Each run "
    "replaces all rows; past outlooks are in marts.settlement_outlook_score.",
    key=("settlement_date", "security_class"),
    reach="settlement_date",
    rests_on=(AHEAD, SCHEDULE, *BUYBACKS_AHEAD, *_NEWEST_SLOPE),
    columns=(
        day("as_of", "Day of the run"),
        day("settlement_date", "Future day on which the money moves"),
        CLASS,
        usd("auctioned_usd_mn", "Issues with results, SOMA add-ons included", nullable=False),
        usd("announced_usd_mn", "Issues announced, add-ons still to come", nullable=False),
        integer(
            "scheduled_issues", "Issues on the schedule without an amount", low=0, unit="issues"
        ),
        usd(
            "expected_issues_usd_mn",
            "Regular issues still to be announced, each at the size of the last issue of its kind",
            nullable=False,
        ),
        usd("add_ons_usd_mn", "Add-ons of the issues with results", nullable=False),
        usd(
            "add_ons_expected_usd_mn",
            "Add-ons still to come for announced and expected issues: the Fed's holdings of the "
            "maturing securities; NULL where these are not known",
        ),
        REDEEMED,
        usd(
            "public_redeemed_usd_mn",
            "What the public gets of redeemed_usd_mn, with the inflation compensation that is paid "
            "on it; NULL where it is not known what the public holds of what matures",
        ),
        usd(
            "expected_redeemed_usd_mn",
            "Maturities, within the eight weeks, of regular bills that are themselves still to be "
            "announced; not part of redeemed_usd_mn",
            nullable=False,
        ),
        usd(
            "net_public_usd_mn",
            "Net paid by the public; NULL until all is announced, and where it is not known what "
            "the public holds of what matures",
        ),
        usd(
            "net_public_expected_usd_mn",
            "Net paid by the public with the expected issues included: auctioned_usd_mn - "
            "add_ons_usd_mn + announced_usd_mn + expected_issues_usd_mn - public_redeemed_usd_mn - "
            "expected_redeemed_usd_mn; NULL where public_redeemed_usd_mn is",
        ),
        usd(
            "refinancing_usd_mn",
            "Amount maturing on days whose issues are still to be announced; it is assumed to be "
            "rolled over",
        ),
        usd(
            "buyback_maximum_usd_mn",
            "Maximum amount that announced buybacks may retire; NULL for days whose operation is "
            "not due to be announced yet (two business days ahead at most, and not beyond the "
            "month), and while their record or the snapshot of what is upcoming is not current",
        ),
        number(
            "funding_effect_bp",
            "Expected effect of the day's expected net settlement of all coupons on the overnight "
            "repo rate, by the slope of the last complete quarter in "
            "marts.settlement_sensitivity; the same in the row of each class, so never add it up; "
            "NULL for bills",
            unit="basis points",
        ),
        number("funding_effect_low_bp", "Lower end of its 95 % interval", unit="basis points"),
        number("funding_effect_high_bp", "Upper end of its 95 % interval", unit="basis points"),
        SOMA_BASIS,
        MART_KNOWN_AT,
    ),
)

SETTLEMENT_OUTLOOK_SCORE = Table(
    "marts",
    "settlement_outlook_score",
    "Settlements of the next eight weeks as known and expected on each Friday evening, "
    "compared with what settled, with the errors of two simple forecasts.",
    key=("as_of_date", "weeks_ahead", "security_group"),
    reach="week_start",
    rests_on=(replace(AHEAD, days=6), SNAPSHOT_WEEK),
    columns=(
        day("as_of_date", "Friday"),
        integer("weeks_ahead", "Calendar weeks ahead, the next one is 1", low=1, unit="weeks"),
        text("security_group", "Bills, coupons, or all", allowed=(*GROUPS, "all")),
        day("week_start", "Monday of the week ahead"),
        usd("issued_known_usd_mn", "Issues known: results, or announced amount", nullable=False),
        usd("issued_usd_mn", "Issues that settled, SOMA add-ons included", nullable=False),
        number(
            "coverage_ratio",
            "Known issues divided by settled issues; add-ons are never announced in advance",
            low=0,
        ),
        usd(
            "redeemed_known_usd_mn",
            "Maturities known at that time; NULL where it is not known what buybacks had retired",
        ),
        usd(
            "redeemed_usd_mn",
            "Maturities that settled; NULL where it is not known what buybacks had retired",
        ),
        usd(
            "net_public_known_usd_mn",
            "Net paid by the public as known at that time; NULL while issues were still to be "
            "announced",
        ),
        usd(
            "net_public_expected_usd_mn",
            "Net paid by the public with the issues expected then included",
        ),
        usd(
            "net_public_usd_mn",
            "Net paid by the public; NULL where it is not known what the public held of what "
            "matured",
        ),
        usd(
            "error_usd_mn",
            "Settled less expected net; NULL where less than a year of history is held, and where "
            "either is not known",
        ),
        usd(
            "rollover_error_usd_mn", "Error of a forecast of full roll-over: the settled net itself"
        ),
        usd(
            "last_year_error_usd_mn",
            "Settled less the net of the week 52 weeks before; NULL where that is not held",
        ),
        MART_KNOWN_AT,
    ),
)

COUPON_INTEREST = Table(
    "marts",
    "coupon_interest",
    "Interest that Treasury pays on notes and bonds by day, from the first stored day of auctions "
    "to eight weeks ahead, from the coupons and amounts of all that was outstanding; without "
    "floating-rate notes.",
    key=("payment_date",),
    reach="payment_date",
    rests_on=(
        # What matured before the first stored day is not held, so what paid before it is not known.
        replace(AHEAD, from_start=True),
        # Bonds auctioned before that day which are still outstanding are in the snapshot alone.
        replace(SCHEDULE, is_current=False, looks_ahead=True),
        *refined(AHEAD, RETIRED, columns=("interest_usd_mn",)),
        # The Fed's holdings tell the inflation compensation on the principal.
        *refined(AHEAD, HOLDINGS, columns=("interest_usd_mn", "interest_at_most_usd_mn")),
    ),
    columns=(
        day("payment_date", "Day on which it is paid"),
        usd(
            "interest_usd_mn",
            "Half a year's coupon on the outstanding amount; NULL where the coupon is not "
            "known for one per cent or more of the face amount, or where it is not known what "
            "buybacks had retired since 2024-05-29, or how inflation raised the principal",
        ),
        usd(
            "interest_at_most_usd_mn",
            "The same on all that was auctioned and has not matured, as if buybacks had retired "
            "nothing of it",
        ),
        usd(
            "paying_usd_mn",
            "Face amount of the securities that pay, as auctioned",
            nullable=False,
        ),
        number(
            "coverage_ratio",
            "Share of paying_usd_mn whose coupon is known",
            low=0,
            high=1.000001,
        ),
        MART_KNOWN_AT,
    ),
)

_USUAL_DAYS = {"item": ("tax date", "benefits")}

FORWARD_CALENDAR = Table(
    "marts",
    "forward_calendar",
    "Flows of the Treasury's account in the coming eight weeks by day, as known at the "
    "moment of the run. Positive amounts flow into the account and drain reserves.",
    key=("date", "item", "part"),
    reach="date",
    rests_on=(
        AHEAD,
        SCHEDULE,
        # Without the statement's lines a marked day has no usual amount, and stays a marked day.
        Input("tga_flows", columns=("amount_usd_mn", "n_obs"), only=_USUAL_DAYS, is_current=True),
        # Which of the planned operations are announced, and what such take, the operations say.
        Input("buybacks", only={"item": ("buybacks", "tentative buybacks")}, is_current=True),
        Input("buyback_schedule", only={"item": ("tentative buybacks",)}, is_current=True),
    ),
    columns=(
        day("as_of", "Day of the run"),
        day("date", "Future day"),
        text(
            "item",
            "Kind of flow. maturities expected: bills that are themselves still to be announced "
            "and mature within the eight weeks; redemptions not paid to the public: what matures "
            "of the Fed's holdings beyond its add-ons, less the inflation compensation that the "
            "public gets. The issues, add-ons, maturities and redemptions of a day and part add up "
            "to its net_public_expected_usd_mn in marts.settlement_outlook",
            allowed=(
                "issues auctioned",
                "issues announced",
                "issues expected",
                "add-ons expected",
                "maturities",
                "maturities expected",
                "redemptions not paid to the public",
                "buybacks",
                "tentative buybacks",
                "coupon interest",
                "tax date",
                "benefits",
            ),
        ),
        text(
            "part",
            "Bills or coupons; for a tentative buyback its type, for a tax date its month, for "
            "benefits the kind of payment day",
        ),
        usd("amount_usd_mn", "Amount; NULL where it is not known"),
        number(
            "maximum_usd_mn",
            "Buybacks: the most that would be bought, par. Before results, the amount is this "
            "maximum times what operations of the type took of their maxima in the past year. "
            "Coupon interest: that on all that was auctioned, as if buybacks had retired nothing",
            low=0,
        ),
        text(
            "certainty",
            "known: results are published; announced: results are still to come; expected: the "
            "announcement is still to come; tentative: on Treasury's schedule, which may change; "
            "usual: the mean of such days in the past, from table II of the statement; "
            "NULL for published results whose amount is not known",
            nullable=True,
            allowed=("known", "announced", "expected", "tentative", "usual"),
        ),
        number(
            "n_obs",
            "Past days used for a usual amount, or operations used for a take-up",
            low=0,
            unit="days or operations",
        ),
        MART_KNOWN_AT,
    ),
)
