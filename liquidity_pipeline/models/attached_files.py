"""Let a session read Parquet files, after checking that they conform to their contract.

DuckDB would say of a file from another version that a column is unknown, somewhere in a mart's SQL,
and of a damaged one not always which it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from liquidity_pipeline.contracts.table import DUCKDB_TYPES, Table
from liquidity_pipeline.contracts.validation import ContractBreach
from liquidity_pipeline.storage.literals import quoted

if TYPE_CHECKING:
    import duckdb

_REMEDY = "`liquidity rebuild` makes the lake again from the archive"


def attach_files(
    connection: duckdb.DuckDBPyConnection, view: str, table: Table, files: Sequence[Path]
) -> None:
    """Create a view over a source table's files, at least one.

    Raises ContractBreach, with what to do, when they cannot be read or have other columns.
    """
    import duckdb

    listed = ", ".join(map(quoted, files))
    try:
        connection.execute(
            f"create view {view} as from read_parquet([{listed}], hive_partitioning = false)"
        )
        described = connection.execute(f"describe {view}").fetchall()
    except duckdb.Error as error:
        raise ContractBreach(f"{table.qualified_name}: {error}: {_REMEDY}.") from error
    held = {name: kind for name, kind, *_ in described}
    expected = {column.name: DUCKDB_TYPES[column.kind].upper() for column in table.stored_columns}
    if wrong := sorted(name for name, kind in expected.items() if held.get(name) != kind):
        raise ContractBreach(
            f"{files[0].parent} was written under another version of the contract of "
            f"{table.qualified_name} (missing or of another type: {', '.join(wrong)}): {_REMEDY}."
        )
