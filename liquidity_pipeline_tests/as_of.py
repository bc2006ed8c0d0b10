"""The promise of point in time: a run as of a day gives what was known on that day, and no other.

Marts are built from one lake as of two days and compared row by row, bit by bit.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.models import engine
from liquidity_pipeline.pipeline import Pipeline

# These look ahead as well: what is announced on a later day belongs to its own publication, so
# they are compared on the days that had passed.
FORWARD = {
    "settlement_calendar": "settlement_date",
    "weekly_settlements": "week_start + interval 6 day",
}


def build_as_of(pipeline: Pipeline, day: date, folder: Path) -> Pipeline:
    """Build all marts in `folder` from the pipeline's lake, as of the end of `day`."""
    folder.mkdir()
    (folder / "lake").symlink_to(pipeline.settings.lake_dir)
    earlier = Pipeline(replace(pipeline.settings, data_dir=folder, as_of=day))
    for name in engine.build_order():
        earlier.build_mart(name)
    return earlier


def differences(full: Pipeline, earlier: Pipeline) -> dict[str, list[str]]:
    """Return per mart the rows that only one of the two builds has.

    Of the full build only rows that were known to the earlier one count. The marts of both must
    have been built; no difference is an empty dictionary.
    """
    found = {}
    with duckdb.connect(":memory:") as connection:
        for name in MART_TABLES:
            rows = _compare(connection, name, full, earlier)
            if rows:
                found[name] = rows
    return found


def _compare(
    connection: duckdb.DuckDBPyConnection, name: str, full: Pipeline, earlier: Pipeline
) -> list[str]:
    passed = f"{FORWARD[name]} <= date '{earlier.settings.today}'" if name in FORWARD else "true"
    known = f"known_at <= timestamp '{earlier.now}'"
    later = f"select * from '{full.marts.path(MART_TABLES[name])}' where {known} and {passed}"
    then = f"select * from '{earlier.marts.path(MART_TABLES[name])}' where {passed}"
    rows = connection.execute(
        f"""
        select 'only later: ' || row_text from (select x::varchar as row_text
            from ({later} except {then}) as x)
        union all
        select 'only then: ' || row_text from (select x::varchar as row_text
            from ({then} except {later}) as x)
        """
    ).fetchall()
    return [text for (text,) in rows]
