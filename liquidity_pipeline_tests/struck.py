"""Runs in processes of their own, each of which may be struck by a signal at a chosen write.

A process is forked from one that has imported everything, so that a campaign pays for the imports
once. It strikes itself, from an audit hook, just before the n-th write of a kind (or shortly after
it, within what runs outside of Python); so a moment is exact, and the same in every repetition.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import select
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A run that takes longer than this hangs.
PATIENCE = 1_200
FETCH, PUBLISHED = "fetch", "liquidity.duckdb"
# The kind of a write, by where in a data directory it happens.
PLACES = {
    "archive": "archive",
    "lake": "lake write",
    "marts": "mart",
    ".build": "build",
    "briefs": "brief",
    "dagster_home": "records",
    "locks": "lock",
}
KINDS = (FETCH, *PLACES.values(), "swap")
_WRITES = {"os.rename": 1, "os.remove": 0, "os.mkdir": 0, "sqlite3.connect": 0}
_forked = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Moment:
    """The n-th write of a kind, and how many seconds after it which signal comes."""

    kind: str
    number: int
    seconds: float
    ending: signal.Signals

    def __str__(self) -> str:
        """Name it in a few words."""
        return f"{self.ending.name} {self.seconds:.2f} s after {self.kind} {self.number}"


@dataclass(frozen=True)
class Ended:
    """How a process ended (None: it had to be ended), what it said, and what of each it wrote.

    `struck` tells whether the signal was sent before the process ended by itself.
    """

    code: int | None
    said: str
    struck: bool
    writes: Mapping[str, int]


def kind_of(event: str, args: tuple[Any, ...], folder: str) -> str | None:
    """Return the kind of a write into a data directory, or None for any other event."""
    if event == "socket.connect":
        return FETCH
    if event == "open":
        path, _, flags = args
        if not (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
            return None
    elif event in _WRITES:
        path = args[_WRITES[event]]
    else:
        return None
    text = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
    if not text.startswith(folder):
        return None
    first = text[len(folder) + 1 :].partition("/")[0]
    return "swap" if first == PUBLISHED else PLACES.get(first)


def run_in_child(
    work: Callable[[], object],
    environment: Mapping[str, str],
    scratch: Path,
    moment: Moment | None = None,
    *,
    file_bytes: int | None = None,
) -> Ended:
    """Run `work` in a forked process; `file_bytes` limits the size of any file that it writes."""
    note, mark = scratch / "writes.json", scratch / "struck"
    for path in (note, mark):
        path.unlink(missing_ok=True)
    reading, writing = os.pipe()
    child = _forked.Process(
        target=_child, args=(work, dict(environment), writing, note, mark, moment, file_bytes)
    )
    child.start()
    os.close(writing)
    said = _read_all(reading)
    code = child.exitcode
    if said is None:
        child.kill()
    child.join()
    return Ended(
        code if said is None else child.exitcode,
        said or "",
        mark.exists(),
        json.loads(note.read_text()) if note.exists() else {},
    )


def _read_all(pipe: int) -> str | None:
    """Return all that comes out of a pipe until it is closed, or None when that takes too long."""
    end, parts = time.monotonic() + PATIENCE, []
    with open(pipe, "rb", buffering=0) as stream:
        while select.select([stream], [], [], max(0.0, end - time.monotonic()))[0]:
            part = stream.read(65_536)
            if not part:
                return b"".join(parts).decode(errors="replace")
            parts.append(part)
    return None


def asked_in_child(question: Callable[[], Any], scratch: Path) -> Any:
    """Return the answer to a question that is worked out in a forked process, as JSON can say it.

    What starts threads, as DuckDB and Arrow do, must never run in the process that forks.
    """
    answer = scratch / "answer.json"
    answer.unlink(missing_ok=True)
    ended = run_in_child(lambda: answer.write_text(json.dumps(question())), {}, scratch)
    assert answer.exists(), ended.said
    return json.loads(answer.read_text())


def _child(  # noqa: PLR0917 - as multiprocessing hands them over
    work: Callable[[], object],
    environment: dict[str, str],
    output: int,
    note: Path,
    mark: Path,
    moment: Moment | None,
    file_bytes: int | None,
) -> None:
    for stream in (1, 2):
        os.dup2(output, stream)
    os.environ.update(environment)
    # A shell lets its background jobs ignore Ctrl-C, and whatever they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    counted = Counter[str]()
    if folder := environment.get("LIQUIDITY_DATA_DIR"):
        sys.addaudithook(_hook(folder, counted, moment, mark))
    try:
        work()
    finally:
        sys.stdout.flush()
        if file_bytes is None:
            note.write_text(json.dumps(counted))


def _hook(
    folder: str, counted: Counter[str], moment: Moment | None, mark: Path
) -> Callable[[str, tuple[Any, ...]], None]:
    """Return a hook that counts writes and strikes at the moment."""

    def strike() -> None:
        mark.touch()
        os.kill(os.getpid(), moment.ending if moment else signal.SIGKILL)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        kind = kind_of(event, args, folder)
        if kind is None:
            return
        counted[kind] += 1
        if moment is None or (kind, counted[kind]) != (moment.kind, moment.number):
            return
        if moment.seconds:
            timer = threading.Timer(moment.seconds, strike)
            timer.daemon = True
            timer.start()
        else:
            strike()

    return hook
