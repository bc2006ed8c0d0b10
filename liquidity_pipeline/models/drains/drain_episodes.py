"""Periods in which reserves drain faster than usual: `drain_episodes` and `drain_episode_weeks`.

A one-sided CUSUM on the weekly drain of reserve balances: S = max(0, S + drain - k). An episode
opens when S > h; it closes when S < h/2, or after two weeks of negative drain, and S starts again
from zero. k is the median of all earlier weekly drains, h the 90th percentile of all earlier
4-week drains, from three years on. Weeks before 2009, when the Fed kept reserves scarce on purpose,
are left out. With k at the median, S also rises by chance, and ordinary seasons drain too: in
simulated worlds 30 episodes a decade were not planted. An episode therefore only describes what
drained, and only one that has removed a tenth of the reserves is an alarm.

Sources: method, C4 (episodes); Page, Continuous inspection schemes, Biometrika 41 (1954), also
for the restart from zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from liquidity_pipeline.contracts.drains.episodes import DRAIN_EPISODE_WEEKS, DRAIN_EPISODES
from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.models.statements import query
from liquidity_pipeline.statistics.expanding_rank import Floats

if TYPE_CHECKING:
    import duckdb

_QUERIES = Path(__file__).parent / "queries"

MIN_WEEKS = 156
# Twice what the flag on a week's drain calls severe. Found in simulated worlds: of planted drains
# of 10 to 16 % none is missed, and without any there is half an alarm a decade.
ALARM_DEPTH_PCT = 10.0
QUANTILE, SUM_WEEKS = 0.90, 4
NEGATIVE_WEEKS = 2
_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Week:
    """One H.4.1 week in USD mn: drain and changes (None: unknown) over it, levels at its end."""

    ending: date
    drain: float
    d_tga: float | None
    d_rrp: float | None
    d_fed_assets: float | None
    reserves: float
    fed_assets: float | None
    bank_assets: float | None
    known_at: datetime


@dataclass(frozen=True)
class State:
    """The CUSUM at the end of week number `week`; `episode` counts from 0, None outside."""

    week: int
    allowance: float
    threshold: float
    cusum: float
    episode: int | None


@dataclass
class Episode:
    """Numbers of the weeks in which S left zero, passed the threshold, and closed."""

    onset: int
    flagged: int
    closed: int | None = None
    closed_by: str | None = None


def detect(drains: Sequence[float]) -> tuple[list[State], list[Episode]]:
    """Run the CUSUM over weekly drains (USD mn); week t is judged by weeks before t only.

    The week in which an episode closes is still that episode's.
    """
    if len(drains) <= MIN_WEEKS:
        return [], []
    series = np.asarray(drains, dtype=float)
    sums = np.convolve(series, np.ones(SUM_WEEKS), mode="valid")
    states: list[State] = []
    episodes: list[Episode] = []
    cusum, onset, negative = 0.0, 0, 0
    is_open = False
    for t in range(MIN_WEEKS, len(series)):
        allowance = float(np.median(series[:t]))
        threshold = float(np.quantile(sums[: t - SUM_WEEKS + 1], QUANTILE))
        onset = t if cusum == 0 else onset
        cusum = max(0.0, cusum + series[t] - allowance)
        negative = negative + 1 if series[t] < 0 else 0
        closed_by = _reason_to_close(cusum, threshold, negative) if is_open else None
        if not is_open and cusum > max(threshold, 0.0):
            episodes.append(Episode(onset, t))
            is_open, negative = True, 0
        number = len(episodes) - 1 if is_open else None
        states.append(State(t, allowance, threshold, cusum, number))
        if closed_by:
            episodes[-1].closed, episodes[-1].closed_by = t, closed_by
            cusum, is_open = 0.0, False
    return states, episodes


def _reason_to_close(cusum: float, threshold: float, negative: int) -> str | None:
    if cusum < threshold / 2:
        return "cusum"
    return "negative weeks" if negative >= NEGATIVE_WEEKS else None


def build_weeks(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.drain_episode_weeks`: one row per week after three years."""
    weeks = _weeks(connection)
    states, episodes = detect([week.drain for week in weeks])
    rows = [
        {
            "week_ending": weeks[state.week].ending,
            "drain_reserves_usd_mn": weeks[state.week].drain,
            "allowance_usd_mn": state.allowance,
            "threshold_usd_mn": state.threshold,
            "cusum_usd_mn": state.cusum,
            "episode_id": None
            if state.episode is None
            else _identifier(weeks, episodes[state.episode]),
            "is_open_at_end": state.episode is not None
            and episodes[state.episode].closed != state.week,
            "n_history": state.week,
            "known_at": weeks[state.week].known_at,
        }
        for state in states
    ]
    return pa.Table.from_pylist(rows, schema=DRAIN_EPISODE_WEEKS.arrow_schema)


