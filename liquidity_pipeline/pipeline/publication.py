"""Write one publication: the tables, what the file says of itself, and the views for BI tools."""

from __future__ import annotations

import hashlib
import os
import subprocess
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from liquidity_pipeline import __version__
from liquidity_pipeline.brief import edition
from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.contracts.meta import BRIEF_FIGURES, PUBLICATION, PUBLICATION_TABLES
from liquidity_pipeline.contracts.registry import PUBLISHED
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.sources.policy import POLICY_EVENTS
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.ingestion import status_note
from liquidity_pipeline.ingestion.due_days import Expectation
from liquidity_pipeline.ingestion.freshness import as_table
from liquidity_pipeline.models import catalogue
from liquidity_pipeline.settings import SANDBOX, Settings
from liquidity_pipeline.storage import warehouse
from liquidity_pipeline.storage.files import mark_of
from liquidity_pipeline.storage.lake import Lake

if TYPE_CHECKING:
    import duckdb

_PACKAGE = Path(__file__).parents[1]
# Facts kept by hand are there even if every publisher is down.
SOURCES_WITH_DATA = [table for table in SOURCE_TABLES.values() if table is not POLICY_EVENTS]


def tables(lake: Lake, never_built: Collection[str]) -> list[Table]:
    """Return sources, marts that were ever built, and what these join to.

    Raises PublicationError where there is nothing to publish.
    """
    if not any(lake.files(table) for table in SOURCES_WITH_DATA):
        raise warehouse.PublicationError(
            f"not published: no source has ever been fetched into {lake.root}."
        )
    if MART_TABLES.keys() <= set(never_built):
        raise warehouse.PublicationError("not published: no mart has ever been built.")
    return [
        table
        for table in PUBLISHED.values()
        if table.name not in PUBLICATION_TABLES and table.name not in never_built
    ]


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
        "views": catalogue.view_queries(_views(published)),
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
    return warehouse.publish(
        connection,
        tables,
        target,
        views=_views(published),
        derived=[(BRIEF_FIGURES, figures)],
    )


def _views(published: Sequence[Table]) -> list[catalogue.View]:
    """Return the views whose tables are all in the file."""
    names = {table.qualified_name for table in (*published, *PUBLICATION_TABLES.values())}
    return [view for view in catalogue.views() if view.reads <= names]


@dataclass(frozen=True)
class Contents:
    """What a publication would be made of at one moment, and how current its sources are.

    `inputs` is a hash of what freshness rests on, `everything` one of all that a publication
    depends on, but for when each source was asked. `now` is naive UTC.
    """

    now: datetime
    expected: Sequence[Expectation]
    freshness: pa.Table
    inputs: str
    everything: str

    @classmethod
    def read(
        cls,
        settings: Settings,
        expectations: Callable[[], Iterable[Expectation]],
        coverage: Callable[[], pa.Table],
        now: datetime,
    ) -> Contents:
        """Read the state of all files first, and then work out what follows from them.

        If a file is written in between, later readings find another state, and the note of this
        one does not count.
        """
        lake = list(status_note.files_of(settings.lake_dir))
        inputs = status_note.state_of_inputs(settings, lake)
        everything = hashlib.sha256("\n".join([*lake, *_files(settings)]).encode())
        expected = list(expectations())
        freshness = as_table(expected, now)
        for rows in (coverage(), freshness.drop_columns(["fetched_at"])):
            everything.update(repr(rows.to_pylist()).encode())
        return cls(now, expected, freshness, inputs, everything.hexdigest())

    def are_published(self, settings: Settings) -> bool:
        """Tell whether the published file and the brief beside it say all of this."""
        known = status_note.made_of(settings) == self.everything
        return known and edition.is_complete(settings.published_file)

    def note(self, settings: Settings, built_at: datetime) -> None:
        """Note for `status` how current the sources are beside the file built then (naive UTC)."""
        with suppress(OSError):  # it only spares `status` and the next run their work
            status_note.write(
                settings,
                self.inputs,
                self.expected,
                self.now,
                built_at=built_at,
                made_of=self.everything,
            )


def _files(settings: Settings) -> Iterator[str]:
    """Yield the day, the kind of data, and marks of what a publication rests on but the lake."""
    yield f"{settings.today} {settings.endpoints}"
    yield from status_note.files_of(settings.marts_dir)
    code = (path for path in _PACKAGE.rglob("*") if "__pycache__" not in path.parts)
    for path in sorted([*settings.reference_dir.glob("*.*"), *code]):
        if path.is_file():
            yield f"{path} {mark_of(path)}"


def _publication(settings: Settings) -> pa.Table:
    import duckdb

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
