"""One index of stress over all segments, in the manner of the ECB's CISS, frozen when written.

The composite is (w*s)' C (w*s): s the segments' mean ranks, w equal weights, C their moving
correlations, so that stress in several segments at once counts for more than the same stress
after each other (Hollo, Kremer and Lo Duca, ECB working paper 1426, 2012, section 3.2).

CISS has the same five segments throughout; here segments appear with their data (reserves and
drain in 2013, crypto in 2017), and the distribution of the composite depends on how many there are:
of N independent segments its mean is 1/(3N). So like is compared with like: a day's composite is
ranked among the earlier composites of the same segments, computed anew for that purpose, and a
segment joins once it has been known for a year. Above watch, the level also needs a raised flag,
and for severe flags in two segments: that is what makes stress systemic.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from liquidity_pipeline.contracts.stress import SEGMENTS
from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.models.stress.indicators import INDICATORS
from liquidity_pipeline.models.stress.stress_flags import Level
from liquidity_pipeline.statistics.expanding_rank import Floats, expanding_ranks

MIN_HISTORY = 252
MIN_SEGMENTS = 3
WATCH, STRESS, SEVERE = 0.80, 0.90, 0.975
# CISS forgets 7 per cent of its correlations each week; a week has five sessions.
DECAY = 0.93 ** (1 / 5)
# The variance of a rank in ordinary times, uniform between 0 and 1.
_UNIFORM_VARIANCE = 1 / 12
# An indicator not observed for longer is not known any more: a week, a holiday and a delay.
_STALE = timedelta(days=10)
METHOD = "composite-2"

Booleans = npt.NDArray[np.bool_]


def build_index(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.stress_index`: one row per New York session with at least three segments."""
    from liquidity_pipeline.contracts.stress import STRESS_INDEX

    sessions = connection.execute(
        "select date, known_by from meta.calendar_days, meta.clock "
        "where is_nyse and known_by <= clock.now order by date"
    ).fetchall()
    panel, flagged = _panels(connection, sessions)
    found = ranked_composites(panel)
    rows = [
        _row(day, known_by, panel[i], flagged[i], found[i])
        for i, (day, known_by) in enumerate(sessions)
        if i in found
    ]
    return pa.Table.from_pylist(rows, schema=STRESS_INDEX.arrow_schema)


def ranked_composites(panel: Floats) -> dict[int, tuple[tuple[int, ...], float, float, int]]:
    """Return per row of the panel (segments, composite, rank, n_history).

    `panel` has a row per day and a column per segment, NaN where a segment is not known. A row
    with fewer than three segments of a year's standing, or a year of composites, has no entry.
    """
    known = ~np.isnan(panel)
    standing = np.cumsum(known, axis=0) - known
    members = known & (standing >= MIN_HISTORY)
    correlations = moving_correlations(panel)
    found = {}
    for standing_ones in np.unique(members, axis=0):
        chosen = np.flatnonzero(standing_ones)
        if len(chosen) < MIN_SEGMENTS:
            continue
        days = np.flatnonzero(known[:, chosen].all(axis=1))
        values = composite(
            panel[np.ix_(days, chosen)], correlations[np.ix_(days, chosen, chosen)]
        ).tolist()
        ranks = list(expanding_ranks(values, MIN_HISTORY))
        for n in np.flatnonzero((members[days] == standing_ones).all(axis=1)).tolist():
            if (rank := ranks[n]) is not None:
                found[int(days[n])] = (tuple(chosen.tolist()), values[n], rank, n)
    return found


def composite(ranks: Floats, correlations: Floats) -> Floats:
    """Return (w*s)' C (w*s) per day: `ranks` days x N, `correlations` days x N x N, weights 1/N."""
    weighted = ranks / ranks.shape[1]
    index: Floats = np.einsum("ti,tij,tj->t", weighted, correlations, weighted)
    return np.clip(index, 0.0, 1.0)  # rounding may leave the unit interval by 1e-16


