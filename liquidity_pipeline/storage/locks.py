"""Locks between processes, each of which says who holds it.

The operating system gives a lock back when the process that holds it ends, however it ends, so
nothing can wait for a process that is gone. Every wait names the holder and can be interrupted.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

# The lock under which marts are built and the file is published.
WAREHOUSE = "warehouse"

_POLL_SECONDS = 0.1
# A short hold, as when another process checks whether a lock is held, is not reported.
_SHORT_SECONDS = 0.5
_REMIND_SECONDS = 60.0

OnWait = Callable[[str], None]


def lock_file(data_dir: Path, name: str) -> Path:
    """Return the file of the lock that guards something in a data directory."""
    return data_dir / "locks" / f"{name}.lock"


@contextmanager
def holding(path: Path, who: str, on_wait: OnWait) -> Iterator[None]:
    """Hold a lock while the block lasts; `who` is what others read who wait for it.

    `on_wait` is called with a sentence that names the holder when the lock is not free, and again
    every minute until it is.
    """
    lock = _acquire(path, who, on_wait)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def holding_all(data_dir: Path, names: Iterable[str], who: str, on_wait: OnWait) -> Iterator[None]:
    """Hold several locks of a data directory; a fixed order excludes deadlocks."""
    with ExitStack() as held:
        for name in sorted(set(names)):
            held.enter_context(holding(lock_file(data_dir, name), who, on_wait))
        yield


def keep(path: Path, who: str) -> FileLock:
    """Hold a lock for as long as the returned object lives, at most until this process ends."""
    return _acquire(path, who, lambda _: None)


def holder(path: Path) -> str:
    """Return who took a lock last, or "" when it was never taken."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


@contextmanager
def abandoned(path: Path, *, unnamed: bool = False) -> Iterator[bool]:
    """Tell whether a lock was taken once and its holder is gone; it is held during the block.

    An empty file may be that of a process which is about to take the lock and to write its name. It
    counts only with `unnamed`, where nobody can be: such a file is left by a process that was
    killed between the two.
    """
    if not (holder(path) or unnamed):
        yield False
        return
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _acquire(path: Path, who: str, on_wait: OnWait) -> FileLock:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    patience = _SHORT_SECONDS
    while True:
        try:
            lock.acquire(timeout=patience, poll_interval=_POLL_SECONDS)
            break
        except Timeout:
            on_wait(f"waiting for {holder(path) or 'another process'}, which holds {path.name}")
            patience = _REMIND_SECONDS
    since = datetime.now(UTC)
    with suppress(OSError):  # a full disk: what is done under the lock says so, if it must write
        path.write_text(f"{who} (process {os.getpid()}, since {since:%H:%M:%S} UTC)\n")
    return lock
