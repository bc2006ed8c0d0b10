"""One index of liquidity stress, on a scale of economic values that needs no history.

Each gauge has a score between its two floors, each segment the highest score of its gauges, and
the index counts three questions equally: what money costs (funding), how much of it there is
(reserves, drain), and whether markets react (equity, credit). Crypto is shown and not counted.

A row has the value, its level, its rank and all five segments, or it does not exist. It depends
neither on later values nor on where the lake begins. docs/methodology.md gives the reasons, and
what was measured after the design was fixed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from liquidity_pipeline.contracts.stress import INDEX_SEGMENTS
from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.models.stress.in_force import Session, Sessions
from liquidity_pipeline.models.stress.indicators import INDICATORS, Indicator
from liquidity_pipeline.models.stress.stress_flags import YEARS, Level
from liquidity_pipeline.statistics.expanding_rank import TrailingHistory

if TYPE_CHECKING:
    import duckdb


# In sixths, so that the levels below are exact: the three questions count two sixths each.
WEIGHTS: Mapping[str, int] = {"funding": 2, "reserves": 1, "drain": 1, "equity": 1, "credit": 1}
QUESTIONS = (("funding",), ("reserves", "drain"), ("equity", "credit"))
WATCH, STRESS, SEVERE = 1, 2, 3
MIN_HISTORY = 252
# The first session on which all five segments can be known.
SINCE = date(2009, 2, 4)
METHOD = "severity-3"


@dataclass(frozen=True)
class Score:
    """How severe a segment is (0 to 1), by which gauge."""

    share: float
    gauge: Indicator
    value: float


Scores = Mapping[str, Score]


def build_index(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.stress_index`: one row per New York session on which all of it is known."""
    from liquidity_pipeline.contracts.stress import STRESS_INDEX

    sessions = Sessions(connection)
    scores = segment_scores(connection, sessions)
    rows = index_rows(sessions.all, scores)
    return pa.Table.from_pylist(rows, schema=STRESS_INDEX.arrow_schema)


def index_rows(sessions: Sequence[Session], scores: Sequence[Scores]) -> list[dict[str, Any]]:
    """Return the rows of the sessions whose five segments are known and whose rank is defined."""
    history = TrailingHistory(YEARS, SINCE)
    rows = []
    for session, found in zip(sessions, scores, strict=True):
        if all(name in found for name in INDEX_SEGMENTS):
            sixths = in_sixths(found)
            history.has_gap_before(session.date)
            if history.reaches_back(session.date) and len(history) >= MIN_HISTORY:
                rows.append(_row(session, found, sixths, history))
            history.add_dated(session.date, sixths)
    return rows


def in_sixths(scores: Scores) -> float:
    """Return six times the index."""
    return round(sum(weight * scores[name].share for name, weight in WEIGHTS.items()), 6)


def index_level(sixths: float, scores: Scores) -> Level:
    """Return the level: above watch, two of the three questions must have an answer above zero."""
    answered = sum(any(scores[name].share > 0 for name in names) for names in QUESTIONS)
    if answered >= 2 and sixths >= STRESS:
        return "severe" if sixths >= SEVERE else "stress"
    return "watch" if sixths >= WATCH else "normal"


def segment_scores(connection: duckdb.DuckDBPyConnection, sessions: Sessions) -> list[Scores]:
    """Return per session the segments that are known: those with all gauges that exist by then."""
    scores: list[dict[str, Score]] = [{} for _ in sessions.all]
    unknown: list[set[str]] = [set() for _ in sessions.all]
    for gauge in (g for g in INDICATORS if g.in_index and g.since):
        rows = {seen.date: seen for seen in gauge.observations(connection)}
        in_force = sessions.in_force(gauge.calendar, rows)
        for i, (session, seen) in enumerate(zip(sessions.all, in_force, strict=True)):
            if gauge.since is None or session.date < gauge.since:
                continue
            if seen is None:
                unknown[i].add(gauge.segment)
                continue
            share = gauge.score(seen.value)
            highest = scores[i].get(gauge.segment)
            if highest is None or share > highest.share:
                scores[i][gauge.segment] = Score(share, gauge, seen.value)
    return [
        {name: score for name, score in found.items() if name not in missing}
        for found, missing in zip(scores, unknown, strict=True)
    ]


def _row(
    session: Session, scores: Scores, sixths: float, history: TrailingHistory
) -> dict[str, Any]:
    crypto = scores.get("crypto")
    rank = history.rank(sixths)
    return {
        "date": session.date,
        "index_value": sixths / 6,
        "rank": rank,
        "n_history": len(history),
        "level": index_level(sixths, scores),
        **{name: scores[name].share for name in INDEX_SEGMENTS},
        "crypto": crypto.share if crypto else None,
        "segments": ", ".join(INDEX_SEGMENTS),
        "reason": _reason(scores, sixths, rank, len(history)),
        "method": METHOD,
        "known_at": session.known_by,
    }


def _reason(scores: Scores, sixths: float, rank: float, n_history: int) -> str:
    parts = []
    for name in INDEX_SEGMENTS:
        score = scores[name]
        because = (
            f" ({score.gauge.meaning} {score.gauge.text(score.value)} {score.gauge.unit})"
            if score.share > 0
            else ""
        )
        parts.append(f"{name} {score.share:.2f}{because}")
    return (
        f"{sixths / 6:.3f}, above {rank:.1%} of {n_history:,} sessions of the three years before: "
        + ", ".join(parts)
    )


MARTS = {
    "stress_index": PythonMart(
        build_index,
        frozenset(
            {
                "marts.funding_conditions",
                "marts.asset_returns",
                "marts.reserve_drains",
                "marts.reserve_ratios",
                "sources.policy_events",
                "meta.calendar_days",
                "meta.clock",
            }
        ),
    ),
}