def build_episodes(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.drain_episodes`: one row per episode, the open one included."""
    weeks = _weeks(connection)
    _, episodes = detect([week.drain for week in weeks])
    rows = [_episode_row(weeks, episode) for episode in episodes]
    return pa.Table.from_pylist(rows, schema=DRAIN_EPISODES.arrow_schema)


def _episode_row(weeks: Sequence[Week], episode: Episode) -> dict[str, Any]:
    last = len(weeks) - 1 if episode.closed is None else episode.closed
    span = weeks[episode.onset : last + 1]
    fall = np.cumsum([week.drain for week in span])
    trough = int(np.argmax(fall))
    start = span[0].ending - _WEEK
    reserves = span[0].reserves + span[0].drain
    before = weeks[episode.onset - 1]
    alarm = _alarm(100 * fall / reserves, episode.flagged - episode.onset)
    return {
        "episode_id": _identifier(weeks, episode),
        "start_date": start,
        "flagged_date": weeks[episode.flagged].ending,
        "end_date": None if episode.closed is None else span[-1].ending,
        "is_open": episode.closed is None,
        "closed_by": episode.closed_by,
        "is_alarm": alarm is not None,
        "alarm_date": None if alarm is None else span[alarm].ending,
        "duration_days": (span[-1].ending - start).days,
        "trough_date": span[trough].ending,
        "depth_pct": 100 * fall[trough] / reserves,
        "reserves_start_usd_mn": reserves,
        "reserves_of_fed_assets_pct": _percent(reserves, before.fed_assets),
        "reserves_of_bank_assets_pct": _percent(reserves, before.bank_assets),
        "known_at": span[-1].known_at,
        **dict(_parts(span[: trough + 1])),
    }


def _alarm(fall_pct: Floats, flagged: int) -> int | None:
    """Return the first week, flagged by then, at whose end a tenth of the reserves had gone."""
    deep = np.flatnonzero(fall_pct[flagged:] >= ALARM_DEPTH_PCT)
    return flagged + int(deep[0]) if len(deep) else None


def _parts(weeks: Sequence[Week]) -> Iterator[tuple[str, float | None]]:
    """Yield the depth over the weeks, its parts in USD mn, and their shares in percent."""
    depth = sum(week.drain for week in weeks)
    parts = {
        "tga": _sum(week.d_tga for week in weeks),
        "on_rrp": _sum(week.d_rrp for week in weeks),
        "fed_assets": _sum(_minus(week.d_fed_assets) for week in weeks),
    }
    known = _sum(parts.values())
    parts["other"] = None if known is None else depth - known
    yield "depth_usd_mn", depth
    for name, amount in parts.items():
        yield f"{name}_usd_mn", amount
        yield f"{name}_share_pct", _percent(amount, depth)


def _sum(values: Iterable[float | None]) -> float | None:
    """Return the sum, or None where an addend is unknown."""
    known = list(values)
    return None if None in known else sum(value for value in known if value is not None)


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


def _percent(part: float | None, whole: float | None) -> float | None:
    """Return the part of a positive whole; with an allowance below zero a depth need not be."""
    return 100 * part / whole if part is not None and whole and whole > 0 else None


def _identifier(weeks: Sequence[Week], episode: Episode) -> str:
    return f"drain-{weeks[episode.onset].ending - _WEEK}"


def _weeks(connection: duckdb.DuckDBPyConnection) -> list[Week]:
    return [Week(*row) for row in connection.execute(query("drain_weeks", _QUERIES)).fetchall()]


_READS = frozenset({"marts.reserve_drains", "marts.reserve_ratios"})
MARTS = {
    "drain_episodes": PythonMart(build_episodes, _READS),
    "drain_episode_weeks": PythonMart(build_weeks, _READS),
}
