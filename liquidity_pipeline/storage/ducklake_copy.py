"""Make the tables, views and comments of a DuckLake those of a published file.

Both are attached to one connection: the file as `src`, the DuckLake as `lake`.
"""

from __future__ import annotations

import duckdb

from liquidity_pipeline.storage.literals import quoted

# How alike two tables are: sums of 64-bit hashes of their rows.
_FINGERPRINT = "select count(*), sum(hash(t)::hugeint) from {} as t"
_COLUMNS = """
    select schema_name || '.' || table_name as name,
           list(column_name || ' ' || data_type order by column_index) as columns
    from duckdb_columns() where database_name = ? and not internal group by all
"""
_VIEWS = """
    select schema_name || '.' || view_name from duckdb_views()
    where database_name = ? and not internal
"""
# What each comment is on. DuckLake has none on the columns of views.
_COMMENTS = """
    select 'table ' || schema_name || '.' || table_name, comment
    from duckdb_tables() where database_name = $database and not internal
    union all
    select 'view ' || schema_name || '.' || view_name, comment
    from duckdb_views() where database_name = $database and not internal
    union all
    select 'column ' || schema_name || '.' || table_name || '."' || column_name || '"', comment
    from duckdb_columns() semi join duckdb_tables() using (database_name, schema_name, table_name)
    where database_name = $database
"""

Columns = dict[str, list[str]]


class CatalogueError(Exception):
    """Nothing was registered, and the catalogue is as it was; the message holds no secret."""


def copy(connection: duckdb.DuckDBPyConnection) -> int:
    """Make the catalogue's tables, views and comments those of the file.

    Returns how many tables were created, changed or dropped.
    """
    queries, old_queries = _view_queries(connection, "src"), _view_queries(connection, "lake")
    ours, theirs = tables(connection, "src"), tables(connection, "lake")
    for schema in sorted({name.split(".")[0] for name in (*ours, *queries)}):
        connection.execute(f"create schema if not exists lake.{schema}")
    # What is now of the other kind must go before its name is free.
    for name in old_queries.keys() - queries.keys():
        connection.execute(f"drop view lake.{name}")
    gone = theirs.keys() - ours.keys()
    for name in gone:
        connection.execute(f"drop table lake.{name}")
    changed = [name for name in ours if _copy_table(connection, name, ours[name], theirs.get(name))]
    # A view remembers the columns of the tables that it was created over.
    reshaped = gone or any(theirs.get(name) != ours[name] for name in changed)
    for name, query in queries.items():
        if reshaped or old_queries.get(name) != query:
            connection.execute(f"create or replace view lake.{name} as {query}")
    _copy_comments(connection)
    return len(changed) + len(gone)


def tables(connection: duckdb.DuckDBPyConnection, database: str) -> Columns:
    """Return the columns of each table of a database, as `name type`."""
    columns: Columns = dict(connection.execute(_COLUMNS, [database]).fetchall())
    views = _views(connection, database)
    return {name: found for name, found in columns.items() if name not in views}


def _copy_table(
    connection: duckdb.DuckDBPyConnection, name: str, columns: list[str], old: list[str] | None
) -> bool:
    """Make one table that of the file; tell whether anything had to be written."""
    if old != columns:
        connection.execute(f"drop table if exists lake.{name}")
        connection.execute(f"create table lake.{name} as from src.{name}")
        return True
    if _equal(connection, name):
        return False
    _replace_rows(connection, name, columns)
    return True


def _equal(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    ours, theirs = (
        connection.execute(_FINGERPRINT.format(f"{database}.{name}")).fetchall()
        for database in ("src", "lake")
    )
    return ours == theirs


def _replace_rows(connection: duckdb.DuckDBPyConnection, name: str, columns: list[str]) -> None:
    """Delete the rows that are gone and add the new ones; equal rows stay in their files.

    Raises CatalogueError if the table is then not the file's.
    """
    names = [f'"{column.split(" ", maxsplit=1)[0]}"' for column in columns]
    same = " and ".join(f"new.{column} is not distinct from old.{column}" for column in names)
    connection.execute(
        f"create or replace temp table added as (from src.{name} except from lake.{name})"
    )
    connection.execute(
        f"delete from lake.{name} as old "
        f"where not exists (select 1 from src.{name} as new where {same})"
    )
    connection.execute(f"insert into lake.{name} from added")
    if not _equal(connection, name):
        raise CatalogueError(f"{name}: the catalogue would not hold the rows of the file.")


def _copy_comments(connection: duckdb.DuckDBPyConnection) -> None:
    """Take over the comments, which hold units and meaning, where they are not the same yet."""
    ours, theirs = (
        dict(connection.execute(_COMMENTS, {"database": database}).fetchall())
        for database in ("src", "lake")
    )
    for what, comment in ours.items():
        if theirs.get(what) != comment:
            text = "null" if comment is None else quoted(comment)
            connection.execute(f"comment on {_in_lake(what)} is {text}")


def _in_lake(what: str) -> str:
    kind, _, name = what.partition(" ")
    return f"{kind} lake.{name}"


def _view_queries(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, str]:
    """Return the query of each view, as it was written and not as DuckDB prints it.

    In a catalogue of an earlier version the queries are not recorded, and are empty here. Raises
    CatalogueError for a file without them.
    """
    recorded: dict[str, str] = {}
    if "meta.views" in tables(connection, database):
        recorded = dict(
            connection.execute(
                f"select schema_name || '.' || view_name, sql from {database}.meta.views"
            ).fetchall()
        )
    views = _views(connection, database)
    if database == "src" and (missing := sorted(views - recorded.keys())):
        raise CatalogueError(
            f"the published file does not record the query of {missing[0]} in meta.views: an "
            f"earlier version has published it. `liquidity run` publishes it again."
        )
    return {name: recorded.get(name, "") for name in views}


def _views(connection: duckdb.DuckDBPyConnection, database: str) -> set[str]:
    return {name for (name,) in connection.execute(_VIEWS, [database]).fetchall()}
