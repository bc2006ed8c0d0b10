"""Do banks lend less when liquidity drains? `marts.bank_credit`.

Weekly changes of banks' loans (H.8) against the drain of record, with loans before, with and after
the drain, at leads and lags fixed in advance. An association in time, not a cause: loans are
seasonally adjusted and revised, and their weekly figure holds changes of reporting.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from liquidity_pipeline.contracts.drains.comparisons import BANK_CREDIT
from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.models.statements import query
from liquidity_pipeline.statistics import panels
from liquidity_pipeline.statistics.inference import Moments, slopes
from liquidity_pipeline.statistics.multiple_tests import max_t_p_values

if TYPE_CHECKING:
    import duckdb

_QUERIES = Path(__file__).parent / "queries"

# Weeks by which loans follow the drain; negative: by which they come before it.
LAGS = (-4, -1, 0, 1, 4)
MIN_WEEKS = 104
SEED = 20260202


def build(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.bank_credit`: one row per year-end and lag, USD bn of loans per 100 bn."""
    weeks = connection.execute(query("loans_by_week", _QUERIES)).fetchall()
    if not any(loans is not None for _, _, loans in weeks):
        return BANK_CREDIT.arrow_schema.empty_table()
    dates = [day for day, _, _ in weeks]
    drained = np.array([[value] for _, value, _ in weeks], dtype=float)
    loans = {day: value for day, _, value in weeks if value is not None}
    later = np.array(
        [[loans.get(day + timedelta(days=7 * lag), np.nan) for lag in LAGS] for day in dates]
    )
    moments = Moments.of_pairs(np.broadcast_to(drained, later.shape), later)
    rows: list[dict[str, object]] = []
    for as_of in panels.as_of_dates(connection):
        if as_of.date.month != 12:
            continue
        # What was lent after the date is not known on it.
        stop = sum(day <= as_of.date - timedelta(days=7 * (max(LAGS) + 2)) for day in dates)
        if stop >= MIN_WEEKS:
            rows += _estimates(moments.window(0, stop), as_of)
    return panels.table(rows, BANK_CREDIT.arrow_schema)


def _estimates(moments: Moments, as_of: panels.AsOf) -> list[dict[str, object]]:
    found = slopes(moments, MIN_WEEKS).slope
    adjusted = max_t_p_values(found, SEED)
    return [
        {
            "as_of": as_of.date,
            "lag_weeks": lag,
            "estimate_usd_bn": found.estimate[i],
            "low_usd_bn": found.low[i],
            "high_usd_bn": found.high[i],
            "p_value": found.p_value[i],
            "p_value_adjusted": adjusted[i],
            "n_obs": int(found.n_obs[i]),
            "known_at": as_of.known_at,
        }
        for i, lag in enumerate(LAGS)
        if found.is_defined[i]
    ]


MARTS = {
    "bank_credit": PythonMart(
        build,
        frozenset(
            {
                "marts.reserve_drains",
                "sources.market_series",
                "meta.calendar_days",
                "meta.clock",
            }
        ),
    )
}
