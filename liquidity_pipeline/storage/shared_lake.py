"""A lake and an archive in an object store, each with a copy on this machine that is worked on.

    s3://bucket/prefix/endpoints.json               whose data these are
                      /lake/<table>/…               as the files of a lake
                      /archive/blobs/…, fetches/…   as the files of an archive
                      /publications/<id>.duckdb     published files
                      /latest.json                  names the newest of them

DuckDB and Arrow read the copy. What is written goes to the store first, by one conditional PUT per
partition, and into the copy when that has succeeded. A writer that was overtaken takes the other's
partition over and merges its rows into that, so a partition is always one writer's, whole.

As in a lake on a disk, revisions are stored before the partition that they are of. If the writer is
stopped in between, the next one finds the old values, notes the same revisions and no second time.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from liquidity_pipeline.contracts.meta import REVISIONS
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.settings import COPY_NOTES
from liquidity_pipeline.storage.archive import Archive
from liquidity_pipeline.storage.files import mark_of, replacing
from liquidity_pipeline.storage.lake import Lake, Stored
from liquidity_pipeline.storage.object_store import ConflictError, ObjectStore

_ATTEMPTS = 8
_THREADS = 8
# What is copied of a table: {name of a file: ETag of the object, then size and time of the copy}.
Copied = dict[str, tuple[str, int, int]]
T = TypeVar("T")


class SharedLake(Lake):
    """A lake whose truth is in an object store, and whose files are copies."""

    def __init__(self, root: Path, store: ObjectStore) -> None:
        super().__init__(root)
        self._store = store
        self._locks: dict[str, FileLock] = {}

    def refresh(self, tables: Collection[Table] | None = None) -> None:
        """Copy what others have stored since, of all tables or some; store what only we have."""
        if tables is not None:
            for table in tables:
                with self._lock(table.name):
                    self._copy(table.name, self._objects(table.name))
            return
        found: dict[str, dict[str, str]] = {name: {} for name in (*SOURCE_TABLES, REVISIONS.name)}
        for key, etag in self._store.list("lake").items():
            name = key.removeprefix("lake/")
            found.setdefault(name.split("/")[0], {})[name] = etag
        for of_table, objects in found.items():
            with self._lock(of_table):
                self._copy(of_table, objects)

    def store(self, table: Table, *args: Any, **kwargs: Any) -> list[Stored]:
        """See Lake.store; the months are those of the store, and other writers' rows are kept."""
        return self._write_table(
            table, lambda: super(SharedLake, self).store(table, *args, **kwargs)
        )

    def store_snapshot(self, table: Table, *args: Any, **kwargs: Any) -> Stored:
        """See Lake.store_snapshot."""
        return self._write_table(
            table, lambda: super(SharedLake, self).store_snapshot(table, *args, **kwargs)
        )

    def set_aside(self, table: Table, *args: Any, **kwargs: Any) -> None:
        """See Lake.set_aside."""
        self._write_table(table, lambda: super(SharedLake, self).set_aside(table, *args, **kwargs))

    def _write_table(self, table: Table, write: Callable[[], T]) -> T:
        """Write on the newest state of a table, and once more if another writer was faster."""
        for attempt in range(1, _ATTEMPTS + 1):
            with self._lock(table.name):
                self._copy(table.name, self._objects(table.name))
                try:
                    return write()
                except ConflictError:
                    if attempt == _ATTEMPTS:
                        raise
            time.sleep(random.uniform(0, 0.2) * attempt)  # noqa: S311 - no secret
        raise AssertionError

    def _write(self, path: Path, rows: pa.Table) -> None:
        """Store one file, and copy it once the store has it."""
        name = path.relative_to(self.root).as_posix()
        table = name.split("/")[0]
        with replacing(path, self._scratch) as unfinished:
            pq.write_table(rows, unfinished, compression="zstd")
            replaces, *_ = self._copied(table).get(name, (None,))
            etag = self._store.put(f"lake/{name}", unfinished.read_bytes(), replaces=replaces)
        self._tables.forget()
        self._note_copied(table, {name: etag})

    def _copy(self, table: str, objects: Mapping[str, str]) -> None:
        """Make the files of a table those of the store; `objects` are its names with ETags.

        A file that something else has changed since it was copied is no copy, and is copied again.
        """
        copied = self._copied(table)
        stale = [
            name
            for name, etag in objects.items()
            if copied.get(name, ()) != self._state(name, etag)
        ]
        with ThreadPoolExecutor(_THREADS) as pool:
            fresh = dict(zip(stale, pool.map(self._fetch, stale), strict=True))
        ours = (path.relative_to(self.root).as_posix() for path in self._local(table))
        for name in [name for name in ours if name not in objects]:
            body = (self.root / name).read_bytes()
            try:
                fresh[name] = self._store.put(f"lake/{name}", body, replaces=None)
            except ConflictError:
                fresh[name] = self._fetch(name)
        if fresh:
            self._tables.forget()
            self._note_copied(table, fresh)

    def _objects(self, table: str) -> dict[str, str]:
        listed = self._store.list(f"lake/{table}")
        return {key.removeprefix("lake/"): etag for key, etag in listed.items()}

    def _fetch(self, name: str) -> str:
        body, etag = self._store.get(f"lake/{name}")
        with replacing(self.root / name, self._scratch) as unfinished:
            unfinished.write_bytes(body)
        return etag

    def _local(self, table: str) -> Iterable[Path]:
        return sorted((self.root / table).rglob("*.parquet"))

    def _copied(self, table: str) -> Copied:
        try:
            noted = json.loads(self._note(table).read_text())
            return {name: (etag, size, changed) for name, (etag, size, changed) in noted.items()}
        except (FileNotFoundError, AttributeError, TypeError, ValueError):
            return {}

    def _note_copied(self, table: str, etags: Mapping[str, str]) -> None:
        fresh = {name: self._state(name, etag) for name, etag in etags.items()}
        with replacing(self._note(table), self._scratch) as unfinished:
            unfinished.write_text(json.dumps({**self._copied(table), **fresh}))

    def _state(self, name: str, etag: str) -> tuple[str, int, int] | None:
        """Return how a copy of an object is noted; None where there is no file."""
        try:
            _, size, changed = mark_of(self.root / name)
        except FileNotFoundError:
            return None
        return etag, size, changed

    def _note(self, table: str) -> Path:
        return self.root / COPY_NOTES / f"{table}.json"

    def _lock(self, table: str) -> FileLock:
        """Return the lock under which this machine's processes work on a table's copy."""
        folder = self.root / COPY_NOTES
        folder.mkdir(parents=True, exist_ok=True)
        return self._locks.setdefault(table, FileLock(folder / f"{table}.lock"))


