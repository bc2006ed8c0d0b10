"""Contracts of the source tables: what the publishers say, one unit each, nothing computed."""

from __future__ import annotations

from liquidity_pipeline.contracts.sources.federal_reserve import (
    FED_BALANCE_SHEET,
    FED_OPERATIONS,
    REFERENCE_RATES,
    REPO_OPERATIONS,
    RESERVE_DEMAND_ELASTICITY,
    SOMA_HOLDINGS,
)
from liquidity_pipeline.contracts.sources.itemised import ITEMISED
from liquidity_pipeline.contracts.sources.markets import (
    CRYPTO_DISAGREEMENTS,
    CRYPTO_PRICES,
    INDEX_PRICES,
    MARKET_SERIES,
    OFR_FSI,
    PRICE_DISAGREEMENTS,
)
from liquidity_pipeline.contracts.sources.policy import POLICY_EVENTS
from liquidity_pipeline.contracts.sources.treasury import (
    DEBT_SETTLEMENTS,
    DEBT_TRANSACTIONS,
    MATURING_HOLDINGS,
    TGA_BALANCE,
    UPCOMING_SETTLEMENTS,
)
from liquidity_pipeline.contracts.table import by_name

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
        RESERVE_DEMAND_ELASTICITY,
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
