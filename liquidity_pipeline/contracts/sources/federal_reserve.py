"""Contracts of the Federal Reserve's tables: operations, holdings, rates, balance sheet."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from liquidity_pipeline import calendars
from liquidity_pipeline.contracts.table import KNOWN_AT, Ascending, Table, day, flag, number, text

ELASTICITY = "basis points per 1 % of reserves over bank assets"

FED_OPERATIONS = Table(
    "sources",
    "fed_operations",
    "Outright operations of the New York Fed's Desk. Reserves move on settlement_date.",
    key=("operation_id",),
    day="operation_date",
    origin="Federal Reserve Bank of New York, Treasury securities operations",
    parts={"": "/tsy/all/results/summary/search.json"},
    ascending=(
        Ascending(("accepted_usd_mn", "submitted_usd_mn")),
        Ascending(("operation_date", "settlement_date")),
        Ascending(("maturity_from", "maturity_to"), doubted=("maturity_from", "maturity_to")),
    ),
    columns=(
        text("operation_id", "The Desk's identifier; (2) follows where it has one twice on a day"),
        day("operation_date", "Day of the operation"),
        day("settlement_date", "Day on which securities and reserves move"),
        text("operation_type", "The Desk's label, e.g. Outright Bill Purchase"),
        text(
            "security_class",
            "Class named in the label",
            allowed=("bill", "coupon", "tips", "frn", "other"),
        ),
        text("direction", "Direction as seen by the Fed", allowed=("purchase", "sale")),
        number("accepted_usd_mn", "Par accepted", low=0, high=1_000_000),
        number("submitted_usd_mn", "Par submitted", low=0, high=10_000_000),
        day("maturity_from", "Shortest maturity bought or sold", nullable=True),
        day("maturity_to", "Longest maturity bought or sold", nullable=True),
        flag("is_small_value", "A small test operation: less than USD 500 mn was accepted"),
        text("note", "The Desk's note", nullable=True),
        KNOWN_AT,
    ),
)

SOMA_HOLDINGS = Table(
    "sources",
    "soma_holdings",
    "Holdings of the System Open Market Account, weekly, at par. The total excludes "
    "inflation compensation on TIPS.",
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
    ascending=(
        Ascending(("accepted_usd_mn", "submitted_usd_mn")),
        Ascending(("operation_date", "settlement_date", "maturity_date")),
    ),
    columns=(
        text("operation_id", "The Desk's identifier; (2) follows where it has one twice on a day"),
        day("operation_date", "Day of the operation"),
        text(
            "kind",
            "on_rrp: overnight reverse repo facility; srf: standing repo facility; repo and "
            "reverse_repo: term and other operations",
            allowed=REPO_KINDS,
        ),
        text("method", "Fixed rate, full allotment, multiple or single price", nullable=True),
        day("settlement_date", "Day on which the cash moves", nullable=True),
        day("maturity_date", "Day on which the cash returns", nullable=True),
        number("submitted_usd_mn", "Amount submitted", low=0, high=10_000_000),
        number("accepted_usd_mn", "Amount accepted", low=0, high=10_000_000),
        flag("is_small_value", "A small test operation, recognised by the Desk's note or its hour"),
        text("note", "The Desk's note", nullable=True),
        KNOWN_AT,
    ),
)

_UNSECURED = calendars.UNSECURED_RATES
_PERCENTILES = ("p1_pct", "p25_pct", "p75_pct", "p99_pct")
_TARGET = ("target_from_pct", "target_to_pct")

REFERENCE_RATES = Table(
    "sources",
    "reference_rates",
    "Overnight reference rates with the distribution of the underlying transactions.",
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
    ascending=(
        Ascending(_PERCENTILES, doubted=_PERCENTILES),
        Ascending(_TARGET, doubted=_TARGET),
    ),
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
        text("revision", "The publisher's indicator of a same-day revision", nullable=True),
        KNOWN_AT,
    ),
)

RESERVE_DEMAND_ELASTICITY = Table(
    "sources",
    "reserve_demand_elasticity",
    "The New York Fed's Reserve Demand Elasticity: by how much the federal funds rate moves "
    "against interest on reserves when reserves rise. Zero: reserves are abundant; the more "
    "negative, the scarcer. Each month all days are estimated again; the newest file is held.",
    key=("date",),
    day="date",
    origin="Federal Reserve Bank of New York; latest vintage, earlier ones are not served",
    releases={"": calendars.RESERVE_DEMAND},
    ascending=(Ascending(("p2_5_bp", "p16_bp", "p50_bp", "p84_bp", "p97_5_bp")),),
    columns=(
        day("date", "Day of the estimate"),
        *(
            number(name, what, nullable=name != "p50_bp", low=-100, high=100, unit=ELASTICITY)
            for name, what in (
                ("p2_5_bp", "2.5th percentile: lower end of the 95 % band"),
                ("p16_bp", "16th percentile: lower end of the 68 % band"),
                ("p50_bp", "Median estimate"),
                ("p84_bp", "84th percentile: upper end of the 68 % band"),
                ("p97_5_bp", "97.5th percentile: upper end of the 95 % band"),
            )
        ),
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
