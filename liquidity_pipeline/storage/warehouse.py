"""Publish one DuckDB file: built separately, checked, and swapped in as a whole.

Readers never wait and never see half a publication, because nothing opens the final name for
writing. What the tables contain was decided before; here they are copied, commented and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from liquidity_pipeline.contracts.table import DUCKDB_TYPES, Column, Table
from liquidity_pipeline.storage.files import replacing
from liquidity_pipeline.storage.literals import quoted

if TYPE_CHECKING:
    import duckdb

# The oldest format: readers with DuckDB 1.0 and later open it, whatever version wrote it.
STORAGE_VERSION = "v1.0.0"
# A table of more rows is written to the disk at once.
_MANY_ROWS = 100_000


# What DuckDB says of a file that is none of its own, or not whole.
_DAMAGED = ("not a valid DuckDB database", "Could not read enough bytes", "Corrupt database")


class PublicationError(Exception):
    """The file was not published; the previous one is still in place."""


# A table that is computed from all others, as they are in the new file.
Derived = tuple[Table, Callable[["duckdb.DuckDBPyConnection"], pa.Table]]


class View(Protocol):
    """A query that is published under a name."""

    @property
    def schema(self) -> str: ...  # noqa: D102
    @property
    def qualified_name(self) -> str: ...  # noqa: D102
    @property
    def meaning(self) -> str: ...  # noqa: D102
    @property
    def sql(self) -> str: ...  # noqa: D102
    def column_comment(self, column: str) -> str: ...  # noqa: D102


def publish(
    connection: duckdb.DuckDBPyConnection,
    tables: Iterable[Table],
    target: Path,
    *,
    views: Sequence[View] = (),
    derived: Sequence[Derived] = (),
) -> dict[str, int]:
    """Copy `tables` from the connection into a new file at `target`; return rows per table.

    `views` are created over the copies, so they read only the file that they are part of. A
    `derived` table is computed last, by a function that reads the unfinished file.

    Raises PublicationError when a write-ahead log lies beside the target (DuckDB 1.5 would replay
    it into the new file), or when what was written differs from what was to be written.
    """
    _refuse_stale_log(target)
    tables = list(tables)
    with replacing(target, target.parent / ".build") as unfinished:
        counts = _write(connection, tables, views, unfinished)
        counts |= _write_derived(connection, derived, unfinished)
        _verify(unfinished, [*tables, *(table for table, _ in derived)], views, counts)
        unfinished.chmod(0o444)
        _refuse_stale_log(target)
    return counts


def _refuse_stale_log(target: Path) -> None:
    stale_log = target.with_name(target.name + ".wal")
    if stale_log.exists():
        raise PublicationError(
            f"{stale_log} lies beside the published file: some program opened it for writing. "
            f"Close that program, delete the log, and publish again; readers must open read-only."
        )


@contextmanager
def reading(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a published file for reading, from memory, so that a later swap is never blocked."""
    import duckdb

    connection = duckdb.connect(":memory:")
    try:
        _attach(connection, path)
        connection.execute("use liquidity")
        yield connection
    finally:
        connection.close()


