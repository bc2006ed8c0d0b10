"""Whether each stored mart equals a new build: its inputs, and how long these are valid.

Marts depend on files and on the clock. Nothing that a mart reads changes before the next moment at
which something in its inputs becomes public, or the next midnight in New York.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from liquidity_pipeline.calendars import utc
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.storage.files import mark_of, replacing

if TYPE_CHECKING:
    import duckdb

_NOW = "(select now from meta.clock)"


def fingerprint(*folders: tuple[Path, Iterable[Path]]) -> str:
    """Return one hash of the names (relative to their folder) and contents of files.

    Neither the folder's place nor a file's time of change counts, so a copied data directory or
    another checkout of the same code gives the same hash. A file is read again in the same process
    only if it was replaced.
    """
    digest = hashlib.blake2b(digest_size=32)
    for folder, files in folders:
        for path in sorted(files):
            digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
            digest.update(_content(path, *mark_of(path)))
    return digest.hexdigest()


@lru_cache(maxsize=1 << 16)
def _content(path: Path, *_mark: int) -> bytes:
    """Return a hash of a file's content; the mark tells it from one that replaces it."""
    return hashlib.blake2b(path.read_bytes(), digest_size=32).digest()


@dataclass(frozen=True)
class Stamp:
    """What a mart was built from, and the moments (naive UTC) between which it would be again."""

    inputs: str
    since: datetime
    until: datetime

    def holds(self, inputs: str, now: datetime) -> bool:
        """Tell whether a build from these inputs now would give the stored mart."""
        return self.inputs == inputs and self.since <= now < self.until


class BuildStamps:
    """The marks that builds leave beside their results, by mart."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "built.json"
        self._scratch = folder / ".unfinished"

    def read(self) -> dict[str, Stamp]:
        """Return the stamps; none where there is no file, or one that cannot be understood."""
        try:
            content = json.loads(self._path.read_text())
            return {
                name: Stamp(inputs, datetime.fromisoformat(since), datetime.fromisoformat(until))
                for name, (inputs, since, until) in content["marts"].items()
            }
        except (FileNotFoundError, KeyError, ValueError, TypeError, AttributeError):
            return {}

    def add(self, stamps: Mapping[str, Stamp]) -> None:
        """Say of what these marts were built."""
        self._write({**self.read(), **stamps})

    def clear(self, names: Collection[str]) -> None:
        """Say of these marts that it is not known of what they were built."""
        kept = self.read()
        if kept.keys() & set(names):
            self._write({name: stamp for name, stamp in kept.items() if name not in names})

    def _write(self, stamps: Mapping[str, Stamp]) -> None:
        content = {
            name: [stamp.inputs, stamp.since.isoformat(), stamp.until.isoformat()]
            for name, stamp in stamps.items()
        }
        with replacing(self._path, self._scratch) as path:
            path.write_text(json.dumps({"marts": content}, indent=0))


@dataclass(frozen=True)
class NextChanges:
    """The next moments (naive UTC) at which what is public changes.

    `tables` has those of each source table; at `for_all`, the calendar or the New York day changes.
    """

    tables: Mapping[str, datetime]
    for_all: datetime

    def of(self, tables: Iterable[str]) -> datetime:
        """Return the next moment at which any of these tables or the calendar changes."""
        return min([self.for_all, *(self.tables[t] for t in tables if t in self.tables)])


def next_changes(
    connection: duckdb.DuckDBPyConnection, today: date, tables: Iterable[str]
) -> NextChanges:
    """Return when each of the source tables changes next; `connection` is a session on them."""
    parts = [
        f"select '' as name, min(known_by) as moment from meta.calendar_days "
        f"where known_by > {_NOW}"
    ]
    for name in sorted(tables):
        moments = {"known_at", "announced_at", "results_at"} & set(SOURCE_TABLES[name].column_names)
        parts += [
            f"select '{name}', min({moment}) from lake.{name} where {moment} > {_NOW}"
            for moment in sorted(moments)
        ]
    found = dict(
        connection.execute(
            f"select name, min(moment) from ({' union all '.join(parts)}) "
            f"where moment is not null group by name"
        ).fetchall()
    )
    tomorrow = utc(today + timedelta(days=1), time())
    return NextChanges(found, min(tomorrow, found.pop("", tomorrow)))
