"""Rank correlations over rolling windows, and weekly correlations with their inference.

`rank_correlations`: Spearman's, which `rolling_correlations.sql` sets beside Pearson's.
`weekly_correlations`: non-overlapping weeks, with band, p-value and correction for many looks.
Sources: Spearman (1904), ties by average ranks; Fisher (1921); method, C7.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import pyarrow as pa

from liquidity_pipeline.contracts.assets import (
    RANK_CORRELATIONS,
    WEEKLY_CORRELATIONS,
    WEEKLY_DRIVERS,
)
from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.statistics import panels
from liquidity_pipeline.statistics.inference import (
    Floats,
    Moments,
    bonferroni,
    fisher_band,
)
from liquidity_pipeline.statistics.panels import Panel

WINDOWS_DAYS = (20, 60, 120)
WINDOWS_WEEKS = (104, 156)
# Fewer independent weeks say nothing (method, C7).
MIN_WEEKS = 60


def build_ranks(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.rank_correlations` of daily returns and drivers, in complete windows."""
    drivers, returns = panels.drivers(connection, "daily"), panels.returns(connection, "daily")
    known_by = panels.known_by(connection)
    schema = RANK_CORRELATIONS.arrow_schema
    tables = [schema.empty_table()]
    for group in _without_gaps(drivers):
        on_group = returns.on(group.dates)
        known_at = np.array([known_by[day] for day in group.dates], dtype="datetime64[us]")
        for window in WINDOWS_DAYS:
            found = rolling_spearman(group.values, on_group.values, window)
            row, driver, asset = np.nonzero(~np.isnan(found))
            columns = {
                "date": np.array(group.dates, dtype="datetime64[D]")[row],
                "asset": np.array(on_group.names, dtype=object)[asset],
                "driver": np.array(group.names, dtype=object)[driver],
                "window_days": np.full(len(row), window),
                "spearman": found[row, driver, asset],
                "known_at": known_at[row],
            }
            tables.append(panels.from_columns(columns, schema))
    return pa.concat_tables(tables)


def rolling_spearman(x: Floats, y: Floats, window: int) -> Floats:
    """Return the rank correlations of the window ending in each row: rows x columns of x x of y.

    NaN where a column's window is incomplete or does not vary. Ranks are not sorted anew in each
    window but carried on: one value comes, one goes, and the ranks of the others shift by at most
    one. They are whole numbers, so nothing drifts.
    """
    values = np.hstack([x, y])
    n_rows, split = len(values), x.shape[1]
    products = np.zeros((n_rows, split, y.shape[1]))
    squares = np.zeros(values.shape)
    held = np.full((window, values.shape[1]), np.nan)
    # Values beaten less values that beat it: twice the average rank about its mean.
    ranks = np.zeros_like(held)
    for i, new in enumerate(values):
        slot = i % window
        against_new = _beats(held, new)
        ranks += against_new - _beats(held, held[slot].copy())
        held[slot] = new
        ranks[slot] = against_new[slot] - against_new.sum(axis=0)
        products[i] = ranks[:, :split].T @ ranks[:, split:]
        squares[i] = (ranks * ranks).sum(axis=0)
    known = Moments.of_pairs(values, values).rolling(window).n
    squares[(known < window) | (squares == 0)] = np.nan
    scale = np.sqrt(squares[:, :split, None] * squares[:, None, split:])
    return np.clip(products / scale, -1, 1)


def _beats(value: Floats, other: Floats) -> Floats:
    """Return 1 where value is larger, -1 where it is smaller, 0 where equal or unknown."""
    return np.subtract(value > other, value < other, dtype=np.float64)


