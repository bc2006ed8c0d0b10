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
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from liquidity_pipeline.contracts.assets.correlations import ROLLING_CORRELATIONS
from liquidity_pipeline.models.mart import BySymbol, PythonMart, Rows
from liquidity_pipeline.models.statements import query
from liquidity_pipeline.statistics import panels
from liquidity_pipeline.statistics.inference import Floats, Integers, fisher_band
from liquidity_pipeline.statistics.rolling import (
    Series,
    Window,
    correlate,
    rank_correlate,
    series,
)

if TYPE_CHECKING:
    import duckdb


# At least 90 % of a window's sessions must have a pair.
WINDOWS = (Window(20, 18), Window(60, 54), Window(120, 108))
LENGTHS = tuple(window.length for window in WINDOWS)
# Moments are those of whole millionths: the noise of 1e-9 that an unchanged level leaves is no
# variance. Ranks are those of the values themselves, which rounding would tie.
MILLIONTHS = 1e6
# What is behind the twelfth decimal is noise, and takes a third of the room of a double. An end of
# the band moves up to three times as far as its correlation, which therefore has one more.
_DECIMALS = 12

_QUERIES = Path(__file__).parent / "queries"


@dataclass(frozen=True)
class Drivers:
    """Drivers by New York session; each session's date, and when its records are all public."""

    values: Series
    dates: np.ndarray
    known_at: np.ndarray

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection) -> Drivers | None:
        """Read `marts.driver_changes`; None where there is nothing yet."""
        rows = connection.execute(query("drivers_by_session", _QUERIES)).to_arrow_table()
        if not rows.num_rows:
            return None
        values = series(rows, "driver")
        last = values.first_session + values.n_sessions - 1
        sql = query("sessions_between", _QUERIES, first=values.first_session, last=last)
        days = connection.execute(sql).to_arrow_table()
        dates, known_at = (days.column(name).to_numpy() for name in ("date", "known_by"))
        return cls(values, dates, known_at)

    def correlations(self, rows: pa.Table) -> pa.Table:
        """Return `marts.rolling_correlations` of some assets: a row where the session has a pair.

        `rows` has the columns session, asset and value, the return in percent.
        """
        returns = self._returns(rows)
        found = correlate(_rounded(self.values), _rounded(returns), WINDOWS)
        ranks = _rank_correlations(self.values, returns)
        pairs = ~np.isnan(returns.values)[:, None] & ~np.isnan(self.values.values)[None]
        at = np.nonzero(np.broadcast_to(pairs, ranks.shape))
        n_obs = found.n_obs[at].astype(np.int64)
        correlation = found.correlation[at].round(_DECIMALS + 1)
        low, high = fisher_band(correlation, n_obs)
        columns = {
            **self._keys(returns, at),
            "correlation": correlation,
            "correlation_low": low,
            "correlation_high": high,
            "spearman": ranks[at].round(_DECIMALS),
            "beta": found.beta[at].round(_DECIMALS),
            "n_obs": n_obs,
        }
        return panels.from_columns(columns, ROLLING_CORRELATIONS.arrow_schema)

    def _returns(self, rows: pa.Table) -> Series:
        return series(rows, "asset", self.values.first_session, self.values.n_sessions)

    def _keys(self, returns: Series, at: tuple[np.ndarray, ...]) -> dict[str, np.ndarray]:
        """Return the columns of the key, and `known_at`, of results at these indexes."""
        window, asset, driver, session = at
        return {
            "date": self.dates[session],
            "asset": np.array(returns.names, dtype=object)[asset],
            "driver": np.array(self.values.names, dtype=object)[driver],
            "window_days": np.array(LENGTHS)[window],
            "known_at": self.known_at[session],
        }


def _correlations(connection: duckdb.DuckDBPyConnection) -> Rows | None:
    drivers = Drivers.read(connection)
    return drivers.correlations if drivers else None


def _rounded(part: Series) -> Series:
    """Return the values in whole millionths; halves are rounded away from zero."""
    whole = np.floor(np.abs(part.values) * MILLIONTHS + 0.5)
    return Series(part.first_session, part.names, np.copysign(whole, part.values) + 0.0)


def _rank_correlations(drivers: Series, returns: Series) -> Floats:
    """Return Spearman's (windows x assets x drivers x sessions), NaN where a window is incomplete.

    A window holds the last sessions on which the driver is known: a holiday of its own is no gap.
    """
    n_results = len(LENGTHS), len(returns.names), len(drivers.names)
    found = np.full((*n_results, drivers.n_sessions), np.nan)
    for rows, kept in _by_known_sessions(drivers):
        names = tuple(drivers.names[row] for row in rows)
        x = Series(0, names, drivers.values[np.ix_(rows, kept)])
        y = Series(0, returns.names, returns.values[:, kept])
        on_sessions = np.full((*n_results[:2], len(rows), drivers.n_sessions), np.nan)
        on_sessions[..., kept] = rank_correlate(x, y, LENGTHS)
        found[:, :, rows] = on_sessions
    return found


def _by_known_sessions(drivers: Series) -> Iterator[tuple[Integers, Integers]]:
    """Yield rows of drivers that are known in the same sessions, and these sessions."""
    known = ~np.isnan(drivers.values)
    groups: dict[bytes, list[int]] = {}
    for row in range(len(known)):
        groups.setdefault(known[row].tobytes(), []).append(row)
    for rows in groups.values():
        yield np.array(rows), np.flatnonzero(known[rows[0]])


_RETURNS_BY_SESSION = query("returns_by_session", _QUERIES)
_READS = frozenset({"marts.sampled_returns", "marts.driver_changes", "meta.calendar_days"})
MARTS = {
    "rolling_correlations": PythonMart.by_symbol(
        BySymbol(_RETURNS_BY_SESSION, "asset", _correlations, ROLLING_CORRELATIONS), _READS
    ),
}
