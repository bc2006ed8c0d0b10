"""Publications in a DuckLake: one snapshot each, for many readers and machines.

A DuckLake is a catalogue in a database (SQLite on one machine, PostgreSQL for many) over Parquet
files that are never changed. It holds the same tables and views as the published file; every
publication is one snapshot, and readers go back to any of them with `at (version => n)`.

Its Parquet files are its own. Those of the lake are replaced in place, month by month, and a
snapshot over them would change under its readers. Only rows that changed are written again.

DuckLake is an extension of DuckDB, which must be of exactly the same version; see `_load`.

Use it through `shared_catalogue`, which calls `main` in a process of its own: DuckDB may wait for a
silent database for ever, and then hears no signal.
"""

from __future__ import annotations

import json
import math
import random
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb

from liquidity_pipeline.settings import CatalogueSettings
from liquidity_pipeline.storage.ducklake_copy import CatalogueError, copy, tables
from liquidity_pipeline.storage.literals import quoted

_ATTEMPTS = 6
# What DuckDB says when another writer was faster; the whole registration is then made again.
_OVERTAKEN = ("conflict", "locked", "already exists", "duplicate key", "could not serialize")
# What an error says that tells of a known cause, and what to do about that.
_REMEDIES = {
    "unable to connect": "Is the database running, and may this machine and user connect to it?",
    "not a database": "LIQUIDITY_CATALOGUE must name a SQLite file, or one that is not there yet.",
    "locked": "Another program holds it: try again when that has ended.",
    "unable to open": "Its folder must exist and be one that this user can write to.",
}
# What PostgreSQL's library says, in the middle of a longer text of DuckDB's.
_FROM_LIBPQ = re.compile(r"(connection to server|could not translate) .*?(?= Is the server |$)")
Row = tuple[int, int, str, str]


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


def snapshots(settings: CatalogueSettings) -> list[Row]:
    """Return the publications, oldest first: version, moment (µs since 1970), id and as-of day."""
    try:
        with opened(settings, read_only=True) as connection:
            rows: list[Row] = connection.execute(
                "select snapshot_id, epoch_us(snapshot_time), commit_message, commit_extra_info "
                "from lake.snapshots() where author = 'liquidity-pipeline' order by snapshot_id"
            ).fetchall()
    except duckdb.Error as error:
        raise _explained(error, settings) from None
    return rows


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
        if not settings.is_postgres and not Path(settings.location).exists():
            raise CatalogueError(
                f"there is no catalogue {settings.location} yet: `liquidity catalogue publish` "
                f"creates it."
            )
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
        changed = copy(connection)
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
    if "meta.publication" not in tables(connection, "lake"):
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


def _explained(error: duckdb.Error, settings: CatalogueSettings) -> CatalogueError:
    """Return the error in one line, without what is secret in the catalogue's address."""
    text = " ".join(str(error).split())
    for secret in settings.secrets:
        text = text.replace(secret, "***")
    said = _FROM_LIBPQ.search(text)
    remedies = [remedy for words, remedy in _REMEDIES.items() if words in text.lower()]
    remedy = f". {remedies[0]}" if remedies else ""
    what = said[0] if said else text
    return CatalogueError(f"the catalogue {settings.shown} cannot be used: {what}{remedy}")


def main() -> None:
    """Do what a request on standard input says, and write the answer, or why there is none.

    It ends after the catalogue's time, whatever DuckDB waits for: an alarm that is not handled
    needs nobody to listen.
    """
    request: dict[str, Any] = json.load(sys.stdin)
    settings = CatalogueSettings(**request["settings"])
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(math.ceil(settings.timeout))
    answer: dict[str, Any]
    try:
        if "published" in request:
            answer = {"done": asdict(register(Path(request["published"]), settings))}
        else:
            answer = {"done": snapshots(settings)}
    except CatalogueError as error:
        answer = {"error": str(error)}
    except OSError as error:
        answer = {"error": f"the catalogue {settings.shown} cannot be used: {error}"}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
