"""Stress flags per indicator and one index over all, each frozen on the day it is written.

A rank is the share of an indicator's own past below today's value, at least 252 values, today
excluded, so no row ever changes when history grows. Above 0.95 and above an economic floor an
indicator is under stress; a quiet decade cannot flag two basis points. The index combines segment
ranks with their exponentially weighted correlations, so simultaneous stress counts more.

Sources: method, C6; Hollo, Kremer and Lo Duca, CISS, ECB working paper 1426 (2012).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from liquidity_pipeline.models.history import History, expanding_ranks
from liquidity_pipeline.models.mart import PythonMart

Level = Literal["normal", "watch", "stress", "severe"]
Floats = npt.NDArray[np.float64]

MIN_HISTORY = 252
WATCH, STRESS, SEVERE = 0.90, 0.95, 0.99
LEAVE, LEAVE_DAYS = 0.85, 2
INDEX_QUANTILES = {"watch": 0.80, "stress": 0.90, "severe": 0.975}
# Memory of the cross-correlations: the decay of CISS.
DECAY = 0.93
METHOD = "ranks-1"


@dataclass(frozen=True)
class Indicator:
    """One gauge: a query that gives date, value, known_at and is_calendar, and its floor."""

    name: str
    segment: str
    floor: float
    unit: str
    query: str
    meaning: str


def _funding(column: str) -> str:
    return f"select date, {column}, known_at, is_month_end from marts.funding_conditions"


def _volatility(asset: str) -> str:
    return (
        "select date, vol_20d_pct, known_at, false from marts.asset_returns "
        f"where asset = '{asset}'"
    )


# Share of reserve balances that drained in the week; share of Fed assets that are not reserves.
_DRAIN = """
    select week_ending, 100 * drain_reserves_usd_mn / (reserves_usd_mn + drain_reserves_usd_mn),
        known_at, false
    from marts.reserve_drains
"""
_SCARCITY = """
    select week_ending, 100 * (1 - reserves_usd_mn / fed_assets_usd_mn), known_at, false
    from marts.reserve_drains
"""
_CREDIT = """
    select observation_date, value * 100, known_at, false
    from sources.market_series where series = 'BAMLH0A0HYM2'
"""

INDICATORS: Sequence[Indicator] = (
    Indicator(
        "sofr_iorb_bp",
        "funding",
        10,
        "bp",
        _funding("sofr_iorb_bp"),
        "SOFR over the rate on reserves",
    ),
    Indicator(
        "tgcr_iorb_bp",
        "funding",
        10,
        "bp",
        _funding("tgcr_iorb_bp"),
        "tri-party repo rate over the rate on reserves",
    ),
    Indicator(
        "sofr_p99_p25_bp",
        "funding",
        25,
        "bp",
        _funding("sofr_p99_p25_bp"),
        "dispersion of repo rates",
    ),
    Indicator(
        "srf_usd_mn",
        "funding",
        5_000,
        "USD mn",
        _funding("srf_usd_mn"),
        "standing repo facility take-up",
    ),
    Indicator(
        "reserve_scarcity_pct",
        "reserves",
        60,
        "%",
        _SCARCITY,
        "share of the Fed's assets not funded by reserve balances",
    ),
    Indicator("weekly_drain_pct", "drain", 2, "%", _DRAIN, "reserve balances drained in the week"),
    Indicator(
        "large_cap_vol_pct",
        "equity",
        20,
        "%",
        _volatility("SPX"),
        "20-day volatility of the S&P 500",
    ),
    Indicator(
        "small_cap_vol_pct",
        "equity",
        25,
        "%",
        _volatility("RUT"),
        "20-day volatility of the Russell 2000",
    ),
    Indicator(
        "bitcoin_vol_pct", "crypto", 60, "%", _volatility("BTC"), "20-day volatility of bitcoin"
    ),
    Indicator("high_yield_spread_bp", "credit", 500, "bp", _CREDIT, "high-yield credit spread"),
)

SEGMENTS = ("funding", "reserves", "drain", "equity", "crypto", "credit")


@dataclass(frozen=True)
class Observation:
    """One value of an indicator, when it became public, and whether the calendar explains it."""

    date: date
    value: float
    known_at: datetime
    is_calendar: bool


@dataclass
class Flag:
    """The state of one indicator: on at STRESS, off after LEAVE_DAYS below LEAVE."""

    floor: float
    is_on: bool = False
    _quiet: int = field(default=0, repr=False)

    def step(self, value: float, rank: float, *, is_calendar: bool) -> tuple[Level, bool]:
        """Return the level of the day, and whether a known date of the calendar explains it.

        A month-end neither raises nor ends a flag.
        """
        high = value >= self.floor
        if is_calendar and not self.is_on:
            explained = high and rank >= STRESS
            return ("watch" if high and rank >= WATCH else "normal"), explained
        if not is_calendar:
            self._update(rank, high=high)
        if self.is_on:
            return ("severe" if high and rank >= SEVERE else "stress"), False
        return ("watch" if high and rank >= WATCH else "normal"), False

    def _update(self, rank: float, *, high: bool) -> None:
        if high and rank >= STRESS:
            self.is_on, self._quiet = True, 0
        elif self.is_on:
            self._quiet = self._quiet + 1 if rank < LEAVE or not high else 0
            self.is_on = self._quiet < LEAVE_DAYS


def build_flags(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.stress_flags`: one row per indicator and observation with enough history."""
    rows: list[dict[str, Any]] = []
    for indicator in INDICATORS:
        rows += flag_rows(indicator, _observations(connection, indicator))
    return pa.Table.from_pylist(rows, schema=_schema("stress_flags"))


