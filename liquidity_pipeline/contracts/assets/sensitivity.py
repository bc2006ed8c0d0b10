"""Contracts of the slopes of returns on changes of liquidity, and of what they imply."""

from __future__ import annotations

from liquidity_pipeline.contracts.assets.columns import (
    AS_OF,
    CORRELATION,
    KNOWN_AT,
    MAX_T,
    PER_DRIVER,
    WINDOW,
    corrected_p_values,
    n_tests,
    probability,
    slope,
)
from liquidity_pipeline.contracts.assets.drivers import (
    DAILY,
    DRIVER,
    FAMILY,
    WEEKLY,
    of_drivers,
    whole_family,
)
from liquidity_pipeline.contracts.assets.returns import ASSET, CLASS_INPUT
from liquidity_pipeline.contracts.drains.inputs import RESERVES
from liquidity_pipeline.contracts.reach import PRICES, Input, for_rows
from liquidity_pipeline.contracts.table import Table, flag, integer, number, text

# Who is said to fall more than whom, and what spreads from where.
_CLAIMED = tuple(Input(PRICES, class_entity=name) for name in ("crypto", "small_cap", "large_cap"))

_BESIDE_RECORD = tuple(name for name in WEEKLY if name != "reserve_drain")

LIQUIDITY_SENSITIVITY = Table(
    "marts",
    "liquidity_sensitivity",
    "Weekly beta of each asset and asset class on each change of liquidity.",
    key=("as_of", "window_name", "driver", "scope", "asset"),
    reach="as_of",
    rests_on=(
        *for_rows([ASSET], scope="asset"),
        *for_rows([CLASS_INPUT], scope="asset_class"),
        *of_drivers(WEEKLY),
        *whole_family(WEEKLY),
    ),
    columns=(
        AS_OF,
        WINDOW,
        DRIVER,
        text("scope", "One asset, or its class's equal mean", allowed=("asset", "asset_class")),
        text("asset", "Symbol, or the class"),
        text("asset_class", "Class"),
        *slope("beta", "Return per unit of the driver in the same week"),
        number("std_error", "Standard error by blocks of weeks", nullable=False, unit=PER_DRIVER),
        number("t_stat", "beta over std_error", nullable=False, unit="standard errors"),
        *corrected_p_values("drivers, times all followed assets and classes", MAX_T, nullable=True),
        flag("passes_t_bar", "Absolute t above 3, the bar for a new claim"),
        number("correlation", "Pearson's", nullable=False, low=-1, high=1, unit=CORRELATION),
        probability("r_squared", "Share of the return's variance"),
        integer("n_obs", "Weeks", low=60, unit="weeks"),
        KNOWN_AT,
    ),
)

SENSITIVITY_RANKING = Table(
    "marts",
    "sensitivity_ranking",
    "Whether crypto falls more than small caps, and they more than large caps, per unit of drain "
    "(bill purchases count as its opposite).",
    key=("as_of", "window_name", "driver", "claim"),
    reach="as_of",
    rests_on=(
        *_CLAIMED,
        RESERVES,
        *of_drivers(WEEKLY),
        *for_rows(
            whole_family(WEEKLY, columns=(*FAMILY, "is_supported")),
            driver=_BESIDE_RECORD,
        ),
    ),
    columns=(
        AS_OF,
        WINDOW,
        DRIVER,
        text("claim", "Who falls more than whom"),
        number("excess_fall", "How much more; NULL for the whole order", unit=PER_DRIVER),
        number("excess_fall_low", "Lower end of the 95 % interval", unit=PER_DRIVER),
        number("excess_fall_high", "Upper end of the 95 % interval", unit=PER_DRIVER),
        probability("probability", "Share of bootstrap draws in which the claim holds"),
        integer("n_draws", "Bootstrap draws", low=1, unit="draws"),
        probability("p_value", "One-sided, against the contrary of the claim, of this row alone"),
        probability(
            "p_value_adjusted",
            "Corrected for n_tests: largest t, the signs of blocks drawn at random",
            nullable=True,
        ),
        n_tests(
            "steps on the drain of record; for another driver the steps on all others",
            nullable=True,
        ),
        flag(
            "is_supported",
            "p_value_adjusted below 5 %, and for another driver the same on the drain of record",
            nullable=True,
        ),
        integer("n_obs", "Weeks", low=60, unit="weeks"),
        KNOWN_AT,
    ),
)

LEAD_LAG = Table(
    "marts",
    "lead_lag",
    "Slope of returns on liquidity 0, 1 and 5 sessions and one week before, on all data up to "
    "as_of. Lags were fixed beforehand; an association in time, not a cause.",
    key=("asset", "driver", "lag_days", "as_of"),
    reach="as_of",
    rests_on=(
        ASSET,
        *of_drivers(DAILY, sampling="session"),
        *of_drivers(DAILY, sampling="5 sessions"),
        *of_drivers(WEEKLY, sampling="week"),
        *whole_family(DAILY, WEEKLY),
    ),
    columns=(
        text("asset", "Symbol"),
        DRIVER,
        integer("lag_days", "Days by which the return comes later: 0, 1, 5 (sessions) or 7"),
        text(
            "sampling",
            "Length of the windows set side by side, which do not overlap",
            allowed=("session", "5 sessions", "week"),
        ),
        *slope("estimate", "Return per unit of the driver"),
        number("t_stat", "Estimate over its standard error", nullable=False, unit="std. errors"),
        *corrected_p_values("drivers and lags, times all followed assets", MAX_T, nullable=True),
        flag("passes_t_bar", "Absolute t above 3, the bar for a new claim"),
        number("correlation", "Pearson's", nullable=False, low=-1, high=1, unit=CORRELATION),
        integer("n_obs", "Pairs", low=60, unit="pairs"),
        AS_OF,
        KNOWN_AT,
    ),
)

SCENARIOS = Table(
    "marts",
    "scenarios",
    "What four more weeks of drain would mean for each asset by its beta of the last 156 weeks: "
    "continue (as the last four, perhaps an inflow), worsen (95th percentile so far), reverse.",
    key=("as_of", "scenario", "asset"),
    reach="as_of",
    rests_on=(ASSET, RESERVES),
    columns=(
        AS_OF,
        text("scenario", "Course of the drain", allowed=("continue", "worsen", "reverse")),
        text("asset", "Symbol"),
        text("asset_class", "Class"),
        number("drain_usd_bn", "Drain over four weeks", nullable=False),
        number("beta", "Weekly beta", nullable=False, unit="percent per USD bn"),
        number("impact_pct", "beta x drain", nullable=False),
        number("impact_low_pct", "Lower end by the beta's 95 % interval", nullable=False),
        number("impact_high_pct", "Upper end by the beta's 95 % interval", nullable=False),
        integer("n_obs", "Weeks behind the beta", low=60, unit="weeks"),
        KNOWN_AT,
    ),
)
