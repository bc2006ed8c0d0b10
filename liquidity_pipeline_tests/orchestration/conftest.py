"""The data directory that the commands' tests fill, for looking at what is shown of it."""

from liquidity_pipeline_tests.cli.conftest import place

__all__ = ["place"]
