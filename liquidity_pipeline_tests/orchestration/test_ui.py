"""`liquidity ui` as a person uses it: the real webserver, daemon, code server and run processes."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from liquidity_pipeline.storage.locks import WAREHOUSE, holder, lock_file
from liquidity_pipeline_tests.conftest import SANDBOX_TODAY

PATIENCE = 420
LAUNCH = """
mutation($p: ExecutionParams!) {
  launchPipelineExecution(executionParams: $p) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}"""
STATUS = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
LINEAGE = """
query($key: AssetKeyInput!) {
  assetOrError(assetKey: $key) { ... on Asset { assetMaterializations(limit: 1) {
    metadataEntries { label ... on TableColumnLineageMetadataEntry { lineage {
      columnName columnDeps { assetKey { path } columnName } } } } } } }
}"""
AUTOMATION = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
  location { name }
  schedules { scheduleState { status } }
  sensors { sensorState { status } } } } } }"""


@dataclass
class Ui:
    """A running `liquidity ui`."""

    process: subprocess.Popen[bytes]
    port: int
    folder: Path
    environment: dict[str, str]

    def ask(self, query: str, **variables: Any) -> Any:
        body = {"query": query, "variables": variables}
        answer = requests.post(f"http://127.0.0.1:{self.port}/graphql", json=body, timeout=60)
        assert "errors" not in answer.json(), answer.text
        return answer.json()["data"]

    def launch(
        self, job: str, *assets: list[str], location: str = "liquidity_pipeline", **tags: str
    ) -> str:
        selector = {
            "repositoryLocationName": location,
            "repositoryName": "__repository__",
            "pipelineName": job,
            "assetSelection": [{"path": path} for path in assets] or None,
        }
        named = [{"key": f"dagster/{name}", "value": value} for name, value in tags.items()]
        launched = self.ask(
            LAUNCH,
            p={
                "selector": selector,
                "mode": "default",
                "executionMetadata": {"tags": named},
            },
        )["launchPipelineExecution"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return str(launched["run"]["runId"])

    def status(self, run: str) -> str:
        return str(self.ask(STATUS, id=run)["runOrError"]["status"])

    def processes(self) -> list[str]:
        """Return the processes that have this directory's Dagster in their environment."""
        mark = f"DAGSTER_HOME={self.folder}/dagster_home".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if mark in path.read_bytes() and int(path.parent.name) != os.getpid():
                    found.append(path.parent.name)
            except OSError:
                continue
        return found


def wait_until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.1)


def answers(ui: Ui) -> bool:
    assert ui.process.poll() is None, "`liquidity ui` ended"
    try:
        return bool(ui.ask(AUTOMATION)["repositoriesOrError"].get("nodes"))
    except requests.ConnectionError:
        return False


@pytest.fixture
def ui(sandbox: str, tmp_path: Path) -> Iterator[Ui]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "LIQUIDITY_AS_OF": SANDBOX_TODAY.isoformat()}
    options = ["--endpoints", sandbox, "--data-dir", str(tmp_path)]
    with command(["ui", "--port", str(port), *options], environment) as process:
        running = Ui(process, port, tmp_path, environment)
        wait_until(lambda: answers(running), "the webserver")
        yield running


@contextmanager
def command(words: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    program = "from liquidity_pipeline.cli.main import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", program, *words],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


@pytest.mark.campaign
def test_the_ui_publishes_what_is_clicked_survives_a_kill_and_ends_whole(ui: Ui, sandbox: str):
    """Slow, because Dagster takes half a minute to start, and its sensors tick at 30 s."""
    (repository,) = ui.ask(AUTOMATION)["repositoriesOrError"]["nodes"]
    assert repository["location"]["name"] == "liquidity_pipeline"
    states = [s["scheduleState"]["status"] for s in repository["schedules"]]
    states += [s["sensorState"]["status"] for s in repository["sensors"]]
    assert set(states) == {"RUNNING"}

    ui.launch("__ASSET_JOB", ["sources", "tga_balance"], partition="2026-01")
    wait_until((ui.folder / "liquidity.duckdb").exists, "the publication of what was clicked")
    key = {"path": ["marts", "tga_daily"]}
    (made,) = ui.ask(LINEAGE, key=key)["assetOrError"]["assetMaterializations"]
    entries = {entry["label"]: entry for entry in made["metadataEntries"]}
    assert {"build_seconds", "last_rows", "newest_closing_usd_mn"} <= set(entries)
    columns = {c["columnName"]: c for c in entries["dagster/column_lineage"]["lineage"]}
    deps = columns["gap_to_target_usd_mn"]["columnDeps"]
    assert {"policy_events", "tga_balance"} == {dep["assetKey"]["path"][-1] for dep in deps}

    killed = ui.launch("publish")
    lock = lock_file(ui.folder, WAREHOUSE)
    wait_until(lambda: killed[:8] in holder(lock), "the run in its step")
    os.kill(int(re.findall(r"process (\d+)", holder(lock))[0]), signal.SIGKILL)
    options = ["--endpoints", sandbox, "--data-dir", str(ui.folder), "--source", "policy_events"]
    with command(["backfill", "--since", "2026-02", *options], ui.environment) as next_one:
        assert next_one.wait(PATIENCE) in (0, 1)
    assert ui.status(killed) == "FAILURE"

    assert len(ui.processes()) > 2
    ui.process.send_signal(signal.SIGTERM)
    assert ui.process.wait(PATIENCE) == 0
    wait_until(lambda: not ui.processes(), "the end of all processes")
