"""How much assets and asset classes move with liquidity, week by week, and who moves most.

Weekly, non-overlapping, changes on changes: over the last 156 weeks, frozen every month, and over
the whole past, frozen every December and from 2024 every quarter. Correlations over rolling windows
are in `weekly_correlations`. Sources: method, C7; estimators and their papers in `inference`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from liquidity_pipeline.contracts.assets.sensitivity import (
    CLAIM_STEPS,
    LIQUIDITY_SENSITIVITY,
    SENSITIVITY_RANKING,
)
from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.statistics import panels
from liquidity_pipeline.statistics.inference import (
    DRAWS,
    T_BAR,
    Bools,
    Estimates,
    Floats,
    Integers,
    Moments,
    draw_estimates,
    slopes,
)
from liquidity_pipeline.statistics.multiple_tests import max_t_p_values, max_t_within
from liquidity_pipeline.statistics.panels import AsOf, Panel

if TYPE_CHECKING:
    import duckdb


WINDOWS = {"trailing_156w": 156, "expanding": None}
MIN_WEEKS = 60
SEED = 4_001
# Every driver takes liquidity when it rises, but for purchases, which add it (method, C5).
DRAIN_SIGN = {"fed_bill_purchases": -1.0}
# The claims are about the drain of record; all other drivers are tested in addition to it.
RECORD = "reserve_drain"


@dataclass(frozen=True)
class Weekly:
    """Returns and drivers on the same consecutive Wednesdays."""

    assets: Panel
    classes: Panel
    drivers: Panel

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection) -> Weekly:
        """Read `marts.sampled_returns` and `marts.driver_changes`."""
        drivers = panels.drivers(connection, "weekly")
        weeks = panels.every_week(drivers.dates[0], drivers.dates[-1]) if drivers.dates else []
        assets = panels.returns(connection, "weekly").on(weeks)
        classes = panels.class_means(assets, panels.asset_classes(connection))
        return cls(assets, classes, drivers.on(weeks))

    def labels(self, class_of: Mapping[str, str]) -> list[tuple[str, str, str, str]]:
        """Return driver, scope, asset or class, and class of every pair: driver by driver."""
        subjects = [("asset", name, class_of[name]) for name in self.assets.names]
        subjects += [("asset_class", name, name) for name in self.classes.names]
        return [(driver, *subject) for driver in self.drivers.names for subject in subjects]

    def moments(self, returns: Floats) -> Moments:
        """Return the moments of every return with every driver: driver by driver."""
        n_drivers, n_returns = len(self.drivers.names), returns.shape[1]
        x = np.repeat(self.drivers.values, n_returns, axis=1)
        return Moments.of_pairs(x, np.tile(returns, (1, n_drivers)))

    def windows(
        self, as_of: Sequence[AsOf], moments: Moments
    ) -> Iterator[tuple[AsOf, str, Moments]]:
        """Yield the moments of each window that ends on each of the dates."""
        weeks = np.array(self.drivers.dates, dtype="datetime64[D]")
        for moment in as_of:
            stop = int(np.searchsorted(weeks, np.datetime64(moment.date), side="right"))
            for name, length in WINDOWS.items():
                start = 0 if length is None else stop - length
                is_due = length is not None or panels.is_quarterly(moment.date)
                if is_due and start >= 0 and stop >= MIN_WEEKS:
                    yield moment, name, moments.window(start, stop)


def build_sensitivity(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.liquidity_sensitivity`: one row per date, window, driver and asset or class."""
    weekly = Weekly.read(connection)
    class_of = panels.asset_classes(connection)
    labels = weekly.labels(class_of)
    groups = [f"{scope} {name}" for _, scope, name, _ in labels]
    n_subjects = len(class_of) + len(set(class_of.values()))
    moments = weekly.moments(np.hstack([weekly.assets.values, weekly.classes.values]))
    rows = []
    for moment, window, part in weekly.windows(panels.as_of_dates(connection), moments):
        fitted = slopes(part, MIN_WEEKS)
        beta = fitted.slope
        adjusted, counted = max_t_within(beta, groups, n_subjects, SEED)
        for i in np.flatnonzero(beta.is_defined):
            driver, scope, name, asset_class = labels[i]
            rows.append(
                {
                    "as_of": moment.date,
                    "window_name": window,
                    "driver": driver,
                    "scope": scope,
                    "asset": name,
                    "asset_class": asset_class,
                    "beta": beta.estimate[i],
                    "beta_low": beta.low[i],
                    "beta_high": beta.high[i],
                    "std_error": beta.std_error[i],
                    "t_stat": beta.t_stat[i],
                    "p_value": beta.p_value[i],
                    "p_value_adjusted": adjusted[i],
                    "n_tests": int(counted[i]),
                    "passes_t_bar": abs(beta.t_stat[i]) > T_BAR,
                    "correlation": fitted.correlation[i],
                    "r_squared": fitted.correlation[i] ** 2,
                    "n_obs": int(beta.n_obs[i]),
                    "known_at": moment.known_at,
                }
            )
    return panels.table(rows, LIQUIDITY_SENSITIVITY.arrow_schema)


