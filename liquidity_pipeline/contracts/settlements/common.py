"""What the marts on settlements share: classes, columns, and the inputs that they rest on."""

from __future__ import annotations

from dataclasses import replace

from liquidity_pipeline.contracts.reach import Input
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
    "day, and at most all; none: nothing matures",
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
    "as Treasury publishes them by security; see docs/reliability.md)",
    nullable=False,
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
        "NULL while an issue is still to be announced, or where Treasury's answer on auctions "
        "is missing",
    ),
    usd(
        "net_public_usd_mn",
        "Net paid by the public, without the Fed's add-ons and maturities. NULL where "
        "net_usd_mn is",
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
