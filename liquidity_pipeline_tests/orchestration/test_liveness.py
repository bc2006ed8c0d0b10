"""Nothing waits for a dead run, however it was started, and nothing is taken from a live one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import EngineEventData

from liquidity_pipeline.orchestration import liveness, runs
from liquidity_pipeline.orchestration.dagster_instance import dagster_home, exclusive, instance
from liquidity_pipeline.orchestration.event_log import open_instance
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.storage.locks import WAREHOUSE, holder, holding, lock_file

URL = "http://127.0.0.1:9"
NOT_PUBLISHED = 3
PATIENCE = 120

# A process that takes a lock and keeps it until it is killed.
HOLDER = """
import sys, time
from pathlib import Path
from liquidity_pipeline.storage import locks
kept = locks.keep(Path(sys.argv[1]), "a test that holds it")
print("held", flush=True)
time.sleep(300)
"""

# Each starts processes, and waits for them.
pytestmark = pytest.mark.slow


def environment(folder: Path) -> dict[str, str]:
    settings = {
        "LIQUIDITY_DATA_DIR": str(folder),
        "LIQUIDITY_ENDPOINTS": URL,
        "LIQUIDITY_HTTP_RETRIES": "0",
        "DAGSTER_HOME": str(dagster_home(folder)),
    }
    return {**os.environ, **settings}


def wait_until(true: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert process.poll() is None, "the process ended before it was to be killed"
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


@contextmanager
def held(path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@contextmanager
def command(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    program = "from liquidity_pipeline.cli.main import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", program, *words],
        env=environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def test_a_run_of_the_workspace_killed_in_its_step_holds_up_nobody(tmp_path: Path):
    """As the UI does it: the job `publish`, from the definitions, in a process of its own."""
    words = ["job", "execute", "-m", "liquidity_pipeline.definitions", "-j", "publish"]
    dagster_program = Path(sys.executable).with_name("dagster")
    with subprocess.Popen(
        [dagster_program, *words],
        env=environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        wait_until(lambda: bool(holder(lock_file(tmp_path, WAREHOUSE))), process)
        process.kill()
    waits: list[str] = []
    with instance(tmp_path, waits.append) as dagster:
        (dead,) = dagster.get_runs()
        assert dead.status == dg.DagsterRunStatus.FAILURE
        runner = runs.Runner(Pipeline(Settings(tmp_path, URL)), dagster, on_warning=waits.append)
        runner.publish()
        # It worked, and found that nothing was ever fetched.
        assert "no source has ever been fetched" in str(runner.report.problems)
        assert waits == []
        assert list((tmp_path / "dagster_home/alive").glob("*.lock")) == []


def test_a_live_run_is_left_alone_and_a_dead_one_is_recorded(tmp_path: Path):
    with open_instance(dagster_home(tmp_path)) as dagster:
        run = dagster.create_run_for_job(dg.GraphDefinition("empty").to_job())
        dagster.report_run_canceling(run)
        with held(liveness.run_lock(dagster, run.run_id)):
            assert liveness.recover(dagster) == []
            assert dagster.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.CANCELING
        assert liveness.recover(dagster) == [run.run_id]
        assert dagster.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.FAILURE
        assert liveness.recover(dagster) == []


def test_a_run_that_died_before_its_first_step_is_known_by_its_process(tmp_path: Path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with open_instance(dagster_home(tmp_path)) as dagster:
        for process, dead in ((os.getpid(), False), (gone.pid, True)):
            run = dagster.create_run_for_job(dg.GraphDefinition("empty").to_job())
            event = EngineEventData.in_process(process)
            dagster.report_engine_event("Started process for run", run, event)
            assert (liveness.recover(dagster) == [run.run_id]) is dead


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", ["command", "fiscaldata"])
def test_every_wait_names_the_holder_and_ends_on_a_signal(
    tmp_path: Path, name: str, ending: signal.Signals
):
    """Before Dagster is open, and inside a step."""
    words = ("backfill", "--since", "2026-01", "--until", "2026-01", "--source", "tga_balance")
    with held(lock_file(tmp_path, name)), command(tmp_path, *words) as process:
        assert process.stderr is not None
        said = ""
        while "waiting for" not in said:
            said = process.stderr.readline()
            assert said, "the command ended without a wait"
        assert "a test that holds it (process" in said
        process.send_signal(ending)
        assert process.wait(PATIENCE) == NOT_PUBLISHED
        assert "interrupted" in process.stderr.read()


def test_a_lock_is_free_when_its_holder_is_killed(tmp_path: Path):
    path = tmp_path / "some.lock"
    waits: list[str] = []
    with held(path) as process:
        process.kill()
        process.wait()
        with holding(path, "the next", waits.append):
            assert holder(path).startswith("the next (process")
    assert waits == []


def test_a_process_killed_before_it_signed_its_lock_leaves_nothing(tmp_path: Path):
    """The file of a lock is made, the lock is taken, and then the name of its holder is written.

    A command takes the lock of its run before the run is recorded, so that there may be no run.
    """
    with instance(tmp_path) as dagster:
        ended = dg.materialize([nothing], instance=dagster).run_id
    paths = [liveness.run_lock(dagster, run_id) for run_id in (ended, "of-a-command")]
    paths[0].parent.mkdir(exist_ok=True)
    for path in paths:
        path.touch()
    home = str(dagster_home(tmp_path))
    with exclusive(tmp_path), dg.DagsterInstance.from_config(home) as of_the_daemon:
        liveness.recover(of_the_daemon)
        # A command that is under way may be about to take the second.
        assert [path.exists() for path in paths] == [False, True]
    with dg.DagsterInstance.from_config(home) as of_the_daemon:
        liveness.recover(of_the_daemon)
        assert not paths[1].exists()
    paths[1].touch()
    with instance(tmp_path):
        assert not paths[1].exists()


def test_an_unsigned_lock_that_is_held_stays(tmp_path: Path):
    with instance(tmp_path) as dagster:
        ended = dg.materialize([nothing], instance=dagster).run_id
        path = liveness.run_lock(dagster, ended)
        with held(path):
            path.write_text("")
            liveness.recover(dagster)
            assert path.exists()


@dg.asset
def nothing() -> None:
    """An asset that makes nothing."""
