"""Months as Dagster partitions, and back."""

from datetime import date

import dagster as dg

from liquidity_pipeline.orchestration.dagster_private import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
)
from liquidity_pipeline.settings import FIRST_MONTH
from liquidity_pipeline.sources.fetch import Window

# The current month is a partition from its first day on.
MONTHS = dg.MonthlyPartitionsDefinition(
    start_date=f"{FIRST_MONTH:%Y-%m}", fmt="%Y-%m", end_offset=1, timezone="America/New_York"
)


def window_of(keys: dg.PartitionKeyRange) -> Window:
    """Return the window of observation days of a range of months."""
    return Window.of_months(month_of(keys.start), month_of(keys.end))


def month_of(key: str) -> date:
    """Return the first day of a partition's month."""
    return date.fromisoformat(f"{key}-01")


def key_of(month: date) -> str:
    """Return the partition of a month."""
    return f"{month:%Y-%m}"


def range_tags(window: Window) -> dict[str, str]:
    """Return the run tags that make one run cover a range of months."""
    return {
        ASSET_PARTITION_RANGE_START_TAG: key_of(window.start),
        ASSET_PARTITION_RANGE_END_TAG: key_of(window.end),
    }
