"""Stress flags: every indicator against its last three years, one row per observation.

A rank is the share of an indicator's values of the three years before today's that are lower, ties
counted half. A flag goes up at rank 0.95 above an economic floor and comes down after two
observations below rank 0.85 or the floor. Month-end and month-start days are ranked against the
other days and never become part of the yardstick, nor raise or end a flag: their spikes are
scheduled.

A row depends neither on later values nor on where the lake begins: it is written only where the
lake holds the three years, or all that there is, and where the flag's state before it is settled.

Sources: method, C6; Hollo, Kremer and Lo Duca, CISS, ECB working paper 1426 (2012), section 3.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.models.stress.in_force import DueDays
from liquidity_pipeline.models.stress.indicators import INDICATORS, Indicator, Observation
from liquidity_pipeline.statistics.expanding_rank import TrailingHistory

if TYPE_CHECKING:
    import duckdb


Level = Literal["normal", "watch", "stress", "severe"]
State = Literal["quiet", "raised", "held", "leaving", "calendar"]

YEARS = 3
WATCH, STRESS, SEVERE = 0.90, 0.95, 0.99
LEAVE, LEAVE_AFTER = 0.85, 2
METHOD = "ranks-3"
ALARM: tuple[Level, ...] = ("stress", "severe")

_STATES: dict[State, str] = {
    "quiet": "",
    "raised": "",
    "held": "; the flag stays up, because the rank is not yet below 0.85",
    "leaving": "; the flag is coming down, one more such observation lowers it",
    "calendar": "; a month-end or month-start day leaves the flag as it was",
}


class Flag:
    """The state of one indicator from observation to observation; at first it is not known."""

    def __init__(self, floor: float, severe_floor: float) -> None:
        """Take the floors in the unit of the values."""
        self._floor, self._severe_floor = floor, severe_floor
        self._is_up: bool | None = None
        self._quiet = 0
        self._level: Level = "normal"

    def step(
        self, value: float, rank: float, *, is_calendar: bool
    ) -> tuple[Level, State, bool] | None:
        """Return level, state, and whether the calendar hides what would be a flag.

        None as long as the state depends on observations before the first.
        """
        reached = self._reached(value, rank)
        if is_calendar:
            return self._on_calendar_day(reached)
        state = self._move(value, rank, reached)
        if state is None:
            return None
        self._level = {"raised": reached, "quiet": reached, "held": "stress", "leaving": "watch"}[
            state
        ]
        return self._level, state, False

    def _on_calendar_day(self, reached: Level) -> tuple[Level, State, bool] | None:
        if self._is_up is None:
            return None
        if self._is_up:
            return self._level, "calendar", False
        explained = reached in ALARM
        return ("watch" if explained else reached), "calendar", explained

    def _reached(self, value: float, rank: float) -> Level:
        if value < self._floor or rank < WATCH:
            return "normal"
        if rank < STRESS:
            return "watch"
        return "severe" if rank >= SEVERE and value >= self._severe_floor else "stress"

    def _move(self, value: float, rank: float, reached: Level) -> State | None:
        if reached in ALARM:
            self._is_up, self._quiet = True, 0
            return "raised"
        if self._is_up is False:
            return "quiet"
        self._quiet = self._quiet + 1 if rank < LEAVE or value < self._floor else 0
        if self._quiet >= LEAVE_AFTER:
            self._is_up = False
            return "quiet"
        if self._is_up is None:
            return None
        return "leaving" if self._quiet else "held"


def build_flags(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.stress_flags`: one row per indicator and observation that can be ranked."""
    from liquidity_pipeline.contracts.stress import STRESS_FLAGS

    rows: list[dict[str, Any]] = []
    due = DueDays(connection)
    for indicator in INDICATORS:
        rows += [
            row | {"next_due_at": due.next_after(indicator.calendar, row["date"])}
            for row in flag_rows(indicator, indicator.observations(connection))
        ]
    return pa.Table.from_pylist(rows, schema=STRESS_FLAGS.arrow_schema)


def flag_rows(indicator: Indicator, observations: Sequence[Observation]) -> list[dict[str, Any]]:
    """Return the rows of one indicator, oldest first; each uses only what came before it."""
    history = TrailingHistory(YEARS, indicator.since)
    flag = Flag(indicator.floor, indicator.severe_floor)
    rows = []
    for seen in observations:
        if history.has_gap_before(seen.date):
            flag = Flag(indicator.floor, indicator.severe_floor)
        if history.reaches_back(seen.date) and len(history) >= indicator.minimum:
            rank = history.rank(seen.value)
            found = flag.step(seen.value, rank, is_calendar=seen.is_calendar)
            if found is not None:
                rows.append(_row(indicator, seen, history, rank, found))
        if not seen.is_calendar:
            history.add_dated(seen.date, seen.value)
    return rows


def _row(
    indicator: Indicator,
    seen: Observation,
    history: TrailingHistory,
    rank: float,
    found: tuple[Level, State, bool],
) -> dict[str, Any]:
    level, state, explained = found
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
    return row | {"reason": _reason(indicator, row)}


def _reason(indicator: Indicator, row: dict[str, Any]) -> str:
    space = "" if indicator.unit.startswith("%") else " "
    text = (
        f"{indicator.meaning}: {indicator.text(row['value'])}{space}{indicator.unit}, above "
        f"{row['rank']:.1%} of {row['n_history']:,} values of the three years before; flagged "
        f"above {indicator.text(row['threshold'])}"
    )
    if row["calendar_explained"]:
        return f"{text}; not flagged, because spikes are expected at month-end and month-start"
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
