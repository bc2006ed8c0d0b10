"""A shared catalogue of publications, used within a bounded time: see `ducklake`.

DuckDB cannot be interrupted while it waits for a database that does not answer. So it works in a
process of its own, which is ended when its time is over or when this one is interrupted.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from liquidity_pipeline.settings import CatalogueSettings
from liquidity_pipeline.storage.ducklake import Registered
from liquidity_pipeline.storage.ducklake_copy import CatalogueError

__all__ = ["CatalogueError", "Registered", "Snapshot", "register", "snapshots"]

# What libpq waits for a connection, unless the user says otherwise; a silent server counts as none.
_CONNECT_SECONDS = {"PGCONNECT_TIMEOUT": "10"}
# The process ends itself at its time; after so many more seconds it is killed.
_GRACE_SECONDS = 5


@dataclass(frozen=True)
class Snapshot:
    """One publication in the catalogue; `version` is what `at (version => n)` takes."""

    version: int
    registered_at: datetime
    publication_id: str
    as_of: str


def register(published: Path, settings: CatalogueSettings) -> Registered:
    """Make the published file the catalogue's newest snapshot, whole or not at all.

    A publication that is there already, or that is older than the newest one there, is not
    registered. Raises CatalogueError where the catalogue cannot be used, does not answer in time,
    or is of other endpoints.
    """
    return Registered(**_ask(settings, {"published": str(published.absolute())}))


def snapshots(settings: CatalogueSettings) -> list[Snapshot]:
    """Return the publications in the catalogue, oldest first; raise CatalogueError like above."""
    return [
        Snapshot(version, datetime.fromtimestamp(micros / 1e6, UTC), publication, as_of)
        for version, micros, publication, as_of in _ask(settings, {})
    ]


def _ask(settings: CatalogueSettings, request: dict[str, str]) -> Any:
    """Let a process of its own do it; what is secret is given to it by its standard input."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "liquidity_pipeline.storage.ducklake"],
            input=json.dumps({**request, "settings": asdict(settings)}),
            env={**_CONNECT_SECONDS, **os.environ},
            capture_output=True,
            text=True,
            timeout=settings.timeout + _GRACE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _silent(settings) from None
    if done.returncode == -signal.SIGALRM:
        raise _silent(settings)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise _broken(settings, done) from None
    if "error" in answer:
        raise CatalogueError(answer["error"])
    return answer["done"]


def _silent(settings: CatalogueSettings) -> CatalogueError:
    return CatalogueError(
        f"the catalogue {settings.shown} did not answer within {settings.timeout:g} seconds and "
        f"was given up. Is its database well, and the network to it? A registration that takes "
        f"longer needs a longer LIQUIDITY_CATALOGUE_TIMEOUT."
    )


def _broken(settings: CatalogueSettings, done: subprocess.CompletedProcess[str]) -> CatalogueError:
    """Return why a process gave no answer: its last words, without what is secret."""
    said = done.stderr.strip().splitlines()[-1:] or [f"it ended with code {done.returncode}"]
    text = said[0]
    for secret in settings.secrets:
        text = text.replace(secret, "***")
    return CatalogueError(
        f"the catalogue {settings.shown} cannot be used: the process that works on it failed: "
        f"{text}"
    )