def build_ranking(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.sensitivity_ranking`: do crypto, small caps, large caps fall in this order.

    The excess fall is the slope of a return difference on the drain, so that what both share drops
    out. The whole order needs both of its steps: its p-value is the larger of theirs
    (intersection-union test, Berger 1982). The drain of record is a family of tests by itself; a
    claim on another driver, corrected for all tests on those, holds only together with the same
    claim on the drain of record, so that in all 5 % of worlds without an effect give a claim.
    """
    weekly = Weekly.read(connection)
    # How much more the first falls than the second; a class without assets yet is undefined.
    classes = weekly.classes
    unknown = np.full(len(classes.dates), np.nan)
    returns = {name: classes.column(name) for name in classes.names}
    gaps = [returns.get(b, unknown) - returns.get(a, unknown) for a, b in CLAIM_STEPS]
    drains = weekly.drivers.values * [DRAIN_SIGN.get(name, 1.0) for name in weekly.drivers.names]
    drained = Weekly(
        weekly.assets, weekly.classes, Panel(weekly.drivers.dates, weekly.drivers.names, drains)
    )
    rows: list[dict[str, object]] = []
    moments = drained.moments(np.column_stack(gaps))
    for moment, window, part in drained.windows(panels.as_of_dates(connection), moments):
        excess = slopes(part, MIN_WEEKS).slope
        head = {"as_of": moment.date, "window_name": window, "known_at": moment.known_at}
        rows += [head | row for row in _ranked(excess, weekly.drivers.names)]
    return panels.table(rows, SENSITIVITY_RANKING.arrow_schema)


def _ranked(excess: Estimates, drivers: Sequence[str]) -> list[dict[str, object]]:
    """Return the claims on the drain of record, then those on each other driver."""
    of_driver = np.repeat(np.array(drivers), len(CLAIM_STEPS))
    record = _family(excess, of_driver, of_driver == RECORD)
    others = _family(excess, of_driver, of_driver != RECORD)
    supported = {row["claim"] for row in record if row["is_supported"]}
    return record + [
        row | {"is_supported": bool(row["is_supported"]) and row["claim"] in supported}
        for row in others
    ]


def _family(
    excess: Estimates, of_driver: npt.NDArray[np.str_], members: Bools
) -> list[dict[str, object]]:
    """Return the claims on some drivers, corrected for all tests at those."""
    chosen, driver_of = excess.select(members), of_driver[members]
    adjusted = max_t_p_values(chosen, SEED, one_sided=True)
    draws = draw_estimates(chosen, SEED)
    return [
        {"driver": driver} | row
        for driver in dict.fromkeys(driver_of.tolist())
        for row in _claims(chosen, adjusted, draws, np.flatnonzero(driver_of == driver))
    ]


def _claims(
    excess: Estimates, adjusted: Floats, draws: Floats, columns: Integers
) -> Iterator[dict[str, object]]:
    """Yield a row per step of the order, then one for the whole order if all steps are defined."""
    for (more, less), i in zip(CLAIM_STEPS, columns, strict=True):
        if excess.is_defined[i]:
            yield _claim(f"{more} > {less}", excess, adjusted, draws, np.array([i])) | {
                "excess_fall": excess.estimate[i],
                "excess_fall_low": excess.low[i],
                "excess_fall_high": excess.high[i],
            }
    if excess.is_defined[columns].all():
        order = " > ".join([CLAIM_STEPS[0][0], *(less for _, less in CLAIM_STEPS)])
        yield _claim(order, excess, adjusted, draws, columns) | dict.fromkeys(
            ("excess_fall", "excess_fall_low", "excess_fall_high")
        )


def _claim(
    claim: str, excess: Estimates, adjusted: Floats, draws: Floats, columns: Integers
) -> dict[str, object]:
    """Return one claim's row; p-values are one-sided, against the claim's contrary."""
    p_adjusted = float(adjusted[columns].max())
    return {
        "claim": claim,
        "probability": float((draws[:, columns] > 0).all(axis=1).mean()),
        "n_draws": DRAWS,
        "p_value": float(excess.p_value_above_zero[columns].max()),
        "p_value_adjusted": p_adjusted,
        "n_tests": int(excess.is_defined.sum()),
        "is_supported": p_adjusted < 0.05,
        "n_obs": int(excess.n_obs[columns].min()),
    }


_READS = frozenset(
    {
        "marts.sampled_returns",
        "marts.driver_changes",
        "meta.calendar_days",
        "meta.clock",
        "meta.universe",
    }
)
MARTS = {
    "liquidity_sensitivity": PythonMart(build_sensitivity, _READS),
    "sensitivity_ranking": PythonMart(build_ranking, _READS),
}
