"""Compare and swap a lake that was rebuilt from the archive."""

from __future__ import annotations

import filecmp
import shutil
from pathlib import Path


def differences(lake: Path, rebuilt: Path) -> list[str]:
    """Return the files, relative to the lake, that are missing on one side or differ in a byte.

    Tables that do not come from the archive (facts kept by hand) are not compared.
    """
    ours, theirs = _files(lake), _files(rebuilt)
    different = {name for name in ours.keys() & theirs.keys() if _differ(ours[name], theirs[name])}
    from_archive = {name.split("/")[0] for name in theirs}
    absent = {n for n in ours.keys() ^ theirs.keys() if n.split("/")[0] in from_archive}
    return sorted(different | absent)


def discard(rebuilt: Path) -> None:
    """Throw a rebuilt lake away."""
    shutil.rmtree(rebuilt, ignore_errors=True)


def replace_lake(lake: Path, rebuilt: Path) -> None:
    """Put the rebuilt lake in the place of the old one, which goes only when that is done."""
    old = lake.with_name(".replaced")
    discard(old)
    if lake.exists():
        lake.rename(old)
    rebuilt.rename(lake)
    discard(old)


def _differ(one: Path, other: Path) -> bool:
    return not filecmp.cmp(one, other, shallow=False)


def _files(root: Path) -> dict[str, Path]:
    return {path.relative_to(root).as_posix(): path for path in root.rglob("*.parquet")}
