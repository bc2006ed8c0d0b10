"""Dagster's records from the SQLite files of its own home, read without Dagster.

Loading Dagster takes several seconds of CPU; reading these files takes milliseconds.
"""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

_NEWEST_RUN = "select status, update_timestamp from runs order by id desc limit 1"
_FAILED_CHECKS = """
    select asset_key, check_name from asset_check_executions
    where execution_status = 'FAILED' and id in (
        select max(id) from asset_check_executions group by asset_key, check_name
    )
"""
_NO_LOG = re.compile("unable to open|disk I/O|full|readonly")
# The asset and the name of a check, such as ("sources", "tga_balance"), "complete".
Check = tuple[tuple[str, ...], str]


@dataclass(frozen=True)
class Records:
    """The newest run with the moment (UTC) of its last change, and the failed checks."""

    last_run: str
    last_run_at: datetime | None
    failed: frozenset[Check]


def read_sqlite(folder: Path) -> Records:
    """Return the records in the folder `history` of a Dagster home.

    Raises sqlite3.Error or ValueError where the files are damaged or of another version of Dagster.
    """
    with _open(folder / "runs.db") as runs:
        newest = runs.execute(_NEWEST_RUN).fetchone()
    with _open(folder / "runs" / "index.db") as index:
        rows = index.execute(_FAILED_CHECKS).fetchall()
    failed = frozenset((tuple(json.loads(asset)), name) for asset, name in rows)
    if newest is None:
        return Records("none", None, failed)
    status, moment = newest
    return Records(status.lower(), datetime.fromisoformat(moment).replace(tzinfo=UTC), failed)


def _open(path: Path) -> closing[sqlite3.Connection]:
    """Open a database for reading.

    On a disk that is full or read-only SQLite cannot make the index of its write-ahead log. Then
    the file is read without the log, as it was when the last run had ended.
    """
    uri = f"file:{quote(str(path))}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=10)
    try:
        connection.execute("select count(*) from sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        if not path.exists() or not _NO_LOG.search(str(error)):
            raise
        connection = sqlite3.connect(f"{uri}&immutable=1", uri=True)
    return closing(connection)
