"""Run one source over one window: ask, archive, check, store. Nothing read is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date
from pathlib import Path

from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.contracts.validation import validate
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.errors import PublisherError
from liquidity_pipeline.sources.fetch import Collected, Fetch, Transport, Window
from liquidity_pipeline.sources.registry import SOURCES, Source
from liquidity_pipeline.storage.archive import Archive, FetchRecord
from liquidity_pipeline.storage.lake import Lake, Stored
from liquidity_pipeline.universe import Universe


@dataclass(frozen=True)
class Ingested:
    """What one run of a source stored, and what its publishers did not have."""

    stored: Sequence[Stored]
    gaps: Sequence[str]


@dataclass(frozen=True)
class NotReplayed:
    """An archived fetch that could not be run again: source and window, its record, and why."""

    what: str
    record: Path
    error: str

    def __str__(self) -> str:
        """Say it in one line."""
        return " ".join(f"{self.what}: {self.error} ({self.record})".split())


@dataclass(frozen=True)
class Rebuilt:
    """How many fetches were run again from the archive, and which could not be."""

    fetches: int
    failures: Sequence[NotReplayed]


# What a source, a contract or the archive raises about a record. A full disk is none of these.
_NOT_REPLAYABLE = (PublisherError, ValueError, LookupError, TypeError, AttributeError)


def ingest(source: Source, window: Window, settings: Settings, transport: Transport) -> Ingested:
    """Fetch a window of a source into the lake.

    Raises PublisherError or ContractBreach (or whatever else went wrong) after the archive has
    kept what came; the lake is then as it was. The archive is written before the lake, so that
    nothing in the lake lacks its bytes.
    """
    archive, lake = Archive(settings.archive_dir), Lake(settings.lake_dir)
    fetch = Fetch(
        window=window,
        now=settings.now.astimezone(UTC).replace(tzinfo=None),
        universe=Universe.load(settings.reference_dir),
        transport=transport,
    )
    try:
        collected = _checked(source, source.collect(fetch))
    except BaseException as error:
        archive.keep(source.name, fetch, str(error) or type(error).__name__)
        raise
    record = archive.keep(source.name, fetch, None)
    stored = _store(source, collected, lake, record)
    return Ingested(stored, record.gaps)


def rebuild(settings: Settings, lake: Lake) -> Rebuilt:
    """Fill an empty lake from the archive alone, in the order of the original fetches.

    A record that cannot be run again (damaged, asked for otherwise today, against today's
    contract) is returned as a failure and stops none of the others.
    """
    archive = Archive(settings.archive_dir)
    count, failures = 0, []
    for path in archive.record_files():
        what = path.parent.name
        try:
            record = FetchRecord.load(path)
            if record.error is not None:
                continue
            what = f"{record.source} {record.window.start} … {record.window.end}"
            source = SOURCES[record.source]
            collected = _checked(source, source.collect(archive.replay(record)))
        except _NOT_REPLAYABLE as error:
            failures.append(NotReplayed(what, path, f"{type(error).__name__}: {error}"))
            continue
        _store(source, collected, lake, record)
        count += 1
    return Rebuilt(count, failures)


def _checked(source: Source, collected: Collected) -> Collected:
    """Check all tables before any is stored: they are from the same answers and go together."""
    return {table.name: validate(table, collected[table.name]) for table in source.tables}


def _store(source: Source, collected: Collected, lake: Lake, record: FetchRecord) -> list[Stored]:
    stored = []
    for table in source.tables:
        rows, seen_at = collected[table.name], record.kept_at
        if source.partitioned:
            keep_after = _keep_after(table, record)
            stored += lake.store(table, rows, record.window.months, seen_at, keep_after=keep_after)
        else:
            stored.append(lake.store_snapshot(table, rows, seen_at))
    return stored


def _keep_after(table: Table, record: FetchRecord) -> date | None:
    """Return the day after which the answer's silence is no withdrawal, or None if it always is.

    Where a part did not come, that is from the beginning. A gap with a good answer, such as an
    operation without an amount, is a row that was left out on purpose; only where gaps name
    entities may it stand for an answer that could not be used. A fetch as of an earlier day asked
    up to that day; today's fetch knows of all days to come what is known of them.
    """
    if record.missed or (table.entity and record.gaps):
        return date.min
    return record.day if record.is_as_of else None
