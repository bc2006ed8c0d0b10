"""The processes of deploy/compose.yaml without Docker: PostgreSQL, code server, webserver, daemon.

The commands are taken from that file, with other ports and paths; deploy/postgres/*.yaml are used
as they are. Needs PostgreSQL's own programs.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import yaml

from liquidity_pipeline.sources.registry import SOURCES
from liquidity_pipeline.storage.locks import WAREHOUSE, holder, holding_all, lock_file
from liquidity_pipeline_tests.conftest import SANDBOX_TODAY
from liquidity_pipeline_tests.orchestration.test_ui import PATIENCE, Ui, answers, wait_until

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "postgres"
BIN = Path(sys.executable).parent
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def started(
    words: list[str], environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in a group of its own until the block ends."""
    with (
        log.open("wb") as output,
        subprocess.Popen(
            words, env=environment, stdout=output, stderr=output, start_new_session=True
        ) as process,
    ):
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Give the URL of a PostgreSQL server; it refuses to run as root, so it runs as `postgres`."""
    if not (shutil.which("initdb") and shutil.which("postgres")):
        pytest.skip("PostgreSQL is not installed")
    port = free_port()
    folder.mkdir(mode=0o700)
    root = os.geteuid() == 0
    if root:
        shutil.chown(folder, "postgres", "postgres")
        for parent in [*folder.parents][:-1]:
            parent.chmod(parent.stat().st_mode | 0o011)
    user = {"user": "postgres", "group": "postgres"} if root else {}
    initdb = ["initdb", "-D", str(folder), "-U", "dagster", "-A", "trust", "-E", "UTF8"]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, **user)  # type: ignore[call-overload]
    words = ["postgres", "-D", str(folder), "-p", str(port), "-k", str(folder), "-h", "127.0.0.1"]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL, **user) as server:  # type: ignore[call-overload]
        try:
            wait_until(lambda: ready(port) or server.poll() is not None, "PostgreSQL")
            assert server.poll() is None, "PostgreSQL ended at once"
            yield f"postgresql+psycopg2://dagster@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(60)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    with postgres(tmp_path / "records") as url:
        yield url


def ready(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def composed(service: str, here: Mapping[str, str]) -> list[str]:
    """Return the command of a service of deploy/compose.yaml, with what differs here replaced."""
    services = yaml.safe_load((DEPLOY.parent / "compose.yaml").read_text())["services"]
    program, *words = [*services[service]["entrypoint"], *services[service]["command"]]
    return [str(BIN / program), *(here.get(word, word) for word in words)]


@dataclass
class Services:
    """The processes of the composition: one code server or more, webserver and daemon."""

    ui: Ui
    code: list[subprocess.Popen[bytes]]


@contextmanager
def services(
    database: str, sandbox: str, place: Path, workspace: Path, count: int
) -> Iterator[Services]:
    """Start the processes with so many code servers, whose ports the workspace reads."""
    folder = place / "data"
    home = folder / "dagster_home"
    home.mkdir(parents=True)
    shutil.copy(DEPLOY / "dagster.yaml", home)
    ports, web = [free_port() for _ in range(count)], free_port()
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(home),
        "LIQUIDITY_DATA_DIR": str(folder),
        "LIQUIDITY_ENDPOINTS": sandbox,
        "LIQUIDITY_AS_OF": SANDBOX_TODAY.isoformat(),
        "LIQUIDITY_DAGSTER_POSTGRES_URL": database,
        "LIQUIDITY_CODE_SERVER_HOST": "127.0.0.1",
        "LIQUIDITY_CODE_SERVER_PORT": str(ports[0]),
        "SECOND_CODE_SERVER_PORT": str(ports[-1]),
    }
    with ExitStack() as stack:

        def start(name: str, code: int) -> subprocess.Popen[bytes]:
            here = {
                "0.0.0.0": "127.0.0.1",  # noqa: S104 - what the containers listen on
                "4000": str(code),
                "3000": str(web),
                "/srv/liquidity/workspace-grpc.yaml": str(workspace),
            }
            log = place / f"{name}-{code}.log"
            return stack.enter_context(started(composed(name, here), environment, log))

        code = [start("code", port) for port in ports]
        for port in ports:
            wait_until(partial(ready, port), "a code server")
        running = Ui(start("webserver", web), web, folder, environment)
        start("daemon", web)
        wait_until(lambda: answers(running), "the webserver")
        yield Services(running, code)


@pytest.mark.campaign
def test_separate_processes_on_postgres_publish_and_get_over_a_kill(
    database: str, sandbox: str, tmp_path: Path
):
    with services(database, sandbox, tmp_path, DEPLOY / "workspace.yaml", 1) as found:
        _publish_and_get_over_a_kill(found.ui)


def _publish_and_get_over_a_kill(services: Ui) -> None:
    services.launch("__ASSET_JOB", ["sources", "tga_balance"], partition="2026-01")
    published = services.folder / "liquidity.duckdb"
    wait_until(published.exists, "the publication of what was clicked")

    killed = services.launch("publish")
    lock = lock_file(services.folder, WAREHOUSE)
    wait_until(lambda: killed[:8] in holder(lock), "the run in its step")
    os.kill(int(re.findall(r"process (\d+)", holder(lock))[0]), signal.SIGKILL)
    command = [str(BIN / "liquidity"), "backfill", "--since", "2026-02", "--source", "tga_balance"]
    ended = subprocess.run(
        command,
        env=services.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode in (0, 1), ended.stdout + ended.stderr
    assert services.status(killed) == "FAILURE"

    # All records are in PostgreSQL; nothing fell back to SQLite.
    assert not list((services.folder / "dagster_home").rglob("*.db"))


SECOND = """
  - grpc_server:
      host:
        env: LIQUIDITY_CODE_SERVER_HOST
      port:
        env: SECOND_CODE_SERVER_PORT
      location_name: second
"""


@pytest.mark.campaign
def test_two_code_servers_share_the_pools_and_one_goes_on_when_the_other_is_killed(
    database: str, sandbox: str, tmp_path: Path
):
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text((DEPLOY / "workspace.yaml").read_text() + SECOND)
    with services(database, sandbox, tmp_path, workspace, 2) as found:
        ui, tga = found.ui, ["sources", "tga_balance"]
        publishers = SOURCES["tga_balance"].publishers
        # While the publisher's lock is held, no run that asks it can end.
        with holding_all(ui.folder, publishers, "a test", lambda _: None):
            runs = [
                ui.launch("__ASSET_JOB", tga, location="liquidity_pipeline", partition="2026-01"),
                ui.launch("__ASSET_JOB", tga, location="second", partition="2025-12"),
            ]
            other = ["sources", "reference_rates"]
            beside = ui.launch("__ASSET_JOB", other, location="second", partition="2026-01")
            _succeeds(ui, beside)
            assert sorted(map(ui.status, runs)) == ["QUEUED", "STARTED"]
        for run in runs:
            _succeeds(ui, run)
        held = {path.name for path in (ui.folder / "lake" / "tga_balance").iterdir()}
        assert held == {"month=2025-12", "month=2026-01"}

        os.killpg(found.code[1].pid, signal.SIGKILL)
        _succeeds(ui, ui.launch("__ASSET_JOB", tga, partition="2025-11"))


def _succeeds(ui: Ui, run: str) -> None:
    wait_until(lambda: ui.status(run) in ENDED, f"the end of run {run}")
    assert ui.status(run) == "SUCCESS"
