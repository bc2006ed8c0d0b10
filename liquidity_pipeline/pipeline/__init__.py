"""The steps of the pipeline, in order, without an orchestrator: fetch, build, publish.

Orchestration names, schedules and records these steps; the command line and the tests call them
too. What a step computes is in sources, storage and models.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from liquidity_pipeline import engines
from liquidity_pipeline.brief import edition
from liquidity_pipeline.brief.model import Brief
from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.sources.policy import POLICY_EVENTS
from liquidity_pipeline.ingestion import (
    completeness,
    coverage,
    freshness,
    ingest,
    status_note,
    traffic,
)
from liquidity_pipeline.ingestion.due_days import Expectation
from liquidity_pipeline.ingestion.fetch_history import FetchHistory, summarize
from liquidity_pipeline.ingestion.ingest import Ingested, Rebuilt
from liquidity_pipeline.models import building, engine, mart_inputs
from liquidity_pipeline.models.build_stamp import BuildStamps, next_changes
from liquidity_pipeline.models.building import BuiltMart
from liquidity_pipeline.models.lake_contents import LakeContents
from liquidity_pipeline.models.mart_inputs import MartInputs
from liquidity_pipeline.models.reconciled import Outcome, Reconciled
from liquidity_pipeline.models.reconciliations.reconciliation import (
    Reconciliation,
    ReconciliationResult,
    evaluate,
)
from liquidity_pipeline.pipeline import inputs, publication, sharing
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.errors import PublisherError
from liquidity_pipeline.sources.fetch import Transport, Window
from liquidity_pipeline.sources.reference import read_policy_events
from liquidity_pipeline.sources.registry import SOURCES, Source
from liquidity_pipeline.storage import warehouse
from liquidity_pipeline.storage.archive import Archive
from liquidity_pipeline.storage.files import unfinished
from liquidity_pipeline.storage.lake import Lake, Stored
from liquidity_pipeline.universe import Universe

if TYPE_CHECKING:
    import duckdb


@dataclass
class Pipeline:
    """All steps for one set of settings. One HTTP client is shared by all sources.

    `takes_other_units` stores values that jumped by powers of ten: see `ingestion.continuity`.

    `sandbox_url` is the address at which `liquidity sandbox` serves.

    >>> pipeline = Pipeline(Settings(folder, endpoints=sandbox_url, as_of=date(2026, 2, 6)))
    >>> window = Window.of_months(date(2026, 1, 1), date(2026, 2, 6))
    >>> pipeline.ingest(SOURCES["tga_balance"], window).gaps
    []
    >>> pipeline.build_mart("tga_daily").rows
    24
    >>> rows_by_table = pipeline.publish()
    >>> with warehouse.reading(pipeline.settings.published_file) as connection:
    ...     connection.sql("select max(record_date) from marts.tga_daily").fetchone()
    (datetime.date(2026, 2, 5),)
    """

    settings: Settings
    transport: Transport | None = None
    takes_other_units: bool = False
    lake: Lake = field(init=False)
    marts: Lake = field(init=False)
    archive: Archive = field(init=False)

    def __post_init__(self) -> None:
        """Open the folders; nothing is created before the first write."""
        self.lake, self.archive = sharing.stores(self.settings)
        self.marts = Lake(self.settings.marts_dir)
        self._stamps = BuildStamps(self.settings.marts_dir)
        self._reconciled = Reconciled(self.settings.marts_dir)
        self._coverage: tuple[object, pa.Table] | None = None
        self._lake_contents = LakeContents(self.lake)

    @cached_property
    def client(self) -> Transport:
        """The network, unless another transport was given."""
        from liquidity_pipeline.sources.http import HttpClient

        return self.transport or HttpClient(self.settings)

    @cached_property
    def universe(self) -> Universe:
        """The followed symbols."""
        return Universe.load(self.settings.reference_dir)

    @cached_property
    def now(self) -> datetime:
        """The moment of this run, naive UTC: one for all of its steps."""
        return self.settings.now.astimezone(UTC).replace(tzinfo=None)

    # --- sources -------------------------------------------------------------------------------

    def ingest(self, source: Source, window: Window) -> Ingested:
        """Fetch one source over a window; see `ingestion.ingest`.

        Where that tells of a split, the months before the window are fetched again at once. Should
        that fail it is a named gap: their rows are set aside, and the next run asks for them.
        """
        self.settings.claim_data_dir()
        self._refresh(source)
        done = self._ingest(source, window)
        gaps, records = list(done.gaps), list(done.records)
        rebased = self._history(source).rebased if done.has_new_split else ()
        for span in completeness.spans(sorted(rebased)):
            try:
                again = self._ingest(source, span)
            except PublisherError as error:
                gaps.append(
                    f"{source.name}: {span.start:%Y-%m} … {span.end:%Y-%m} must be fetched again "
                    f"after a split, which failed: {error.problem}"
                )
            else:
                gaps += again.gaps
                records += again.records
        return Ingested(done.stored, list(dict.fromkeys(gaps)), records)

    def _ingest(self, source: Source, window: Window) -> Ingested:
        return ingest.ingest(
            source,
            window,
            self.client,
            lake=self.lake,
            archive=self.archive,
            universe=self.universe,
            now=self.now,
            takes_other_units=self.takes_other_units,
        )

    def _refresh(self, source: Source | None = None) -> None:
        """Take over what other machines have fetched, where they share an object store."""
        self.archive.refresh(source.name if source else None)
        self.lake.refresh(source.tables if source else None)

    def _history(self, source: Source) -> FetchHistory:
        return summarize(self.archive.asked(source.name).good, self.settings.today)

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
                present = self.lake.present_days(table)
                gaps += completeness.missing(present, table, self.universe, window, self.now)
        return gaps

    def ranges_to_fetch(self, source: Source, window: Window) -> list[Window]:
        """Return the spans of months that an incremental run has to fetch.

        Months whose files are gone are put back from the archive first.
        """
        self._refresh(source)
        history = self._history(source)
        with self.lake.looking_once():
            if gone := completeness.gone(source, self.lake, history, window):
                records = self.archive.good(source.name)
                ingest.restore(source, gone, records, self.archive, self.lake)
            return completeness.ranges_to_fetch(
                source, self.lake, self.universe, window, self.now, asked=history
            )

    # --- marts ---------------------------------------------------------------------------------

    def build_mart(self, name: str) -> Stored:
        """Build one mart from the lake and the marts before it, and store it as Parquet."""
        (built,) = self.build_marts([name])
        if built.stored is None:
            raise built.error or ValueError(built.failure)
        return built.stored

    def build_marts(
        self, names: Iterable[str], checks: Sequence[Reconciliation] = ()
    ) -> Iterator[BuiltMart]:
        """Build marts in the order given, in one session; yield the outcome of each.

        A mart that fails keeps its last good file, and so do those that read it; all others are
        built, and reconciled by their `checks`. One that must not be published stays stale.
        """
        names = list(names)
        self._refresh()
        made_of = self._mart_inputs()
        self._stamps.clear(names)
        wanted = frozenset[str]().union(*(engine.upstream(name) for name in names))
        wanted = wanted.union(*(check.reads for check in checks))
        wanted |= {f"sources.{t}" for name in names for t in mart_inputs.source_tables(name)}
        done: list[str] = []
        found: list[Outcome] = []
        with (
            self.session(wanted) as connection,
            engines.opened(self.settings, self.lake, self.marts) as compute,
        ):
            for built in building.build_marts(
                names, connection, self.marts, self.now, checks=checks, compute=compute
            ):
                if not built.failure and not built.is_contradicted:
                    done.append(built.name)
                    found += built.results
                yield inputs.with_unreadable_files(built, self.lake)
                del built
            changes = next_changes(connection, self.settings.today, mart_inputs.tables_of(done))
            self._stamps.add(made_of.stamps(done, self.now, changes))
            self._reconciled.add(found, made_of, self.now, changes, names)

    def stale_marts(self) -> list[str]:
        """Return the marts that a build now could change, in the order of building.

        With a file that cannot be read these are all; the build names the file.
        """
        self._refresh()
        try:
            return self._mart_inputs().stale(self._stamps.read(), self.now)
        except ValueError:
            return engine.build_order()

    def _mart_inputs(self) -> MartInputs:
        with self.lake.looking_once():
            facts, reach = self.settings.reference_dir, self.coverage()
            return MartInputs.read(self._lake_contents, facts, reach, self.marts)

    def evaluate_all(self, checks: Sequence[Reconciliation]) -> list[ReconciliationResult]:
        """Run reconciliations in one session; return their results in the same order."""
        wanted = frozenset[str]().union(*(check.reads for check in checks))
        with self.session(wanted) as connection:
            return [evaluate(check, connection) for check in checks]

    def reconcile(self, checks: Sequence[Reconciliation]) -> list[ReconciliationResult]:
        """Return what `evaluate_all` would, without running what compares nothing new."""
        return self._reconciled.results(
            checks, self._mart_inputs, self.now, self.settings.today, self.session
        )

    def coverage(self) -> pa.Table:
        """Return how far each input is known, as published in `meta.coverage`.

        Read once as long as neither the lake nor the archive changes.
        """
        held = [self.lake.state(table) for table in SOURCE_TABLES.values()]
        state = (held, self.archive.state())
        if self._coverage is None or self._coverage[0] != state:
            asked = {name: self.archive.asked(name, by=self.now) for name in SOURCES}
            rows = coverage.coverage(self.lake, asked, self.universe, self.now)
            self._coverage = state, rows
        return self._coverage[1]

    @cached_property
    def _facts(self) -> dict[str, pa.Table]:
        return inputs.facts(self.settings, self.universe, self.now)

    @contextmanager
    def session(self, wanted: frozenset[str] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open DuckDB in memory on the wanted tables (all by default), as public at `now`."""
        facts = self._facts | {"coverage": self.coverage()}
        past = self.archive if self.settings.as_of else None
        held = inputs.gather(self.lake, self.marts, facts, wanted, archive=past)
        with engine.session(held) as connection:
            yield connection

    # --- publication ---------------------------------------------------------------------------

    def publish(self, elsewhere: Path | None = None) -> dict[str, int]:
        """Publish sources, marts and meta as one DuckDB file; return rows per table.

        The brief is computed from the new file and written beside it. The brief of a file that is
        published elsewhere is not kept among those of the days.

        Raises PublicationError when there is nothing to publish: an empty file would look like
        news to its readers.
        """
        import duckdb

        published = publication.tables(self.lake, self.never_built())
        target = elsewhere or self.settings.published_file
        contents = self._contents()
        briefs = self.settings.briefs_dir
        brief = edition.Edition(edition.previous(briefs, self.settings.today))
        with self.session() as connection:
            meta = publication.meta_rows(
                connection,
                published,
                self.settings,
                freshness=contents.freshness,
                revisions=self.lake.revisions(until=self.now if self.settings.as_of else None),
                runs=traffic.runs(self.archive, self.now),
                signs=self._facts["sign_conventions"],
            )
            try:
                counts = publication.write(connection, published, meta, target, brief.figures)
            except duckdb.Error as error:
                why = "; ".join(inputs.unreadable(self.lake)) or error
                raise warehouse.PublicationError(f"not published: {why}") from error
        brief.write(target, None if elsewhere else briefs)
        if elsewhere is None:
            contents.note(self.settings, meta["publication"]["built_at"][0].as_py())
        return counts

    def is_published(self) -> bool:
        """Tell whether the published file and its brief say all that a new publication would.

        If so it is noted for `status` when each source was asked, which alone has changed.
        """
        built_at = status_note.built_at(self.settings)
        if built_at is None or sharing.is_shared(self.settings):
            return False
        contents = self._contents()
        if not contents.are_published(self.settings):
            return False
        contents.note(self.settings, built_at.replace(tzinfo=None))
        return True

    def _contents(self) -> publication.Contents:
        with self.lake.looking_once():
            return publication.Contents.read(
                self.settings, self._expectations, self.coverage, self.now
            )

    def never_built(self) -> list[str]:
        """Return the marts that have no file: they are absent from a publication, not empty."""
        return [name for name, t in MART_TABLES.items() if not self.marts.path(t).exists()]

    def freshness(self) -> pa.Table:
        """Return how current each source is, as published in `meta.freshness`."""
        self._refresh()
        with self.lake.looking_once():
            return freshness.as_table(self._expectations(), self.now)

    def _expectations(self) -> Iterator[Expectation]:
        return freshness.expectations(self.lake, self.archive, self.universe, self.now)

    # --- brief ---------------------------------------------------------------------------------

    def brief(self) -> Brief:
        """Return the brief of the published file: the one written with it, or computed from it.

        Raises FileNotFoundError where nothing has been published.
        """
        return edition.current(self.settings.published_file, self.settings.briefs_dir)

    def write_brief(self) -> list[Path]:
        """Render the brief beside the published file in every language; return the pages."""
        return edition.write_pages(self.brief(), self.settings.published_file)

    def brief_as_of(self, day: date) -> Brief:
        """Return the brief as it would have been at the end of a past day.

        All marts are built from what was public by then, in a folder of their own that is deleted
        afterwards: it takes as long as a run without its fetching.
        """
        past = Pipeline(replace(self.settings, as_of=day))
        with unfinished(self.settings.scratch_dir) as scratch:
            past.marts, past._stamps = Lake(scratch), BuildStamps(scratch)
            past._reconciled = Reconciled(scratch)
            target = scratch / self.settings.published_file.name
            list(past.build_marts(engine.build_order()))
            past.publish(target)
            return edition.current(target, self.settings.briefs_dir)

    # --- rebuild -------------------------------------------------------------------------------

    @contextmanager
    def rebuilt_lake(self) -> Iterator[tuple[Path, Rebuilt]]:
        """Rebuild the lake from the archive beside the old one.

        Gives the new folder, which is deleted after the block unless it was moved, and which
        fetches were run again and which could not be.
        """
        with unfinished(self.settings.scratch_dir) as folder:
            yield folder, ingest.rebuild(self.archive, Lake(folder))
