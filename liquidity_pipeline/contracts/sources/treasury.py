"""Contracts of Treasury's tables: its account, its debt as it settles, and the daily statement."""

from __future__ import annotations

from dataclasses import replace

from liquidity_pipeline import calendars
from liquidity_pipeline.contracts.table import KNOWN_AT, Ascending, Table, day, moment, number, text

SECURITY_CLASSES = ("bill", "note", "bond", "tips", "frn", "cmb")

LEGS = ("issue", "redemption", "buyback")

STATUSES = ("announced", "auctioned", "settled", "scheduled")

TGA_BALANCE = Table(
    "sources",
    "tga_balance",
    "Treasury General Account, one row per Daily Treasury Statement.",
    key=("record_date",),
    day="record_date",
    origin="US Treasury, Daily Treasury Statement, table I",
    releases={"": calendars.DTS},
    keep_vanished=True,
    columns=(
        day("record_date", "Day of the statement (Federal Reserve business day)"),
        number("opening_usd_mn", "Balance at the start of the day", low=-100_000, high=5_000_000),
        number("deposits_usd_mn", "All deposits of the day", low=0, high=5_000_000),
        number("withdrawals_usd_mn", "All withdrawals of the day", low=0, high=5_000_000),
        number(
            "closing_usd_mn",
            "Balance at the end of the day",
            nullable=False,
            low=-100_000,
            high=5_000_000,
        ),
        KNOWN_AT,
    ),
)

_SETTLEMENT_COLUMNS = (
    day("settlement_date", "Day on which the money moves (Federal Reserve business day)"),
    text("leg", "issue: the public pays; redemption and buyback: the public is paid", allowed=LEGS),
    text("record_id", "Identifier made of leg, CUSIP and auction; for buybacks of the operation"),
    text("cusip", "Security; NULL for buybacks, which retire several", nullable=True),
    text("security_class", "Class by the flags of the auction record", allowed=SECURITY_CLASSES),
    text("security_term", "Original term, e.g. 26-Week, 10-Year", nullable=True),
    day("auction_date", "Day of the auction, or of the buyback operation"),
    day("issue_date", "Day on which this auction's securities are issued", nullable=True),
    day("maturity_date", "Stated maturity, before moving to a business day", nullable=True),
    number("offering_usd_mn", "Announced amount, without SOMA add-ons", low=0, high=1_000_000),
    number(
        "par_usd_mn",
        "Face amount that settles: the amount accepted at auction, SOMA add-ons included; "
        "until results are known, the announced amount",
        low=0,
        high=1_000_000,
    ),
    number(
        "soma_usd_mn",
        "Amount taken by the Fed's own account as add-on: as published, or accepted less "
        "offered. For redemptions it is the amount taken at that auction, and the Fed may hold "
        "more",
        low=0,
        high=1_000_000,
    ),
    number(
        "public_usd_mn",
        "par_usd_mn less soma_usd_mn; NULL for redemptions, and where soma_usd_mn is unknown",
        low=0,
        high=1_000_000,
    ),
    number("price_per100", "Auction price", low=10, high=1_000, unit="USD per 100 of face"),
    number(
        "coupon_pct",
        "Coupon, per annum; NULL for bills, floating-rate notes, and before results",
        low=0,
        high=20,
    ),
    moment("announced_at", "When the auction or operation was announced", nullable=True),
    moment("results_at", "When its results were published; NULL until then", nullable=True),
    text(
        "status",
        "Status at the moment of reading: scheduled, announced, auctioned or settled",
        allowed=STATUSES,
        stored=False,
    ),
    KNOWN_AT,
)

DEBT_SETTLEMENTS = Table(
    "sources",
    "debt_settlements",
    "Settlement of marketable Treasury debt: one row per auctioned security and leg. A "
    "reopening is a separate auction and matures with its CUSIP.",
    key=("record_id",),
    day="settlement_date",
    origin="US Treasury, auctions_query and buybacks_operations",
    releases={},
    # Results are published once: an answer that has lost them is worse than what is held.
    fullness="results_at",
    parts={"auctions": "/auctions_query", "buybacks": "/buybacks_operations"},
    ascending=(Ascending(("soma_usd_mn", "par_usd_mn")),),
    columns=_SETTLEMENT_COLUMNS,
)

UPCOMING_SETTLEMENTS = replace(
    DEBT_SETTLEMENTS,
    name="upcoming_settlements",
    meaning="Snapshot of coming settlements: announced, auctioned but not issued, scheduled by "
    "the announcements feed, and the redemption of everything that is outstanding.",
    origin="US Treasury, auctions_query and upcoming_auctions",
    parts={"auctions": "/auctions_query", "announcements": "/upcoming_auctions"},
)

MATURING_HOLDINGS = Table(
    "sources",
    "maturing_holdings",
    "Holders of maturing securities: Treasury's estimate per maturity day and group, as "
    "stated in the auctions that refund them. There is one row per group, not per CUSIP.",
    key=("maturing_date", "security_group"),
    day="maturing_date",
    origin="US Treasury, auctions_query",
    parts={"": "/auctions_query"},
    columns=(
        day("maturing_date", "Stated maturity of the securities being refunded"),
        text("security_group", "Maturing group", allowed=("bills", "coupons")),
        number("public_usd_mn", "Estimated publicly held amount maturing", low=0, high=1_000_000),
        number("soma_usd_mn", "SOMA holdings maturing", low=0, high=1_000_000),
        KNOWN_AT,
    ),
)

DEBT_TRANSACTIONS = Table(
    "sources",
    "debt_transactions",
    "Public debt transactions of the Daily Treasury Statement: table IIIA at face value, and the "
    "cash issues and redemptions of table II.",
    key=(
        "record_date",
        "dts_table",
        "transaction_type",
        "security_market",
        "security_type",
        "security_type_desc",
    ),
    day="record_date",
    entity="dts_table",
    origin="US Treasury, Daily Treasury Statement, tables II and IIIA",
    releases={"IIIA": calendars.DTS, "II": calendars.DTS},
    keep_vanished=True,
    columns=(
        day("record_date", "Day of the statement"),
        text("dts_table", "IIIA: face value; II: cash", allowed=("IIIA", "II")),
        text("transaction_type", "Direction", allowed=("Issues", "Redemptions")),
        text("security_market", "Marketable, Nonmarketable; All for cash rows"),
        text("security_type", "The statement's line"),
        text("security_type_desc", "The statement's second label", nullable=True),
        number("amount_usd_mn", "Amount of the day; negative values are corrections"),
        KNOWN_AT,
    ),
)
