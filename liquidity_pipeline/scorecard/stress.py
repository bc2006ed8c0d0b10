"""What the gauges of stress hit and missed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from liquidity_pipeline.contracts.stress import SEGMENTS
from liquidity_pipeline.models.statements import query
from liquidity_pipeline.scorecard.markdown import origin, table

_QUERIES = Path(__file__).parent / "queries"

if TYPE_CHECKING:
    import duckdb


READS = frozenset(
    {"marts.stress_flags", "marts.stress_index", "marts.stress_scores", "marts.stress_gauges"}
)


def scorecard(connection: duckdb.DuckDBPyConnection, endpoints: str) -> str:
    """Return the section as Markdown."""
    parts = [
        _heading(connection, endpoints),
        _episodes(connection),
        _gauges(connection),
        _false_alarms(connection),
        _month_ends(connection),
    ]
    return "\n\n".join(parts)


def _heading(connection: duckdb.DuckDBPyConnection, endpoints: str) -> str:
    first, last, quarter = _one(connection, "flag_span")
    return (
        f"{origin(endpoints)}, flags from {first} to {last}; tallies at {quarter}. Written by "
        f"`python -m liquidity_pipeline.scorecard`; edit nothing here by hand."
    )


def _episodes(connection: duckdb.DuckDBPyConnection) -> str:
    rows = connection.execute(query("known_episodes", _QUERIES)).fetchall()
    gauges = ("stress_index", *SEGMENTS)
    cells: dict[tuple[str, object], dict[str, str]] = {}
    for episode, start, gauge, lead in rows:
        cells.setdefault((episode, start), {})[gauge] = _outcome(lead)
    lines = [
        (episode, str(start), *(by_gauge.get(gauge, "·") for gauge in gauges))
        for (episode, start), by_gauge in cells.items()
    ]
    listing = table(("episode", "first day", "index", *SEGMENTS), lines)
    return (
        "**Known episodes.** `+n`: in alarm n days before the first day (30 at most); `0` or `-n`: "
        "on it or n days later; **miss**: never in alarm; `·`: the gauge was not known.\n\n"
        + listing
    )


def _outcome(lead: float | None) -> str:
    if lead is None:
        return "**miss**"
    return f"{lead:+.0f}" if lead else "0"


def _gauges(connection: duckdb.DuckDBPyConnection) -> str:
    rows = connection.execute(query("tallies", _QUERIES))
    names = [column[0] for column in rows.description or []]
    lines = []
    for values in rows.fetchall():
        row = dict(zip(names, values, strict=True))
        rate = "{false_alarms_per_decade:.1f} ({false_alarms_low:.1f} to {false_alarms_high:.1f})"
        lines.append(
            (
                f"{row['gauge']}" + (" (segment)" if row["gauge_kind"] == "segment" else ""),
                f"{row['years_observed']:.1f}",
                f"{row['n_led']} + {row['n_hit']} of {row['n_episodes']}",
                f"{row['n_false_alarms']} of {row['n_alarms']}",
                rate.format(**row),
                _correlation(row, "level"),
                _correlation(row, "change"),
            )
        )
    header = (
        "gauge",
        "years",
        "led + hit",
        "false alarms",
        "false per decade (95 %)",
        "with OFR FSI, weekly levels",
        "weekly changes",
    )
    return (
        "**Tallies.** Correlations are Pearson's, of the gauge's rank (of the index: its value) "
        "with the index of the Office of Financial Research, with the 95 % band and the "
        "weeks (worth so many independent ones).\n\n" + table(header, lines)
    )


def _correlation(row: dict[str, float | None], what: str) -> str:
    value, low, high = (row[f"{what}_{name}"] for name in ("correlation", "low", "high"))
    if row[f"{what}_n_obs"] is None:
        return "not known"
    if value is None:
        return f"n = {row[f'{what}_n_obs']}, too few"
    band = "" if low is None else f" ({low:.2f} to {high:.2f})"
    return f"{value:.2f}{band}; {row[f'{what}_n_obs']} ({row[f'{what}_n_eff']:.0f})"


def _false_alarms(connection: duckdb.DuckDBPyConnection) -> str:
    """List the months in which the index was in alarm outside every episode."""
    rows = connection.execute(query("alarms_outside_episodes", _QUERIES)).fetchall()
    lines = [(month, str(n), level, f"{value:.3f}") for month, n, level, value in rows]
    listing = table(("month", "days in alarm", "worst level", "highest value"), lines)
    heading = (
        "**Days in alarm of the index more than 30 days from any episode**, by month. An alarm "
        "that also touches an episode counts as true in the tallies."
    )
    if not lines:
        return f"{heading} There is none."
    return f"{heading}\n\n{listing}"


def _month_ends(connection: duckdb.DuckDBPyConnection) -> str:
    raised, turns = _one(connection, "year_ends")
    explained, seen = _one(connection, "month_ends")
    return (
        f"**Year-ends and month-ends.** From 24 December to 5 January an alarm began in {raised} "
        f"of {turns} cases of a gauge and a year. On all month-end and month-start days, "
        f"{explained} of {seen} observations would have been flagged and were marked "
        f"`calendar_explained` instead."
    )


def _one(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[object, ...]:
    rows: list[tuple[object, ...]] = connection.execute(query(name, _QUERIES)).fetchall()
    (row,) = rows  # every query here is an aggregate
    return row
