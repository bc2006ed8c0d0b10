"""Compare and swap a lake that was rebuilt from the archive."""

from __future__ import annotations

import filecmp
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from liquidity_pipeline.sources.registry import SOURCES
from liquidity_pipeline.storage.files import sync

# How many losses a message names.
_SHOWN = 5


def differences(lake: Path, rebuilt: Path) -> list[str]:
    """Return the files, relative to the lake, that are missing on one side or differ in a byte.

    Tables that do not come from the archive (facts kept by hand) are not compared.
    """
    ours, theirs = _files(lake), _files(rebuilt)
    different = {name for name in ours.keys() & theirs.keys() if _differ(ours[name], theirs[name])}
    from_archive = {name.split("/")[0] for name in theirs}
    absent = {n for n in ours.keys() ^ theirs.keys() if n.split("/")[0] in from_archive}
    return sorted(different | absent)


def replace_lake(lake: Path, rebuilt: Path) -> None:
    """Put the rebuilt lake in the place of the old one, which goes only when that is done.

    A crash between the two renames leaves the old lake under `.replaced`, where `recover` and
    `losses` look for it.
    """
    if not rebuilt.is_dir():
        raise FileNotFoundError(f"there is no rebuilt lake at {rebuilt}: the lake stays as it is.")
    old = _replaced(lake)
    if lake.exists():
        shutil.rmtree(old, ignore_errors=True)
        lake.rename(old)
    try:
        rebuilt.rename(lake)
    except OSError:
        recover(lake)
        raise
    sync(lake.parent)
    shutil.rmtree(old, ignore_errors=True)


def recover(lake: Path) -> bool:
    """Put a lake back that a crash left aside in the middle of its replacement; tell if it was."""
    old = _replaced(lake)
    if lake.exists() or not old.exists():
        return False
    old.rename(lake)
    sync(lake.parent)
    return True


def refusal(lake: Path, rebuilt: Path, fetches: int, *, force: bool) -> str | None:
    """Return why the rebuilt lake must not replace the old one, or None if it may.

    `force` accepts losses; a rebuilt lake of nothing at all is never accepted.
    """
    if not fetches:
        return "the archive has no fetch that could be run again; the lake stays as it is."
    lost = [] if force else losses(lake, rebuilt)
    if not lost:
        return None
    shown = ", ".join(lost[:_SHOWN]) + (", …" if len(lost) > _SHOWN else "")
    return (
        f"{len(lost)} partitions of the lake are not in the archive, or poorer in it ({shown}); "
        f"the lake stays as it is. --force replaces it nevertheless."
    )


def losses(lake: Path, rebuilt: Path) -> list[str]:
    """Return what would be lost with the lake: its partitions that the rebuilt lacks or has poorer.

    A lake that a crash left aside counts as well: a run may have begun a new one since. Only the
    tables of sources count: facts kept by hand are read again, and which revisions there are
    follows from the rows.
    """
    tables = {table.name for source in SOURCES.values() for table in source.tables}
    theirs = _files(rebuilt)
    lost = {}
    for root in (lake, _replaced(lake)):
        for name, path in _files(root).items():
            if name.split("/")[0] not in tables:
                continue
            if name not in theirs:
                lost[name] = f"{name}: missing"
            elif (was := _rows(path)) > (now := _rows(theirs[name])):
                lost[name] = f"{name}: {now} of {was} rows"
    return [lost[name] for name in sorted(lost)]


def _replaced(lake: Path) -> Path:
    return lake.with_name(".replaced")


def _rows(path: Path) -> int:
    """Return how many rows a file has; from a damaged one there is nothing to lose."""
    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowException):
        return 0


def _differ(one: Path, other: Path) -> bool:
    return not filecmp.cmp(one, other, shallow=False)


def _files(root: Path) -> dict[str, Path]:
    return {path.relative_to(root).as_posix(): path for path in root.rglob("*.parquet")}
