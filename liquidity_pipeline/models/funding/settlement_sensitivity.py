"""How the overnight repo rate moves when Treasury debt settles: `marts.settlement_sensitivity`.

Per quarter, over rolling years, and once for the whole past with the ampleness of reserves, the
daily change of TGCR over the offering rate of the overnight reverse repo facility is regressed on
the net settlement that the public pays, coupons and bills apart. One slope for all years would be
wrong: it was 20 to 40 basis points per USD 100 billion in 2018 and 2019, nothing in 2021.

Source: "Repo Rate Sensitivity to Treasury Issuance and Quantitative Tightening", FEDS Notes,
2025-02-12, figure 1. Least squares; standard errors allow for heteroskedasticity (HC1, MacKinnon
and White 1985) and the interval has Student's t.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from liquidity_pipeline.contracts.funding import SETTLEMENT_SENSITIVITY
from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.models.statements import query
from liquidity_pipeline.statistics import panels
from liquidity_pipeline.statistics.inference import CONFIDENCE, Floats

if TYPE_CHECKING:
    import duckdb

_QUERIES = Path(__file__).parent / "queries"

# A quarter has some 62 days; of fewer than 30 nothing is said, and a year has 250.
MIN_DAYS, ROLLING_DAYS = 30, 250
# Demand for reserves is satiated above 12 to 13 % of bank assets (New York Fed Staff Report 1019).
SATIATION_PCT = 12.5


@dataclass(frozen=True)
class Days:
    """Daily changes with what settled, oldest first; NaN where either or the ratio is unknown."""

    dates: Sequence[date]
    known_by: Sequence[datetime]
    change_bp: Floats
    coupons: Floats
    bills: Floats
    reserves_pct: Floats

    def __len__(self) -> int:
        return len(self.dates)

    def window(self, start: int, stop: int) -> Days:
        """Return the days from start to stop - 1."""
        chosen = slice(start, stop)
        return Days(
            self.dates[chosen],
            self.known_by[chosen],
            self.change_bp[chosen],
            self.coupons[chosen],
            self.bills[chosen],
            self.reserves_pct[chosen],
        )


@dataclass(frozen=True)
class Fit:
    """Slopes with half the width of their 95 % interval; the intercept is left out."""

    slopes: Floats
    reach: Floats
    n_obs: int


def least_squares(y: Floats, x: Floats) -> Fit | None:
    """Regress y on the columns of x and an intercept, errors robust to heteroskedasticity (HC1).

    Rows of which a column is not known (NaN) are left out. None below `MIN_DAYS` rows, and where a
    column does not vary or repeats another.
    """
    from scipy.special import stdtrit

    known = ~np.isnan(x).any(axis=1)
    y, x = y[known], x[known]
    design = np.column_stack([np.ones(len(y)), x])
    n, k = design.shape
    if n < MIN_DAYS or np.linalg.matrix_rank(design) < k:
        return None
    inverse = np.linalg.inv(design.T @ design)
    coefficients = inverse @ design.T @ y
    errors = y - design @ coefficients
    scores = design * errors[:, None]
    variance = inverse @ (scores.T @ scores) @ inverse * n / (n - k)
    reach = stdtrit(n - k, (1 + CONFIDENCE) / 2) * np.sqrt(np.diag(variance))
    return Fit(coefficients[1:], reach[1:], n)


def build(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.settlement_sensitivity`; a window is over once a day after it is known."""
    days = _read(connection)
    rows = [*_quarters(days), *_rolling(days), *_by_ampleness(days)]
    return panels.table(rows, SETTLEMENT_SENSITIVITY.arrow_schema)


def _read(connection: duckdb.DuckDBPyConnection) -> Days:
    rows = connection.execute(query("repo_and_settlements", _QUERIES)).fetchall()
    columns: list[list[object]] = [list(column) for column in zip(*rows, strict=True)] or [[]] * 6
    dates, known_by, *numbers = columns
    change, coupons, bills, ratio = (np.array(column, dtype=float) for column in numbers)
    return Days(dates, known_by, change, coupons, bills, ratio)  # type: ignore[arg-type]


def _quarters(days: Days) -> Iterator[dict[str, object]]:
    """Yield the slopes of each quarter."""
    labels = [day.year * 4 + (day.month - 1) // 3 for day in days.dates]
    edges = [i for i in range(1, len(labels)) if labels[i] != labels[i - 1]]
    for start, stop in zip([0, *edges], edges, strict=False):
        name = f"{labels[start] // 4}Q{labels[start] % 4 + 1}"
        yield from _slopes("quarter", name, days, start, stop)


def _rolling(days: Days) -> Iterator[dict[str, object]]:
    """Yield the slopes of the last 250 days at the end of each month."""
    for stop in _month_ends(days):
        if stop >= ROLLING_DAYS:
            yield from _slopes("rolling", f"{ROLLING_DAYS} days", days, stop - ROLLING_DAYS, stop)


def _month_ends(days: Days) -> list[int]:
    """Return the number of days up to the end of each month that is followed by another."""
    following = zip(days.dates, days.dates[1:], strict=False)
    return [i + 1 for i, (day, after) in enumerate(following) if day.month != after.month]


def _slopes(kind: str, name: str, days: Days, start: int, stop: int) -> Iterator[dict[str, object]]:
    window = days.window(start, stop)
    fit = least_squares(window.change_bp, np.column_stack([window.coupons, window.bills]))
    if fit is not None:
        yield from _rows((kind, name), window, fit, ("coupons", "bills"), days.known_by[stop])


def _by_ampleness(days: Days) -> Iterator[dict[str, object]]:
    """Yield, at the end of each year, how the slope depended on the ampleness of reserves so far.

    The slope of coupons at 12.5 % of bank assets, and what each point of reserves less adds to it.
    """
    for stop in _month_ends(days):
        if days.dates[stop - 1].month != 12:
            continue
        past = days.window(0, stop)
        known = ~np.isnan(past.reserves_pct)
        scarcity = np.where(known, SATIATION_PCT - past.reserves_pct, 0.0)
        x = np.column_stack([past.coupons, past.coupons * scarcity, past.bills, scarcity])[known]
        fit = least_squares(past.change_bp[known], x)
        if fit is not None and fit.n_obs >= ROLLING_DAYS:
            names = ("coupons", "coupons x scarcity", "bills")
            yield from _rows(
                ("expanding", "all days so far"), past, fit, names, days.known_by[stop]
            )


def _rows(
    label: tuple[str, str],
    days: Days,
    fit: Fit,
    regressors: Sequence[str],
    known_at: datetime,
) -> Iterator[dict[str, object]]:
    ratio = days.reserves_pct[~np.isnan(days.reserves_pct)]
    for regressor, slope, reach in zip(regressors, fit.slopes, fit.reach, strict=False):
        yield {
            "window_kind": label[0],
            "window_name": label[1],
            "window_end": days.dates[-1],
            "window_start": days.dates[0],
            "regressor": regressor,
            "coefficient_bp_per_100bn": slope,
            "low_bp_per_100bn": slope - reach,
            "high_bp_per_100bn": slope + reach,
            "n_obs": fit.n_obs,
            "reserves_of_bank_assets_pct": float(ratio.mean()) if len(ratio) else None,
            "known_at": known_at,
        }


MARTS = {
    "settlement_sensitivity": PythonMart(
        build,
        frozenset(
            {
                "marts.settlement_calendar",
                "sources.reference_rates",
                "sources.market_series",
                "sources.fed_balance_sheet",
                "sources.policy_events",
                "meta.calendar_days",
                "meta.clock",
                "meta.coverage",
            }
        ),
    )
}