def _attach(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    import duckdb

    try:
        connection.execute(f"attach {quoted(path)} as liquidity (read_only)")
    except duckdb.IOException as error:
        if any(words in str(error) for words in _DAMAGED):
            raise duckdb.IOException(
                f"{path} is damaged: `liquidity run` publishes it again. {error}"
            ) from error
        raise


def _write(
    connection: duckdb.DuckDBPyConnection,
    tables: list[Table],
    views: Sequence[View],
    path: Path,
) -> dict[str, int]:
    _attach_unfinished(connection, path)
    try:
        with _transaction(connection):
            for schema in dict.fromkeys([*(t.schema for t in tables), *(v.schema for v in views)]):
                connection.execute(f"create schema publication.{schema}")
            counts = {}
            for table in tables:
                counts[table.qualified_name] = _copy(connection, table)
                if counts[table.qualified_name] > _MANY_ROWS:
                    connection.execute("commit; checkpoint publication")
                    # DuckDB lets go of what it wrote when it closes the file.
                    connection.execute("detach publication")
                    _attach_unfinished(connection, path)
                    connection.execute("begin transaction")
            for view in views:
                _create_view(connection, view)
        connection.execute("checkpoint publication")
    finally:
        connection.execute("detach publication")
    return counts


def _attach_unfinished(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    connection.execute(
        f"attach {quoted(path)} as publication (storage_version '{STORAGE_VERSION}')"
    )


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit at the end of the block, or nothing of what is not committed.

    There are hundreds of comments; a write to the disk for each would take longer than the rows.
    """
    import duckdb

    connection.execute("begin transaction")
    try:
        yield
    except BaseException:
        with suppress(duckdb.Error):  # a commit that failed has ended the transaction
            connection.execute("rollback")
        raise
    connection.execute("commit")


def _copy(connection: duckdb.DuckDBPyConnection, table: Table) -> int:
    name = f"publication.{table.qualified_name}"
    connection.execute(f"create table {name} ({', '.join(map(_definition, table.columns))})")
    held = ", ".join(column.name for column in table.columns if not column.formula)
    order = "" if table.is_stored_by_key else f"order by {', '.join(table.key)}"
    ((count,),) = connection.execute(
        f"insert into {name} ({held}) select {held} from {table.qualified_name} {order}"
    ).fetchall()
    comments = [f"comment on table {name} is {quoted(table.comment())}"]
    comments += [
        f"comment on column {name}.{column.name} is {quoted(column.comment)}"
        for column in table.columns
    ]
    connection.execute("; ".join(comments))
    return int(count)


def _definition(column: Column) -> str:
    """Return a column's part of CREATE TABLE; DuckDB computes what has a formula on reading."""
    kind = DUCKDB_TYPES[column.kind]
    if column.formula:
        return f"{column.name} {kind} generated always as ({column.formula}) virtual"
    return f"{column.name} {kind}{'' if column.nullable else ' not null'}"


def _write_derived(
    connection: duckdb.DuckDBPyConnection, derived: Sequence[Derived], path: Path
) -> dict[str, int]:
    """Compute tables from the unfinished file and add them to it; return rows per table."""
    if not derived:
        return {}
    counts = {}
    connection.execute(f"attach {quoted(path)} as publication")
    try:
        for table, compute in derived:
            connection.execute("use publication")
            try:
                rows = compute(connection)
            finally:
                connection.execute("use memory")
            connection.register("derived_arrow", rows)
            name = table.qualified_name
            connection.execute(f"create or replace table {name} as from derived_arrow")
            connection.unregister("derived_arrow")
            counts[name] = _copy(connection, table)
        connection.execute("checkpoint publication")
    finally:
        connection.execute("detach publication")
    return counts


def _create_view(connection: duckdb.DuckDBPyConnection, view: View) -> None:
    name = f"publication.{view.qualified_name}"
    connection.execute(f"create view {name} as {view.sql}")
    connection.execute(f"comment on view {name} is {quoted(view.meaning)}")
    for column, *_ in connection.execute(f"describe {name}").fetchall():
        comment = quoted(view.column_comment(column))
        connection.execute(f"comment on column {name}.{column} is {comment}")


def _verify(path: Path, tables: list[Table], views: Sequence[View], counts: dict[str, int]) -> None:
    """Open the finished file as a reader would and compare it with what was meant."""
    if path.with_name(path.name + ".wal").exists():
        raise PublicationError(f"{path}: DuckDB left a write-ahead log behind; not published.")
    with reading(path) as reader:
        for table in tables:
            ((found,),) = reader.execute(f"select count(*) from {table.qualified_name}").fetchall()
            if found != counts[table.qualified_name]:
                raise PublicationError(
                    f"{table.qualified_name}: {counts[table.qualified_name]} rows were written "
                    f"and {found} read back; not published."
                )
            _refuse_nan(reader, table)
        for view in views:
            reader.execute(f"select * from {view.qualified_name} limit 1").fetchall()


def _refuse_nan(reader: duckdb.DuckDBPyConnection, table: Table) -> None:
    numbers = [column.name for column in table.columns if column.kind == "number"]
    if not numbers:
        return
    tests = " or ".join(f"not isfinite({name})" for name in numbers)
    query = f"select count(*) from {table.qualified_name} where {tests}"
    ((found,),) = reader.execute(query).fetchall()
    if found:
        raise PublicationError(
            f"{table.qualified_name}: {found} rows hold NaN or infinity, which compare as "
            f"large numbers; not published."
        )
