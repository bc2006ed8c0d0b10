"""Register publications in a DuckLake: one snapshot each, for many readers and machines.

A DuckLake is a catalogue in a database (SQLite on one machine, PostgreSQL for many) over Parquet
files that are never changed. It holds the same tables and views as the published file; every
publication is one snapshot, and readers go back to any of them with `at (version => n)`.

Its Parquet files are its own. Those of the lake are replaced in place, month by month, and a
snapshot over them would change under its readers. Only rows that changed are written again.

DuckLake is an extension of DuckDB, which must be of exactly the same version; see `_load`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import duckdb

from liquidity_pipeline.settings import CatalogueSettings
from liquidity_pipeline.storage.literals import quoted

_ATTEMPTS = 6
# What DuckDB says when another writer was faster; the whole registration is then made again.
_OVERTAKEN = ("conflict", "locked", "already exists", "duplicate key", "could not serialize")
# How alike two tables are: sums of 64-bit hashes of their rows.
_FINGERPRINT = "select count(*), sum(hash(t)::hugeint) from {} as t"
_COLUMNS = """
    select schema_name || '.' || table_name as name,
           list(column_name || ' ' || data_type order by column_index) as columns
    from duckdb_columns() where database_name = ? and not internal group by all
"""

Columns = dict[str, list[str]]


class CatalogueError(Exception):
    """Nothing was registered, and the catalogue is as it was; the message holds no secret."""


@dataclass(frozen=True)
class Snapshot:
    """One publication in the catalogue; `version` is what `at (version => n)` takes."""

    version: int
    registered_at: datetime
    publication_id: str
    as_of: str


@dataclass(frozen=True)
class Registered:
    """What a registration did: its version, or None and why there is none, and what it wrote."""

    version: int | None
    note: str
    tables_changed: int = 0


def register(published: Path, settings: CatalogueSettings) -> Registered:
    """Make the published file the catalogue's newest snapshot, whole or not at all.

    A publication that is there already, or that is older than the newest one there, is not
    registered. Raises CatalogueError where the catalogue cannot be used or is of other endpoints.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _register_once(published, settings)
        except duckdb.Error as error:
            text = str(error).lower()
            if attempt == _ATTEMPTS or not any(word in text for word in _OVERTAKEN):
                raise _explained(error, settings) from None
        # Writers that collided must not collide again at the next attempt.
        time.sleep(random.uniform(0.1, 0.5) * attempt)  # noqa: S311 - no secret
    raise AssertionError


def snapshots(settings: CatalogueSettings) -> list[Snapshot]:
    """Return the publications in the catalogue, oldest first."""
    try:
        with opened(settings, read_only=True) as connection:
            rows = connection.execute(
                "select snapshot_id, epoch_us(snapshot_time), commit_message, commit_extra_info "
                "from lake.snapshots() where author = 'liquidity-pipeline' order by snapshot_id"
            ).fetchall()
    except duckdb.Error as error:
        raise _explained(error, settings) from None
    return [
        Snapshot(version, datetime.fromtimestamp(micros / 1e6, UTC), publication, as_of)
        for version, micros, publication, as_of in rows
    ]


