"""Run one source over one window: ask, archive, check, store. Nothing read is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from liquidity_pipeline.contracts.validation import validate
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.fetch import Collected, Fetch, Transport, Window
from liquidity_pipeline.sources.registry import SOURCES, Source
from liquidity_pipeline.storage.archive import Archive
from liquidity_pipeline.storage.lake import Lake, Stored
from liquidity_pipeline.universe import Universe


@dataclass(frozen=True)
class Ingested:
    """What one run of a source stored, and what its publishers did not have."""

    stored: Sequence[Stored]
    gaps: Sequence[str]


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
    stored = _store(source, window, collected, lake, record.kept_at)
    return Ingested(stored, record.gaps)


def rebuild(settings: Settings, lake: Lake) -> int:
    """Fill an empty lake from the archive alone, in the order of the original fetches.

    Returns the number of fetches that were run again.
    """
    archive = Archive(settings.archive_dir)
    count = 0
    for record in archive.records():
        if record.error is None:
            source = SOURCES[record.source]
            collected = _checked(source, source.collect(archive.replay(record)))
            _store(source, record.window, collected, lake, record.kept_at)
            count += 1
    return count


def _checked(source: Source, collected: Collected) -> Collected:
    """Check all tables before any is stored: they are from the same answers and go together."""
    return {table.name: validate(table, collected[table.name]) for table in source.tables}


def _store(
    source: Source, window: Window, collected: Collected, lake: Lake, seen_at: datetime
) -> list[Stored]:
    stored = []
    for table in source.tables:
        rows = collected[table.name]
        if source.partitioned:
            stored += lake.store(table, rows, window.months, seen_at)
        else:
            stored.append(lake.store_snapshot(table, rows, seen_at))
    return stored
