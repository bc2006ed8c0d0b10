"""Contracts of the marts on reserve balances: their fall, and the levels compared with them."""

from __future__ import annotations

from liquidity_pipeline.contracts.reach import Input
from liquidity_pipeline.contracts.sources.federal_reserve import ELASTICITY
from liquidity_pipeline.contracts.table import MART_KNOWN_AT, Table, day, number, text, usd

RESERVE_DRAINS = Table(
    "marts",
    "reserve_drains",
    "The drain of record: minus the weekly change of reserve balances, by balance-sheet line.",
    key=("week_ending",),
    columns=(
        day("week_ending", "Wednesday"),
        usd("drain_reserves_usd_mn", "Fall of reserve balances", nullable=False),
        usd("d_tga_usd_mn", "Rise of the Treasury General Account"),
        usd("d_rrp_usd_mn", "Rise of reverse repos, domestic and foreign"),
        usd("d_currency_usd_mn", "Rise of Federal Reserve notes in circulation"),
        usd(
            "d_other_usd_mn",
            "Rise of all other liabilities and capital, from the lines of H.4.1; NULL unless all "
            "of total assets, currency, reverse repos, the TGA and bank deposits are known",
        ),
        usd("d_foreign_official_usd_mn", "Rise of foreign official deposits, part of d_other"),
        usd("d_other_deposits_usd_mn", "Rise of others' deposits (GSEs, ...), part of d_other"),
        usd(
            "d_other_liabilities_usd_mn", "Rise of liabilities other than deposits, part of d_other"
        ),
        usd("d_capital_usd_mn", "Rise of the Fed's capital, part of d_other"),
        usd(
            "d_currency_and_other_usd_mn",
            "Rise of notes, other liabilities and capital together: the item that closes the "
            "week's accounts",
        ),
        usd("d_fed_assets_usd_mn", "Rise of the Fed's total assets, which adds reserves"),
        usd(
            "residual_usd_mn",
            "Drain that the other lines do not explain: the difference between H.4.1's reserve "
            "balances and its deposits of depository institutions; NULL unless every line is "
            "known",
        ),
        text("rrp_basis", "H.4.1 total; NULL where it is not known", nullable=True),
        usd("reserves_usd_mn", "Reserve balances on the Wednesday"),
        usd("tga_usd_mn", "Treasury General Account on the Wednesday"),
        usd("rrp_usd_mn", "Reverse repos on the Wednesday"),
        usd("currency_usd_mn", "Federal Reserve notes on the Wednesday"),
        usd("fed_assets_usd_mn", "Total assets on the Wednesday"),
        MART_KNOWN_AT,
    ),
)

_ESTIMATE = ("elasticity_date", "elasticity_p50_bp", "elasticity_p2_5_bp", "elasticity_p97_5_bp")

RESERVE_RATIOS = Table(
    "marts",
    "reserve_ratios",
    "Reserve balances as a percentage of the total assets of commercial banks, both as known "
    "on the day on which the reserves were published, when H.8 covers the Wednesday two "
    "weeks earlier. Until 2018 bank assets are year-end figures entered by hand.",
    key=("week_ending",),
    reach="week_ending",
    rests_on=(
        # The file of a month tells of all weeks until the next one is due.
        Input("reserve_demand_elasticity", columns=_ESTIMATE, looks_ahead=True),
    ),
    columns=(
        day("week_ending", "Wednesday of the reserve balances"),
        usd("reserves_usd_mn", "Reserve balances", nullable=False),
        number(
            "bank_assets_usd_mn",
            "Total assets of commercial banks as last published",
            nullable=False,
            low=5_000_000,
            high=100_000_000,
        ),
        day("bank_assets_date", "Day for which they are stated; year-end for those kept by hand"),
        text(
            "bank_assets_basis",
            "H.8, or the figures in data/reference",
            allowed=("H.8", "year-end by hand"),
        ),
        number(
            "reserves_of_bank_assets_pct",
            "Reserve balances as a percentage of bank assets",
            nullable=False,
            low=0,
            high=100,
        ),
        day(
            "elasticity_date",
            "Day of the newest estimate of the New York Fed's Reserve Demand Elasticity that had "
            "been published by then; NULL before its first publication and where it is not served",
            nullable=True,
        ),
        number(
            "elasticity_p50_bp",
            "That estimate, in the vintage that is held: its median",
            unit=ELASTICITY,
        ),
        number("elasticity_p2_5_bp", "Lower end of its 95 % band", unit=ELASTICITY),
        number("elasticity_p97_5_bp", "Upper end of its 95 % band", unit=ELASTICITY),
        MART_KNOWN_AT,
    ),
)

REFERENCE_LEVELS = Table(
    "marts",
    "reference_levels",
    "Levels that policy makers or commentators have named, the value that each is compared "
    "with, and the days on which it was crossed. A row is known once both value and level "
    "are public; most levels were named after the values that they are compared with.",
    key=("observation_date", "subject", "named_on"),
    columns=(
        day("observation_date", "Wednesday for reserves, statement day for the TGA"),
        text("subject", "Name of the level"),
        day("named_on", "Day on which it was named"),
        text(
            "measure",
            "Quantity that is compared with the level",
            allowed=("tga", "reserves", "reserves / bank assets"),
        ),
        text("unit", "Unit of value, level and distance", allowed=("USD mn", "percent")),
        number("value", "Value of the day", nullable=False, low=0, unit="see column unit"),
        number("level", "The level", nullable=False, low=0, unit="see column unit"),
        number("distance", "Value less level", nullable=False, unit="see column unit"),
        text(
            "crossed",
            "up: the value rose to the level or above it; down: it fell below; NULL: not "
            "crossed on this day",
            nullable=True,
            allowed=("up", "down"),
        ),
        day("last_crossed_on", "Newest crossing up to the row", nullable=True),
        MART_KNOWN_AT,
    ),
)
