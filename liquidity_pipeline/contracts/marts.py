"""Contracts of the marts: what is computed, in which unit, and from when on it was knowable."""

from __future__ import annotations

from dataclasses import replace

from liquidity_pipeline.contracts.asset_marts import ASSET_MARTS
from liquidity_pipeline.contracts.drain_marts import DRAIN_TABLES
from liquidity_pipeline.contracts.sources import SECURITY_CLASSES, STATUSES
from liquidity_pipeline.contracts.stress import STRESS_TABLES
from liquidity_pipeline.contracts.table import (
    MART_KNOWN_AT,
    Table,
    by_name,
    day,
    flag,
    number,
    text,
    usd,
)

COMPONENTS = (
    "tga",
    "on_rrp",
    "foreign_rrp",
    "currency",
    "other_liabilities",
    "unattributed",
    "fed_bill_purchases",
    "fed_other_assets",
    "settlement",
)


_NET = (
    usd("issued_usd_mn", "Face amount issued, SOMA add-ons included", nullable=False),
    usd("redeemed_usd_mn", "Face amount maturing, SOMA included", nullable=False),
    usd("buyback_usd_mn", "Face amount bought back", nullable=False),
    usd("net_usd_mn", "Issued less redeemed; buybacks apart", nullable=False),
    usd("net_public_usd_mn", "Net paid by the public: without the Fed's add-ons and maturities"),
)

SETTLEMENT_CALENDAR = Table(
    "marts",
    "settlement_calendar",
    "Net settlement of marketable Treasury debt by day and class, past and announced.",
    key=("settlement_date", "security_class"),
    columns=(
        day("settlement_date", "Day on which the money moves"),
        text("security_class", "Class of security", allowed=SECURITY_CLASSES),
        *_NET,
        text(
            "soma_basis",
            "published: Treasury's estimate of what the public holds of the maturing; assumed: the "
            "Fed's add-ons are taken to equal its maturities, those still to come to be as last",
            allowed=("published", "assumed"),
        ),
        text("status", "Least certain of the day's issues", allowed=STATUSES),
        MART_KNOWN_AT,
    ),
)

WEEKLY_SETTLEMENTS = Table(
    "marts",
    "weekly_settlements",
    "Net settlement per calendar week and class, and for all classes. Of a week ahead the net is "
    "NULL until all that matures in it has an announced issue.",
    key=("week_start", "security_class"),
    columns=(
        day("week_start", "Monday of the week"),
        text("security_class", "Class, or all", allowed=(*SECURITY_CLASSES, "all")),
        *(replace(column, nullable=column.nullable or "net" in column.name) for column in _NET),
        usd("refinancing_usd_mn", "Maturing ahead while no issue is announced", nullable=False),
        flag("is_settled", "All of the week's days lie in the past"),
        MART_KNOWN_AT,
    ),
)

TGA_DAILY = Table(
    "marts",
    "tga_daily",
    "The Treasury's account by day: what moved it, and its distance from the assumed balance.",
    key=("record_date",),
    columns=(
        day("record_date", "Day of the statement"),
        usd("opening_usd_mn", "Opening balance"),
        usd("deposits_usd_mn", "All deposits"),
        usd("withdrawals_usd_mn", "All withdrawals"),
        usd("closing_usd_mn", "Closing balance", nullable=False),
        usd("change_1d_usd_mn", "Change of the close over one statement day"),
        usd("change_5d_usd_mn", "Change of the close over five statement days"),
        usd("net_debt_cash_usd_mn", "Public debt cash issues less redemptions (table II)"),
        usd("other_flows_usd_mn", "Change without the debt cash: taxes, spending and the rest"),
        usd("target_usd_mn", "Quarter-end balance assumed by the last financing estimate"),
        usd("gap_to_target_usd_mn", "Target less close: what is still to be drained"),
        MART_KNOWN_AT,
    ),
)

RESERVE_DRAINS = Table(
    "marts",
    "reserve_drains",
    "The drain of record: minus the weekly change of reserve balances, by balance-sheet line.",
    key=("week_ending",),
    columns=(
        day("week_ending", "Wednesday"),
        usd("drain_reserves_usd_mn", "Fall of reserve balances", nullable=False),
        usd("d_tga_usd_mn", "Rise of the Treasury General Account"),
        usd("d_rrp_usd_mn", "Rise of reverse repos; see rrp_basis"),
        usd("d_currency_usd_mn", "Rise of Federal Reserve notes in circulation"),
        usd("d_other_usd_mn", "Rise of all other liabilities and capital; NULL if not derivable"),
        usd("d_fed_assets_usd_mn", "Rise of the Fed's total assets, which adds reserves"),
        usd("residual_usd_mn", "Drain that the lines above do not explain"),
        text("rrp_basis", "H.4.1 total, or overnight facility where it is missing", nullable=True),
        usd("reserves_usd_mn", "Reserve balances on the Wednesday"),
        usd("tga_usd_mn", "Treasury General Account on the Wednesday"),
        usd("rrp_usd_mn", "Reverse repos on the Wednesday"),
        usd("currency_usd_mn", "Federal Reserve notes on the Wednesday"),
        usd("fed_assets_usd_mn", "Total assets on the Wednesday"),
        MART_KNOWN_AT,
    ),
)

