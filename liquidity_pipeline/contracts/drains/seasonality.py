"""Contract of the mart that compares each drain with its seasonal expectation."""

from __future__ import annotations

from liquidity_pipeline.contracts.drains.inputs import PUBLIC_BILLS, PUBLIC_SETTLEMENT, RESERVES
from liquidity_pipeline.contracts.reach import Input, for_rows
from liquidity_pipeline.contracts.table import MART_KNOWN_AT, Table, day, integer, number, text, usd

SEASONAL_COMPONENTS = (
    "drain_reserves",
    "tga",
    "net_settlement",
    "net_settlement_calendar_week",
    "net_bills_calendar_week",
)

DRAIN_SEASONALITY = Table(
    "marts",
    "drain_seasonality",
    "Each week's drain compared with its seasonal expectation. The expectation is estimated "
    "from earlier weeks only and is never revised; in every component a positive value is a "
    "drain.",
    key=("week_ending", "component"),
    reach="week_ending",
    rests_on=(
        *for_rows([RESERVES], component=("drain_reserves", "tga")),
        *for_rows([Input("fed_balance_sheet", "WDTGAL")], component="tga"),
        *for_rows(PUBLIC_SETTLEMENT, component=("net_settlement", "net_settlement_calendar_week")),
        *for_rows(PUBLIC_BILLS, component="net_bills_calendar_week"),
    ),
    columns=(
        day("week_start", "First day of the week"),
        day("week_ending", "Last day: Wednesday (H.4.1), Sunday for the calendar week"),
        text(
            "component",
            "drain_reserves: fall of reserve balances; tga: rise of the Treasury General "
            "Account; net_settlement: net_public_usd_mn of marts.settlement_calendar, in the "
            "H.4.1 week or in the calendar week from Monday to Sunday that the press reports; "
            "net_bills: bills alone, cash-management bills included. Settlement proceeds are "
            "paid into the TGA, so never add the two",
            allowed=SEASONAL_COMPONENTS,
        ),
        usd("actual_usd_mn", "Actual drain", nullable=False),
        usd("expected_usd_mn", "Seasonal expectation of the drain", nullable=False),
        usd(
            "expected_low_usd_mn", "Lower end of the 95 % band; NULL until there are 52 past errors"
        ),
        usd(
            "expected_high_usd_mn",
            "Upper end of the 95 % band; NULL until there are 52 past errors",
        ),
        usd("surprise_usd_mn", "Actual less expected", nullable=False),
        number(
            "surprise_sd",
            "Surprise divided by the standard deviation of past out-of-sample errors; NULL until "
            "there are 52 of them",
            unit="standard deviations",
        ),
        number(
            "surprise_rank",
            "Share of past surprises that were smaller in absolute size; NULL until there "
            "are 52 of them",
            low=0,
            high=1,
            unit="share",
        ),
        usd(
            "drain_sa_usd_mn",
            "Seasonally adjusted drain: the surprise plus the mean",
            nullable=False,
        ),
        integer("n_obs", "Earlier weeks used for the expectation", low=156, unit="weeks"),
        integer(
            "n_errors",
            "Past out-of-sample errors used for the standard deviation",
            low=0,
            unit="weeks",
        ),
        MART_KNOWN_AT,
    ),
)
