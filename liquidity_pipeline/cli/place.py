"""Where a command works: the options that every command has, over the environment."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import click

from liquidity_pipeline.settings import LIVE, NEW_YORK, SANDBOX, Settings, SettingsError

# Where a command notes its data directory, for the line that it may have to end with.
DATA_DIR = "liquidity_pipeline.data_dir"


@dataclass(frozen=True)
class Place:
    """What the command line says of the data that a command works on."""

    data_dir: str | None
    endpoints: str | None
    as_of: str | None = None

    def settings(self) -> Settings:
        """Return the settings; raise SettingsError for what cannot be.

        A sandbox that is asked by its address is still the sandbox, and its data are synthetic.
        """
        return self._resolved

    @functools.cached_property
    def _resolved(self) -> Settings:
        given = {
            "LIQUIDITY_DATA_DIR": self.data_dir,
            "LIQUIDITY_ENDPOINTS": self.endpoints,
            "LIQUIDITY_AS_OF": self.as_of,
        }
        settings = Settings.from_env({**os.environ, **{k: v for k, v in given.items() if v}})
        _refuse_future(settings)
        if settings.endpoints in (LIVE, SANDBOX) or not _is_sandbox(settings.endpoints):
            return settings
        return replace(settings, endpoints=SANDBOX, sandbox_url=settings.endpoints)


def _refuse_future(settings: Settings) -> None:
    today = datetime.now(NEW_YORK).date()
    if settings.as_of is not None and settings.as_of > today:
        raise SettingsError(f"--as-of {settings.as_of} is in the future: today is {today}.")


def _is_sandbox(url: str) -> bool:
    import requests

    try:
        return bool(requests.get(f"{url}/__health", timeout=5).json().get("synthetic"))
    except (requests.RequestException, AttributeError):
        return False


def placed(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which data a command works on, and hand them over as a Place.

    The settings are checked before the command begins, and its log is opened.
    """

    @functools.wraps(command)
    def with_place(
        *, data_dir: str | None, endpoints: str | None, sandbox: bool, debug: bool, **options: Any
    ) -> Any:
        from liquidity_pipeline.cli import failures

        if sandbox and endpoints not in (None, SANDBOX):
            raise click.UsageError("--sandbox and --endpoints exclude each other")
        place = Place(data_dir, SANDBOX if sandbox else endpoints, options.pop("as_of", None))
        settings = place.settings()
        click.get_current_context().meta[DATA_DIR] = settings.data_dir
        failures.start_log(settings.data_dir, settings.log_format, debug=debug)
        return command(place, **options)

    decorated: Callable[..., Any] = with_place
    for option in (
        click.option("--debug", is_flag=True, help="Show tracebacks; the log always has them."),
        click.option("--data-dir", type=click.Path(file_okay=False), help="Data directory."),
        click.option(
            "--endpoints",
            help="live, sandbox, or the root URL of a server that stands in for all publishers.",
        ),
        click.option("--sandbox", is_flag=True, help="Use synthetic data from the sandbox."),
    ):
        decorated = option(decorated)
    return decorated
