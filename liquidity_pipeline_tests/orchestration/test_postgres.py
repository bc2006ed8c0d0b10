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
from pathlib import Path

import pytest
import yaml

from liquidity_pipeline.storage.locks import WAREHOUSE, holder, lock_file
from liquidity_pipeline_tests.conftest import SANDBOX_TODAY
from liquidity_pipeline_tests.orchestration.test_ui import PATIENCE, Ui, answers, wait_until

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "postgres"
BIN = Path(sys.executable).parent


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


@pytest.fixture
def services(database: str, sandbox: str, tmp_path: Path) -> Iterator[Ui]:
    folder = tmp_path / "data"
    home = folder / "dagster_home"
    home.mkdir(parents=True)
    shutil.copy(DEPLOY / "dagster.yaml", home)
    code, web = free_port(), free_port()
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(home),
        "LIQUIDITY_DATA_DIR": str(folder),
        "LIQUIDITY_ENDPOINTS": sandbox,
        "LIQUIDITY_AS_OF": SANDBOX_TODAY.isoformat(),
        "LIQUIDITY_DAGSTER_POSTGRES_URL": database,
        "LIQUIDITY_CODE_SERVER_HOST": "127.0.0.1",
        "LIQUIDITY_CODE_SERVER_PORT": str(code),
    }
    here = {
        "0.0.0.0": "127.0.0.1",  # noqa: S104 - what the containers listen on
        "4000": str(code),
        "3000": str(web),
        "/srv/liquidity/workspace-grpc.yaml": str(DEPLOY / "workspace.yaml"),
    }
    with ExitStack() as stack:

        def start(name: str) -> subprocess.Popen[bytes]:
            words = composed(name, here)
            return stack.enter_context(started(words, environment, tmp_path / f"{name}.log"))

        start("code")
        wait_until(lambda: ready(code), "the code server")
        server = start("webserver")
        start("daemon")
        running = Ui(server, web, folder, environment)
        wait_until(lambda: answers(running), "the webserver")
        yield running


@pytest.mark.campaign
def test_separate_processes_on_postgres_publish_and_get_over_a_kill(services: Ui, sandbox: str):
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
