"""Which unfinished runs are dead, and what is done about them.

The process that executes a run holds the run's lock until it ends. The operating system gives the
lock back in any case, so a lock that was taken and is free, while the run is not finished, proves
that the run's process was killed. Every command, every run and the daemon's sensor looks for such
runs when it starts: the run is recorded as failed, and what follows a failed run can happen.
"""

import os
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from liquidity_pipeline.storage import locks

_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
# A run that has not taken its lock by then never started to work.
_START_SECONDS = 300
_KILLED = "The process that executed this run was killed."
# Locks that are held until this process ends, by their file.
_kept: dict[Path, object] = {}


def run_lock(dagster: dg.DagsterInstance, run_id: str) -> Path:
    """Return the file of the lock that shows that a run is alive."""
    return Path(dagster.root_directory) / "alive" / f"{run_id}.lock"


@contextmanager
def alive(dagster: dg.DagsterInstance, run_id: str, who: str) -> Iterator[None]:
    """Hold a run's lock while the block lasts, and remove it after."""
    path = run_lock(dagster, run_id)
    with locks.holding(path, who, lambda _: None):
        yield
        path.unlink(missing_ok=True)


def keep_alive(dagster: dg.DagsterInstance, run_id: str, who: str) -> None:
    """Hold a run's lock until this process ends.

    Not only until its last step does: Dagster records the end of a run after that.
    """
    path = run_lock(dagster, run_id)
    if path not in _kept:
        _kept[path] = locks.keep(path, who)


def recover(dagster: dg.DagsterInstance, *, by_command: bool = False) -> list[str]:
    """Record dead runs as failed, free what they hold, and return their ids.

    `by_command`: a command asks, which keeps other commands away while it lasts.
    """
    recovered = []
    unfinished = dagster.get_run_records(dg.RunsFilter(statuses=_UNFINISHED))
    for record in unfinished:
        run = record.dagster_run
        path = run_lock(dagster, run.run_id)
        with locks.abandoned(path) as abandoned:
            dead = abandoned or (not locks.holder(path) and _never_worked(dagster, record))
            if dead and _still_unfinished(dagster, run.run_id):
                dagster.report_run_failed(run, _KILLED)
                dagster.event_log_storage.free_concurrency_slots_for_run(run.run_id)
                recovered.append(run.run_id)
    alive = {record.dagster_run.run_id for record in unfinished} - set(recovered)
    with _without_other_commands(dagster, by_command=by_command) as is_alone:
        _remove_locks(dagster, alive, no_command_begins=is_alone)
    return recovered


@contextmanager
def _without_other_commands(dagster: dg.DagsterInstance, *, by_command: bool) -> Iterator[bool]:
    """Keep commands from beginning while the block lasts; tell whether none is under way."""
    turn = locks.lock_file(Path(dagster.root_directory).parent, "command")
    if by_command or not turn.parent.exists():
        yield by_command
        return
    with locks.abandoned(turn, unnamed=True) as is_free:
        yield is_free


def _still_unfinished(dagster: dg.DagsterInstance, run_id: str) -> bool:
    run = dagster.get_run_by_id(run_id)
    return run is not None and run.status in _UNFINISHED


def _never_worked(dagster: dg.DagsterInstance, record: dg.RunRecord) -> bool:
    """Tell whether a run without a lock died before its first step.

    SQLite means that the run's process is or was on this machine, where its number says whether it
    is gone. Elsewhere nothing proves a death, and Dagster's run monitoring decides.
    """
    from liquidity_pipeline.orchestration.dagster_private_storage import SqliteEventLogStorage

    if not isinstance(dagster.event_log_storage, SqliteEventLogStorage):
        return False
    process = _last_process(dagster, record.dagster_run.run_id)
    if process is not None:
        return not _exists(process)
    return time.time() - record.update_timestamp.timestamp() > _START_SECONDS


def _last_process(dagster: dg.DagsterInstance, run_id: str) -> int | None:
    """Return the number of the process that a run last said it runs in."""
    entries = dagster.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
    for entry in reversed(entries):
        metadata = entry.get_dagster_event().engine_event_data.metadata
        if "pid" in metadata:
            return int(str(metadata["pid"].value))
    return None


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove_locks(
    dagster: dg.DagsterInstance, unfinished: Collection[str], *, no_command_begins: bool
) -> None:
    """Remove the locks of runs that have ended, whose processes are gone.

    A command takes the lock of its run before the run is recorded. Others record it before.
    """
    for path in run_lock(dagster, "any").parent.glob("*.lock"):
        if path.stem in unfinished:
            continue
        run = dagster.get_run_by_id(path.stem)
        ended = no_command_begins if run is None else run.status not in _UNFINISHED
        with locks.abandoned(path, unnamed=ended) as abandoned:
            if abandoned:
                path.unlink(missing_ok=True)
