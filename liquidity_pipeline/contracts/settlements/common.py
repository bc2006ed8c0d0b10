"""What the marts on settlements share: classes, columns, and the inputs that they rest on."""

from __future__ import annotations

from dataclasses import replace

from liquidity_pipeline.contracts.reach import HOLDINGS, RETIRED, Input, for_rows, refined
from liquidity_pipeline.contracts.sources.itemised import BUYBACK_CLASSES
from liquidity_pipeline.contracts.table import day, flag, text, usd

# What of a week or a quarter is not known while an operation in it may be missing.
NET_OF_BUYBACKS = ("buyback_usd_mn", "privately_held_net_usd_mn")

# In the marts a cash-management bill is a bill; class cmb is a memo item, never added to others.
MART_CLASSES = ("bill", "note", "bond", "tips", "frn")

GROUPS = ("bills", "coupons")

SOMA_BASES = ("holdings", "published", "assumed", "none")

SOMA_BASIS = text(
    "soma_basis",
    "How the Fed's share of the maturing securities is determined. holdings: from its "
    "securities by CUSIP; published: from Treasury's estimate of what the public holds; "
    "assumed: at least what the Fed took at their auctions and takes as add-ons on the "
    "day, and at most all; none: nothing matures; NULL where its securities by CUSIP used to "
    "be served and are missing for the day",
    nullable=True,
    allowed=SOMA_BASES,
)

CLASS = text(
    "security_class",
    "Class of security; bill includes cash-management bills",
    allowed=MART_CLASSES,
)

GROUP = text("security_group", "Bills or coupons", allowed=GROUPS)

ISSUED = usd("issued_usd_mn", "Face amount issued, SOMA add-ons included", nullable=False)

REDEEMED = usd(
    "redeemed_usd_mn",
    "Face amount maturing, SOMA holdings included, less what buybacks had retired (as far "
    "as Treasury publishes them by security; see docs/reliability.md). NULL where notes, bonds or "
    "TIPS mature and it is not known what buybacks had retired of them",
)

NET = (
    usd(
        "buyback_usd_mn",
        "Face amount bought back; NULL where Treasury's answer on buybacks is missing, and for "
        "days ahead whose operation has no results yet, or that lie beyond the month",
    ),
    usd(
        "net_usd_mn",
        "Issued amount and expected add-ons less redeemed amount; buybacks are not included. "
        "NULL while an issue is still to be announced, where Treasury's answer on auctions is "
        "missing, and where redeemed_usd_mn or the expected add-ons are NULL",
    ),
    usd(
        "net_public_usd_mn",
        "Net paid by the public, without the Fed's add-ons and maturities. NULL while an issue "
        "is still to be announced, and where it is not known what the public holds of what "
        "matures: the auctions, the Fed's holdings or what buybacks retired are not known",
    ),
    usd(
        "privately_held_net_usd_mn",
        "Treasury's privately-held net marketable borrowing: net_public_usd_mn less "
        "buyback_usd_mn. NULL where either is",
    ),
)

AS_OF = day("as_of_date", "The row shows what was known at the end of this day")

IS_OPEN = flag(
    "is_open",
    "TRUE: known at the moment of the run and replaced by the next run; FALSE: known on a "
    "Friday and never revised",
)

# Auctions tell of days to come as well, as long as all that is due of them is known.
AHEAD = Input("debt_settlements", "auctions", looks_ahead=True)

OF_ITS_DAY = replace(AHEAD, by="settlement_date")

# The open row is the run's own: what of it is known, the day of each settlement says.
FROZEN = replace(AHEAD, only={"is_open": ("false",)})

# What is still to get add-ons: these are estimated from what the Fed holds of the maturing.
_AWAITS_ADD_ONS = "announced_usd_mn + coalesce(expected_issues_usd_mn, 0) > 0"
_MATURES = "redeemed_usd_mn > 0"
_PUBLIC = ("public_redeemed_usd_mn", "net_public_usd_mn", "net_public_expected_usd_mn")
_WITH_ADD_ONS = ("add_ons_expected_usd_mn", "net_usd_mn")


def _refined_columns(auctions: Input) -> tuple[Input, ...]:
    """Return which columns rest on what buybacks had retired, and on what the Fed holds.

    Buybacks take notes, bonds and inflation-protected securities; what the public holds of these,
    and the add-ons to come, are estimated for all coupons of a day together.
    """
    bought = {"columns": ("redeemed_usd_mn", "net_usd_mn"), "where": _MATURES}
    return (
        *for_rows(refined(auctions, RETIRED, **bought), security_class=BUYBACK_CLASSES),
        *for_rows(
            (
                *refined(auctions, RETIRED, columns=_PUBLIC, where=_MATURES),
                *refined(auctions, RETIRED, columns=_WITH_ADD_ONS, where=_AWAITS_ADD_ONS),
            ),
            security_group="coupons",
        ),
        *refined(auctions, HOLDINGS, columns=_PUBLIC, where=_MATURES),
        *refined(auctions, HOLDINGS, columns=_WITH_ADD_ONS, where=_AWAITS_ADD_ONS),
        *refined(auctions, HOLDINGS, columns=("soma_basis",), where="soma_basis <> 'none'"),
    )


# A Friday's row rests on what was known then, the open row on what is known of each day. All marts
# on settlements take these values from there, so that a value that is not known stays so.
REFINED = (
    *_refined_columns(FROZEN),
    *_refined_columns(replace(OF_ITS_DAY, only={"is_open": ("true",)})),
)

BUYBACK_LEGS = Input(
    "debt_settlements",
    "buybacks",
    looks_ahead=True,
    # The programme began then; before it there is nothing to know.
    from_day="2024-05-29",
)

BUYBACKS = replace(
    BUYBACK_LEGS, columns=("buyback_usd_mn", "buyback_maximum_usd_mn"), by="settlement_date"
)

SCHEDULE = Input("upcoming_settlements", "auctions", is_current=True)

# What matures and is announced for days to come is in its snapshot alone.
SNAPSHOT = replace(SCHEDULE, only_ahead=True)

SNAPSHOT_WEEK = replace(SNAPSHOT, days=6)

SNAPSHOT_OF_ITS_DAY = replace(SNAPSHOT, by="settlement_date")

# What is announced of buybacks ahead is known while their record is current.
BUYBACKS_AHEAD = (
    Input("debt_settlements", "buybacks", columns=("buyback_maximum_usd_mn",), is_current=True),
)