def moving_correlations(panel: Floats) -> Floats:
    """Return the segments' correlations by day (days x N x N), exponentially weighted.

    Ranks are centred on one half, their median in ordinary times, as in CISS, equation 4; the
    start is uniform and independent. While a segment is unknown its variance rests and its
    covariances fade with the others' variance, so that each day's matrix stays one of correlations.
    """
    days, count = panel.shape
    known = ~np.isnan(panel)
    centred = np.where(known, panel - 0.5, 0.0)
    kept = np.where(known, np.sqrt(DECAY), 1.0)
    covariance = np.eye(count) * _UNIFORM_VARIANCE
    correlations = np.empty((days, count, count))
    for day in range(days):
        covariance = covariance * np.outer(kept[day], kept[day])
        covariance += (1 - DECAY) * np.outer(centred[day], centred[day])
        deviation = np.sqrt(np.diag(covariance))
        correlations[day] = covariance / np.outer(deviation, deviation)
    return correlations


def index_level(rank: float, n_flagged: int) -> Level:
    """Return the level: by the rank, and above watch only as far as flags are raised."""
    if rank >= SEVERE and n_flagged >= 2:
        return "severe"
    if rank >= STRESS and n_flagged >= 1:
        return "stress"
    return "watch" if rank >= WATCH else "normal"


def _row(
    day: date,
    known_by: datetime,
    ranks: Floats,
    flagged: Booleans,
    found: tuple[tuple[int, ...], float, float, int],
) -> dict[str, Any]:
    chosen, value, rank, n_history = found
    shown = {
        name: None if np.isnan(share) else float(share)
        for name, share in zip(SEGMENTS, ranks, strict=True)
    }
    names = [SEGMENTS[j] for j in chosen]
    up = [SEGMENTS[j] for j in chosen if flagged[j]]
    return {
        "date": day,
        "index_value": value,
        "rank": rank,
        "n_history": n_history,
        "level": index_level(rank, len(up)),
        **shown,
        "segments": ", ".join(names),
        "n_segments": len(names),
        "n_flagged": len(up),
        "reason": f"higher than on {rank:.1%} of {n_history:,} earlier days with the same "
        f"segments; flags raised in {', '.join(up) or 'none'}; segment ranks "
        + ", ".join(f"{name} {shown[name]:.2f}" for name in names),
        "method": METHOD,
        "known_at": known_by,
    }


def _panels(
    connection: duckdb.DuckDBPyConnection, sessions: Sequence[tuple[date, datetime]]
) -> tuple[Floats, Booleans]:
    """Return mean ranks and raised flags (rows: sessions, columns: segments)."""
    shape = (len(sessions), len(SEGMENTS))
    sums, counts, flagged = np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=bool)
    for indicator in INDICATORS:
        if indicator.in_index:
            j = SEGMENTS.index(indicator.segment)
            ranks, is_up = _latest(connection, indicator.name, sessions)
            known = ~np.isnan(ranks)
            sums[known, j] += ranks[known]
            counts[known, j] += 1
            flagged[:, j] |= is_up
    means = np.divide(sums, counts, out=np.full(shape, np.nan), where=counts > 0)
    return means, flagged


def _latest(
    connection: duckdb.DuckDBPyConnection, indicator: str, sessions: Sequence[tuple[date, datetime]]
) -> tuple[Floats, Booleans]:
    """Return for each session the newest rank and whether its flag was raised.

    Turns of a month are passed over: the rank before them stands. NaN when the indicator has not
    been observed for ten days.
    """
    rows = connection.execute(
        "select date, known_at, rank, level in ('stress', 'severe'), is_calendar_day "
        "from marts.stress_flags where indicator = ? order by date",
        [indicator],
    ).fetchall()
    ranks, is_up = np.full(len(sessions), np.nan), np.zeros(len(sessions), dtype=bool)
    n, observed, newest = 0, date.min, (np.nan, False)
    for i, (day, limit) in enumerate(sessions):
        while n < len(rows) and rows[n][0] <= day and rows[n][1] <= limit:
            observed = rows[n][0]
            newest = newest if rows[n][4] else rows[n][2:4]
            n += 1
        if day - observed <= _STALE:
            ranks[i], is_up[i] = newest
    return ranks, is_up


MARTS = {
    "stress_index": PythonMart(
        build_index, frozenset({"marts.stress_flags", "meta.calendar_days", "meta.clock"})
    ),
}
