"""A data directory that one run has filled, for all tests of the commands."""

from __future__ import annotations

import pytest

from liquidity_pipeline.cli.exits import OK
from liquidity_pipeline_tests.cli.commands import liquidity


@pytest.fixture(scope="session")
def place(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Give the options of a data directory that one run has filled from the sandbox."""
    folder = tmp_path_factory.mktemp("data")
    options = ("--endpoints", sandbox, "--data-dir", str(folder))
    result = liquidity("run", "--since", "2025-12", "--as-of", "2026-02-06", *options)
    assert result.exit_code == OK, result.output
    return options
