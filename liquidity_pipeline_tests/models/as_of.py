"""The point-in-time comparison: a run as of a day against what the full run says up to that day.

The lake is read once: each source becomes one Parquet file, so that a run of all marts costs
seconds. What a run sees of it is decided by the pipeline's own session.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.contracts.meta import SIGN_CONVENTIONS
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.table import Column, Table
from liquidity_pipeline.ingestion.coverage import coverage
from liquidity_pipeline.models import engine, reference
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.reference import read_published_totals, read_sign_conventions
from liquidity_pipeline.sources.registry import SOURCES
from liquidity_pipeline.storage.archive import Archive
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline.universe import Universe

RE_ESTIMATED = "re-estimated each run"

Marts = dict[str, pa.Table]


def compact(lake: Lake, folder: Path) -> dict[str, list[Path]]:
    """Write each source table of the lake as one Parquet file; return the files by table."""
    files: dict[str, list[Path]] = {}
    with duckdb.connect() as connection:
        for name, table in SOURCE_TABLES.items():
            target, parts = folder / f"{name}.parquet", [str(path) for path in lake.files(table)]
            if parts:
                source = f"from read_parquet({parts}, hive_partitioning = false)"
                connection.execute(f"copy ({source}) to '{target}'")
            files[name] = [target] if parts else []
    return files


def marts_as_of(day: date, settings: Settings, files: dict[str, list[Path]]) -> Marts:
    """Build every mart as a run at the end of the day would, in one DuckDB session."""
    settings = replace(settings, as_of=day)
    now = settings.now.astimezone(UTC).replace(tzinfo=None)
    universe = Universe.load(settings.reference_dir)
    archive = Archive(settings.archive_dir)
    asked = {name: archive.asked(name, by=now) for name in SOURCES}
    inputs = engine.Inputs(
        source_files=files,
        mart_files={},
        reference={
            "calendar_days": reference.calendar_days(settings.today),
            "clock": reference.clock(now),
            "universe": reference.universe_table(universe),
            "coverage": coverage(Lake(settings.lake_dir), asked, universe, now),
            "sign_conventions": read_sign_conventions(settings.reference_dir).cast(
                SIGN_CONVENTIONS.arrow_schema
            ),
            "published_totals": read_published_totals(settings.reference_dir),
        },
    )
    built: Marts = {}
    with engine.session(inputs) as connection:
        for name in engine.build_order():
            built[name] = _build(name, connection)
    return built


def _build(name: str, connection: duckdb.DuckDBPyConnection) -> pa.Table:
    rows = engine.build(name, connection)
    connection.register(f"{name}_built", rows)
    connection.execute(f"create table marts.{name} as from {name}_built")
    return rows


def compare_as_of(
    full: Marts, day: date, settings: Settings, files: dict[str, list[Path]]
) -> list[str]:
    """Return one line per mart in which the run as of the day and the full run differ."""
    end = replace(settings, as_of=day).now.astimezone(UTC).replace(tzinfo=None)
    then = marts_as_of(day, settings, files)
    return [
        f"{table.qualified_name} as of {day}: {difference}"
        for name, table in MART_TABLES.items()
        if (difference := differences(table, full[name], then[name], day, end))
    ]


def differences(table: Table, full: pa.Table, then: pa.Table, day: date, end: datetime) -> str:
    """Describe how two builds of a mart differ up to a day; empty when they do not.

    Compared are rows dated up to the day and known by its end, in all columns that the contract
    does not declare as re-estimated. Rows for coming days are provisional by nature. Numbers are
    compared to nine digits: DuckDB adds up a window in an order that depends on later rows too.
    """
    a, b = _settled(table, full, day, end), _settled(table, then, day, end)
    keys = list(table.key)
    if not a.select(keys).equals(b.select(keys)):
        return f"{a.num_rows} rows, then {b.num_rows}; {_unshared(a, b, keys)}"
    wrong = [
        f"{column.name} in {count} rows, first {_first(a, b, column, keys)}"
        for column in table.stored_columns
        if RE_ESTIMATED not in column.meaning
        and (count := int(_unequal(a[column.name], b[column.name]).sum()))
    ]
    return "; ".join(wrong)


def _unequal(a: pa.ChunkedArray, b: pa.ChunkedArray) -> np.ndarray:
    """Mark the positions at which two columns differ."""
    if a.equals(b):
        return np.zeros(len(a), dtype=bool)
    if pa.types.is_floating(a.type):
        x, y = (z.to_numpy(zero_copy_only=False) for z in (a, b))
        return ~np.isclose(x, y, rtol=1e-9, atol=1e-9, equal_nan=True)
    same = pc.or_kleene(pc.equal(a, b), pc.and_(pc.is_null(a), pc.is_null(b)))
    return ~pc.fill_null(same, False).to_numpy(zero_copy_only=False)


def _first(a: pa.Table, b: pa.Table, column: Column, keys: list[str]) -> str:
    at = int(np.argmax(_unequal(a[column.name], b[column.name])))
    key = [str(a[name][at]) for name in keys]
    return f"{key}: {a[column.name][at]}, then {b[column.name][at]}"


def _unshared(a: pa.Table, b: pa.Table, keys: list[str]) -> str:
    x, y = ({tuple(row.values()) for row in t.select(keys).to_pylist()} for t in (a, b))
    return f"only in the full run {sorted(x - y)[:2]}, only then {sorted(y - x)[:2]}"


def _settled(table: Table, rows: pa.Table, day: date, end: datetime) -> pa.Table:
    """Return the rows of a mart that the run as of the day must know for good."""
    limits: dict[str, date] = dict.fromkeys(_days_of_the_row(table), day)
    # A week is over, and so for good, on its Sunday.
    limits |= {"week_start": day - timedelta(days=6)} if "week_start" in limits else {}
    limits |= {"known_at": end} if "known_at" in rows.schema.names else {}
    for name, limit in limits.items():
        field = rows.schema.field(name)
        rows = rows.filter(pc.less_equal(rows[name], pa.scalar(limit, field.type)))
    # What is open will change until it closes, and says so.
    return rows.filter(pc.invert(rows["is_open"])) if "is_open" in rows.schema.names else rows


def _days_of_the_row(table: Table) -> list[str]:
    """Return the day columns of the key: where one says when it was said, only that."""
    days = [c.name for c in table.columns if c.kind == "date" and c.name in table.key]
    return [name for name in days if name.startswith("as_of")] or days