def flag_rows(indicator: Indicator, observations: Sequence[Observation]) -> list[dict[str, Any]]:
    """Return the rows of one indicator, oldest first; each uses only what came before it."""
    history, flag = History(), Flag(indicator.floor)
    rows = []
    for seen in observations:
        if len(history) >= MIN_HISTORY:
            rank = history.rank(seen.value)
            threshold = max(indicator.floor, history.quantile(STRESS))
            level, explained = flag.step(seen.value, rank, is_calendar=seen.is_calendar)
            row = {
                "date": seen.date,
                "indicator": indicator.name,
                "segment": indicator.segment,
                "value": seen.value,
                "unit": indicator.unit,
                "rank": rank,
                "threshold": threshold,
                "n_history": len(history),
                "level": level,
                "is_calendar_day": seen.is_calendar,
                "calendar_explained": explained,
                "method": METHOD,
                "known_at": seen.known_at,
            }
            rows.append(row | {"reason": _reason(indicator, row)})
        history.add(seen.value)
    return rows


def _reason(indicator: Indicator, row: dict[str, Any]) -> str:
    text = (
        f"{indicator.meaning}: {row['value']:,.4g} {indicator.unit}, above {row['rank']:.1%} of "
        f"{row['n_history']:,} earlier values; flagged above {row['threshold']:,.4g}"
    )
    return f"{text}; explained by the turn of the month" if row["calendar_explained"] else text


