"""Run a command in this process, as a person does."""

from __future__ import annotations

from click.testing import CliRunner, Result

import liquidity_pipeline.cli.console  # noqa: F401 - its width is then that of each command
from liquidity_pipeline.cli.main import main


def liquidity(*words: str, **environment: str) -> Result:
    settings = {"LIQUIDITY_HTTP_BACKOFF": "0.01", "LIQUIDITY_HTTP_RETRIES": "1", "COLUMNS": "200"}
    return CliRunner().invoke(main, list(words), env=settings | environment)
