"""Dagster's event log in SQLite, with its connections kept open.

Dagster's own storage makes a new database engine and inspects the schema several times for every
event, which is five sixths of what an event costs; a run over three years writes about 1,200.
The files are the same, so the UI and the daemon read them with Dagster's own storage.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy
from sqlalchemy.pool import StaticPool

from liquidity_pipeline.orchestration.dagster_private import InstanceRef
from liquidity_pipeline.orchestration.dagster_private_storage import (
    SQLITE_BUSY_TIMEOUT_SECONDS,
    SqliteEventLogStorage,
)

# Of a run that the daemon starts; see open_instance.
POOLS = {"pools": {"granularity": "run", "default_limit": 1}}


class OpenEventLog(SqliteEventLogStorage):
    """For a command that ends: a server would gather one connection for every run it shows."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._engines: dict[str, sqlalchemy.Engine] = {}
        self._schema_facts: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> OpenEventLog:
        """Return the storage that an instance's configuration names."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sqlalchemy.Connection]:
        if shard not in self._initialized_dbs:
            with super()._connect(shard):
                pass
        # The lock is Dagster's own: one connection, one thread at a time.
        with self._db_lock, self._engine(shard).begin() as connection:
            yield connection

    def _engine(self, shard: str) -> sqlalchemy.Engine:
        if shard not in self._engines:
            self._engines[shard] = engine = sqlalchemy.create_engine(
                self.conn_string_for_shard(shard),
                poolclass=StaticPool,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
            )
            sqlalchemy.event.listen(engine, "connect", _set_synchronous_normal)
        return self._engines[shard]

    def has_table(self, table_name: str) -> bool:
        """Return whether the index has a table."""
        return self._is_so(f"table {table_name}", super().has_table, table_name)

    def has_secondary_index(self, name: str) -> bool:
        """Return whether a migration of the index was done."""
        return self._is_so(f"index {name}", super().has_secondary_index, name)

    def _has_asset_key_col_on_connection(
        self, conn: sqlalchemy.Connection, column_name: str
    ) -> bool:
        ask = super()._has_asset_key_col_on_connection
        return self._is_so(f"asset column {column_name}", ask, conn, column_name)

    def _is_so(self, fact: str, ask: Callable[..., bool], *arguments: Any) -> bool:
        """Ask until the answer is yes: schemas only grow."""
        if fact not in self._schema_facts and ask(*arguments):
            self._schema_facts.add(fact)
        return fact in self._schema_facts

    def dispose(self) -> None:
        """Close all connections."""
        super().dispose()
        for engine in self._engines.values():
            engine.dispose()


def _set_synchronous_normal(connection: sqlite3.Connection, _: object) -> None:
    """Leave it to the system when an event reaches the disk.

    A run commits some hundred events. Dagster keeps a write-ahead log, which a loss of power leaves
    consistent: it costs the newest events of the run that it ends, and nothing of the lake.
    """
    connection.execute("pragma synchronous = normal")


def open_instance(home: Path) -> dg.DagsterInstance:
    """Open the Dagster instance of a folder, keeping the connections to its event log open.

    An instance that keeps its events elsewhere is left alone in that. Pools limit the runs that the
    daemon starts, never the steps of a run: Dagster waits for a step's slot with a busy loop that
    hears no signal, and a killed run never returns its slot.
    """
    overrides: dict[str, Any] = {"concurrency": POOLS}
    kept = InstanceRef.from_dir(str(home)).event_storage_data
    if kept is not None and kept.class_name == SqliteEventLogStorage.__name__:
        overrides["event_log_storage"] = {
            "module": OpenEventLog.__module__,
            "class": OpenEventLog.__name__,
            "config": kept.config_dict,
        }
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides=overrides))
