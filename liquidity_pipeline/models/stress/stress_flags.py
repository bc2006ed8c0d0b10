"""Stress flags: every indicator against its own past, one row per observation, frozen when written.

A rank is the share of an indicator's own past below today's value, today excluded, so no row
changes when history grows. A flag goes up at rank 0.95 above an economic floor and comes down
after two observations below rank 0.85 or the floor. Turns of a month are ranked against the other
days and never become part of the yardstick, nor raise or end a flag: their spikes are scheduled.

Sources: method, C6; Hollo, Kremer and Lo Duca, CISS, ECB working paper 1426 (2012), section 3.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import duckdb
import pyarrow as pa

from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.models.stress.indicators import INDICATORS, Indicator
from liquidity_pipeline.statistics.expanding_rank import History

Level = Literal["normal", "watch", "stress", "severe"]
State = Literal["quiet", "raised", "held", "leaving", "calendar"]

WATCH, STRESS, SEVERE = 0.90, 0.95, 0.99
LEAVE, LEAVE_AFTER = 0.85, 2
METHOD = "ranks-2"

_STATES: dict[State, str] = {
    "quiet": "",
    "raised": "",
    "held": "; the flag stays up, because the rank is not yet below 0.85",
    "leaving": "; the flag is coming down, one more such observation lowers it",
    "calendar": "; the turn of the month leaves the flag as it was",
}


@dataclass(frozen=True)
class Observation:
    """One value of an indicator, when it became public, and whether the calendar explains it."""

    date: date
    value: float
    known_at: datetime
    is_calendar: bool


class Flag:
    """The state of one indicator from observation to observation."""

    def __init__(self, floor: float, severe_floor: float) -> None:
        """Start lowered; the floors are in the unit of the values."""
        self._floor, self._severe_floor = floor, severe_floor
        self._is_up = False
        self._quiet = 0
        self._level: Level = "normal"

    def step(self, value: float, rank: float, *, is_calendar: bool) -> tuple[Level, State, bool]:
        """Return level, state, and whether a turn of the month hides what would be a flag."""
        reached = self._reached(value, rank)
        if is_calendar:
            if self._is_up:
                return self._level, "calendar", False
            explained = reached in ("stress", "severe")
            return ("watch" if explained else reached), "calendar", explained
        state = self._move(value, rank, reached)
        self._level = {"raised": reached, "quiet": reached, "held": "stress", "leaving": "watch"}[
            state
        ]
        return self._level, state, False

    def _reached(self, value: float, rank: float) -> Level:
        if value < self._floor or rank < WATCH:
            return "normal"
        if rank < STRESS:
            return "watch"
        return "severe" if rank >= SEVERE and value >= self._severe_floor else "stress"

    def _move(self, value: float, rank: float, reached: Level) -> State:
        if reached in ("stress", "severe"):
            self._is_up, self._quiet = True, 0
            return "raised"
        if not self._is_up:
            return "quiet"
        self._quiet = self._quiet + 1 if rank < LEAVE or value < self._floor else 0
        if self._quiet >= LEAVE_AFTER:
            self._is_up = False
            return "quiet"
        return "leaving" if self._quiet else "held"


def build_flags(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.stress_flags`: one row per indicator and observation with enough history."""
    from liquidity_pipeline.contracts.stress import STRESS_FLAGS

    rows: list[dict[str, Any]] = []
    for indicator in INDICATORS:
        found = connection.execute(indicator.query + " order by 1").fetchall()
        seen = [Observation(*row) for row in found if row[1] is not None]
        rows += flag_rows(indicator, seen)
    return pa.Table.from_pylist(rows, schema=STRESS_FLAGS.arrow_schema)


def flag_rows(indicator: Indicator, observations: Sequence[Observation]) -> list[dict[str, Any]]:
    """Return the rows of one indicator, oldest first; each uses only what came before it."""
    history, flag = History(), Flag(indicator.floor, indicator.severe_floor)
    rows = []
    for seen in observations:
        if len(history) >= indicator.minimum:
            rank = history.rank(seen.value)
            level, state, explained = flag.step(seen.value, rank, is_calendar=seen.is_calendar)
            row = {
                "date": seen.date,
                "indicator": indicator.name,
                "segment": indicator.segment,
                "value": seen.value,
                "unit": indicator.unit,
                "rank": rank,
                "threshold": max(indicator.floor, history.quantile(STRESS)),
                "n_history": len(history),
                "level": level,
                "state": state,
                "is_calendar_day": seen.is_calendar,
                "calendar_explained": explained,
                "method": METHOD,
                "known_at": seen.known_at,
            }
            rows.append(row | {"reason": _reason(indicator, row)})
        if not seen.is_calendar:
            history.add(seen.value)
    return rows


def _reason(indicator: Indicator, row: dict[str, Any]) -> str:
    text = (
        f"{indicator.meaning}: {row['value']:,.4g} {indicator.unit}, above {row['rank']:.1%} of "
        f"{row['n_history']:,} earlier values; flagged above {row['threshold']:,.4g}"
    )
    if row["calendar_explained"]:
        return f"{text}; not flagged, because the turn of the month explains it"
    if row["state"] == "calendar" and row["level"] in ("normal", "watch"):
        return text
    return text + _STATES[row["state"]]


MARTS = {
    "stress_flags": PythonMart(
        build_flags,
        frozenset(
            {
                "marts.funding_conditions",
                "marts.asset_returns",
                "marts.reserve_drains",
                "marts.tga_daily",
                "sources.market_series",
                "marts.reserve_ratios",
                "meta.calendar_days",
                "meta.clock",
            }
        ),
    ),
}
