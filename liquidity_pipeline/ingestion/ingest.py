"""Run one source over one window: ask, archive, check, store. Nothing read is lost."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.contracts.validation import keep_sound
from liquidity_pipeline.ingestion import answer_summary, continuity
from liquidity_pipeline.sources.errors import (
    EmptyAnswerError,
    PublisherError,
    UnexpectedPayloadError,
)
from liquidity_pipeline.sources.fetch import Collected, Fetch, Split, Transport, Window
from liquidity_pipeline.sources.registry import SOURCES, Source
from liquidity_pipeline.storage.archive import Archive
from liquidity_pipeline.storage.fetch_record import FetchRecord
from liquidity_pipeline.storage.lake import Lake, Stored
from liquidity_pipeline.storage.merging import Choice
from liquidity_pipeline.universe import Universe


@dataclass(frozen=True)
class Ingested:
    """What one run of a source stored, what its publishers did not have, and if a split is new.

    `records` are those of its fetches: one, and one more per span fetched again after a split.
    """

    stored: Sequence[Stored]
    gaps: Sequence[str]
    records: Sequence[FetchRecord] = ()
    has_new_split: bool = False


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


def ingest(
    source: Source,
    window: Window,
    transport: Transport,
    *,
    lake: Lake,
    archive: Archive,
    universe: Universe,
    now: datetime,
    takes_other_units: bool = False,
) -> Ingested:
    """Fetch a window of a source into the lake, as known at `now` (naive UTC).

    Refuses known values that jumped by powers of ten, unless `takes_other_units`, and a snapshot
    without rows. Raises what went wrong, such as PublisherError or ContractBreach, after the
    archive has kept what came; the lake is then as it was. The archive is written first: nothing
    in the lake lacks its bytes.
    """
    fetch = Fetch(window, now, universe, transport, keep_body=archive.keep_body)
    try:
        collected = _collect(source, fetch)
        _refuse_empty_snapshot(source, fetch, collected.rows)
        _compare_with_known(source, fetch, collected.rows, lake, takes_other_units)
    except BaseException as error:
        archive.keep(source.name, fetch, str(error) or type(error).__name__)
        raise
    known = _known_splits(archive, source) if fetch.splits else set()
    has_new_split = bool(fetch.splits - known)
    dated = {table.name: table for table in source.tables if source.partitioned}
    rows = collected.rows
    record = archive.keep(
        source.name,
        fetch,
        None,
        present={n: answer_summary.digests(t, rows[n]) for n, t in dated.items()},
        doubtful={n: answer_summary.doubtful(t, rows[n], window.months) for n, t in dated.items()},
    )
    stored = _store(source, collected, lake, record, known)
    return Ingested(stored, record.gaps, [record], has_new_split)


def _refuse_empty_snapshot(source: Source, fetch: Fetch, rows: Collected) -> None:
    """Refuse a snapshot without rows that nothing explains.

    It would replace nothing, and an older snapshot would be taken for the answer of today.
    """
    is_explained = fetch.gaps or any(table.can_become_empty for table in source.tables)
    if not source.partitioned and not is_explained and not any(map(len, rows.values())):
        raise EmptyAnswerError("an answer without rows", publisher=source.publishers[0])


def _compare_with_known(
    source: Source, fetch: Fetch, rows: Collected, lake: Lake, takes_other_units: bool
) -> None:
    """Refuse other units, and name columns that fell empty; a split moves prices by design."""
    months = fetch.window.months
    is_compared = not takes_other_units and not fetch.splits
    for table in source.tables:
        new = rows[table.name]
        known = lake.read_months(table, months) if source.partitioned else lake.read(table)
        if not _is_same(table, known, new):
            if is_compared and (problem := continuity.other_units(table, known, new)):
                answer = fetch.answers[-1][2]
                raise UnexpectedPayloadError(problem, publisher=answer.publisher, url=answer.url)
            _tell_of_rebased(fetch, continuity.rebased(table, known, new))
        before, when = known, "in the answer before"
        if source.partitioned:
            last = (months[0] - timedelta(days=1)).replace(day=1)
            before, when = lake.read_months(table, [last]), f"in {last:%Y-%m}"
        continuity.fell_empty(table, before, when, new, fetch.gap)


def _is_same(table: Table, known: pa.Table, new: pa.Table) -> bool:
    """Tell whether checked rows, which are sorted by their key, are those that are known."""
    if known.num_rows != new.num_rows:
        return False
    return bool(known.sort_by([(name, "ascending") for name in table.key]).equals(new))


def _tell_of_rebased(fetch: Fetch, found: Sequence[continuity.Rebased]) -> None:
    """Take a change of basis of which its provider has not told as a split."""
    told = {(publisher, symbol) for publisher, symbol, _, _ in fetch.splits}
    symbols = {
        (asset.symbol, publisher): symbol
        for asset in (*fetch.universe.index, *fetch.universe.crypto)
        for publisher, symbol in asset.provider_symbols()
    }
    for each in found:
        symbol = symbols.get((each.entity, each.provider))
        if symbol and (each.provider, symbol) not in told:
            fetch.split(each.provider, symbol, each.since, f"times {each.factor:.4g}")


def rebuild(archive: Archive, lake: Lake) -> Rebuilt:
    """Fill an empty lake from the archive alone, in the order of the original fetches.

    A record that cannot be run again (damaged, asked for otherwise today, against today's
    contract) is returned as a failure and stops none of the others.
    """
    count, failures = 0, []
    known: dict[str, set[Split]] = {}
    for path in archive.record_files():
        what = path.parent.name
        try:
            record = FetchRecord.load(path)
            if record.error is not None:
                continue
            what = f"{record.source} {record.window.start} … {record.window.end}"
            source = SOURCES[record.source]
            collected = _collect(source, archive.replay(record))
        except _NOT_REPLAYABLE as error:
            failures.append(NotReplayed(what, path, f"{type(error).__name__}: {error}"))
            continue
        _store(source, collected, lake, record, known.setdefault(source.name, set()))
        count += 1
    return Rebuilt(count, failures)


def restore(
    source: Source,
    gone: Mapping[str, Collection[date]],
    records: Sequence[FetchRecord],
    archive: Archive,
    lake: Lake,
) -> list[Stored]:
    """Put months back whose files are gone, by table, from the source's good records, oldest first.

    What cannot be run again stays away, and is fetched.
    """
    only = {table.name: gone.get(table.name, ()) for table in source.tables}
    stored: list[Stored] = []
    known: set[Split] = set()
    for record in records:
        try:
            collected = _collect(source, archive.replay(record))
        except _NOT_REPLAYABLE:
            continue
        stored += _store(source, collected, lake, record, known, only=only)
    return stored


@dataclass(frozen=True)
class _Collected:
    """The checked rows by table, and what the fetch says about rows that are not among them."""

    rows: Collected
    incomplete: frozenset[str]
    withdrawn: frozenset[str]


def _collect(source: Source, fetch: Fetch) -> _Collected:
    """Check all tables before any is stored: they are from the same answers and go together."""
    collected = source.collect(fetch)
    rows, incomplete = {}, set()
    for table in source.tables:

        def name(problem: str, table: Table = table) -> None:
            incomplete.add(table.name)
            fetch.gap(f"{table.name}: {problem}")

        rows[table.name] = keep_sound(table, collected[table.name], name)
    return _Collected(rows, frozenset(incomplete), frozenset(fetch.withdrawn))


def _store(
    source: Source,
    collected: _Collected,
    lake: Lake,
    record: FetchRecord,
    known_splits: set[Split],
    *,
    only: Mapping[str, Collection[date]] | None = None,
) -> list[Stored]:
    """Store what was collected; `only` limits it to some months by table.

    `known_splits` are those of earlier records, and grow by this one's.
    """
    stored: list[Stored] = []
    _set_aside(source, lake, record, known_splits, only)
    for table in source.tables:
        rows, seen_at, as_of = collected.rows[table.name], record.kept_at, record.stands_for
        if not source.partitioned:
            stored.append(lake.store_snapshot(table, rows, seen_at, as_of=as_of, checked=True))
            continue
        months = record.window.months
        stored += lake.store(
            table,
            rows,
            [m for m in months if only is None or m in only[table.name]],
            seen_at,
            as_of=as_of,
            checked=True,
            keep_after=_keep_after(table, record, collected.incomplete),
            withdrawn=collected.withdrawn,
            choice=_choice(table, record),
        )
    return stored


def _set_aside(
    source: Source,
    lake: Lake,
    record: FetchRecord,
    known: set[Split],
    only: Mapping[str, Collection[date]] | None,
) -> None:
    """Take rows on the basis before a split out of the lake when the split is first seen.

    All that was fetched before is on the old basis, and wrong beside the new rows. In the months of
    the record's window these take their place; months before it are fetched again.
    """
    new, table = record.splits - known, source.tables[0]
    known |= new
    if table.entity is None:
        return
    for publisher, symbol, _, _ in sorted(new):
        for entity in _entities(record, publisher, symbol):
            months = only[table.name] if only is not None else None
            lake.set_aside(
                table,
                entity,
                record.window.end,
                record.kept_at,
                as_of=record.stands_for,
                months=months,
            )


def _entities(record: FetchRecord, publisher: str, symbol: str) -> list[str]:
    """Return the followed symbols that a provider knows by its own."""
    universe = Universe.from_dict(record.universe, str(record.path))
    return [
        asset.symbol
        for asset in (*universe.index, *universe.crypto)
        if (publisher, symbol) in asset.provider_symbols()
    ]


def _known_splits(archive: Archive, source: Source) -> set[Split]:
    return {split for fetch in archive.asked(source.name).good for split in fetch.splits}


def _choice(table: Table, record: FetchRecord) -> Choice:
    """Return the order in which each symbol's providers are believed."""
    if table.provider is None:
        return {}
    universe = Universe.from_dict(record.universe, str(record.path))
    return {
        (asset.symbol, provider): rank
        for asset in (*universe.index, *universe.crypto)
        for rank, (provider, _) in enumerate(asset.provider_symbols())
    }


def _keep_after(table: Table, record: FetchRecord, incomplete: Collection[str]) -> date | None:
    """Return the day after which the answer's silence is no withdrawal, or None if it always is.

    Where a part did not come, or rows were left out as broken, that is from the beginning. A gap
    with a good answer, such as an operation without an amount, is a row that was left out on
    purpose; only where gaps name entities may it mean an answer that could not be used. A
    fetch as of an earlier day asked up to that day; today's fetch knows of all days to come what is
    known of them.
    """
    if record.missed or table.name in incomplete or (table.entity and record.gaps):
        return date.min
    return record.day if record.is_as_of else None
