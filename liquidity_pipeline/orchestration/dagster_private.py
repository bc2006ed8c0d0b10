"""All that this project uses of Dagster's private modules, so that an upgrade fails in one place.

Its storage, which loads SQLAlchemy and Alembic, is in `dagster_private_storage`: defining assets
needs none. A test states the signatures that are relied on.
"""

from datetime import UTC, datetime

from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
)
from dagster._utils.schedules import get_next_cron_tick

# The name of the error that a step reports when it was interrupted by a signal.
INTERRUPTED = "DagsterExecutionInterruptedError"

__all__ = [
    "ASSET_PARTITION_RANGE_END_TAG",
    "ASSET_PARTITION_RANGE_START_TAG",
    "INTERRUPTED",
    "InstanceRef",
    "next_tick",
]


def next_tick(cron: str, timezone: str, after: datetime) -> datetime:
    """Return when a schedule runs next, in UTC."""
    return get_next_cron_tick(cron, after, timezone).astimezone(UTC)
