"""Contract of the mart on overnight funding."""

from __future__ import annotations

from liquidity_pipeline.contracts.reach import Input
from liquidity_pipeline.contracts.table import MART_KNOWN_AT, Table, day, flag, number

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
            columns=("iorb_pct", "sofr_iorb_bp", "tgcr_iorb_bp", "effr_iorb_bp"),
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
            for rank in (1, 25, 75, 99)
        ),
        number("sofr_volume_usd_bn", "Volume behind SOFR", low=0),
        number("target_to_pct", "Upper end of the federal funds target range"),
        number("srf_usd_mn", "Standing repo take-up of the day, all operations", low=0),
        number("on_rrp_usd_mn", "Overnight reverse repo take-up", low=0),
        flag("is_month_end", "Last or first bond-market day of a month"),
        flag("is_quarter_end", "Last or first bond-market day of a quarter"),
        MART_KNOWN_AT,
    ),
)
