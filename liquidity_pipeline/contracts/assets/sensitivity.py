"""Contracts of the slopes of returns on changes of liquidity, and of what they imply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from liquidity_pipeline.contracts.assets.columns import (
    AS_OF,
    KNOWN_AT,
    MAX_T,
    PER_DRIVER,
    WINDOW,
    corrected_p_values,
    correlation,
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

# Who is said to react more than whom, step by step, and the whole order.
CLAIM_STEPS = (("crypto", "small_cap"), ("small_cap", "large_cap"))
CLAIM_CLASSES: Mapping[str, tuple[str, ...]] = {
    **{" > ".join(step): step for step in CLAIM_STEPS},
    " > ".join(order := (CLAIM_STEPS[0][0], *(less for _, less in CLAIM_STEPS))): order,
}


def _of_claims() -> Iterator[Input]:
    """Yield what each claim rests on: its own classes, and its correction on all of them."""
    for name in dict.fromkeys(name for names in CLAIM_CLASSES.values() for name in names):
        own = tuple(claim for claim, names in CLAIM_CLASSES.items() if name in names)
        others = tuple(claim for claim in CLAIM_CLASSES if claim not in own)
        yield Input(PRICES, class_entity=name, only={"claim": own})
        if others:
            yield Input(
                PRICES,
                class_entity=name,
                columns=(*FAMILY, "is_supported"),
                only={"claim": others},
            )


_BESIDE_RECORD = tuple(name for name in WEEKLY if name != "reserve_drain")

LIQUIDITY_SENSITIVITY = Table(
    "marts",
    "liquidity_sensitivity",
    "Weekly beta of each asset and asset class: the slope of its return on each change of "
    "liquidity.",
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
        text(
            "scope",
            "One asset, or the equally weighted mean of its class",
            allowed=("asset", "asset_class"),
        ),
        text("asset", "Symbol, or the class"),
        text("asset_class", "Class"),
        *slope("beta", "Return per unit of the driver in the same week"),
        number("std_error", "Standard error by blocks of weeks", nullable=False, unit=PER_DRIVER),
        number("t_stat", "beta divided by std_error", nullable=False, unit="standard errors"),
        *corrected_p_values("drivers, times all followed assets and classes", MAX_T, nullable=True),
        flag("passes_t_bar", "Absolute t above 3, the bar for a new claim"),
        correlation("correlation", "Pearson correlation", nullable=False),
        probability("r_squared", "Share of the return's variance that the driver explains"),
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
        *_of_claims(),
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
        text(
            "claim",
            "Claim that is tested: which class falls more than which",
            allowed=tuple(CLAIM_CLASSES),
        ),
        number(
            "excess_fall",
            "How much more it falls per unit of drain; NULL for the claim on the whole order",
            unit=PER_DRIVER,
        ),
        number("excess_fall_low", "Lower end of the 95 % interval", unit=PER_DRIVER),
        number("excess_fall_high", "Upper end of the 95 % interval", unit=PER_DRIVER),
        probability("probability", "Share of bootstrap draws in which the claim holds"),
        integer("n_draws", "Bootstrap draws", low=1, unit="draws"),
        probability(
            "p_value", "One-sided p-value of this row alone, against the opposite of the claim"
        ),
        probability(
            "p_value_adjusted",
            "p-value corrected for n_tests tests: maximum-t test by random signs of blocks",
            nullable=True,
        ),
        n_tests(
            "the comparisons on the drain of record; for another driver the comparisons on all "
            "others",
            nullable=True,
        ),
        flag(
            "is_supported",
            "p_value_adjusted is below 5 %; for another driver it must also be so on the drain of "
            "record",
            nullable=True,
        ),
        integer("n_obs", "Weeks", low=60, unit="weeks"),
        KNOWN_AT,
    ),
)

LEAD_LAG = Table(
    "marts",
    "lead_lag",
    "Slope of returns on changes of liquidity 0, 1 and 5 sessions and one week earlier, from "
    "all data up to as_of. The lags were fixed beforehand. An association in time, not a "
    "cause.",
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
            "Length of the windows that are compared; they do not overlap",
            allowed=("session", "5 sessions", "week"),
        ),
        *slope("estimate", "Return per unit of the driver"),
        number(
            "t_stat", "Estimate divided by its standard error", nullable=False, unit="std. errors"
        ),
        *corrected_p_values("drivers and lags, times all followed assets", MAX_T, nullable=True),
        flag("passes_t_bar", "Absolute t above 3, the bar for a new claim"),
        correlation("correlation", "Pearson correlation", nullable=False),
        integer("n_obs", "Pairs", low=60, unit="pairs"),
        AS_OF,
        KNOWN_AT,
    ),
)

SCENARIOS = Table(
    "marts",
    "scenarios",
    "Effect of four more weeks of drain on each asset, by its beta over the last 156 weeks. "
    "continue: the drain of the last four weeks, which may be an inflow; worsen: the 95th "
    "percentile of the past; reverse: the negative of continue.",
    key=("as_of", "scenario", "asset"),
    reach="as_of",
    rests_on=(ASSET, RESERVES),
    columns=(
        AS_OF,
        text("scenario", "Assumed course of the drain", allowed=("continue", "worsen", "reverse")),
        text("asset", "Symbol"),
        text("asset_class", "Class"),
        number("drain_usd_bn", "Drain over four weeks", nullable=False),
        number("beta", "Weekly beta", nullable=False, unit="percent per USD bn"),
        number("impact_pct", "Estimated effect: beta x drain", nullable=False),
        number("impact_low_pct", "Lower end by the beta's 95 % interval", nullable=False),
        number("impact_high_pct", "Upper end by the beta's 95 % interval", nullable=False),
        integer("n_obs", "Weeks used for the beta", low=60, unit="weeks"),
        KNOWN_AT,
    ),
)
