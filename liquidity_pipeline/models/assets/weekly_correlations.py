"""Correlations of non-overlapping weeks, with band, p-value and correction for many tests.

Rolling windows of days are in `rolling_correlations`. Sources: Fisher (1921); method, C7.
"""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from liquidity_pipeline.contracts.assets.correlations import WEEKLY_CORRELATIONS
from liquidity_pipeline.contracts.assets.drivers import WEEKLY_DRIVERS
from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.statistics import panels
from liquidity_pipeline.statistics.inference import Floats, fisher_band
from liquidity_pipeline.statistics.multiple_tests import bonferroni
from liquidity_pipeline.statistics.rolling import Series, Window, correlate, rank_correlate

# Fewer independent weeks say nothing (method, C7).
MIN_WEEKS = 60
WINDOWS = (Window(104, MIN_WEEKS), Window(156, MIN_WEEKS))


def build(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.weekly_correlations`: windows of 104 and 156 H.4.1 weeks, every week.

    The p-value is that of Student's t for a correlation of independent pairs; it is adjusted for
    all followed assets and weekly drivers, observed or not (Bonferroni).
    """
    drivers = panels.drivers(connection, "weekly")
    weeks = panels.every_week(drivers.dates[0], drivers.dates[-1]) if drivers.dates else []
    returns = panels.returns(connection, "weekly")
    schema = WEEKLY_CORRELATIONS.arrow_schema
    if not weeks or not returns.names:
        return panels.table([], schema)
    first_week = int(panels.week_numbers(weeks[:1])[0])
    x, y = (
        Series(first_week, panel.names, panel.on(weeks).values.T) for panel in (drivers, returns)
    )
    found, ranks = correlate(x, y, WINDOWS), rank_correlate(x, y, [w.length for w in WINDOWS])
    known_by = panels.known_by(connection)
    known_at = np.array([known_by[week] for week in weeks], dtype="datetime64[us]")
    n_tests = len(panels.asset_classes(connection)) * len(WEEKLY_DRIVERS)
    tables = []
    for i, window in enumerate(WINDOWS):
        estimates = _estimates(found.correlation[i], found.n_obs[i], n_tests)
        estimates |= {"beta": found.beta[i], "spearman": ranks[i]}
        at = np.nonzero(~np.isnan(found.correlation[i]))
        asset, driver, row = at
        columns = {
            "week_ending": np.array(weeks, dtype="datetime64[D]")[row],
            "asset": np.array(y.names, dtype=object)[asset],
            "driver": np.array(x.names, dtype=object)[driver],
            "window_weeks": np.full(len(row), window.length),
            **{name: values[at] for name, values in estimates.items()},
            "known_at": known_at[row],
        }
        tables.append(panels.from_columns(columns, schema))
    return pa.concat_tables(tables)


def _estimates(correlation: Floats, n_obs: np.ndarray, n_tests: int) -> dict[str, np.ndarray]:
    """Return the columns that follow from correlations (assets x drivers x weeks) and their n."""
    from scipy.special import stdtr

    low, high = fisher_band(correlation, n_obs)
    freedom = np.maximum(n_obs - 2, 1)
    t_stat = correlation * np.sqrt(freedom / np.maximum(1 - correlation**2, 1e-12))
    p_value = 2 * stdtr(freedom, -np.abs(t_stat))
    return {
        "correlation": correlation,
        "correlation_low": low,
        "correlation_high": high,
        "p_value": p_value,
        "p_value_adjusted": bonferroni(p_value, n_tests),
        "n_tests": np.full(p_value.shape, n_tests),
        "n_obs": n_obs,
    }


MARTS = {
    "weekly_correlations": PythonMart(
        build,
        frozenset(
            {
                "marts.sampled_returns",
                "marts.driver_changes",
                "meta.calendar_days",
                "meta.universe",
            }
        ),
    ),
}
