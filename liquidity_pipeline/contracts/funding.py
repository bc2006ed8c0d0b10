"""Contracts of the marts on overnight funding."""

from __future__ import annotations

from dataclasses import replace

from liquidity_pipeline.contracts.drains.inputs import PUBLIC_SETTLEMENT
from liquidity_pipeline.contracts.reach import Input, for_rows
from liquidity_pipeline.contracts.table import (
    MART_KNOWN_AT,
    Table,
    day,
    flag,
    integer,
    number,
    text,
)

_PERCENTILES = (1, 25, 75, 99)

FUNDING_CONDITIONS = Table(
    "marts",
    "funding_conditions",
    "Overnight funding by bond-market day: spreads, dispersion and facilities.",
    key=("date",),
    reach="date",
    rests_on=(
        Input(
            "market_series",
            "IORB",
            columns=(
                "iorb_pct",
                "sofr_iorb_bp",
                "tgcr_iorb_bp",
                "effr_iorb_bp",
                *(f"sofr_p{rank}_iorb_bp" for rank in _PERCENTILES),
            ),
            # Before it, the rate on excess reserves is kept by hand.
            from_day="2021-07-29",
        ),
    ),
    columns=(
        day("date", "Bond-market day"),
        number("sofr_pct", "Secured overnight financing rate"),
        number("iorb_pct", "Interest on reserve balances (before 2021-07-29 on excess reserves)"),
        number("sofr_iorb_bp", "SOFR less interest on reserves"),
        number("tgcr_iorb_bp", "Tri-party rate less interest on reserves"),
        number("effr_iorb_bp", "Federal funds rate less interest on reserves"),
        number("sofr_p99_p25_bp", "99th less 25th percentile of SOFR transactions"),
        *(
            number(
                f"sofr_p{rank}_iorb_bp",
                f"Percentile {rank} of SOFR transactions less interest on reserves",
            )
            for rank in _PERCENTILES
        ),
        number("sofr_volume_usd_bn", "Volume of the transactions behind SOFR", low=0),
        number("target_to_pct", "Upper end of the federal funds target range"),
        number(
            "srf_usd_mn", "Take-up of the standing repo facility, all operations of the day", low=0
        ),
        number("on_rrp_usd_mn", "Take-up of the overnight reverse repo facility", low=0),
        flag("is_month_end", "Last or first bond-market day of a month"),
        flag("is_quarter_end", "Last or first bond-market day of a quarter"),
        MART_KNOWN_AT,
    ),
)


_SLOPE = "basis points per USD 100 bn"
# Reserves over bank assets; H.8 comes nine days after its Wednesday.
_AMPLENESS = (
    Input("fed_balance_sheet", "WRBWFRBL"),
    Input("market_series", "TLAACBW027SBOG", looks_ahead=True),
)

SETTLEMENT_SENSITIVITY = Table(
    "marts",
    "settlement_sensitivity",
    "Basis points by which the overnight repo rate (TGCR less the offering rate of the "
    "overnight reverse repo facility) rises on a day for each USD 100 billion of Treasury "
    "debt that the public pays for: by quarter, over the last 250 days, and by how ample "
    "reserves are. No single slope holds for all years.",
    key=("window_kind", "window_end", "regressor"),
    reach="window_end",
    rests_on=(
        *PUBLIC_SETTLEMENT,
        Input("reference_rates", "TGCR"),
        # The offering rate of the facility, over which the repo rate is measured.
        Input("market_series", "RRPONTSYAWARD"),
        # The slopes of a quarter and of a year do not depend on how ample reserves were.
        *for_rows(_AMPLENESS, window_kind="expanding"),
        *(replace(each, columns=("reserves_of_bank_assets_pct",)) for each in _AMPLENESS),
    ),
    columns=(
        text(
            "window_kind",
            "quarter; rolling: 250 days at each month-end; expanding: all days at each year-end, "
            "with the ampleness of reserves",
            allowed=("quarter", "rolling", "expanding"),
        ),
        text("window_name", "Quarter, or length of the window"),
        day("window_start", "First day"),
        day("window_end", "Last day"),
        text(
            "regressor",
            "Net settlement of coupons or of bills. coupons x scarcity: the increase of the "
            "coupon slope for each percentage point by which reserves are below 12.5 % of bank "
            "assets; coupons is then the slope at 12.5 %",
            allowed=("coupons", "bills", "coupons x scarcity"),
        ),
        number("coefficient_bp_per_100bn", "Slope of the regression", nullable=False, unit=_SLOPE),
        number("low_bp_per_100bn", "Lower end of its 95 % interval", nullable=False, unit=_SLOPE),
        number("high_bp_per_100bn", "Upper end of its 95 % interval", nullable=False, unit=_SLOPE),
        integer("n_obs", "Days used for the estimate", low=30, unit="days"),
        number(
            "reserves_of_bank_assets_pct",
            "Mean of reserve balances as a percentage of bank assets, as known on each day; NULL "
            "where it is not known",
            low=0,
            high=100,
        ),
        MART_KNOWN_AT,
    ),
)
