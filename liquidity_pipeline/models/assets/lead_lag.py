"""Do returns follow liquidity after 0, 1 or 5 sessions or a week? Lags fixed before looking.

A lag of 5 sessions sets the driver's sum over five sessions beside the return over the next five,
a week the driver of one H.4.1 week beside the return of the next: windows that do not overlap.
An association in time; nothing here is called a cause. Sources: method, C7; Harvey, Liu and Zhu
(2016) for the bar of three standard errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from liquidity_pipeline.contracts.assets.sensitivity import LEAD_LAG
from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.statistics import panels
from liquidity_pipeline.statistics.inference import T_BAR, Floats, Moments, Slopes, slopes
from liquidity_pipeline.statistics.multiple_tests import max_t_within
from liquidity_pipeline.statistics.panels import AsOf, Frequency

if TYPE_CHECKING:
    import duckdb


MIN_OBS = 60
SEED = 4_002
# Asset, driver, lag in days, sampling.
Label = tuple[str, str, int, str]


@dataclass(frozen=True)
class Lag:
    """The driver over `span` rows beside the return over `span` rows, `later` spans afterwards."""

    days: int
    sampling: str
    frequency: Frequency
    span: int
    later: int


LAGS = (
    Lag(0, "session", "daily", 1, 0),
    Lag(1, "session", "daily", 1, 1),
    Lag(5, "5 sessions", "daily", 5, 1),
    Lag(7, "week", "weekly", 1, 1),
)


def build(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.lead_lag` on the whole past at each quarterly date.

    The adjusted p-value holds for all followed assets, drivers and lags of the date together.
    """
    sessions = panels.sessions(connection)
    if not sessions:
        return panels.table([], LEAD_LAG.arrow_schema)
    first_week = int(panels.week_numbers(sessions[:1])[0])
    labels, moments = _all_lags(connection, sessions)
    n_assets = len(panels.asset_classes(connection))
    rows: list[dict[str, object]] = []
    for as_of in panels.as_of_dates(connection, "quarterly"):
        stop = int(panels.week_numbers([as_of.date])[0]) - first_week + 1
        if stop < MIN_OBS:
            continue
        rows += _rows(as_of, slopes(moments.window(0, stop), MIN_OBS), labels, n_assets)
    return panels.table(rows, LEAD_LAG.arrow_schema)


def _rows(
    as_of: AsOf, fitted: Slopes, labels: list[Label], n_assets: int
) -> Iterator[dict[str, object]]:
    beta = fitted.slope
    adjusted, counted = max_t_within(beta, [asset for asset, *_ in labels], n_assets, SEED)
    for i in np.flatnonzero(beta.is_defined):
        asset, driver, lag, sampling = labels[i]
        yield {
            "asset": asset,
            "driver": driver,
            "lag_days": lag,
            "sampling": sampling,
            "estimate": beta.estimate[i],
            "estimate_low": beta.low[i],
            "estimate_high": beta.high[i],
            "t_stat": beta.t_stat[i],
            "p_value": beta.p_value[i],
            "p_value_adjusted": adjusted[i],
            "n_tests": int(counted[i]),
            "passes_t_bar": abs(beta.t_stat[i]) > T_BAR,
            "correlation": fitted.correlation[i],
            "n_obs": int(beta.n_obs[i]),
            "as_of": as_of.date,
            "known_at": as_of.known_at,
        }


def lagged(x: Floats, y: Floats, lag: Lag) -> tuple[Floats, Floats]:
    """Return x and y (rows: time) so that each row pairs a return with the driver before it.

    Sums over several sessions are counted from the first row and dated where the return ends; all
    other rows are NaN, so that no two windows overlap.
    """
    span, count = lag.span, len(x) // lag.span
    whole = count * span
    x_sums = x[:whole].reshape(count, span, x.shape[1]).sum(axis=1)
    growth = (1 + y[:whole] / 100).reshape(count, span, y.shape[1]).prod(axis=1)
    y_sums = (growth - 1) * 100 if span > 1 else y
    x_out, y_out = np.full_like(x, np.nan), np.full_like(y, np.nan)
    ends = np.arange(span * (1 + lag.later) - 1, whole, span)
    x_out[ends], y_out[ends] = x_sums[: len(ends)], y_sums[lag.later :]
    return x_out, y_out


def _all_lags(
    connection: duckdb.DuckDBPyConnection, sessions: list[date]
) -> tuple[list[Label], Moments]:
    """Return labels (asset, driver, lag, sampling) and the moments of all of them by H.4.1 week."""
    first, last = panels.week_numbers([sessions[0], sessions[-1]]).tolist()
    wednesday = sessions[0] + timedelta(days=(2 - sessions[0].weekday()) % 7)
    weeks = panels.every_week(wednesday, wednesday + timedelta(weeks=last - first))
    labels: list[Label] = []
    parts: list[Moments] = []
    for lag in LAGS:
        dates = weeks if lag.frequency == "weekly" else sessions
        drivers = panels.drivers(connection, lag.frequency).on(dates)
        returns = panels.returns(connection, lag.frequency).on(dates)
        x, y = lagged(drivers.values, returns.values, lag)
        n_assets, n_drivers = len(returns.names), len(drivers.names)
        pairs = Moments.of_pairs(np.repeat(x, n_assets, axis=1), np.tile(y, (1, n_drivers)))
        parts.append(pairs.grouped(panels.week_numbers(dates) - first, last - first + 1))
        labels += [(a, d, lag.days, lag.sampling) for d in drivers.names for a in returns.names]
    return labels, reduce(Moments.beside, parts)


MARTS = {
    "lead_lag": PythonMart(
        build,
        frozenset(
            {
                "marts.sampled_returns",
                "marts.driver_changes",
                "meta.calendar_days",
                "meta.clock",
                "meta.universe",
            }
        ),
    )
}
