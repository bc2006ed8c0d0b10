"""Write files so that neither a reader nor a crash sees a partly written one."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Inode, size and time of change of a file; empty where a file is known to match no other.
Mark = list[int]

# What is called otherwise, in a folder that happens to have the same name, is not ours to remove.
_OUR_NAME = re.compile("[0-9a-f]{32}")


@contextmanager
def replacing(target: Path, scratch: Path) -> Iterator[Path]:
    """Give a path to write to; on success it is synced to disk and renamed to `target`.

    `scratch` is a folder on the same file system, outside the table's own folder, so that no glob
    over a table can ever see an unfinished file.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with unfinished(scratch, target.suffix) as path:
        yield path
        sync(path)
        path.replace(target)
        sync(target.parent)


@contextmanager
def unfinished(scratch: Path, suffix: str = "") -> Iterator[Path]:
    """Give a new path in `scratch` for a file or a folder; what is left there at the end goes.

    So does what a killed process left there: a locked file beside each path shows that its process
    is alive.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(scratch)
    name = uuid.uuid4().hex
    lock = _locked(scratch / f"{name}.lock")
    try:
        yield scratch / f"{name}{suffix}"
    finally:
        _remove(scratch, name)
        os.close(lock)


def mark_of(path: Path | str) -> Mark:
    """Return what tells a file from one that replaces it; raise FileNotFoundError without one."""
    state = os.stat(path)  # noqa: PTH116 - thousands are looked at, and a path object costs more
    return [state.st_ino, state.st_size, state.st_mtime_ns]


def names_in(folder: Path) -> list[str]:
    """Return the sorted names of what is in a folder; of one that is not there, none."""
    try:
        return sorted(entry.name for entry in os.scandir(folder))
    except FileNotFoundError:
        return []


def sync(path: Path) -> None:
    """Force a file or a directory entry to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _locked(path: Path) -> int:
    """Create and lock a file; another process may remove it until it is locked."""
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(descriptor).st_ino:
                return descriptor
        os.close(descriptor)


def _remove_abandoned(scratch: Path) -> None:
    names = {entry.name.partition(".")[0] for entry in os.scandir(scratch)}
    for name in filter(_OUR_NAME.fullmatch, names):
        try:
            descriptor = os.open(scratch / f"{name}.lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            # Either it has just been finished, or an earlier version, without locks, left it.
            _remove(scratch, name)
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(scratch, name)
        except BlockingIOError:
            pass
        finally:
            os.close(descriptor)


def _remove(scratch: Path, name: str) -> None:
    """Remove what has a name, with what a library left beside it, and its lock in the end."""
    for left in sorted(scratch.glob(f"{name}*"), key=lambda path: path.suffix == ".lock"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)
