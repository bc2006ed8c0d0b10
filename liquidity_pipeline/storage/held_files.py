"""Which files a table has in a lake, each with its mark: one look at its folder.

Nothing heavy is imported here: `liquidity status` looks at the files, too.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from liquidity_pipeline.storage.files import Mark, mark_of, names_in

_MONTH = "month="
# A file system counts time in steps of some milliseconds. A file that was written shortly before it
# was looked at could be replaced within the same step, and look the same.
_SETTLED_NS = 100_000_000


@dataclass(frozen=True)
class HeldFiles:
    """The files of one table, oldest month first.

    `names` are relative to the table's folder, such as "month=2026-02/tga_balance.parquet".
    `looked_ns` is the moment before the look, in nanoseconds since 1970.
    """

    names: tuple[str, ...] = ()
    paths: tuple[Path, ...] = ()
    marks: tuple[Mark, ...] = ()
    looked_ns: int = field(default=0, compare=False)

    @property
    def months(self) -> list[date]:
        """The months that have a file, oldest first; of a table without partitions, none."""
        months = (name.partition("/")[0] for name in self.names if "/" in name)
        return [date.fromisoformat(f"{month.removeprefix(_MONTH)}-01") for month in months]

    def is_settled(self, mark: Mark) -> bool:
        """Tell whether a file that replaces this one is sure to have another mark."""
        return mark[-1] < self.looked_ns - _SETTLED_NS


_NO_FILES = HeldFiles()


class HeldTables:
    """The files of all tables under one folder. Each question is a new look at the disk.

    Within a block of `looking_once` there is one look at each table.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._last: dict[str, HeldFiles] = {}
        # The tables that were looked at in the block of `looking_once`; None outside.
        self._looked_at: set[str] | None = None

    def files(self, name: str) -> HeldFiles:
        """Return the files of a table."""
        looked_at, known = self._looked_at, self._last.get(name, _NO_FILES)
        if looked_at is not None and name in looked_at:
            return known
        self._last[name] = found = look(self._root / name, known)
        if looked_at is not None:
            looked_at.add(name)
        return found

    @contextmanager
    def looking_once(self) -> Iterator[None]:
        """Look at each table at most once while the block lasts."""
        outer = self._looked_at
        self._looked_at = set() if outer is None else outer
        try:
            yield
        finally:
            self._looked_at = outer

    def forget(self) -> None:
        """Look again within a block too, because something was written."""
        if self._looked_at is not None:
            self._looked_at.clear()


def look(folder: Path, before: HeldFiles = _NO_FILES) -> HeldFiles:
    """Look for the file of a table in its folder, and in the folders of its months.

    `before` is what was there at an earlier look, and spares making the same paths again.
    """
    file = f"{folder.name}.parquet"
    names = [name for name in _names(folder) if name == file or name.startswith(_MONTH)]
    return present(folder, names, before)


def every_file(folder: Path) -> HeldFiles:
    """Look for every file in a folder, such as that of the revisions, and for those of months."""
    return present(folder, _names(folder))


def _names(folder: Path) -> list[str]:
    """Return what may be a table's file, relative to its folder."""
    return [
        f"{name}/{folder.name}.parquet" if name.startswith(_MONTH) else name
        for name in names_in(folder)
    ]


def present(folder: Path, names: Sequence[str], before: HeldFiles = _NO_FILES) -> HeldFiles:
    """Return those of the files that are there, in the order of their names."""
    looked_ns = time.time_ns()
    marks: dict[str, Mark] = {}
    for name in names:
        with suppress(FileNotFoundError, NotADirectoryError):
            marks[name] = mark_of(f"{folder}/{name}")
    found = tuple(marks)
    paths = before.paths if before.names == found else tuple(folder / name for name in found)
    return HeldFiles(found, paths, tuple(marks.values()), looked_ns)
