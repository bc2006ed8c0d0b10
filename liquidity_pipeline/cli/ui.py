"""Dagster's UI and daemon on a data directory, as one group of processes that ends together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from liquidity_pipeline.cli.place import Place
from liquidity_pipeline.cli.sandbox_starter import reachable
from liquidity_pipeline.cli.window import default_first_month
from liquidity_pipeline.settings import Settings

# Dagster gives its own processes as long to end.
_STOP_SECONDS = 70


def ui(place: Place, port: int) -> int:
    """Serve until interrupted, and return the exit code of `dagster dev`."""
    settings = place.settings()
    settings.claim_data_dir()
    with reachable(settings, default_first_month(settings)) as reached:
        return _serve(settings, reached.sandbox_url, port)


def _serve(settings: Settings, sandbox_url: str | None, port: int) -> int:
    from liquidity_pipeline.orchestration.dagster_instance import dagster_home, workspace_file

    home = dagster_home(settings.data_dir)
    environment = {
        **os.environ,
        "LIQUIDITY_DATA_DIR": str(settings.data_dir),
        "LIQUIDITY_ENDPOINTS": settings.endpoints,
        "LIQUIDITY_SANDBOX_URL": sandbox_url or "",
        "DAGSTER_HOME": str(home),
    }
    dagster = Path(sys.executable).with_name("dagster")
    command = [str(dagster), "dev", "-w", str(workspace_file(home)), "-p", str(port)]
    # A group of its own: a signal reaches all of Dagster's processes through this one, once.
    with subprocess.Popen(command, env=environment, start_new_session=True) as server:  # noqa: S603
        try:
            return server.wait()
        except KeyboardInterrupt:
            _stop(server)
            return 0


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Ask Dagster to end its processes, and end those that are left."""
    server.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
        server.wait(_STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
