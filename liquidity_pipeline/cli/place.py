"""The data that a command works on: options that every command has, over the environment."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from liquidity_pipeline.settings import NEW_YORK, SANDBOX, Settings, SettingsError
from liquidity_pipeline.sources.stand_in import recognized

# Where a command notes its data directory, for the line that it may have to end with.
DATA_DIR = "liquidity_pipeline.data_dir"

# What the command line may say instead of the environment.
_OPTIONS = {
    "LIQUIDITY_DATA_DIR": "--data-dir",
    "LIQUIDITY_ENDPOINTS": "--endpoints",
    "LIQUIDITY_AS_OF": "--as-of",
}


@dataclass(frozen=True)
class Place:
    """What the command line says of the data that a command works on."""

    data_dir: str | None
    endpoints: str | None
    as_of: str | None = None

    def settings(self) -> Settings:
        """Return the settings; raise SettingsError for what cannot be, in the words of who gave it.

        A sandbox that is asked by its address is still the sandbox, and its data are synthetic.
        """
        return self._resolved

    @functools.cached_property
    def _resolved(self) -> Settings:
        said = (self.data_dir, self.endpoints, self.as_of)
        given = {name: text for name, text in zip(_OPTIONS, said, strict=True) if text}
        try:
            settings = Settings.from_env({**os.environ, **given})
            _refuse_future(settings)
        except SettingsError as error:
            message = str(error)
            for name in given:
                message = message.replace(name, _OPTIONS[name])
            raise SettingsError(message) from None
        return recognized(settings)


def _refuse_future(settings: Settings) -> None:
    today = datetime.now(NEW_YORK).date()
    if settings.as_of is not None and settings.as_of > today:
        raise SettingsError(
            f"LIQUIDITY_AS_OF: {settings.as_of} is in the future: today is {today}."
        )


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