def build_index(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.stress_index`: one row per New York session with at least three segments."""
    sessions = connection.execute(
        "select date, known_by from meta.calendar_days, meta.clock "
        "where is_nyse and known_by <= clock.now order by date"
    ).fetchall()
    days = [day for day, _ in sessions]
    known_by = [known for _, known in sessions]
    panel = _segment_panel(connection, days, known_by)
    values = list(composite(panel))
    rows = []
    published = [(i, value) for i, value in enumerate(values) if value is not None]
    ranks = expanding_ranks([value for _, value in published], MIN_HISTORY)
    for (i, value), rank in zip(published, ranks, strict=True):
        segments = {
            name: None if np.isnan(panel[i, j]) else float(panel[i, j])
            for j, name in enumerate(SEGMENTS)
        }
        rows.append(
            {
                "date": days[i],
                "index_value": value,
                "rank": rank,
                "level": _index_level(rank),
                **segments,
                "n_segments": sum(part is not None for part in segments.values()),
                "method": METHOD,
                "known_at": known_by[i],
            }
        )
    return pa.Table.from_pylist(rows, schema=_schema("stress_index"))


def composite(panel: Floats) -> Iterator[float | None]:
    """Yield the index per row of segment ranks (rows: days, columns: segments, NaN: unknown).

    (w*s)' C (w*s) with equal weights over the known segments and C the correlations of the ranks
    around one half, exponentially weighted, starting from uniform and independent ranks.
    CISS, equations 3 to 6; less than three segments give None. While a segment is unknown its
    variance rests, and its covariances fade with the others' variance, so that C stays a matrix of
    correlations and the index between 0 and 1.
    """
    covariance = np.eye(panel.shape[1]) / 12
    for ranks in panel:
        known = ~np.isnan(ranks)
        centred = np.where(known, ranks - 0.5, 0.0)
        kept = np.where(known, np.sqrt(DECAY), 1.0)
        covariance = covariance * np.outer(kept, kept) + (1 - DECAY) * np.outer(centred, centred)
        count = int(known.sum())
        if count < 3:
            yield None
            continue
        deviation = np.sqrt(np.diag(covariance))
        correlation = covariance / np.outer(deviation, deviation)
        weighted = ranks[known] / count
        index = float(weighted @ correlation[np.ix_(known, known)] @ weighted)
        yield min(1.0, max(0.0, index))  # rounding may leave the unit interval by 1e-16


def _segment_panel(
    connection: duckdb.DuckDBPyConnection, days: list[date], known_by: list[datetime]
) -> Floats:
    """Return segment means of the ranks known for each day (rows: days, columns: segments)."""
    panel = np.full((len(days), len(SEGMENTS)), np.nan)
    for j, segment in enumerate(SEGMENTS):
        names = [i.name for i in INDICATORS if i.segment == segment]
        columns = [_latest_ranks(connection, name, days, known_by) for name in names]
        stacked = np.vstack(columns)
        counts = (~np.isnan(stacked)).sum(axis=0)
        sums = np.nansum(stacked, axis=0)
        panel[:, j] = np.divide(sums, counts, out=np.full(len(days), np.nan), where=counts > 0)
    return panel


def _latest_ranks(
    connection: duckdb.DuckDBPyConnection,
    indicator: str,
    days: list[date],
    known_by: list[datetime],
) -> Floats:
    """Return for each day the rank of the newest observation, NaN when it is older than ten days.

    Days that the calendar explains are passed over: the value before them stands.
    """
    rows = connection.execute(
        "select date, known_at, rank from marts.stress_flags "
        "where indicator = ? and not is_calendar_day order by date",
        [indicator],
    ).fetchall()
    ranks = np.full(len(days), np.nan)
    newest = -1
    for i, (day, limit) in enumerate(zip(days, known_by, strict=True)):
        while (
            newest + 1 < len(rows) and rows[newest + 1][0] <= day and rows[newest + 1][1] <= limit
        ):
            newest += 1
        if newest >= 0 and day - rows[newest][0] <= timedelta(days=10):
            ranks[i] = rows[newest][2]
    return ranks


def _index_level(rank: float | None) -> Level | None:
    if rank is None:
        return None
    reached: Level = "normal"
    for level in ("watch", "stress", "severe"):
        if rank >= INDEX_QUANTILES[level]:
            reached = level
    return reached


def _observations(connection: duckdb.DuckDBPyConnection, indicator: Indicator) -> list[Observation]:
    rows = connection.execute(indicator.query + " order by 1").fetchall()
    return [Observation(*row) for row in rows if row[1] is not None]


def _schema(name: str) -> pa.Schema:
    from liquidity_pipeline.contracts.marts import MART_TABLES

    return MART_TABLES[name].arrow_schema


MARTS = {
    "stress_flags": PythonMart(
        build_flags,
        frozenset(
            {
                "marts.funding_conditions",
                "marts.asset_returns",
                "marts.reserve_drains",
                "sources.market_series",
            }
        ),
    ),
    "stress_index": PythonMart(
        build_index, frozenset({"marts.stress_flags", "meta.calendar_days", "meta.clock"})
    ),
}
