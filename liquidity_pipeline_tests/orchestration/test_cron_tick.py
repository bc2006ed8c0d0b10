"""A tick of a real daemon: the clock launches a run, it fetches, and the file is published."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from liquidity_pipeline.orchestration.dagster_instance import dagster_home
from liquidity_pipeline.orchestration.event_log import open_instance
from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.server import start
from liquidity_pipeline_tests.orchestration.test_postgres import started
from liquidity_pipeline_tests.orchestration.test_ui import wait_until

# The product's definitions, and one more schedule that is made as its own are.
DEFINITIONS = """
import dagster as dg
from liquidity_pipeline.orchestration.assembly import build_definitions
from liquidity_pipeline.orchestration.jobs import _schedule

every_minute = _schedule("every_minute", "* * * * *", "UTC", ["tga_balance"], "Every minute.")
defs = dg.Definitions.merge(build_definitions(), dg.Definitions(schedules=[every_minute]))
"""


@pytest.mark.campaign
def test_a_tick_of_the_clock_launches_a_run_that_is_followed_by_a_publication(tmp_path: Path):
    """Takes until the next full minute and a run; the sensors tick every 30 seconds."""
    (tmp_path / "ticking.py").write_text(DEFINITIONS)
    folder = tmp_path / "data"
    home = dagster_home(folder)
    first = (datetime.now(UTC).date().replace(day=1) - timedelta(days=40)).replace(day=1)
    with start(Options(start=first)) as sandbox:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]),
            "DAGSTER_HOME": str(home),
            "LIQUIDITY_DATA_DIR": str(folder),
            "LIQUIDITY_ENDPOINTS": sandbox.url,
        }
        daemon = str(Path(sys.executable).with_name("dagster-daemon"))
        log = tmp_path / "daemon.log"
        with started([daemon, "run", "-m", "ticking"], environment, log):
            wait_until((folder / "liquidity.duckdb").exists, f"the publication; see {log}")
        with open_instance(home) as dagster:
            runs = dagster.get_runs()
    ticked = [run for run in runs if run.tags.get("dagster/schedule_name") == "every_minute"]
    assert any(run.status == dg.DagsterRunStatus.SUCCESS for run in ticked)
    assert any(run.job_name == "publish" for run in runs)
