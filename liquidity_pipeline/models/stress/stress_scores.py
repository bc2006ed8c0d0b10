"""Record of flags and index against known episodes of stress and against the OFR's index.

A gauge is an indicator, a segment (any of its indicators in the index) or the index. It is in alarm
on days of level stress or severe; alarms less than eleven days apart are one. The episodes are
listed in data/reference/stress_episodes.csv, from the record and not from alarms. Every number is
point in time: an episode counts from its end on, and each quarter-end has its tally. Where a gauge
was not known there is no row: neither a miss nor years of silence.

Sources: method, C6.5; exact Poisson interval: Garwood, Biometrika 28 (1936); effective number of
two autocorrelated series: Bartlett, Journal of the Royal Statistical Society 98 (1935).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from liquidity_pipeline.contracts.stress import LEVELS
from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.models.statements import query
from liquidity_pipeline.models.stress.gauges import Gauge, gauges
from liquidity_pipeline.statistics.expanding_rank import Floats

if TYPE_CHECKING:
    import duckdb

_QUERIES = Path(__file__).parent / "queries"

# How far ahead an alarm still counts as leading, and how long after the end as belonging: the
# span of a volatility over 20 sessions.
LEAD = AFTER = timedelta(days=30)
MIN_WEEKS = 104


@dataclass(frozen=True)
class Episode:
    """A known span of stress, or a year-end at which a gauge should stay silent."""

    name: str
    kind: str
    start: date
    end: date
    known_at: datetime


def build_scores(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.stress_scores`: one row per gauge and episode that has ended."""
    from liquidity_pipeline.contracts.stress import STRESS_SCORES

    episodes = _episodes(connection)
    rows = [
        score(gauge, episode)
        for gauge in gauges(connection)
        for episode in episodes
        if gauge.is_known_over(episode.start, episode.end)
    ]
    return pa.Table.from_pylist(rows, schema=STRESS_SCORES.arrow_schema)


def score(gauge: Gauge, episode: Episode) -> dict[str, Any]:
    """Say whether a gauge led, hit or missed an episode, from its alarms up to the episode's end.

    lead_days counts from the first alarm day in the 30 days before the start, or in the episode,
    to the start; negative after it. The gauge must be known over the episode.
    """
    first_day = episode.start - LEAD if episode.kind == "stress" else episode.start
    span = slice(bisect_left(gauge.days, first_day), bisect_right(gauge.days, episode.end))
    inside = list(zip(gauge.days[span], gauge.levels[span], strict=True))
    alarms = [day for day, level in inside if level in ("stress", "severe")]
    if episode.kind == "calendar":
        # A flag that was up before is no false alarm of the turn.
        starts = [start for start, _ in gauge.alarms]
        alarms = [day for day in alarms if day in starts]
    lead = (episode.start - alarms[0]).days if alarms else None
    return {
        "gauge": gauge.name,
        "gauge_kind": gauge.kind,
        "episode": episode.name,
        "episode_kind": episode.kind,
        "episode_start": episode.start,
        "episode_end": episode.end,
        "outcome": _outcome(episode.kind, lead),
        "first_alarm": alarms[0] if alarms else None,
        "lead_days": lead,
        "worst_level": max((level for _, level in inside), key=LEVELS.index, default=None),
        "n_alarm_days": len(alarms),
        "n_observations": len(inside),
        "known_at": episode.known_at,
    }


def _outcome(kind: str, lead: int | None) -> str:
    if kind == "calendar":
        return "silent" if lead is None else "raised"
    if lead is None:
        return "missed"
    return "led" if lead > 0 else "hit"


