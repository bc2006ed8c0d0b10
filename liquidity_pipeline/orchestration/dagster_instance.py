"""Dagster's records of a data directory, for the command line: one command at a time.

A command that is killed cannot give back the slot that its step holds in the publisher's pool, and
the next would wait for it for ever. The operating system gives back a file lock in any case: who
holds it knows that an unfinished run of the command line has died, and clears it away.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from liquidity_pipeline.orchestration.event_log import open_instance

# Marks the runs of the command line; those of the UI are the daemon's to watch.
COMMAND_LINE = {"liquidity/started_by": "command line"}
_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_SETTINGS = """\
# Written by liquidity-pipeline. Nothing leaves this machine.
telemetry:
  enabled: false
nux:
  enabled: false
run_monitoring:
  enabled: true
  free_slots_after_run_end_seconds: 60
concurrency:
  pools:
    default_limit: 1
"""


def dagster_home(data_dir: Path) -> Path:
    """Return the folder of Dagster's own records, made with its settings if it is new."""
    home = data_dir / "dagster_home"
    home.mkdir(parents=True, exist_ok=True)
    config = home / "dagster.yaml"
    if not config.exists():
        config.write_text(_SETTINGS)
    return home


@contextmanager
def instance(
    data_dir: Path, on_wait: Callable[[], None] = lambda: None
) -> Iterator[dg.DagsterInstance]:
    """Open the Dagster instance of a data directory, for one command at a time.

    `on_wait` is called when another command has it open; then this one waits.
    """
    home = dagster_home(data_dir)
    os.environ["DAGSTER_HOME"] = str(home)
    with exclusive(data_dir, on_wait), open_instance(home) as dagster:
        _clear_dead_runs(dagster)
        yield dagster


@contextmanager
def exclusive(data_dir: Path, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Keep other commands off a data directory while the block lasts, waiting for a turn."""
    with (dagster_home(data_dir) / "command_line.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _clear_dead_runs(dagster: dg.DagsterInstance) -> None:
    unfinished = dg.RunsFilter(tags=COMMAND_LINE, statuses=_UNFINISHED)
    for run in dagster.get_runs(unfinished):
        dagster.report_run_failed(run, "The command that ran it was killed.")
        dagster.event_log_storage.free_concurrency_slots_for_run(run.run_id)
