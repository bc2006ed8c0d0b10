"""Contracts of rolling and weekly correlations of returns with changes of liquidity."""

from __future__ import annotations

from liquidity_pipeline.contracts.assets.columns import (
    BONFERRONI,
    CORRELATION_BAND,
    KNOWN_AT,
    PER_DRIVER,
    corrected_p_values,
    correlation,
)
from liquidity_pipeline.contracts.assets.drivers import DAILY, DRIVER, WEEKLY, of_drivers
from liquidity_pipeline.contracts.assets.returns import ASSET
from liquidity_pipeline.contracts.table import Table, day, integer, number, text

RANK_CORRELATIONS = Table(
    "marts",
    "rank_correlations",
    "Spearman's correlation over rolling windows, for display beside Pearson's.",
    key=("date", "asset", "driver", "window_days"),
    reach="date",
    rests_on=(ASSET, *of_drivers(DAILY)),
    columns=(
        day("date", "Last session of the window"),
        text("asset", "Symbol"),
        DRIVER,
        integer("window_days", "Sessions in the window, all of them known", low=2, unit="sessions"),
        correlation("spearman", "Spearman rank correlation", nullable=False),
        KNOWN_AT,
    ),
)

ROLLING_CORRELATIONS = Table(
    "marts",
    "rolling_correlations",
    "Rolling correlation and beta of daily returns with daily changes of liquidity, for display: "
    "windows overlap from day to day. Tests are in marts.weekly_correlations.",
    key=("date", "asset", "driver", "window_days"),
    reach="date",
    rests_on=(ASSET, *of_drivers(DAILY)),
    columns=(
        day("date", "Last session of the window"),
        text("asset", "Symbol"),
        DRIVER,
        integer("window_days", "Sessions in the window", low=2, unit="sessions"),
        correlation("correlation", "Pearson correlation"),
        *CORRELATION_BAND,
        correlation("spearman", "Spearman rank correlation; NULL unless the window is complete"),
        number("beta", "Slope of the regression", unit=PER_DRIVER),
        integer("n_obs", "Pairs of observations in the window", low=0, unit="sessions"),
        KNOWN_AT,
    ),
)

WEEKLY_CORRELATIONS = Table(
    "marts",
    "weekly_correlations",
    "Correlation and beta over the last 104 and 156 H.4.1 weeks, which do not overlap.",
    key=("week_ending", "asset", "driver", "window_weeks"),
    reach="week_ending",
    rests_on=(ASSET, *of_drivers(WEEKLY)),
    columns=(
        day("week_ending", "Last Wednesday of the window"),
        text("asset", "Symbol"),
        DRIVER,
        integer("window_weeks", "Weeks in the window", low=2, unit="weeks"),
        correlation("correlation", "Pearson correlation", nullable=False),
        *CORRELATION_BAND,
        correlation("spearman", "Spearman rank correlation"),
        number("beta", "Slope of the regression", nullable=False, unit=PER_DRIVER),
        *corrected_p_values("followed assets and weekly drivers", BONFERRONI),
        integer("n_obs", "Pairs of observations in the window", low=60, unit="weeks"),
        KNOWN_AT,
    ),
)
