"""Killed and interrupted commands: the next one works, and an interrupt stops what it should."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import dagster as dg
import pytest

from liquidity_pipeline.orchestration import runs
from liquidity_pipeline.orchestration.dagster_instance import instance
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings

KILLED = """
import os, signal, sys
from pathlib import Path
import dagster as dg
from liquidity_pipeline.orchestration import dagster_instance, runs

@dg.asset(pool="one_at_a_time")
def slow() -> None:
    os.kill(os.getpid(), signal.SIGKILL)

job = dg.Definitions(assets=[slow], executor=dg.in_process_executor)
job = job.resolve_implicit_global_asset_job_def()
with dagster_instance.instance(Path(sys.argv[1])) as dagster:
    runs.Runner(None, dagster).execute(job)
"""

# Each starts processes, and waits for them.
pytestmark = pytest.mark.slow


def job_of(*assets: dg.AssetsDefinition) -> dg.JobDefinition:
    definitions = dg.Definitions(assets=assets, executor=dg.in_process_executor)
    return definitions.resolve_implicit_global_asset_job_def()


@dg.asset(pool="one_at_a_time")
def slow() -> None:
    pass


def test_a_killed_command_leaves_its_place_in_the_pool_to_the_next(tmp_path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert died.returncode == -signal.SIGKILL
    with instance(tmp_path) as dagster:
        (dead,) = dagster.get_runs()
        assert dead.status == dg.DagsterRunStatus.FAILURE
        runner = runs.Runner(Pipeline(Settings(tmp_path)), dagster)
        # Without its slot back, this would wait for ever.
        runner.execute(job_of(slow))
        assert runner.report.problems == {}


def test_an_interrupt_ends_the_command_and_not_only_the_step(tmp_path: Path) -> None:
    @dg.asset
    def interrupted() -> None:
        os.kill(os.getpid(), signal.SIGINT)

    with instance(tmp_path) as dagster, pytest.raises(KeyboardInterrupt):
        runs.Runner(Pipeline(Settings(tmp_path)), dagster).execute(job_of(interrupted))


def test_a_second_command_waits_for_the_first(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with instance(tmp_path, lambda _: order.append("waits")):
            order.append("second")

    waiting = threading.Thread(target=second)
    with instance(tmp_path):
        waiting.start()
        waiting.join(1.5)
        order.append("first")
    waiting.join(20)
    assert order == ["waits", "first", "second"]