def build_gauges(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.stress_gauges`: one row per gauge and quarter-end after a year of it."""
    from liquidity_pipeline.contracts.stress import STRESS_GAUGES

    quarter_ends = connection.execute(query("quarter_ends", _QUERIES)).fetchall()
    weeks, benchmark = _benchmark(connection)
    episodes = [episode for episode in _episodes(connection) if episode.kind == "stress"]
    rows = []
    for gauge in gauges(connection):
        readings = _on_weeks(gauge, weeks)
        outcomes = [
            (episode, score(gauge, episode)["outcome"])
            for episode in episodes
            if gauge.is_known_over(episode.start, episode.end)
        ]
        for as_of, known_at in quarter_ends:
            if not gauge.is_known_on(as_of) or (as_of - gauge.days[0]).days < 365:
                continue
            known = [(e, outcome) for e, outcome in outcomes if e.known_at <= known_at]
            # Wednesdays a week back, whose benchmark is public by the row's known_at.
            upto = int(np.searchsorted(weeks, np.datetime64(as_of - timedelta(days=7)), "right"))
            rows.append(
                {"as_of": as_of, "gauge": gauge.name, "gauge_kind": gauge.kind}
                | tally(gauge, known, [e for e in episodes if e.known_at <= known_at], as_of)
                | beside_benchmark(readings[:upto], benchmark[:upto])
                | {"known_at": known_at}
            )
    return pa.Table.from_pylist(rows, schema=STRESS_GAUGES.arrow_schema)


def tally(
    gauge: Gauge, scored: Sequence[tuple[Episode, str]], episodes: Sequence[Episode], as_of: date
) -> dict[str, Any]:
    """Count alarms, hits and false alarms up to a day, by the episodes known then.

    `scored` are those over which the gauge was known, with their outcomes. An alarm is false when
    it overlaps none of the episodes, widened by 30 days on both sides. The interval of the rate is
    the exact one for a Poisson count (Garwood).
    """
    from scipy.special import chdtri

    alarms = [(start, end) for start, end in gauge.alarms if start <= as_of]
    outcomes = [outcome for _, outcome in scored]
    false = sum(
        not any(start <= e.end + AFTER and end >= e.start - LEAD for e in episodes)
        for start, end in alarms
    )
    years = gauge.years_observed(as_of)
    return {
        "observed_since": gauge.days[0],
        "years_observed": years,
        "n_episodes": len(outcomes),
        "n_led": outcomes.count("led"),
        "n_hit": outcomes.count("hit"),
        "n_missed": outcomes.count("missed"),
        "n_alarms": len(alarms),
        "n_false_alarms": false,
        "false_alarms_per_decade": 10 * false / years,
        "false_alarms_low": 10 * float(chdtri(2 * false, 0.975)) / 2 / years if false else 0.0,
        "false_alarms_high": 10 * float(chdtri(2 * false + 2, 0.025)) / 2 / years,
    }


def beside_benchmark(readings: Floats, benchmark: Floats) -> dict[str, Any]:
    """Return correlations with the benchmark over weeks: of the levels, and of weekly changes.

    All are NULL where the benchmark is not known for the newest of the weeks.
    """
    is_known = len(benchmark) > 0 and not np.isnan(benchmark[-1])
    return {
        f"{what}_{name}": value if is_known else None
        for what, (x, y) in {
            "level": (readings, benchmark),
            "change": (np.diff(readings), np.diff(benchmark)),
        }.items()
        for name, value in correlation(x, y).items()
    }


def correlation(x: Floats, y: Floats) -> Mapping[str, float | int | None]:
    """Return Pearson's r, its 95 % band, the number of pairs, and how many independent ones.

    Pairs with a NaN are left out. n_eff = n (1 - a b) / (1 + a b) with the first autocorrelations
    a and b (Bartlett); the band is Fisher's for n_eff. NULL under 104 pairs or without variance.
    """
    both = ~np.isnan(x) & ~np.isnan(y)
    x, y = x[both], y[both]
    empty = dict.fromkeys(("correlation", "low", "high", "n_eff"))
    if len(x) < MIN_WEEKS or np.ptp(x) == 0 or np.ptp(y) == 0:
        return {**empty, "n_obs": len(x)}
    r = _pearson(x, y)
    if any(np.ptp(z[1:]) == 0 or np.ptp(z[:-1]) == 0 for z in (x, y)):
        # All but one value are the same: no memory can be estimated, so neither can the band.
        return {**empty, "correlation": r, "n_obs": len(x)}
    memory = _pearson(x[1:], x[:-1]) * _pearson(y[1:], y[:-1])
    n_eff = min(len(x) * (1 - memory) / (1 + memory), float(len(x)))
    if n_eff <= 4 or abs(r) == 1:
        return {**empty, "correlation": r, "n_eff": n_eff, "n_obs": len(x)}
    width = 1.959964 / float(np.sqrt(n_eff - 3))
    low, high = np.tanh(np.arctanh(r) - width), np.tanh(np.arctanh(r) + width)
    return {
        "correlation": r,
        "low": float(low),
        "high": float(high),
        "n_eff": n_eff,
        "n_obs": len(x),
    }


def _pearson(x: Floats, y: Floats) -> float:
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1, 1))


def _episodes(connection: duckdb.DuckDBPyConnection) -> list[Episode]:
    """Return the episodes whose every day is public; known when the last of these is."""
    rows = connection.execute(query("known_episodes", _QUERIES)).fetchall()
    return [Episode(*row) for row in rows]


def _benchmark(connection: duckdb.DuckDBPyConnection) -> tuple[Any, Floats]:
    """Return Wednesdays and the OFR's index on the last session up to each, NaN if not known."""
    rows = connection.execute(query("benchmark_by_week", _QUERIES)).fetchall()
    weeks = np.array([row[0] for row in rows], dtype="datetime64[D]")
    return weeks, np.array([row[1] for row in rows], dtype=float)


def _on_weeks(gauge: Gauge, weeks: Any) -> Floats:
    """Return the gauge's newest reading of each week (Thursday to Wednesday), or NaN."""
    if not gauge.days:
        return np.full(len(weeks), np.nan)
    days = np.array(gauge.days, dtype="datetime64[D]")
    readings = np.array(gauge.readings, dtype=float)
    newest = np.searchsorted(days, weeks, "right") - 1
    fresh = (newest >= 0) & (weeks - days[newest] < np.timedelta64(7, "D"))
    return np.where(fresh, readings[newest], np.nan)


MARTS = {
    "stress_scores": PythonMart(
        build_scores,
        frozenset(
            {
                "marts.stress_flags",
                "marts.stress_index",
                "sources.policy_events",
                "meta.calendar_days",
                "meta.clock",
            }
        ),
    ),
    "stress_gauges": PythonMart(
        build_gauges,
        frozenset(
            {
                "marts.stress_flags",
                "marts.stress_index",
                "sources.policy_events",
                "sources.ofr_fsi",
                "meta.calendar_days",
                "meta.clock",
            }
        ),
    ),
}
