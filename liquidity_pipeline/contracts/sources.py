"""Contracts of the source tables: what the publishers say, one unit each, nothing computed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from liquidity_pipeline import calendars
from liquidity_pipeline.contracts.itemised import ITEMISED
from liquidity_pipeline.contracts.table import (
    KNOWN_AT,
    Table,
    by_name,
    day,
    flag,
    moment,
    number,
    text,
)

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
    text("leg", "issue: the public pays; redemption, buyback: it is paid", allowed=LEGS),
    text("record_id", "leg, CUSIP and auction; for buybacks the operation"),
    text("cusip", "Security; NULL for buybacks, which retire several", nullable=True),
    text("security_class", "Class by the auction's own flags", allowed=SECURITY_CLASSES),
    text("security_term", "Original term, e.g. 26-Week, 10-Year", nullable=True),
    day("auction_date", "Day of the auction, or of the buyback operation"),
    day("issue_date", "Day on which this auction's securities are issued", nullable=True),
    day("maturity_date", "Stated maturity, before moving to a business day", nullable=True),
    number("offering_usd_mn", "Announced amount, without SOMA add-ons", low=0, high=1_000_000),
    number(
        "par_usd_mn",
        "Face amount that settles: accepted at auction, SOMA add-ons included; the announced "
        "amount until results are known",
        low=0,
        high=1_000_000,
    ),
    number(
        "soma_usd_mn",
        "Part taken by the Fed's own account as add-on; published, or accepted less offered. On "
        "redemptions what it took at that auction: what it holds may be more",
        low=0,
        high=1_000_000,
    ),
    number(
        "public_usd_mn",
        "par less SOMA; NULL on redemptions, and where SOMA is unknown",
        low=0,
        high=1_000_000,
    ),
    number("price_per100", "Auction price", low=0, high=1_000, unit="USD per 100 of face"),
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
        "scheduled, announced, auctioned or settled at the moment of reading",
        allowed=STATUSES,
        stored=False,
    ),
    KNOWN_AT,
)

DEBT_SETTLEMENTS = Table(
    "sources",
    "debt_settlements",
    "Settlement of marketable Treasury debt: one row per auctioned security and leg. A reopening "
    "is an auction of its own and matures with its CUSIP.",
    key=("record_id",),
    day="settlement_date",
    origin="US Treasury, auctions_query and buybacks_operations",
    releases={},
    # Results are published once: an answer that has lost them is worse than what is held.
    fullness="results_at",
    parts={"auctions": "/auctions_query", "buybacks": "/buybacks_operations"},
    columns=_SETTLEMENT_COLUMNS,
)

UPCOMING_SETTLEMENTS = replace(
    DEBT_SETTLEMENTS,
    name="upcoming_settlements",
    meaning="Snapshot of what will settle: announced, auctioned but not issued, scheduled by the "
    "announcements feed, and all that is known to mature within twelve months.",
    origin="US Treasury, auctions_query and upcoming_auctions",
    parts={"auctions": "/auctions_query", "announcements": "/upcoming_auctions"},
)

MATURING_HOLDINGS = Table(
    "sources",
    "maturing_holdings",
    "Who holds what matures: Treasury's estimate per maturity day and group, as stated on the "
    "auctions that refund it. One row per group, never one per CUSIP.",
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
    origin="US Treasury, Daily Treasury Statement, tables II and IIIA",
    releases={"": calendars.DTS},
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

FED_OPERATIONS = Table(
    "sources",
    "fed_operations",
    "Outright operations of the New York Fed's Desk. Reserves move on settlement_date.",
    key=("operation_id",),
    day="operation_date",
    origin="Federal Reserve Bank of New York, Treasury securities operations",
    parts={"": "/tsy/all/results/summary/search.json"},
    columns=(
        text("operation_id", "The Desk's identifier"),
        day("operation_date", "Day of the operation"),
        day("settlement_date", "Day on which securities and reserves move"),
        text("operation_type", "The Desk's label, e.g. Outright Bill Purchase"),
        text(
            "security_class",
            "Class in the label",
            allowed=("bill", "coupon", "tips", "frn", "other"),
        ),
        text("direction", "From the Fed's side", allowed=("purchase", "sale")),
        number("accepted_usd_mn", "Par accepted", low=0, high=1_000_000),
        number("submitted_usd_mn", "Par submitted", low=0, high=10_000_000),
        day("maturity_from", "Shortest maturity bought or sold", nullable=True),
        day("maturity_to", "Longest maturity bought or sold", nullable=True),
        flag("is_small_value", "A test of systems: accepted less than USD 500 mn"),
        text("note", "The Desk's note", nullable=True),
        KNOWN_AT,
    ),
)

SOMA_HOLDINGS = Table(
    "sources",
    "soma_holdings",
    "System Open Market Account, weekly, par. The total leaves out TIPS inflation compensation.",
    key=("as_of_date",),
    day="as_of_date",
    origin="Federal Reserve Bank of New York, SOMA summary",
    releases={"": replace(calendars.H41, since=date(2003, 7, 9))},
    keep_vanished=True,
    columns=(
        day("as_of_date", "Wednesday of the holdings"),
        number("bills_usd_mn", "Treasury bills", low=0),
        number("notes_bonds_usd_mn", "Nominal notes and bonds", low=0),
        number("tips_usd_mn", "Inflation-protected securities", low=0),
        number("frn_usd_mn", "Floating-rate notes", low=0),
        number("tips_inflation_usd_mn", "Inflation compensation on TIPS"),
        number("mbs_usd_mn", "Agency mortgage-backed securities", low=0),
        number("cmbs_usd_mn", "Agency commercial mortgage-backed securities", low=0),
        number("agencies_usd_mn", "Agency debt", low=0),
        number("total_usd_mn", "The publisher's total", low=0),
        KNOWN_AT,
    ),
)

REPO_KINDS = ("on_rrp", "srf", "repo", "reverse_repo")

REPO_OPERATIONS = Table(
    "sources",
    "repo_operations",
    "Repo and reverse repo operations of the Desk, one row per operation; sum per day and kind.",
    key=("operation_id",),
    day="operation_date",
    entity="kind",
    origin="Federal Reserve Bank of New York, repo and reverse repo operations",
    releases={"on_rrp": calendars.ON_RRP, "srf": calendars.STANDING_REPO},
    parts={
        "repo": "/rp/results/search.json",
        "reverse_repo": "/rp/results/search.json",
    },
    keep_vanished=True,
    columns=(
        text("operation_id", "The Desk's identifier"),
        day("operation_date", "Day of the operation"),
        text(
            "kind",
            "on_rrp: overnight reverse repo facility; srf: standing repo facility; else term or "
            "other operations",
            allowed=REPO_KINDS,
        ),
        text("method", "Fixed rate, full allotment, multiple or single price", nullable=True),
        day("settlement_date", "Day on which the cash moves", nullable=True),
        day("maturity_date", "Day on which it returns", nullable=True),
        number("submitted_usd_mn", "Amount submitted", low=0, high=10_000_000),
        number("accepted_usd_mn", "Amount accepted", low=0, high=10_000_000),
        flag("is_small_value", "A test of systems, by the Desk's note or its hour"),
        text("note", "The Desk's note", nullable=True),
        KNOWN_AT,
    ),
)

_UNSECURED = calendars.UNSECURED_RATES
REFERENCE_RATES = Table(
    "sources",
    "reference_rates",
    "Overnight reference rates with the distribution behind them.",
    key=("effective_date", "rate"),
    day="effective_date",
    entity="rate",
    origin="Federal Reserve Bank of New York, reference rates",
    releases={
        "SOFR": calendars.SECURED_RATES,
        "TGCR": calendars.SECURED_RATES,
        "BGCR": calendars.SECURED_RATES,
        "EFFR": replace(_UNSECURED, since=date(2000, 7, 3)),
        "OBFR": replace(_UNSECURED, since=date(2016, 3, 1)),
    },
    keep_vanished=True,
    columns=(
        day("effective_date", "Day of the transactions"),
        text("rate", "Which rate", allowed=("SOFR", "TGCR", "BGCR", "EFFR", "OBFR")),
        number("rate_pct", "The rate, per annum", nullable=False, low=-5, high=30),
        number("p1_pct", "1st percentile of transactions", low=-5, high=30),
        number("p25_pct", "25th percentile", low=-5, high=30),
        number("p75_pct", "75th percentile", low=-5, high=30),
        number("p99_pct", "99th percentile", low=-5, high=30),
        number("volume_usd_bn", "Volume of the underlying transactions", low=0, high=20_000),
        number("target_from_pct", "Lower end of the federal funds target range", low=-5, high=30),
        number("target_to_pct", "Upper end of the federal funds target range", low=-5, high=30),
        text("revision", "The publisher's mark of a same-day revision", nullable=True),
        KNOWN_AT,
    ),
)

# FRED id: meaning. Wednesday levels and week averages are different series and stay apart.
BALANCE_SHEET_SERIES = {
    "WALCL": "total assets, Wednesday level",
    "WDTGAL": "Treasury General Account, Wednesday level",
    "WTREGEN": "Treasury General Account, week average",
    "WRBWFRBL": "reserve balances, Wednesday level",
    "WRESBAL": "reserve balances, week average",
    "WLFN": "Federal Reserve notes in circulation, Wednesday level",
    "WLRRAL": "reverse repurchase agreements, Wednesday level",
    "WLRRAFOIAL": "reverse repurchase agreements with foreign official accounts, Wednesday level",
    "WLRRAOL": "reverse repurchase agreements with others, Wednesday level",
    "WLODLL": "deposits of depository institutions other than term deposits, Wednesday level",
    "WDFOL": "deposits of foreign official accounts, Wednesday level",
    "WLDLCL": "all deposits, Wednesday level",
    "WLTLECL": "total liabilities, Wednesday level",
    "TREAST": "Treasury securities held outright, Wednesday level",
    "WSHOMCB": "mortgage-backed securities held outright, Wednesday level",
    "SWPT": "central bank liquidity swaps, Wednesday level",
    "WORAL": "repurchase agreements, Wednesday level",
    "WLCFLPCL": "primary credit (discount window), Wednesday level",
    "H41RESPPALDKNWW": "loans of the Bank Term Funding Program, Wednesday level",
}
# Lines that come and go with the programme that they belong to: taken where served, never due.
NEVER_DUE = frozenset({"WLCFLPCL", "H41RESPPALDKNWW"})

FED_BALANCE_SHEET = Table(
    "sources",
    "fed_balance_sheet",
    "H.4.1, Factors affecting reserve balances. "
    + "; ".join(f"{name}: {meaning}" for name, meaning in BALANCE_SHEET_SERIES.items())
    + ".",
    key=("observation_date", "series"),
    day="observation_date",
    entity="series",
    origin="Board of Governors, H.4.1, by way of FRED",
    releases={name: calendars.H41 for name in BALANCE_SHEET_SERIES if name not in NEVER_DUE},
    keep_vanished=True,
    columns=(
        day("observation_date", "Wednesday of the statement"),
        text("series", "FRED identifier", allowed=tuple(BALANCE_SHEET_SERIES)),
        number("value_usd_mn", "Value", nullable=False, low=0, high=30_000_000),
        KNOWN_AT,
    ),
)

# FRED id: (meaning, unit, release).
MARKET_SERIES_IDS = {
    "IORB": (
        "interest rate on reserve balances",
        "percent",
        replace(calendars.ADMINISTERED_RATE, since=date(2021, 7, 29)),
    ),
    "IOER": (
        "interest rate on excess reserves, until 2021-07-28",
        "percent",
        replace(calendars.ADMINISTERED_RATE, since=date(2008, 10, 9)),
    ),
    "RRPONTSYAWARD": (
        "offering rate of the overnight reverse repo facility",
        "percent",
        replace(calendars.ON_RRP, since=date(2013, 9, 23)),
    ),
    "BAMLC0A0CM": ("investment-grade credit spread", "percent", calendars.CREDIT_SPREADS),
    "BAMLH0A0HYM2": ("high-yield credit spread", "percent", calendars.CREDIT_SPREADS),
    "DGS2": ("2-year Treasury par yield", "percent", calendars.BOND_YIELDS),
    "DGS10": ("10-year Treasury par yield", "percent", calendars.BOND_YIELDS),
    "DGS30": (
        "30-year Treasury par yield",
        "percent",
        replace(calendars.BOND_YIELDS, since=date(2006, 2, 9)),
    ),
    "VIXCLS": ("VIX close", "index points", calendars.VOLATILITY),
    "TLAACBW027SBOG": ("total assets of commercial banks (H.8)", "USD billions", calendars.H8),
    "TOTLL": ("loans and leases of commercial banks (H.8)", "USD billions", calendars.H8),
}

MARKET_SERIES = Table(
    "sources",
    "market_series",
    "Administered rates, credit spreads, par yields, volatility, and the banks' balance sheet. "
    + "; ".join(f"{name}: {meaning}" for name, (meaning, _, _) in MARKET_SERIES_IDS.items())
    + ".",
    key=("observation_date", "series"),
    day="observation_date",
    entity="series",
    origin="FRED (Board of Governors, ICE, Cboe)",
    releases={
        name: release
        for name, (_, _, release) in MARKET_SERIES_IDS.items()
        # The one has ended; the other has a value only on days with an operation.
        if name not in ("IOER", "RRPONTSYAWARD")
    },
    on_occasion=("RRPONTSYAWARD",),
    keep_vanished=True,
    columns=(
        day("observation_date", "Day of the observation"),
        text("series", "FRED identifier", allowed=tuple(MARKET_SERIES_IDS)),
        number("value", "Value", nullable=False, low=-10, high=100_000, unit="see column unit"),
        text("unit", "Unit of the value", allowed=("percent", "index points", "USD billions")),
        KNOWN_AT,
    ),
)

_BAR_COLUMNS = (
    number("open", "Opening price or level", low=0, unit="price"),
    number("high", "Highest price or level", low=0, unit="price"),
    number("low", "Lowest price or level", low=0, unit="price"),
    number("close", "Closing price or level", nullable=False, low=0, unit="price"),
)

INDEX_PRICES = Table(
    "sources",
    "index_prices",
    "Daily bars of indices and exchange-traded funds, split-adjusted; the dividend is beside "
    "the close so that no published price is ever rewritten.",
    key=("trade_date", "symbol"),
    day="trade_date",
    entity="symbol",
    origin="Yahoo, Cboe, FRED; see the column source",
    releases={"": calendars.NYSE_CLOSE},
    keep_vanished=True,
    # A fallback knows closes only: an outage must not turn full bars into bare closes.
    fullness="open",
    provider="source",
    columns=(
        day("trade_date", "NYSE session"),
        text("symbol", "Symbol in the universe file"),
        *_BAR_COLUMNS,
        number("dividend", "Dividend with this ex-date, per share", low=0, unit="price"),
        number("volume", "Volume as published", low=0, unit="shares or contracts"),
        text("source", "Provider of the row"),
        KNOWN_AT,
    ),
)

CRYPTO_PRICES = Table(
    "sources",
    "crypto_prices",
    "Daily bars of closed UTC days against the US dollar.",
    key=("trade_date", "symbol"),
    day="trade_date",
    entity="symbol",
    origin="Coinbase, Kraken; see the column venue",
    releases={"": calendars.UTC_CLOSE},
    keep_vanished=True,
    provider="venue",
    columns=(
        day("trade_date", "UTC day"),
        text("symbol", "Symbol in the universe file"),
        *_BAR_COLUMNS,
        number("volume", "Volume as published", low=0, unit="coins"),
        text("venue", "Exchange of the row"),
        KNOWN_AT,
    ),
)

PRICE_DISAGREEMENTS = Table(
    "sources",
    "price_disagreements",
    "Quarantine: days on which two providers disagree on a close by more than the symbol's "
    "tolerance. Such a day is not taken over into the price table.",
    key=("trade_date", "symbol"),
    day="trade_date",
    entity="symbol",
    can_become_empty=True,
    origin="Comparison of the providers in the universe file",
    columns=(
        day("trade_date", "Session or UTC day"),
        text("symbol", "Symbol in the universe file"),
        text("source", "Provider that comes first in the universe file"),
        number("close", "Close of the first provider", nullable=False, unit="price"),
        text("other_source", "Provider that disagrees"),
        number("other_close", "Close of the provider that disagrees", nullable=False, unit="price"),
        number("relative_difference", "other_close / close - 1", nullable=False, unit="ratio"),
        KNOWN_AT,
    ),
)
CRYPTO_DISAGREEMENTS = replace(PRICE_DISAGREEMENTS, name="crypto_disagreements")

OFR_FSI = Table(
    "sources",
    "ofr_fsi",
    "OFR Financial Stress Index: the outside benchmark of marts.stress_index, never an input to "
    "it. Zero is the publisher's average; its five categories and its three regions each add up.",
    key=("date",),
    day="date",
    origin="Office of Financial Research; latest vintage, earlier ones are not published",
    releases={"": calendars.STRESS_INDEX},
    keep_vanished=True,
    columns=(
        day("date", "Day of the markets"),
        number("fsi", "The index", nullable=False, low=-50, high=100, unit="index points"),
        *(
            number(name, f"Part of {what}", low=-50, high=100, unit="index points")
            for name, what in (
                ("credit", "credit spreads"),
                ("equity_valuation", "stock valuation"),
                ("safe_assets", "safe assets"),
                ("funding", "funding"),
                ("volatility", "volatility"),
                ("us", "the United States"),
                ("other_advanced", "other advanced economies"),
                ("emerging", "emerging markets"),
            )
        ),
        KNOWN_AT,
    ),
)

POLICY_EVENTS = Table(
    "sources",
    "policy_events",
    "Facts of policy that no service publishes as data, kept by hand in data/reference.",
    key=("event_date", "kind", "subject"),
    day="event_date",
    origin="See the column source",
    columns=(
        day("event_date", "Day on which it was announced or took place"),
        text("kind", "What sort of fact, e.g. refunding_cash_balance, fomc_decision"),
        text("subject", "What it is about, e.g. the quarter or the programme"),
        number("value", "Figure, in the unit named beside it", unit="see column unit"),
        text("unit", "Unit of the value", nullable=True),
        day("effective_date", "First day on which it applies", nullable=True),
        day("end_date", "Last day on which it applies", nullable=True),
        text("detail", "Explanation", nullable=True),
        text("source", "Where the fact is from"),
        text("evidence", "published, derived or remembered"),
        KNOWN_AT,
    ),
)

REVISIONS = Table(
    "meta",
    "revisions",
    "What a publisher changed after the fact: one row per changed value.",
    key=("table_name", "row_key", "column_name", "seen_at"),
    columns=(
        text("table_name", "Source table"),
        text("row_key", "Key of the row, as JSON"),
        text("column_name", "Changed column; * where the whole row appeared late or vanished"),
        text("change", "What happened", allowed=("changed", "vanished")),
        text("old_value", "Value before", nullable=True),
        text("new_value", "Value after", nullable=True),
        day("month", "First day of the partition"),
        moment("seen_at", "When this pipeline saw it"),
    ),
)

SOURCE_TABLES = by_name(
    (
        TGA_BALANCE,
        DEBT_SETTLEMENTS,
        MATURING_HOLDINGS,
        UPCOMING_SETTLEMENTS,
        DEBT_TRANSACTIONS,
        FED_OPERATIONS,
        SOMA_HOLDINGS,
        REPO_OPERATIONS,
        REFERENCE_RATES,
        FED_BALANCE_SHEET,
        MARKET_SERIES,
        INDEX_PRICES,
        PRICE_DISAGREEMENTS,
        CRYPTO_PRICES,
        CRYPTO_DISAGREEMENTS,
        OFR_FSI,
        *ITEMISED,
        POLICY_EVENTS,
    )
)
