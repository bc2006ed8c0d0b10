"""Which files a table has in a lake, each with its mark: one look at its folder.

Nothing heavy is imported here: `liquidity status` looks at the files, too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from liquidity_pipeline.storage.files import Mark, names_in

_MONTH = "month="


@dataclass(frozen=True)
class HeldFiles:
    """The files of one table, oldest month first.

    `names` are relative to the table's folder, such as "month=2026-02/tga_balance.parquet".
    """

    names: tuple[str, ...]
    paths: tuple[Path, ...]
    marks: tuple[Mark, ...]

    @property
    def months(self) -> list[date]:
        """The months that have a file, oldest first; of a table without partitions, none."""
        months = (name.partition("/")[0] for name in self.names if "/" in name)
        return [date.fromisoformat(f"{month.removeprefix(_MONTH)}-01") for month in months]


_NO_FILES = HeldFiles((), (), ())


class HeldTables:
    """The files of all tables in one folder, looked for whenever they are asked for."""

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
        """Look at each table once while the block lasts, however often it is asked for."""
        outer = self._looked_at
        self._looked_at = set() if outer is None else outer
        try:
            yield
        finally:
            self._looked_at = outer

    def have_changed(self) -> None:
        """Look again, also within a block."""
        if self._looked_at is not None:
            self._looked_at.clear()


def look(folder: Path, before: HeldFiles = _NO_FILES) -> HeldFiles:
    """Look for the file of a table in its folder, and in the folders of its months.

    `before` is what was there at an earlier look, and spares making the same paths again.
    """
    file = f"{folder.name}.parquet"
    names = [name for name in _names(folder) if name == file or name.startswith(_MONTH)]
    return held(folder, names, before)


def every_file(folder: Path) -> HeldFiles:
    """Look for every file in a folder, such as that of the revisions, and for those of months."""
    return held(folder, _names(folder))


def _names(folder: Path) -> list[str]:
    """Return what may be a table's file, relative to its folder."""
    return [
        f"{name}/{folder.name}.parquet" if name.startswith(_MONTH) else name
        for name in names_in(folder)
    ]


def held(folder: Path, names: Sequence[str], before: HeldFiles = _NO_FILES) -> HeldFiles:
    """Return those of the files that are there, in their order."""
    found, marks = [], []
    for name in names:
        try:
            state = os.stat(f"{folder}/{name}")  # noqa: PTH116 - a path object costs more than this
        except (FileNotFoundError, NotADirectoryError):
            continue
        found.append(name)
        marks.append([state.st_ino, state.st_size, state.st_mtime_ns])
    there = tuple(found)
    paths = before.paths if before.names == there else tuple(folder / name for name in there)
    return HeldFiles(there, paths, tuple(marks))
