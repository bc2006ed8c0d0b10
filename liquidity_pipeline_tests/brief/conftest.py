"""A publication from the sandbox, with history enough for a season, and its brief."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

from liquidity_pipeline.brief.model import Brief
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.server import start
from liquidity_pipeline.settings import SANDBOX, Settings
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.storage.warehouse import reading
from liquidity_pipeline_tests.filling import build, fill

# A Friday; the season needs three years of weeks before it.
TODAY, FIRST = date(2026, 2, 6), date(2022, 9, 1)


@pytest.fixture(scope="session")
def briefed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A data directory filled from the sandbox and published. Takes about half a minute."""
    with start(Options(today=TODAY, start=FIRST, compress=False)) as running:
        settings = Settings(
            data_dir=tmp_path_factory.mktemp("brief"),
            endpoints=SANDBOX,
            sandbox_url=running.url,
            as_of=TODAY,
        )
        pipeline = build(fill(Pipeline(settings), Window.of_months(FIRST, TODAY)))
        pipeline.publish()
        yield pipeline


@pytest.fixture(scope="session")
def brief(briefed: Pipeline) -> Brief:
    """The brief that was written with the publication."""
    return briefed.brief()


@pytest.fixture(scope="session")
def published(briefed: Pipeline) -> Iterator[duckdb.DuckDBPyConnection]:
    """A reader of the published file."""
    with reading(briefed.settings.published_file) as connection:
        yield connection


@pytest.fixture(scope="session")
def copied(briefed: Pipeline) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published tables in memory, so that a test may empty one."""
    with duckdb.connect(":memory:") as connection:
        file = str(briefed.settings.published_file).replace("'", "''")
        connection.execute(f"attach '{file}' as liquidity (read_only)")
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'liquidity'"
        ).fetchall()
        for schema, table in tables:
            connection.execute(f"create schema if not exists {schema}")
            connection.execute(f"create table {schema}.{table} as from liquidity.{schema}.{table}")
        yield connection
