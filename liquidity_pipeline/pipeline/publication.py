"""Write one publication: the tables, what the file says of itself, and the views for BI tools."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from liquidity_pipeline import __version__
from liquidity_pipeline.contracts.meta import BRIEF_FIGURES, PUBLICATION, PUBLICATION_TABLES
from liquidity_pipeline.contracts.registry import PUBLISHED
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.models import catalogue
from liquidity_pipeline.settings import SANDBOX, Settings
from liquidity_pipeline.storage import warehouse


def meta_rows(
    connection: duckdb.DuckDBPyConnection,
    published: Sequence[Table],
    settings: Settings,
    *,
    freshness: pa.Table,
    revisions: pa.Table,
    runs: pa.Table,
    signs: pa.Table,
) -> dict[str, pa.Table]:
    """Return the `meta` tables that describe a publication, by name.

    `connection` is a session on the `published` tables; `signs` are the sign conventions.
    """
    return {
        "publication": _publication(settings),
        "tables": catalogue.tables(connection, published),
        "columns": catalogue.columns(published),
        "freshness": freshness,
        "revisions": revisions,
        "runs": runs,
        "components": catalogue.components(signs),
        "example_queries": catalogue.example_queries(),
        "relationships": catalogue.relationships(list(PUBLISHED.values())),
    }


def write(
    connection: duckdb.DuckDBPyConnection,
    published: Sequence[Table],
    meta: Mapping[str, pa.Table],
    target: Path,
    figures: Callable[[duckdb.DuckDBPyConnection], pa.Table],
) -> dict[str, int]:
    """Write the file and swap it in; return rows per table.

    `figures` computes the figures of the brief from the unfinished file, before it is swapped in.
    """
    for name, rows in meta.items():
        connection.register(f"{name}_arrow", rows)
        connection.execute(f"create table meta.{name} as from {name}_arrow")
    tables = [
        *published,
        *(PUBLICATION_TABLES[name] for name in PUBLICATION_TABLES if name in meta),
    ]
    names = {table.qualified_name for table in tables}
    return warehouse.publish(
        connection,
        tables,
        target,
        views=[view for view in catalogue.views() if view.reads <= names],
        derived=[(BRIEF_FIGURES, figures)],
    )


def _publication(settings: Settings) -> pa.Table:
    row = {
        "publication_id": uuid.uuid4().hex,
        "built_at": datetime.now(UTC).replace(tzinfo=None),
        "as_of": settings.today,
        "endpoints": settings.endpoints,
        "is_synthetic": settings.endpoints == SANDBOX,
        "git_sha": _git_sha(),
        "pipeline_version": __version__,
        "duckdb_version": duckdb.__version__,
        "storage_version": warehouse.STORAGE_VERSION,
    }
    return pa.Table.from_pylist([row], schema=PUBLICATION.arrow_schema)


def _git_sha() -> str | None:
    """Return the commit of the checkout; None where there is no checkout or no git."""
    folder = Path(__file__).parent
    try:
        answer = subprocess.run(  # noqa: S603 - fixed words and our own folder
            ["git", "-C", os.fspath(folder), "rev-parse", "HEAD"],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
            timeout=5,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