@contextmanager
def opened(
    settings: CatalogueSettings, *, read_only: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection in which the catalogue is attached as `lake`.

    A catalogue that does not exist is created, unless it is only to be read.
    """
    connection = duckdb.connect()
    try:
        # It would be written between the lines of a command's own output.
        connection.execute("set enable_progress_bar = false")
        _load(connection, settings)
        _attach(connection, settings, read_only=read_only)
        yield connection
    finally:
        connection.close()


def _load(connection: duckdb.DuckDBPyConnection, settings: CatalogueSettings) -> None:
    """Load the extensions from their packages, or those that DuckDB itself has installed."""
    names = ["ducklake", "postgres_scanner" if settings.is_postgres else "sqlite_scanner"]
    if settings.on_object_store:
        names.append("httpfs")
    for name in names:
        file = _packaged(name)
        try:
            connection.execute(f"load {quoted(file)}" if file else f"load {name}")
        except duckdb.Error as error:
            raise CatalogueError(
                f"the DuckDB extension '{name}' for DuckDB {duckdb.__version__} is not installed. "
                f"The packages of `pip install 'liquidity-pipeline[ducklake]'` are for DuckDB "
                f"1.5.5: install them into an environment of their own and run `liquidity "
                f"catalogue publish` there. With a network, `INSTALL {name}` in DuckDB "
                f"{duckdb.__version__} does as well."
            ) from error
    for key, value in settings.s3_secret.items() if settings.on_object_store else ():
        connection.execute(f"set s3_{key} = {quoted(value)}")


def _packaged(name: str) -> Path | None:
    """Return an extension's file from its Python package, if there is one for this DuckDB."""
    spec = find_spec(f"duckdb_extension_{name}")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        version = f"v{duckdb.__version__}"
        file = Path(folder, "extensions", version, f"{name}.duckdb_extension")
        if file.exists():
            return file
    return None


def _attach(
    connection: duckdb.DuckDBPyConnection, settings: CatalogueSettings, *, read_only: bool
) -> None:
    attach = f"attach {quoted(f'ducklake:{settings.metadata}')} as lake"
    if read_only:
        connection.execute(f"{attach} (read_only)")
        return
    if not settings.is_postgres:
        Path(settings.location).parent.mkdir(parents=True, exist_ok=True)
    try:
        connection.execute(attach)
    except duckdb.InvalidInputException as error:
        if "data_path" not in str(error).lower():
            raise
        connection.execute(f"{attach} (data_path {quoted(settings.data_path)})")


def _register_once(published: Path, settings: CatalogueSettings) -> Registered:
    with opened(settings) as connection:
        connection.execute(f"attach {quoted(published)} as src (read_only)")
        connection.execute("begin transaction")
        publication, as_of, endpoints, built_at = _publication(connection, "src")
        refusal = _refusal(connection, publication, endpoints, built_at)
        if refusal:
            return Registered(None, refusal)
        changed = _copy(connection)
        connection.execute(
            "call lake.set_commit_message('liquidity-pipeline', ?, extra_info => ?)",
            [publication, as_of],
        )
        connection.execute("commit")
        ((version,),) = connection.execute(
            "select max(snapshot_id) from lake.snapshots() where commit_message = ?", [publication]
        ).fetchall()
    return Registered(int(version), f"publication {publication} of {as_of}", changed)


def _publication(
    connection: duckdb.DuckDBPyConnection, database: str
) -> tuple[str, str, str, datetime]:
    (row,) = connection.execute(
        f"select publication_id, as_of::varchar, endpoints, built_at "
        f"from {database}.meta.publication"
    ).fetchall()
    publication, as_of, endpoints, built_at = row
    return str(publication), str(as_of), str(endpoints), built_at


def _refusal(
    connection: duckdb.DuckDBPyConnection, publication: str, endpoints: str, built_at: datetime
) -> str | None:
    """Return why there is nothing to register; raise CatalogueError for data of other origin."""
    if "meta.publication" not in _columns(connection, "lake"):
        return None
    there, _, origin, newest = _publication(connection, "lake")
    if origin != endpoints:
        raise CatalogueError(
            f"the catalogue holds data from '{origin}', and this publication is from "
            f"'{endpoints}'. Rows of different origin never share a catalogue: name another one."
        )
    if there == publication:
        return f"publication {publication} is registered already"
    if newest > built_at:
        return f"the catalogue holds a newer publication, built at {newest} UTC"
    return None


def _copy(connection: duckdb.DuckDBPyConnection) -> int:
    """Make the catalogue's tables and views those of the file; return how many tables changed."""
    ours, theirs = _columns(connection, "src"), _columns(connection, "lake")
    views = _views(connection, "src")
    ours = {name: columns for name, columns in ours.items() if name not in views}
    old_views = _views(connection, "lake")
    theirs = {name: columns for name, columns in theirs.items() if name not in old_views}
    for schema in sorted({name.split(".")[0] for name in (*ours, *views)}):
        connection.execute(f"create schema if not exists lake.{schema}")
    changed = 0
    for name, columns in ours.items():
        if theirs.get(name) != columns:
            connection.execute(f"drop table if exists lake.{name}")
            connection.execute(f"create table lake.{name} as from src.{name}")
            _comment(connection, name)
            changed += 1
        elif not _equal(connection, name):
            _replace_rows(connection, name, columns)
            changed += 1
    for name in theirs.keys() - ours.keys():
        connection.execute(f"drop table lake.{name}")
        changed += 1
    _copy_views(connection, views, old_views)
    return changed


def _copy_views(
    connection: duckdb.DuckDBPyConnection, views: dict[str, str], old: dict[str, str]
) -> None:
    for name in old.keys() - views.keys():
        connection.execute(f"drop view lake.{name}")
    for name, query in views.items():
        if old.get(name) != query:
            connection.execute(f"create or replace view lake.{name} as {query}")


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


def _comment(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Take over the comments of a table and its columns, which hold units and meaning."""
    schema, _, table = name.partition(".")
    of_table = connection.execute(
        "select comment from duckdb_tables() "
        "where (database_name, schema_name, table_name) = ('src', ?, ?)",
        [schema, table],
    ).fetchall()
    for (comment,) in of_table:
        if comment:
            connection.execute(f"comment on table lake.{name} is {quoted(comment)}")
    of_columns = connection.execute(
        "select column_name, comment from duckdb_columns() "
        "where (database_name, schema_name, table_name) = ('src', ?, ?) and comment is not null",
        [schema, table],
    ).fetchall()
    for column, comment in of_columns:
        connection.execute(f'comment on column lake.{name}."{column}" is {quoted(comment)}')


def _columns(connection: duckdb.DuckDBPyConnection, database: str) -> Columns:
    return dict(connection.execute(_COLUMNS, [database]).fetchall())


def _views(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, str]:
    """Return the query of each view."""
    rows = connection.execute(
        "select schema_name || '.' || view_name, sql from duckdb_views() "
        "where database_name = ? and not internal",
        [database],
    ).fetchall()
    return {name: sql.partition(" AS ")[2].rstrip("; \n") for name, sql in rows}


def _explained(error: duckdb.Error, settings: CatalogueSettings) -> CatalogueError:
    """Return the error in one line, without what is secret in the catalogue's address."""
    text = " ".join(str(error).split())
    for secret in settings.secrets:
        text = text.replace(secret, "***")
    return CatalogueError(f"the catalogue {settings.shown} cannot be used: {text}")
