"""Write what the gauges of stress hit and missed into a page, from the marts of a data directory.

    python -m liquidity_pipeline.scorecard docs/methodology.md

The section between the two markers is replaced; the same marts give the same text. The data
directory is the one of the settings (LIQUIDITY_DATA_DIR). Nothing is estimated here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from liquidity_pipeline.contracts.stress import SEGMENTS
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import SANDBOX, Settings

READS = frozenset(
    {"marts.stress_flags", "marts.stress_index", "marts.stress_scores", "marts.stress_gauges"}
)


def write_scorecard(page: Path, settings: Settings) -> None:
    """Replace the section between the markers of a page by what the marts say now.

    Raises ValueError when the page lacks a marker, duckdb.Error when a mart was never built.
    """
    with Pipeline(settings).session(READS) as connection:
        section = scorecard(connection, settings.endpoints)
    text = replace_section(page.read_text(encoding="utf-8"), "validation", section)
    page.write_text(text, encoding="utf-8")


def replace_section(text: str, name: str, section: str) -> str:
    """Return the text with a section between its two markers; raise ValueError without them."""
    first, last = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, begin, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise ValueError(f"the page needs the lines {first} and {last}, in this order")
    return f"{before}{first}\n\n{section}\n\n{last}{after}"


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
    first, last, quarter = _one(
        connection,
        """
        select min(date), max(date), (select max(as_of) from marts.stress_gauges)
        from marts.stress_flags""",
    )
    origin = "Synthetic data of the sandbox" if endpoints == SANDBOX else "Recorded history"
    return (
        f"{origin}, flags from {first} to {last}; tallies at {quarter}. Written by "
        f"`python -m liquidity_pipeline.scorecard`; edit nothing here by hand."
    )


def _episodes(connection: duckdb.DuckDBPyConnection) -> str:
    rows = connection.execute(
        """
        select episode, episode_start, gauge, lead_days
        from marts.stress_scores
        where episode_kind = 'stress' and gauge_kind in ('segment', 'index')
        order by episode_start, episode"""
    ).fetchall()
    gauges = ("stress_index", *SEGMENTS)
    cells: dict[tuple[str, object], dict[str, str]] = {}
    for episode, start, gauge, lead in rows:
        cells.setdefault((episode, start), {})[gauge] = _outcome(lead)
    lines = [
        (episode, str(start), *(by_gauge.get(gauge, "·") for gauge in gauges))
        for (episode, start), by_gauge in cells.items()
    ]
    table = _table(("episode", "first day", "index", *SEGMENTS), lines)
    return (
        "**Known episodes.** `+n`: in alarm n days before the first day (30 at most); `0` or `-n`: "
        "on it or n days later; **miss**: never in alarm; `·`: the gauge was not known.\n\n" + table
    )


def _outcome(lead: float | None) -> str:
    if lead is None:
        return "**miss**"
    return f"{lead:+.0f}" if lead else "0"


def _gauges(connection: duckdb.DuckDBPyConnection) -> str:
    rows = connection.execute(
        """
        select * from marts.stress_gauges
        where as_of = (select max(as_of) from marts.stress_gauges)
        order by case gauge_kind when 'index' then 0 when 'segment' then 1 else 2 end, gauge"""
    )
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
        "weeks (worth so many independent ones).\n\n" + _table(header, lines)
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
    rows = connection.execute(
        """
        select strftime(date, '%Y-%m') as month, count(*),
            max_by(level, index_value), max(index_value)
        from marts.stress_index as days
        where level in ('stress', 'severe') and not exists (
            select 1 from marts.stress_scores as episodes
            where episodes.episode_kind = 'stress'
                and days.date between episodes.episode_start - interval 30 day
                    and episodes.episode_end + interval 30 day
        )
        group by month order by month"""
    ).fetchall()
    lines = [(month, str(n), level, f"{value:.3f}") for month, n, level, value in rows]
    table = _table(("month", "days in alarm", "worst level", "highest value"), lines)
    heading = (
        "**Days in alarm of the index more than 30 days from any episode**, by month. An alarm "
        "that also touches an episode counts as true in the tallies."
    )
    if not lines:
        return f"{heading} There is none."
    return f"{heading}\n\n{table}"


def _month_ends(connection: duckdb.DuckDBPyConnection) -> str:
    raised, turns = _one(
        connection,
        "select count(*) filter (outcome = 'raised'), count(*) from marts.stress_scores "
        "where episode_kind = 'calendar' and gauge_kind <> 'segment'",
    )
    explained, seen = _one(
        connection,
        "select count(*) filter (calendar_explained), count(*) from marts.stress_flags "
        "where is_calendar_day",
    )
    return (
        f"**Year-ends and month-ends.** From 24 December to 5 January an alarm began in {raised} "
        f"of {turns} cases of a gauge and a year. On all month-end and month-start days, "
        f"{explained} of {seen} observations would have been flagged and were marked "
        f"`calendar_explained` instead."
    )


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[object, ...]:
    rows: list[tuple[object, ...]] = connection.execute(query).fetchall()
    (row,) = rows  # every query here is an aggregate
    return row


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    write_scorecard(Path(sys.argv[1]), Settings.from_env())
