"""Correlations of non-overlapping weeks, with band, p-value and correction for many tests.

Rolling windows of days are in `rolling_correlations`. Sources: Fisher (1921); method, C7.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from liquidity_pipeline.contracts.assets.correlations import WEEKLY_CORRELATIONS
from liquidity_pipeline.contracts.assets.drivers import WEEKLY_DRIVERS
from liquidity_pipeline.models.mart import BySymbol, PythonMart, Rows
from liquidity_pipeline.models.statements import query
from liquidity_pipeline.statistics import panels
from liquidity_pipeline.statistics.inference import Floats, fisher_band
from liquidity_pipeline.statistics.multiple_tests import bonferroni
from liquidity_pipeline.statistics.rolling import (
    Series,
    Window,
    correlate,
    rank_correlate,
    series,
)

if TYPE_CHECKING:
    import duckdb

_QUERIES = Path(__file__).parent / "queries"

# Fewer independent weeks say nothing (method, C7).
MIN_WEEKS = 60
WINDOWS = (Window(104, MIN_WEEKS), Window(156, MIN_WEEKS))


@dataclass(frozen=True)
class Drivers:
    """Weekly drivers; each week's Wednesday, when its records are all public, and all tests.

    Weeks are numbered as in `panels.week_numbers`.
    """

    values: Series
    weeks: np.ndarray
    known_at: np.ndarray
    n_tests: int

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection) -> Drivers | None:
        """Read `marts.driver_changes`; None where there is nothing yet."""
        drivers = panels.drivers(connection, "weekly")
        if not drivers.dates:
            return None
        weeks = panels.every_week(drivers.dates[0], drivers.dates[-1])
        first_week = int(panels.week_numbers(weeks[:1])[0])
        known_by = panels.known_by(connection)
        return cls(
            Series(first_week, drivers.names, drivers.on(weeks).values.T),
            np.array(weeks, dtype="datetime64[D]"),
            np.array([known_by[week] for week in weeks], dtype="datetime64[us]"),
            len(panels.asset_classes(connection)) * len(WEEKLY_DRIVERS),
        )

    def correlations(self, rows: pa.Table) -> pa.Table:
        """Return `marts.weekly_correlations` of some assets, every week.

        `rows` has the columns date, asset and value. The p-value is that of Student's t for a
        correlation of independent pairs; it is adjusted for all followed assets and weekly drivers,
        observed or not (Bonferroni).
        """
        x, y = self.values, self._returns(rows)
        found, ranks = correlate(x, y, WINDOWS), rank_correlate(x, y, [w.length for w in WINDOWS])
        tables = []
        for i, window in enumerate(WINDOWS):
            estimates = _estimates(found.correlation[i], found.n_obs[i], self.n_tests)
            estimates |= {"beta": found.beta[i], "spearman": ranks[i]}
            at = np.nonzero(~np.isnan(found.correlation[i]))
            asset, driver, row = at
            columns = {
                "week_ending": self.weeks[row],
                "asset": np.array(y.names, dtype=object)[asset],
                "driver": np.array(x.names, dtype=object)[driver],
                "window_weeks": np.full(len(row), window.length),
                **{name: values[at] for name, values in estimates.items()},
                "known_at": self.known_at[row],
            }
            tables.append(panels.from_columns(columns, WEEKLY_CORRELATIONS.arrow_schema))
        return pa.concat_tables(tables)

    def _returns(self, rows: pa.Table) -> Series:
        numbers = panels.week_numbers(rows.column("date").to_numpy())
        numbered = rows.append_column("session", pa.array(numbers))
        return series(numbered, "asset", self.values.first_session, self.values.n_sessions)


def _correlations(connection: duckdb.DuckDBPyConnection) -> Rows | None:
    drivers = Drivers.read(connection)
    return drivers.correlations if drivers else None


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
    "weekly_correlations": PythonMart.by_symbol(
        BySymbol(query("returns_by_week", _QUERIES), "asset", _correlations, WEEKLY_CORRELATIONS),
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
