"""The steps of the pipeline, in order, without an orchestrator: fetch, build, publish.

Orchestration names, schedules and records these steps; the command line and the tests call them
too. What a step computes stands in sources, storage and models.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from pathlib import Path

import duckdb
import pyarrow as pa

from liquidity_pipeline import __version__
from liquidity_pipeline.calendars import utc
from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.contracts.meta import (
    COLUMNS,
    PUBLICATION,
    PUBLICATION_TABLES,
    SIGN_CONVENTIONS,
    TABLES,
)
from liquidity_pipeline.contracts.registry import PUBLISHED
from liquidity_pipeline.contracts.sources import POLICY_EVENTS, SOURCE_TABLES
from liquidity_pipeline.contracts.table import DUCKDB_TYPES, Table
from liquidity_pipeline.ingestion import completeness, coverage, freshness, ingest
from liquidity_pipeline.ingestion.fetch_history import summarize
from liquidity_pipeline.ingestion.ingest import Rebuilt
from liquidity_pipeline.models import engine, reference
from liquidity_pipeline.models.build_stamp import BuildStamp, fingerprint
from liquidity_pipeline.models.reconciliations import reconciliation as reconciliations
from liquidity_pipeline.models.reconciliations.reconciliation import (
    Reconciliation,
    ReconciliationResult,
)
from liquidity_pipeline.settings import SANDBOX, Settings
from liquidity_pipeline.sources.fetch import Transport, Window
from liquidity_pipeline.sources.http import HttpClient
from liquidity_pipeline.sources.reference import (
    read_policy_events,
    read_published_totals,
    read_sign_conventions,
)
from liquidity_pipeline.sources.registry import SOURCES, Source
from liquidity_pipeline.storage import warehouse
from liquidity_pipeline.storage.archive import Archive
from liquidity_pipeline.storage.lake import Lake, Stored
from liquidity_pipeline.universe import Universe

# Facts kept by hand are there even if every publisher is down.
SOURCES_WITH_DATA = [table for table in SOURCE_TABLES.values() if table is not POLICY_EVENTS]


_NOW = "(select now from meta.clock)"


@dataclass
class Pipeline:
    """All steps for one set of settings. One HTTP client is shared by all sources."""

    settings: Settings
    transport: Transport | None = None
    lake: Lake = field(init=False)
    marts: Lake = field(init=False)
    archive: Archive = field(init=False)

    def __post_init__(self) -> None:
        """Open the folders; nothing is created before the first write."""
        self.lake = Lake(self.settings.lake_dir)
        self.marts = Lake(self.settings.marts_dir)
        self.archive = Archive(self.settings.archive_dir)
        self._stamp = BuildStamp(self.settings.marts_dir)
        self._coverage: tuple[str, pa.Table] | None = None

    @cached_property
    def client(self) -> Transport:
        """The network, unless another transport was given."""
        return self.transport or HttpClient(self.settings)

    @cached_property
    def universe(self) -> Universe:
        """The followed symbols."""
        return Universe.load(self.settings.reference_dir)

    @cached_property
    def now(self) -> datetime:
        """The moment at which this run stands, naive UTC: one for all of its steps."""
        return self.settings.now.astimezone(UTC).replace(tzinfo=None)

    # --- sources -------------------------------------------------------------------------------

    def ingest(self, source: Source, window: Window) -> ingest.Ingested:
        """Fetch one source over a window; see `storage.ingest`."""
        self.settings.claim_data_dir()
        return ingest.ingest(source, window, self.settings, self.client)

    def read_policy_events(self) -> Stored:
        """Take over the facts that are kept by hand."""
        self.settings.claim_data_dir()
        rows = read_policy_events(self.settings.reference_dir)
        return self.lake.store_snapshot(POLICY_EVENTS, rows, self.now)

    def missing(self, source: Source, window: Window) -> list[completeness.Missing]:
        """Return what the calendars expect of a source in the window and the lake lacks."""
        gaps: list[completeness.Missing] = []
        for table in source.tables:
            if table.releases:
                present = completeness.present_days(self.lake, table, window.months)
                gaps += completeness.missing(present, table, self.universe, window, self.now)
        return gaps

    def ranges_to_fetch(self, source: Source, window: Window) -> list[Window]:
        """Return the spans of months that an incremental run has to fetch."""
        asked = summarize(self.archive.good(source.name))
        return completeness.ranges_to_fetch(
            source, self.lake, self.universe, window, self.now, asked=asked
        )

    # --- marts ---------------------------------------------------------------------------------

    def build_mart(self, name: str) -> Stored:
        """Build one mart from the lake and the marts before it, and store it as Parquet."""
        ((stored, _),) = self.build_marts([name])
        return stored

    def build_marts(self, names: Iterable[str]) -> Iterator[tuple[Stored, pa.Table]]:
        """Build marts in the order given, in one session; yield what was stored, and its rows."""
        names = list(names)
        inputs = self._mart_inputs()
        self._stamp.clear()
        wanted = frozenset[str]().union(*(engine.upstream(name) for name in names))
        with self.session(wanted) as connection:
            for name in names:
                rows, table = engine.build(name, connection), MART_TABLES[name]
                stored = self.marts.store_snapshot(table, rows, self.now, checked=True)
                engine.attach_mart(connection, name, self.marts.path(table))
                yield stored, rows
        if set(names) == set(MART_TABLES):
            self._stamp.set(inputs, self.now, self._next_change())

    def marts_are_current(self) -> bool:
        """Tell whether building all marts now would give what stands there."""
        return self._stamp.holds(self._mart_inputs(), self.now)

    def _mart_inputs(self) -> str:
        """Return a fingerprint of all that marts are made of: rows, facts and code."""
        rows = (path for table in SOURCE_TABLES.values() for path in self.lake.files(table))
        facts = self.settings.reference_dir.glob("*.*")
        code = (p for p in Path(__file__).parent.rglob("*") if p.suffix in (".py", ".sql"))
        return fingerprint([*rows, *facts, *code, *self.archive.record_files()])

    def _next_change(self) -> datetime:
        """Return the next moment at which what is public changes, or the New York day does."""
        tomorrow = utc(self.settings.today + timedelta(days=1), time())
        visible = [
            f"select min(known_by) as moment from meta.calendar_days where known_by > {_NOW}"
        ]
        for table in SOURCE_TABLES.values():
            moments = {"known_at", "announced_at", "results_at"} & set(table.column_names)
            visible += [
                f"select min({moment}) from lake.{table.name} where {moment} > {_NOW}"
                for moment in sorted(moments)
            ]
        with self.session() as connection:
            ((soonest,),) = connection.execute(
                f"select min(moment) from ({' union all '.join(visible)})"
            ).fetchall()
        return min(tomorrow, soonest) if soonest else tomorrow

    def evaluate(self, reconciliation: Reconciliation) -> ReconciliationResult:
        """Run one reconciliation; see `models.reconciliations.reconciliation`."""
        with self.session(reconciliation.reads) as connection:
            return reconciliations.evaluate(reconciliation, connection)

    def coverage(self) -> pa.Table:
        """Return how far each input is known, as published in `meta.coverage`.

        Read once as long as neither the lake nor the archive changes.
        """
        files = [path for table in SOURCE_TABLES.values() for path in self.lake.files(table)]
        state = fingerprint([*files, *self.archive.record_files()])
        if self._coverage is None or self._coverage[0] != state:
            records = {name: self.archive.of(name) for name in SOURCES}
            rows = coverage.coverage(self.lake, records, self.universe, self.now)
            self._coverage = state, rows
        return self._coverage[1]

    def _reference(self) -> dict[str, pa.Table]:
        """Return what marts read beside the sources: coverage, and what no publisher says."""
        return {**self._facts, "coverage": self.coverage()}

    @cached_property
    def _facts(self) -> dict[str, pa.Table]:
        """Days, the clock, symbols, signs, and Treasury's totals of the real world."""
        signs = read_sign_conventions(self.settings.reference_dir)
        totals = read_published_totals(self.settings.reference_dir)
        is_real = self.settings.endpoints != SANDBOX
        return {
            "calendar_days": reference.calendar_days(self.settings.today),
            "clock": reference.clock(self.now),
            "universe": reference.universe_table(self.universe),
            "sign_conventions": signs.cast(SIGN_CONVENTIONS.arrow_schema),
            "published_totals": totals if is_real else totals.slice(0, 0),
        }

    @contextmanager
    def session(self, wanted: frozenset[str] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open DuckDB in memory on the wanted tables (all by default), as public at `now`."""
        inputs = engine.Inputs(
            source_files={
                name: self.lake.files(table)
                for name, table in SOURCE_TABLES.items()
                if wanted is None or table.qualified_name in wanted
            },
            mart_files={
                name: path
                for name, table in MART_TABLES.items()
                if (path := self.marts.path(table)).exists()
                and (wanted is None or table.qualified_name in wanted)
            },
            reference=self._reference(),
        )
        with engine.session(inputs) as connection:
            yield connection

    # --- publication ---------------------------------------------------------------------------

    def publish(self) -> dict[str, int]:
        """Publish sources, marts and meta as one DuckDB file; return rows per table.

        Raises PublicationError when there is nothing to publish: an empty file would look like
        news to its readers.
        """
        if not any(self.lake.files(table) for table in SOURCES_WITH_DATA):
            raise warehouse.PublicationError(
                f"not published: no source has ever been fetched into {self.lake.root}."
            )
        missing = [name for name, t in MART_TABLES.items() if not self.marts.path(t).exists()]
        if missing:
            raise warehouse.PublicationError(
                f"not published: the marts {', '.join(missing)} have never been built."
            )
        published = [table for table in PUBLISHED.values() if table.name not in PUBLICATION_TABLES]
        with self.session() as connection:
            for name, rows in self._meta_rows(connection, published).items():
                connection.register(f"{name}_arrow", rows)
                connection.execute(f"create table meta.{name} as from {name}_arrow")
            tables = [*published, *PUBLICATION_TABLES.values()]
            return warehouse.publish(connection, tables, self.settings.published_file)

    def _meta_rows(
        self, connection: duckdb.DuckDBPyConnection, published: Sequence[Table]
    ) -> dict[str, pa.Table]:
        return {
            "publication": self._publication(),
            "tables": _describe_tables(connection, published),
            "columns": _describe_columns(published),
            "freshness": self.freshness(),
            "revisions": self.lake.revisions(),
        }

    def freshness(self) -> pa.Table:
        """Return how current each source is, as published in `meta.freshness`."""
        return freshness.freshness(self.lake, self.archive, self.universe, self.now)

    def _publication(self) -> pa.Table:
        row = {
            "publication_id": uuid.uuid4().hex,
            "built_at": datetime.now(UTC).replace(tzinfo=None),
            "as_of": self.settings.today,
            "endpoints": self.settings.endpoints,
            "is_synthetic": self.settings.endpoints == SANDBOX,
            "git_sha": _git_sha(),
            "pipeline_version": __version__,
            "duckdb_version": duckdb.__version__,
            "storage_version": warehouse.STORAGE_VERSION,
        }
        return pa.Table.from_pylist([row], schema=PUBLICATION.arrow_schema)

    # --- rebuild -------------------------------------------------------------------------------

    def rebuild_lake(self) -> tuple[Path, Rebuilt]:
        """Rebuild the lake from the archive beside the old one.

        Returns the new folder, and which fetches were run again and which could not be.
        """
        target = self.settings.data_dir / ".rebuilt"
        shutil.rmtree(target, ignore_errors=True)
        return target, ingest.rebuild(self.settings, Lake(target))


def source(name: str) -> Source:
    """Return a source by name; raise KeyError that lists the names."""
    try:
        return SOURCES[name]
    except KeyError:
        raise KeyError(f"no source is called '{name}'; there are {', '.join(SOURCES)}") from None


def _describe_tables(connection: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> pa.Table:
    rows = []
    for table in tables:
        query = f"select count(*) from {table.qualified_name}"
        ((count,),) = connection.execute(query).fetchall()
        rows.append(
            {
                "schema_name": table.schema,
                "table_name": table.name,
                "row_count": count,
                "meaning": table.meaning,
                "key": ", ".join(table.key),
                "origin": table.origin or None,
            }
        )
    return pa.Table.from_pylist(rows, schema=TABLES.arrow_schema)


def _describe_columns(tables: Sequence[Table]) -> pa.Table:
    rows = [
        {
            "schema_name": table.schema,
            "table_name": table.name,
            "column_name": column.name,
            "position": position,
            "data_type": DUCKDB_TYPES[column.kind],
            "unit": column.unit_text or None,
            "is_nullable": column.nullable,
            "meaning": column.meaning,
        }
        for table in tables
        for position, column in enumerate(table.columns, start=1)
    ]
    return pa.Table.from_pylist(rows, schema=COLUMNS.arrow_schema)


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
