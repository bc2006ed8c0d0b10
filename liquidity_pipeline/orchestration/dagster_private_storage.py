"""What this project uses of Dagster's private storage; see `dagster_private`."""

from dagster._core.storage.event_log import SqlEventLogStorage, SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS

__all__ = ["SQLITE_BUSY_TIMEOUT_SECONDS", "SqlEventLogStorage", "SqliteEventLogStorage"]
