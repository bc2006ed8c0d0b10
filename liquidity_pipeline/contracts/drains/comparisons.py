"""Contracts of the marts that compare drains with others' measures and with bank loans."""

from __future__ import annotations

from dataclasses import replace

from liquidity_pipeline.contracts.drains.inputs import ON_RRP, RESERVES
from liquidity_pipeline.contracts.reach import PRICES, Input
from liquidity_pipeline.contracts.table import MART_KNOWN_AT, Table, day, integer, number, text, usd

NET_LIQUIDITY = Table(
    "marts",
    "net_liquidity",
    "The Fed's assets less the TGA and reverse repos, Wednesday levels: an accounting shortcut for "
    "comparison with others' charts, not a measure of reserves.",
    key=("week_ending",),
    columns=(
        day("week_ending", "Wednesday"),
        usd("fed_assets_usd_mn", "Total assets", nullable=False),
        usd("tga_usd_mn", "Treasury General Account", nullable=False),
        usd("rrp_usd_mn", "Reverse repos; see rrp_basis", nullable=False),
        text("rrp_basis", "H.4.1 total, or overnight facility", nullable=True),
        usd("net_liquidity_usd_mn", "Total assets less the TGA and reverse repos", nullable=False),
        usd("change_usd_mn", "Change since the Wednesday before; NULL where the basis changes"),
        usd("reserves_usd_mn", "Reserve balances, for comparison"),
        MART_KNOWN_AT,
    ),
)

NET_LIQUIDITY_FIT = Table(
    "marts",
    "net_liquidity_fit",
    "Share of the variance of the S&P 500 that net_liquidity explains at each year-end: by "
    "weekly changes, and by two methods that overstate it.",
    key=("as_of", "sample", "measure"),
    reach="as_of",
    rests_on=(
        RESERVES,
        Input("fed_balance_sheet", "WALCL"),
        Input("fed_balance_sheet", "WDTGAL"),
        ON_RRP,
        Input(PRICES, "SPX"),
    ),
    columns=(
        day("as_of", "Last Wednesday of a year"),
        text("sample", "Weeks used", allowed=("all weeks", "since June 2022")),
        text(
            "measure",
            "weekly changes is the sound measure: overlapping changes and trending levels "
            "correlate even where there is no relation",
            allowed=("weekly changes", "52-week changes, overlapping", "levels"),
        ),
        number("r_squared_pct", "Share of the variance explained", low=0, high=100.000001),
        integer("n_obs", "Weeks", low=52, unit="weeks"),
        day("first_week", "First week used"),
        MART_KNOWN_AT,
    ),
)

BANK_CREDIT = Table(
    "marts",
    "bank_credit",
    "Weekly change of banks' loans and leases (H.8) per USD 100 billion of reserves drained, "
    "with loans leading, coinciding with and following the drain. An association in time, "
    "not a cause.",
    key=("as_of", "lag_weeks"),
    reach="as_of",
    rests_on=(
        replace(RESERVES, looks_ahead=True),
        # H.8 comes nine days after its Wednesday.
        Input("market_series", "TOTLL", looks_ahead=True),
    ),
    columns=(
        day("as_of", "Last Wednesday of a year"),
        number(
            "lag_weeks",
            "Weeks by which loans follow the drain; negative where they precede it",
            nullable=False,
            unit="weeks",
        ),
        number("estimate_usd_bn", "Change of loans per USD 100 bn drained", nullable=False),
        number("low_usd_bn", "Lower end of its 95 % interval", nullable=False),
        number("high_usd_bn", "Upper end of its 95 % interval", nullable=False),
        number(
            "p_value",
            "Probability of an estimate at least as far from zero if there were no effect",
            low=0,
            high=1,
            unit="share",
        ),
        number(
            "p_value_adjusted",
            "p_value corrected for the tests of all lags together",
            low=0,
            high=1,
            unit="share",
        ),
        integer("n_obs", "Weeks", low=104, unit="weeks"),
        MART_KNOWN_AT,
    ),
)