def _without_gaps(drivers: Panel) -> Iterator[Panel]:
    """Yield drivers that are unknown on the same dates, without these dates.

    A window then holds the last sessions on which the driver is known, as in
    `rolling_correlations.sql`. What lies before a driver's first date is no gap.
    """
    groups: dict[bytes, list[int]] = {}
    for j in range(len(drivers.names)):
        known = ~np.isnan(drivers.values[:, j])
        gaps = ~known & np.logical_or.accumulate(known)
        groups.setdefault(gaps.tobytes(), []).append(j)
    for gaps_as_bytes, columns in groups.items():
        kept = np.flatnonzero(~np.frombuffer(gaps_as_bytes, dtype=bool))
        yield Panel(
            [drivers.dates[i] for i in kept.tolist()],
            tuple(drivers.names[j] for j in columns),
            drivers.values[kept][:, columns],
        )


def build_weekly(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.weekly_correlations`: windows of 104 and 156 H.4.1 weeks, every week.

    The p-value is that of Student's t for a correlation of independent pairs; it is adjusted for
    all followed assets and weekly drivers, observed or not (Bonferroni).
    """
    drivers = panels.drivers(connection, "weekly")
    weeks = panels.every_week(drivers.dates[0], drivers.dates[-1]) if drivers.dates else []
    x, y = drivers.on(weeks), panels.returns(connection, "weekly").on(weeks)
    if not weeks or not y.names:
        return panels.table([], WEEKLY_CORRELATIONS.arrow_schema)
    known_by = panels.known_by(connection)
    n_tests = len(panels.asset_classes(connection)) * len(WEEKLY_DRIVERS)
    pairs = [(driver, asset) for driver in x.names for asset in y.names]
    labels = np.array(pairs, dtype=object)
    known_at = np.array([known_by[week] for week in weeks], dtype="datetime64[us]")
    schema = WEEKLY_CORRELATIONS.arrow_schema
    tables = []
    for window in WINDOWS_WEEKS:
        found = _rolling_weeks(x.values, y.values, window, n_tests)
        row, pair = np.nonzero(~np.isnan(found["correlation"]))
        columns = {
            "week_ending": np.array(weeks, dtype="datetime64[D]")[row],
            "asset": labels[pair, 1],
            "driver": labels[pair, 0],
            "window_weeks": np.full(len(row), window),
            **{name: values[row, pair] for name, values in found.items()},
            "known_at": known_at[row],
        }
        tables.append(panels.from_columns(columns, schema))
    return pa.concat_tables(tables)


def _rolling_weeks(x: Floats, y: Floats, window: int, n_tests: int) -> dict[str, Floats]:
    """Return the columns of `weekly_correlations`, each weeks x (driver by driver, its assets)."""
    from scipy.special import stdtr

    pairs = Moments.of_pairs(np.repeat(x, y.shape[1], axis=1), np.tile(y, (1, x.shape[1])))
    sums = pairs.rolling(window)
    n = sums.n
    count = np.maximum(n, 1)
    xx, yy = sums.xx - sums.x**2 / count, sums.yy - sums.y**2 / count
    xy = sums.xy - sums.x * sums.y / count
    usable = (n >= MIN_WEEKS) & (xx > 1e-6) & (yy > 1e-6)
    safe_xx = np.where(usable, xx, np.nan)
    correlation = np.clip(xy / np.sqrt(safe_xx * np.where(usable, yy, np.nan)), -1, 1)
    low, high = fisher_band(correlation, n.astype(np.int64))
    t_stat = correlation * np.sqrt((count - 2) / np.maximum(1 - correlation**2, 1e-12))
    p_value = 2 * stdtr(np.maximum(count - 2, 1), -np.abs(t_stat))
    ranked = rolling_spearman(x, y, window).reshape(len(x), -1)
    return {
        "correlation": correlation,
        "correlation_low": low,
        "correlation_high": high,
        "spearman": ranked,
        "beta": xy / safe_xx,
        "p_value": p_value,
        "p_value_adjusted": bonferroni(p_value, n_tests),
        "n_tests": np.full(usable.shape, n_tests),
        "n_obs": n.astype(np.int64),
    }


MARTS = {
    "rank_correlations": PythonMart(
        build_ranks,
        frozenset({"marts.sampled_returns", "marts.driver_changes", "meta.calendar_days"}),
    ),
    "weekly_correlations": PythonMart(
        build_weekly,
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
