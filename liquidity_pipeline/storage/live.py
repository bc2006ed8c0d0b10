"""A small DuckDB file with views over the lake's Parquet files, for notebooks.

What it shows is the lake at the moment of each query: a month is there as soon as it is fetched.
It is no snapshot: a query over several months or tables, made while a run writes, may see some of
them before and some after. The published file is the one that never does that.
"""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.storage.files import replacing
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline.storage.literals import quoted

NO_SNAPSHOT = (
    "Live: the files of the lake as they are at the moment of the query, not a snapshot. "
    "Rows are as stored, whenever they became public."
)


def write(lake: Lake, target: Path) -> list[str]:
    """Write the file with a view `lake.<table>` for each table that has files; return the names.

    Raises FileNotFoundError where the lake is empty. Paths are absolute, so the file can be opened
    from any directory, on a machine that sees the lake at the same place.
    """
    held = [table for table in SOURCE_TABLES.values() if lake.files(table)]
    if not held:
        raise FileNotFoundError(f"nothing has been fetched into {lake.root}: run `liquidity run`.")
    with replacing(target, target.parent / ".build") as unfinished:
        with duckdb.connect(str(unfinished)) as connection:
            connection.execute("create schema lake")
            for table in held:
                _create(connection, lake, table)
            connection.execute(
                f"create view lake.about as select {quoted(lake.root)} as folder, "
                f"{quoted(NO_SNAPSHOT)} as warning"
            )
            connection.execute("checkpoint")
        unfinished.chmod(0o444)
    return [f"lake.{table.name}" for table in held]


def _create(connection: duckdb.DuckDBPyConnection, lake: Lake, table: Table) -> None:
    folder = re.sub(r"([*?\[])", r"[\1]", str(lake.root.absolute()))
    pattern = quoted(f"{folder}/{table.name}/**/{table.name}.parquet")
    connection.execute(
        f"create view lake.{table.name} as "
        f"from read_parquet({pattern}, hive_partitioning => false, union_by_name => true)"
    )
    comment = quoted(f"{table.comment()} {NO_SNAPSHOT}")
    connection.execute(f"comment on view lake.{table.name} is {comment}")
