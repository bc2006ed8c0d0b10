"""Dagster's records of a data directory, for the command line: one command at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from liquidity_pipeline.orchestration import liveness
from liquidity_pipeline.storage import locks

# Marks the runs of the command line; the value is the command.
STARTED_BY = "liquidity/started_by"
COMMAND_LINE = {STARTED_BY: "command line"}

_HEAD = """\
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
"""
# The daemon starts one run per pool at a time. Between the steps of runs, however they were
# started, the locks of the data directory decide: they are given back when a process dies.
_SETTINGS = _HEAD + "    granularity: run\n    default_limit: 1\n"
# Settings that earlier versions wrote are replaced; those that a person has edited are not.
_EARLIER_SETTINGS = {_HEAD + "    default_limit: 1\n"}
_WORKSPACE = """\
load_from:
  - python_module:
      module_name: liquidity_pipeline.definitions
      location_name: liquidity_pipeline
"""


def dagster_home(data_dir: Path) -> Path:
    """Return the folder of Dagster's own records, made with its settings if it is new."""
    home = data_dir / "dagster_home"
    home.mkdir(parents=True, exist_ok=True)
    config = home / "dagster.yaml"
    if not config.exists() or config.read_text(encoding="utf-8") in _EARLIER_SETTINGS:
        config.write_text(_SETTINGS, encoding="utf-8")
    return home


def workspace_file(home: Path) -> Path:
    """Write where Dagster finds the definitions, under the name that workspace.yaml gives them.

    Dagster keeps the state of schedules by this name.
    """
    path = home / "workspace.yaml"
    path.write_text(_WORKSPACE, encoding="utf-8")
    return path


@contextmanager
def instance(
    data_dir: Path, on_wait: locks.OnWait = lambda _: None
) -> Iterator[dg.DagsterInstance]:
    """Open the Dagster instance of a data directory, for one command at a time.

    `on_wait` is told for whom this command waits when another one has it open. Runs that were
    killed, of commands and of the UI, are recorded as failed.
    """
    from liquidity_pipeline.orchestration.event_log import open_instance

    home = dagster_home(data_dir)
    os.environ["DAGSTER_HOME"] = str(home)
    with exclusive(data_dir, on_wait), open_instance(home) as dagster:
        liveness.recover(dagster, by_command=True)
        yield dagster


@contextmanager
def exclusive(data_dir: Path, on_wait: locks.OnWait = lambda _: None) -> Iterator[None]:
    """Keep other commands off a data directory while the block lasts, waiting for a turn."""
    who = "another `liquidity` command"
    with locks.holding(locks.lock_file(data_dir, "command"), who, on_wait):
        yield
