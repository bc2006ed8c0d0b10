"""The shared catalogue from a terminal: register the published file, and list what is there."""

from __future__ import annotations

from pathlib import Path

from liquidity_pipeline.cli.console import console
from liquidity_pipeline.settings import CatalogueSettings, SettingsError
from liquidity_pipeline.storage import shared_catalogue


def publish(published: Path) -> None:
    """Register the published file; say its version, or why there was nothing to register."""
    settings = _settings()
    done = shared_catalogue.register(published, settings)
    if done.version is None:
        line = f"nothing registered: {done.note}"
    else:
        line = f"version {done.version}: {done.note}, {done.tables_changed} tables changed"
    console.print(line, markup=False, soft_wrap=True)


def show() -> None:
    """Print version, moment of registration, day and id of each publication, oldest first."""
    for snapshot in shared_catalogue.snapshots(_settings()):
        console.print(
            f"version {snapshot.version}  {snapshot.registered_at:%Y-%m-%d %H:%M} UTC  "
            f"as of {snapshot.as_of}  {snapshot.publication_id}",
            markup=False,
            soft_wrap=True,
        )


def _settings() -> CatalogueSettings:
    settings = CatalogueSettings.from_env()
    if settings is None:
        raise SettingsError(
            "LIQUIDITY_CATALOGUE names no catalogue: set it to the path of a SQLite file, or to "
            "postgresql://user:password@host/database."
        )
    return settings
