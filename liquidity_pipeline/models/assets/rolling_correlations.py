"""Rolling correlation, beta and rank correlation of daily returns with daily changes of liquidity.

Changes, never levels (method, C7). The beta is published beside the correlation because a
correlation rises with volatility alone (Forbes and Rigobon 2002). The band is Fisher's for
independent pairs; windows overlap from day to day, so days outside the band are no tests: those are
in `marts.weekly_correlations`. What is set beside what, and when coins are sampled, is said in
`sampled_returns.sql` and `driver_changes.sql`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from liquidity_pipeline.contracts.assets.correlations import RANK_CORRELATIONS, ROLLING_CORRELATIONS
from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.statistics import panels
from liquidity_pipeline.statistics.inference import Floats, Integers, fisher_band
from liquidity_pipeline.statistics.rolling import (
    Series,
    Window,
    correlate,
    rank_correlate,
    series,
)

# At least 90 % of a window's sessions must have a pair.
WINDOWS = (Window(20, 18), Window(60, 54), Window(120, 108))
LENGTHS = tuple(window.length for window in WINDOWS)
# Moments are those of whole millionths: the noise of 1e-9 that an unchanged level leaves is no
# variance. Ranks are those of the values themselves, which rounding would tie.
MILLIONTHS = "cast(cast(rows.{} as decimal(19, 6)) * 1000000 as double)"


@dataclass(frozen=True)
class Inputs:
    """Drivers and returns by New York session; each session's date, and when it is all public."""

    drivers: Series
    returns: Series
    dates: np.ndarray
    known_at: np.ndarray

    @property
    def pairs(self) -> np.ndarray:
        """Where both values of a session are known: assets x drivers x sessions."""
        return ~np.isnan(self.returns.values)[:, None] & ~np.isnan(self.drivers.values)[None]


def build(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.rolling_correlations`: a row where the session has a pair."""
    inputs, rounded = _inputs(connection), _inputs(connection, MILLIONTHS)
    if inputs is None or rounded is None:
        return ROLLING_CORRELATIONS.arrow_schema.empty_table()
    found = correlate(rounded.drivers, rounded.returns, WINDOWS)
    ranks = _rank_correlations(inputs)
    at = np.nonzero(np.broadcast_to(inputs.pairs, ranks.shape))
    correlation, n_obs = found.correlation[at], found.n_obs[at].astype(np.int64)
    low, high = fisher_band(correlation, n_obs)
    columns = {
        **_keys(inputs, at),
        "correlation": correlation,
        "correlation_low": low,
        "correlation_high": high,
        "spearman": ranks[at],
        "beta": found.beta[at],
        "n_obs": n_obs,
    }
    return panels.from_columns(columns, ROLLING_CORRELATIONS.arrow_schema)


def build_ranks(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.rank_correlations`: Spearman's, in complete windows."""
    inputs = _inputs(connection)
    if inputs is None:
        return RANK_CORRELATIONS.arrow_schema.empty_table()
    ranks = _rank_correlations(inputs)
    at = np.nonzero(~np.isnan(ranks))
    columns = {**_keys(inputs, at), "spearman": ranks[at]}
    return panels.from_columns(columns, RANK_CORRELATIONS.arrow_schema)


def _inputs(connection: duckdb.DuckDBPyConnection, value: str = "rows.{}") -> Inputs | None:
    """Return what is correlated, or None where there is nothing yet; `value` is SQL of a value."""
    x = _by_session(connection, "marts.driver_changes", "driver", value.format("value"))
    y = _by_session(connection, "marts.sampled_returns", "asset", value.format("return_pct"))
    if not x.num_rows or not y.num_rows:
        return None
    drivers = series(x, "driver")
    returns = series(y, "asset", drivers.first_session, drivers.n_sessions)
    days = connection.execute(
        "select date, known_by from meta.calendar_days "
        "where is_nyse and nyse_number between ? and ? order by nyse_number",
        [drivers.first_session, drivers.first_session + drivers.n_sessions - 1],
    ).to_arrow_table()
    dates, known_at = (days.column(name).to_numpy() for name in ("date", "known_by"))
    return Inputs(drivers, returns, dates, known_at)


def _by_session(
    connection: duckdb.DuckDBPyConnection, table: str, name: str, value: str
) -> pa.Table:
    """Return the daily rows of a mart as session, name and value."""
    return connection.execute(
        f"select days.nyse_number as session, rows.{name}, {value} as value "
        f"from {table} as rows join meta.calendar_days as days on days.date = rows.date "
        f"where rows.frequency = 'daily' order by rows.{name}, session"
    ).to_arrow_table()


def _rank_correlations(inputs: Inputs) -> Floats:
    """Return Spearman's (windows x assets x drivers x sessions), NaN where a window is incomplete.

    A window holds the last sessions on which the driver is known: a holiday of its own is no gap.
    """
    drivers, returns = inputs.drivers, inputs.returns
    n_results = len(LENGTHS), len(returns.names), len(drivers.names)
    found = np.full((*n_results, drivers.n_sessions), np.nan)
    for rows, kept in _without_gaps(drivers):
        names = tuple(drivers.names[row] for row in rows)
        x = Series(0, names, drivers.values[np.ix_(rows, kept)])
        y = Series(0, returns.names, returns.values[:, kept])
        on_sessions = np.full((*n_results[:2], len(rows), drivers.n_sessions), np.nan)
        on_sessions[..., kept] = rank_correlate(x, y, LENGTHS)
        found[:, :, rows] = on_sessions
    return found


def _without_gaps(drivers: Series) -> Iterator[tuple[Integers, Integers]]:
    """Yield rows of drivers that are unknown in the same sessions, and all other sessions.

    What lies before a driver's first session is no gap.
    """
    known = ~np.isnan(drivers.values)
    gaps = ~known & np.logical_or.accumulate(known, axis=1)
    groups: dict[bytes, list[int]] = {}
    for row in range(len(gaps)):
        groups.setdefault(gaps[row].tobytes(), []).append(row)
    for rows in groups.values():
        yield np.array(rows), np.flatnonzero(~gaps[rows[0]])


def _keys(inputs: Inputs, at: tuple[np.ndarray, ...]) -> dict[str, np.ndarray]:
    """Return the columns of the key, and `known_at`, of results at these indexes."""
    window, asset, driver, session = at
    return {
        "date": inputs.dates[session],
        "asset": np.array(inputs.returns.names, dtype=object)[asset],
        "driver": np.array(inputs.drivers.names, dtype=object)[driver],
        "window_days": np.array(LENGTHS)[window],
        "known_at": inputs.known_at[session],
    }


_READS = frozenset({"marts.sampled_returns", "marts.driver_changes", "meta.calendar_days"})
MARTS = {
    "rolling_correlations": PythonMart(build, _READS),
    "rank_correlations": PythonMart(build_ranks, _READS),
}
