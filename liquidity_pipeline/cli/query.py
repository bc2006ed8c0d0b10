"""SQL from a person on the published file, and nothing else: no other file, no network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from liquidity_pipeline.cli.console import print_rows

if TYPE_CHECKING:
    import duckdb

# A query that needs more is better asked with a DuckDB client of one's own.
MEMORY, SECONDS = "2GB", 120


def query(published: Path, sql: str, form: str) -> None:
    """Run one or more statements and print the result of each; raise UsageError for a bad one."""
    import duckdb

    from liquidity_pipeline.storage.confined import confined

    try:
        with confined(published, memory=MEMORY, seconds=SECONDS) as connection:
            statements = connection.extract_statements(sql)
            if not statements:
                raise click.UsageError('there is nothing to run: give a statement, e.g. "select 1"')
            for statement in statements:
                names, rows = _result(connection, statement)
                print_rows(names, rows, form)
    except duckdb.InterruptException:
        raise click.UsageError(f"stopped after {SECONDS} seconds") from None
    except duckdb.Error as error:
        raise click.UsageError(str(error)) from None


def _result(
    connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement
) -> tuple[list[str], list[tuple[Any, ...]]]:
    result = connection.execute(statement)
    return [column[0] for column in result.description or ()], result.fetchall()
