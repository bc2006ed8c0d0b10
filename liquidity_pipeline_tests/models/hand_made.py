"""A DuckDB session on hand-made rows: every table exists, what is not given is empty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.contracts.meta import SIGN_CONVENTIONS
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.table import DUCKDB_TYPES
from liquidity_pipeline.models import engine, reference
from liquidity_pipeline.settings import default_reference_dir
from liquidity_pipeline.sources.reference import read_published_totals, read_sign_conventions
from liquidity_pipeline_tests.models import known

Rows = Sequence[Mapping[str, Any]]


@contextmanager
def session(
    now: str, tables: Mapping[str, Rows], through: known.Through | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open DuckDB standing at `now` (UTC); `tables` gives rows by bare table name.

    A column that is not given is NULL. Nothing is cut at the clock: rows stand as given, and all
    inputs are known but for `through` (see `known.everything`).
    """
    moment = datetime.fromisoformat(now)
    meta = {
        "calendar_days": reference.calendar_days(moment.date()),
        "clock": reference.clock(moment),
        "coverage": known.everything(moment, through=through),
        "sign_conventions": read_sign_conventions(default_reference_dir()).cast(
            SIGN_CONVENTIONS.arrow_schema
        ),
        "published_totals": read_published_totals(default_reference_dir()),
    }
    with duckdb.connect() as connection:
        connection.execute("create schema sources; create schema marts; create schema meta")
        for name, rows in meta.items():
            connection.register("given", rows)
            connection.execute(f"create table meta.{name} as from given")
        for name, table in {**SOURCE_TABLES, **MART_TABLES}.items():
            typed = ", ".join(f"{c.name} {DUCKDB_TYPES[c.kind]}" for c in table.columns)
            connection.execute(f"create table {table.qualified_name} ({typed})")
            if given := tables.get(name):
                names = dict.fromkeys(name for row in given for name in row)
                columns = {name: [row.get(name) for row in given] for name in names}
                connection.register("given", pa.table(columns))
                connection.execute(f"insert into {table.qualified_name} by name from given")
        yield connection


def build(mart: str, now: str, **tables: Rows) -> list[dict[str, Any]]:
    """Return the rows of one mart, checked against its contract, on hand-made rows."""
    with session(now, tables) as connection:
        rows: list[dict[str, Any]] = engine.build(mart, connection).to_pylist()
    return rows