_BOTH_CONVENTIONS = (
    usd(
        "drain_reserves_usd_mn",
        "Counted by the accounting; closes to the fall of reserves",
        nullable=False,
    ),
    usd(
        "drain_headline_usd_mn",
        "Counted as market commentary does; does not close",
        nullable=False,
    ),
)

DRAINS = Table(
    "marts",
    "drains",
    "Components of the drain by day, unsigned in their natural direction, counted both ways. "
    "Balance-sheet lines are dated on the Wednesday of H.4.1.",
    key=("date", "component"),
    columns=(
        day("date", "Day of the flow"),
        text("component", "What moves", allowed=COMPONENTS),
        usd("amount_usd_mn", "Amount in its natural direction (a rise, a purchase)"),
        *_BOTH_CONVENTIONS,
        MART_KNOWN_AT,
    ),
)

WEEKLY_DRAINS = Table(
    "marts",
    "weekly_drains",
    "Drains of each H.4.1 week by component; total in the convention of reserves ties to "
    "marts.reserve_drains.",
    key=("week_ending", "component"),
    columns=(
        day("week_ending", "Wednesday"),
        text("component", "What moves, or total", allowed=(*COMPONENTS, "total")),
        usd("amount_usd_mn", "Amount in its natural direction; NULL for the total"),
        *_BOTH_CONVENTIONS,
        MART_KNOWN_AT,
    ),
)

FUNDING_CONDITIONS = Table(
    "marts",
    "funding_conditions",
    "Overnight funding by bond-market day: spreads, dispersion and facilities.",
    key=("date",),
    columns=(
        day("date", "Bond-market day"),
        number("sofr_pct", "Secured overnight financing rate"),
        number("iorb_pct", "Interest on reserve balances (before 2021-07-29 on excess reserves)"),
        number("sofr_iorb_bp", "SOFR less interest on reserves"),
        number("tgcr_iorb_bp", "Tri-party rate less interest on reserves"),
        number("effr_iorb_bp", "Federal funds rate less interest on reserves"),
        number("sofr_p99_p25_bp", "99th less 25th percentile of SOFR transactions"),
        number("sofr_volume_usd_bn", "Volume behind SOFR", low=0),
        number("target_to_pct", "Upper end of the federal funds target range"),
        number("srf_usd_mn", "Standing repo take-up of the day, all operations", low=0),
        number("on_rrp_usd_mn", "Overnight reverse repo take-up", low=0),
        flag("is_month_end", "Last or first bond-market day of a month"),
        flag("is_quarter_end", "Last or first bond-market day of a quarter"),
        MART_KNOWN_AT,
    ),
)

ASSET_RETURNS = Table(
    "marts",
    "asset_returns",
    "Returns by asset and session, dividends included; coins by UTC day.",
    key=("date", "asset"),
    columns=(
        day("date", "Session or UTC day"),
        text("asset", "Symbol in the universe file"),
        text("asset_class", "Class in the universe file"),
        number("close", "Closing price or level", nullable=False, low=0, unit="price"),
        number("return_1d_pct", "Over one session", low=-100),
        number("return_5d_pct", "Over five returns: t against t-5", low=-100),
        number("return_5_sessions_pct", "First to last close of five sessions: t against t-4"),
        number("return_20d_pct", "Over twenty returns", low=-100),
        number("drawdown_pct", "Below the highest close held here", low=-100, high=0),
        number("vol_20d_pct", "Annualised deviation of 20 daily returns", low=0),
        MART_KNOWN_AT,
    ),
)

MART_TABLES = by_name(
    (
        SETTLEMENT_CALENDAR,
        WEEKLY_SETTLEMENTS,
        TGA_DAILY,
        RESERVE_DRAINS,
        DRAINS,
        WEEKLY_DRAINS,
        FUNDING_CONDITIONS,
        ASSET_RETURNS,
        *ASSET_MARTS,
        *DRAIN_TABLES,
        *STRESS_TABLES,
    )
)