class SharedArchive(Archive):
    """An archive of which an object store has every file; files never change."""

    def __init__(self, root: Path, store: ObjectStore) -> None:
        super().__init__(root)
        self._root, self._store = root, store

    def refresh(self, source: str | None = None) -> None:
        """Copy what others have archived, bodies before the records that name them, and back.

        Of one source only the records: they say what was asked, and bodies are for a rebuild.
        """
        parts = ("blobs", "fetches") if source is None else (f"fetches/{source}",)
        for part in parts:
            there = set(self._store.list(f"archive/{part}"))
            here = {self._key(path) for path in (self._root / part).rglob("*.*") if path.is_file()}
            with ThreadPoolExecutor(_THREADS) as pool:
                list(pool.map(self._fetch, sorted(there - here)))
                list(pool.map(self._upload, sorted(here - there)))

    def _share(self, path: Path, unfinished: Path) -> None:
        self._put(self._key(path), unfinished)

    def _upload(self, key: str) -> None:
        self._put(key, self._root / key.removeprefix("archive/"))

    def _put(self, key: str, file: Path) -> None:
        try:
            self._store.put(key, file.read_bytes(), replaces=None)
        except ConflictError:
            # A body that another machine has archived: its name is its content's hash.
            if "/blobs/" not in key:
                raise

    def _fetch(self, key: str) -> None:
        with replacing(self._root / key.removeprefix("archive/"), self._scratch) as unfinished:
            unfinished.write_bytes(self._store.get(key)[0])

    def _key(self, path: Path) -> str:
        return f"archive/{path.relative_to(self._root).as_posix()}"


def publish(store: ObjectStore, file: Path, publication: Mapping[str, str]) -> bool:
    """Store a published file and point to it; tell whether it is now the newest.

    `publication` has `publication_id` and `built_at` (ISO, UTC). A reader that follows the pointer
    gets a whole file; a publication that is older than the newest does not become it.
    """
    key = f"publications/{publication['publication_id']}.duckdb"
    store.put(key, file.read_bytes(), replaces=None)
    pointer = json.dumps({**publication, "key": key}, indent=1).encode()
    for _ in range(_ATTEMPTS):
        newest, etag = _newest(store)
        if newest is not None and newest > publication["built_at"]:
            return False
        try:
            store.put("latest.json", pointer, replaces=etag)
        except ConflictError:
            continue
        return True
    raise ConflictError(f"{store.url}/latest.json is changed by others all the time")


def _newest(store: ObjectStore) -> tuple[str | None, str | None]:
    """Return when the newest publication was built, and the pointer's ETag; None without one."""
    try:
        body, etag = store.get("latest.json")
    except KeyError:
        return None, None
    try:
        return str(json.loads(body)["built_at"]), etag
    except (KeyError, TypeError, ValueError):
        expected = (
            'publication_id, built_at (such as "2026-01-31T22:00:00") and key of the newest '
            "publication; delete it, and the next publication writes it again"
        )
        raise store.damaged("latest.json", expected) from None
