"""Partitioned Parquet, the truth of the project: one file per table and month.

    lake/<table>/month=2026-02/<table>.parquet
    lake/<table>/<table>.parquet                 tables without partitions
    lake/.gathered/<table>.parquet               all months of a table, derived: see `gathered`

Rows are checked against their contract before a file is touched, equal rows leave the file as it
is, and a changed value is noted as a revision.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from liquidity_pipeline.contracts.meta import REVISIONS
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.contracts.validation import conform, validate
from liquidity_pipeline.storage.files import Mark, mark_of, names_in, replacing
from liquidity_pipeline.storage.gathered import gather
from liquidity_pipeline.storage.held_days import days_by_entity, different_days
from liquidity_pipeline.storage.held_files import HeldFiles, HeldTables, present
from liquidity_pipeline.storage.merging import NO_CHOICE, Choice, kept_rows, merge
from liquidity_pipeline.storage.recent_files import RecentFiles, read_file
from liquidity_pipeline.storage.revisions import (
    Seen,
    compare,
    months_of_both,
    not_in,
    of_interrupted_write,
)
from liquidity_pipeline.storage.row_hash import hash_rows

# From as many files on it pays to gather them.
_MANY = 13
_CONTENT = b"content_sha256"
# Rows are encoded in memory a group at a time; groups of this size are what DuckDB reads at once.
_ROW_GROUP = 122_880
# How the moment of a revision is written in the name of its file.
_SEEN = "%Y%m%dT%H%M%S%f"

PresentDays = Mapping[str, frozenset[date]]


@dataclass(frozen=True)
class Stored:
    """The state of one partition after a write; `version` is a hash of its rows."""

    table: Table
    month: date | None
    rows: int
    version: str
    changed: bool
    revised: int


class Lake:
    """The Parquet files under one folder.

    >>> from datetime import date, datetime
    >>> from liquidity_pipeline.contracts.sources.federal_reserve import FED_BALANCE_SHEET
    >>> week = {"observation_date": date(2026, 2, 4), "series": "WALCL"}
    >>> week |= {"value_usd_mn": 6_600_000.0, "known_at": datetime(2026, 2, 5, 21, 30)}
    >>> rows = pa.Table.from_pylist([week], schema=FED_BALANCE_SHEET.arrow_schema)
    >>> lake = Lake(folder)
    >>> month, seen_at = date(2026, 2, 1), datetime(2026, 2, 5, 22)
    >>> [stored.rows for stored in lake.store(FED_BALANCE_SHEET, rows, [month], seen_at)]
    [1]
    >>> lake.read(FED_BALANCE_SHEET, ["series", "value_usd_mn"]).to_pylist()
    [{'series': 'WALCL', 'value_usd_mn': 6600000.0}]
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._scratch = root / ".unfinished"
        self._days: dict[str, tuple[str, PresentDays]] = {}
        self._versions: dict[Path, tuple[Mark, str | None]] = {}
        self._tables = HeldTables(root)
        self._recent = RecentFiles()

    def refresh(self, tables: Collection[Table] | None = None) -> None:
        """Take over what other machines have stored; for a lake on this machine, do nothing."""

    def path(self, table: Table, month: date | None = None) -> Path:
        """Return the path of a partition, whether it exists or not."""
        folder = self.root / table.name
        if month is not None:
            folder = folder / f"month={month:%Y-%m}"
        return folder / f"{table.name}.parquet"

    def looking_once(self) -> AbstractContextManager[None]:
        """Look for the files of each table once while the block lasts.

        What others write meanwhile is not seen in the block; what is written here is.
        """
        return self._tables.looking_once()

    def months(self, table: Table) -> list[date]:
        """Return the months that exist, oldest first."""
        return self._tables.files(table.name).months

    def files(self, table: Table) -> list[Path]:
        """Return all files of a table, oldest month first."""
        return list(self._tables.files(table.name).paths)

    def gathered(self, table: Table) -> list[Path]:
        """Return files with all rows of a table: one that is made of its months, where it can be.

        It cannot where a month cannot be read or nothing can be written; then these are the months.
        """
        return self._gathered(table, self._tables.files(table.name))

    def _gathered(self, table: Table, files: HeldFiles) -> list[Path]:
        if len(files.paths) < _MANY:
            return list(files.paths)
        columns = table.arrow_schema.names
        target = self.root / ".gathered" / f"{table.name}.parquet"
        try:
            gather(target, files, table.arrow_schema, lambda path: read_file(table, path, columns))
        except (ValueError, OSError):
            return list(files.paths)
        return [target]

    def read(self, table: Table, columns: Sequence[str] | None = None) -> pa.Table:
        """Return all rows of a table; an absent table is an empty one."""
        return self._read_files(table, self.gathered(table), columns)

    def read_months(
        self, table: Table, months: Sequence[date], columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Return the rows of some months; absent months have no rows."""
        paths = [path for month in months if (path := self.path(table, month)).exists()]
        if len(paths) < _MANY or len(paths) < len(self.files(table)):
            return self._read_files(table, paths, columns)
        return self.read(table, columns)

    def present_days(self, table: Table) -> PresentDays:
        """Return the days of observation that are held of each entity, or of "" without entities.

        They are read once, as long as no file of the table is replaced.
        """
        assert table.day is not None  # noqa: S101 - only tables with a day are asked for
        state = self.state(table)
        known = self._days.get(table.name)
        if known is None or known[0] != state:
            columns = [table.day, *([table.entity] if table.entity else [])]
            known = state, _days_by_entity(table, self.read(table, columns))
            self._days[table.name] = known
        return known[1]

    def state(self, table: Table) -> str:
        """Return what changes whenever a file of a table comes, goes, or is replaced."""
        return self.settled_state(table)[0]

    def settled_state(self, table: Table) -> tuple[str, bool]:
        """Return the state of a table, and whether no change could leave it as it is."""
        files = self._tables.files(table.name)
        state = hashlib.blake2b(repr((files.names, files.marks)).encode(), digest_size=12)
        return state.hexdigest(), all(map(files.is_settled, files.marks))

    def version(self, table: Table, month: date | None = None) -> str | None:
        """Return the hash of a partition's rows, or None when there is no such file."""
        path = self.path(table, month)
        try:
            mark = mark_of(path)
        except FileNotFoundError:
            return None
        known = self._versions.get(path)
        if known is None or known[0] != mark:
            content = (pq.read_schema(path).metadata or {}).get(_CONTENT)
            known = self._versions[path] = mark, content.decode() if content else None
        return known[1]

    def store(
        self,
        table: Table,
        rows: pa.Table,
        months: Sequence[date],
        seen_at: datetime,
        *,
        as_of: datetime | None = None,
        checked: bool = False,
        keep_after: date | None = None,
        withdrawn: Collection[str] = (),
        choice: Choice = NO_CHOICE,
    ) -> list[Stored]:
        """Replace the partitions of the given months by the rows, each atomically.

        All rows are checked first, unless they are `checked`: ContractBreach leaves every file as
        it was. A month without rows is written only where emptiness means something, see
        `_may_be_empty`. The answer says nothing about days after `keep_after`: stored rows of such
        days that it lacks are kept, but for those with a `withdrawn` key that were never full.
        `choice` ranks (entity, provider): a row of a later choice replaces none of an earlier one.
        Runs as of `as_of` (`seen_at` by default) or later see what is revised.
        """
        checked_rows = rows if checked else validate(table, rows)
        seen = Seen(seen_at, as_of or seen_at)
        month_of = pc.floor_temporal(checked_rows[table.day], unit="month").cast(pa.date32())
        stored = []
        for month in months:
            inside = pc.equal(month_of, pa.scalar(month, pa.date32()))
            part = checked_rows.filter(inside)
            if part.num_rows or self._may_be_empty(table, month):
                old = self._old_rows(table, month)
                if old is not None and not part.equals(old):
                    elsewhere = checked_rows.filter(pc.invert(inside))
                    kept = kept_rows(
                        table, old, part, elsewhere, keep_after=keep_after, withdrawn=withdrawn
                    )
                    part = merge(table, part, kept, old, choice)
                stored.append(self._replace_partition(table, month, part, old, seen))
        return stored

    def set_aside(
        self,
        table: Table,
        entity: str,
        until: date,
        seen_at: datetime,
        *,
        as_of: datetime | None = None,
        months: Collection[date] | None = None,
    ) -> None:
        """Take all rows of an entity out of the months until a day, or out of some of these.

        They are on the basis before a split.
        """
        seen = Seen(seen_at, as_of or seen_at, "rebased")
        for month in self.months(table):
            if month > until or (months is not None and month not in months):
                continue
            old = self._recent.read(table, self.path(table, month), table.arrow_schema.names)
            rest = conform(table, old.filter(pc.not_equal(old[table.entity], entity)))
            if rest.num_rows < old.num_rows:
                self._replace_partition(table, month, rest, old, seen)

    def store_snapshot(
        self,
        table: Table,
        rows: pa.Table,
        seen_at: datetime,
        *,
        as_of: datetime | None = None,
        checked: bool = False,
        computed: bool = False,
    ) -> Stored:
        """Replace a table without partitions; `checked` rows have been through `validate`.

        No rows at all replace nothing that was fetched: a file that was there and is gone is more
        likely a fault than news, unless the table can become empty. What was `computed` is empty
        where nothing is known any more, and the rows of an earlier day would say otherwise.
        """
        rows = rows if checked else validate(table, rows)
        seen, old = Seen(seen_at, as_of or seen_at), None
        if not computed:
            # It is replaced whole: old rows that cannot be read, perhaps of an older contract, do
            # not matter.
            with suppress(ValueError):
                old = self._old_rows(table, None)
        if old is not None and old.num_rows and not rows.num_rows and not table.can_become_empty:
            version = self.version(table) or hash_rows(old)
            return Stored(table, None, old.num_rows, version, changed=False, revised=0)
        noted = old if table.notes_revisions else None
        return self._replace_partition(table, None, rows, noted, seen)

    def _may_be_empty(self, table: Table, month: date) -> bool:
        """Tell whether no rows is an answer: for a daily series never, for events the first time.

        Events that were there and are gone are more likely a fault than news.
        """
        if table.can_become_empty:
            return True
        return not table.releases and not self.path(table, month).exists()

    def _old_rows(self, table: Table, month: date | None) -> pa.Table | None:
        path = self.path(table, month)
        columns = table.arrow_schema.names
        return self._recent.read(table, path, columns) if path.exists() else None

    def _replace_partition(
        self,
        table: Table,
        month: date | None,
        rows: pa.Table,
        old: pa.Table | None,
        seen: Seen,
    ) -> Stored:
        version = hash_rows(rows)
        if self.version(table, month) == version:
            return Stored(table, month, rows.num_rows, version, changed=False, revised=0)
        revised = self._note_revisions(table, month, old, rows, seen) if old is not None else 0
        self._write(
            self.path(table, month), rows.replace_schema_metadata({_CONTENT: version.encode()})
        )
        return Stored(table, month, rows.num_rows, version, changed=True, revised=revised)

    def _note_revisions(
        self, table: Table, month: date | None, old: pa.Table, new: pa.Table, seen: Seen
    ) -> int:
        """Store what changed between two versions of a partition; rows that are new do not count.

        Of a table without partitions, days that the new version no longer covers do not count.
        """
        if month is None:
            months = months_of_both(table, old, new)
            return sum(self._note_revisions(table, *part, seen) for part in months)
        found = compare(table, month, old, new, seen)
        if not found.num_rows:
            return 0
        folder, moment = self.root / REVISIONS.name, f"{seen.counts_from:{_SEEN}}"
        path = next(path for path in (self.path(table, month), self.path(table)) if path.exists())
        noted = of_interrupted_write(folder, table, month, path, moment)
        fresh = not_in(found, self._read_files(REVISIONS, noted, None))
        if fresh.num_rows:
            # The name says from which moment on it counts. Runs as of the same past day have the
            # same one: the content keeps them apart.
            name = f"{table.name}-{month:%Y-%m}-{moment}-{hash_rows(fresh)[:12]}.parquet"
            self._write(folder / name, validate(REVISIONS, fresh))
        return int(found.num_rows)

    def revisions(
        self, *, until: datetime | None = None, after: datetime | None = None
    ) -> pa.Table:
        """Return the revisions that were noted, all or by the moment from which they count.

        That is when they were seen, or the moment for which the publishers' stand-in stood then.
        """
        folder = self.root / REVISIONS.name
        noted = [name for name in names_in(folder) if name.endswith(".parquet")]
        # The moment is the last part but one of a file's name.
        wanted = [
            name
            for name in noted
            if (until is None or name.split("-")[-2] <= f"{until:{_SEEN}}")
            and (after is None or name.split("-")[-2] > f"{after:{_SEEN}}")
        ]
        if len(wanted) < len(noted):
            paths = [folder / name for name in wanted]
        else:
            paths = self._gathered(REVISIONS, present(folder, wanted))
        return self._read_files(REVISIONS, paths, None)

    def unreadable(self, table: Table) -> list[str]:
        """Return, for every file of a table that cannot be read, what is wrong and the way out."""
        found = []
        for path in self.files(table):
            try:
                read_file(table, path, table.arrow_schema.names)
            except ValueError as error:
                found.append(str(error))
        return found

    def _write(self, path: Path, rows: pa.Table) -> None:
        with replacing(path, self._scratch) as unfinished:
            pq.write_table(rows, unfinished, compression="zstd", row_group_size=_ROW_GROUP)
        self._tables.forget()

    def _read_files(
        self, table: Table, paths: Sequence[Path], columns: Sequence[str] | None
    ) -> pa.Table:
        names = list(columns or table.arrow_schema.names)
        schema = pa.schema([table.arrow_schema.field(name) for name in names])
        parts = [self._recent.read(table, path, names) for path in paths]
        return pa.concat_tables(parts) if parts else schema.empty_table()


def _days_by_entity(table: Table, rows: pa.Table) -> PresentDays:
    if not table.entity:
        return {"": frozenset(different_days(rows[table.day]))}
    held = days_by_entity(rows[table.entity], rows[table.day])
    return {entity: frozenset(days) for entity, days in held.items()}
