"""Write files so that neither a reader nor a crash sees a partly written one."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Inode, size and time of change.
Mark = list[int]


@contextmanager
def replacing(target: Path, scratch: Path) -> Iterator[Path]:
    """Give a path to write to; on success it is synced to disk and renamed to `target`.

    `scratch` is a folder on the same file system, outside the table's own folder, so that no glob
    over a table can ever see an unfinished file.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = scratch / f"{uuid.uuid4().hex}{target.suffix}"
    try:
        yield unfinished
        sync(unfinished)
        unfinished.replace(target)
        sync(target.parent)
    finally:
        # With what a library may have left beside it, such as a write-ahead log.
        for left in scratch.glob(f"{unfinished.name}*"):
            left.unlink()


def mark_of(path: Path) -> Mark:
    """Return what tells a file from one that replaces it; raise FileNotFoundError without one."""
    state = path.stat()
    return [state.st_ino, state.st_size, state.st_mtime_ns]


def sync(path: Path) -> None:
    """Force a file or a directory entry to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
