"""Whether a week's drain is unusual for its season: `marts.drain_seasonality`.

Each week is compared with what a regression on calendar dates, estimated on the weeks before it,
led to expect. Dates and regression are `season`'s.

Source: method, C4 (seasonality). Amounts grew fivefold since 2005, so old weeks fade: with a
half-life of five years the squared out-of-sample errors of all components are smaller than with
equal weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from liquidity_pipeline.contracts.drains.seasonality import DRAIN_SEASONALITY
from liquidity_pipeline.models.drains.seasonal_regressors import forecasts, week_regressors
from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.models.statements import query
from liquidity_pipeline.statistics.expanding_rank import History

if TYPE_CHECKING:
    import duckdb

_QUERIES = Path(__file__).parent / "queries"

MIN_WEEKS, HALF_LIFE_WEEKS = 156, 260
# An effect weighs as if it had once been seen to be zero.
RIDGE_WEEKS = 1.0
MIN_ERRORS = 52
NORMAL_95 = 1.96


@dataclass(frozen=True)
class Week:
    """One week of one component: what drained, in USD mn, and whether the debt limit bound."""

    ending: date
    actual: float
    known_at: datetime
    is_limit_binding: bool


@dataclass
class PastErrors:
    """Out-of-sample errors so far, fading like the weeks of the regression."""

    _sizes: History = field(default_factory=History)
    _squares: float = 0.0
    _weight: float = 0.0

    def __len__(self) -> int:
        return len(self._sizes)

    @property
    def deviation(self) -> float:
        """Root of the weighted mean square."""
        return float(np.sqrt(self._squares / self._weight))

    def rank(self, error: float) -> float:
        """Return the share of past errors that were smaller in size."""
        return self._sizes.rank(abs(error))

    def add(self, error: float) -> None:
        """Let an error become past."""
        decay = 0.5 ** (1 / HALF_LIFE_WEEKS)
        self._squares = decay * self._squares + error**2
        self._weight = decay * self._weight + 1
        self._sizes.add(abs(error))


def build(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.drain_seasonality`: one row per week and component after three years."""
    weeks: dict[str, list[Week]] = {}
    for component, *values in connection.execute(query("weeks_by_component", _QUERIES)).fetchall():
        weeks.setdefault(component, []).append(Week(*values))
    rows = [row for name, series in weeks.items() for row in season_rows(name, series)]
    return pa.Table.from_pylist(rows, schema=DRAIN_SEASONALITY.arrow_schema)


def season_rows(component: str, weeks: Sequence[Week]) -> Iterator[dict[str, Any]]:
    """Yield the rows of one component, weeks in order; each uses only what came before it."""
    limit = np.array([[week.is_limit_binding] for week in weeks], dtype=float)
    regressors = np.hstack([week_regressors([week.ending for week in weeks]), limit])
    expectations, means = forecasts(
        regressors,
        np.array([week.actual for week in weeks]),
        minimum=MIN_WEEKS,
        half_life=HALF_LIFE_WEEKS,
        ridge=RIDGE_WEEKS,
    )
    errors = PastErrors()
    for i in range(MIN_WEEKS, len(weeks)):
        week, expected = weeks[i], float(expectations[i])
        surprise = week.actual - expected
        yield {
            "week_start": week.ending - timedelta(days=6),
            "week_ending": week.ending,
            "component": component,
            "actual_usd_mn": week.actual,
            "expected_usd_mn": expected,
            "surprise_usd_mn": surprise,
            "drain_sa_usd_mn": surprise + float(means[i]),
            "n_obs": i,
            "known_at": week.known_at,
            **_against(errors, expected, surprise),
        }
        errors.add(surprise)


def _against(errors: PastErrors, expected: float, surprise: float) -> dict[str, float | int | None]:
    """Compare a surprise with those before it."""
    if len(errors) < MIN_ERRORS:
        names = ("surprise_sd", "surprise_rank", "expected_low_usd_mn", "expected_high_usd_mn")
        return {"n_errors": len(errors), **dict.fromkeys(names)}
    return {
        "n_errors": len(errors),
        "surprise_sd": surprise / errors.deviation,
        "surprise_rank": errors.rank(surprise),
        "expected_low_usd_mn": expected - NORMAL_95 * errors.deviation,
        "expected_high_usd_mn": expected + NORMAL_95 * errors.deviation,
    }


MARTS = {
    "drain_seasonality": PythonMart(
        build,
        frozenset(
            {
                "marts.reserve_drains",
                "marts.settlement_calendar",
                "marts.weekly_settlements",
                "sources.policy_events",
                "meta.calendar_days",
                "meta.clock",
            }
        ),
    )
}
