"""Build marts in DuckDB from the lake's Parquet, at one moment, without opening a database file.

`session` gives an in-memory connection that sees `sources.*` as they were public at the moment of
the run, `meta.*` (calendar, clock, universe, conventions) and the marts that exist already.
`build` runs one mart. Which mart needs which table is read from its SQL.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from liquidity_pipeline.contracts.marts import FAMILY_OF_MART, MART_TABLES
from liquidity_pipeline.contracts.registry import PUBLISHED
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.table import DUCKDB_TYPES, Table
from liquidity_pipeline.contracts.validation import validate
from liquidity_pipeline.models.attached_files import attach_files
from liquidity_pipeline.models.lineage import columns_read, tables_read
from liquidity_pipeline.models.mart import BySymbol, PythonMart
from liquidity_pipeline.models.reach import cut
from liquidity_pipeline.storage.literals import quoted

if TYPE_CHECKING:
    import duckdb

_FOLDER = Path(__file__).parent

# Returns the rows of a mart, which is given by its name, from the tables of a session.
Compute = Callable[[str, "duckdb.DuckDBPyConnection"], pa.Table]


def sql_file(name: str) -> Path:
    """Return where a mart's SQL is, if it is built in SQL: in the folder of its family."""
    return _FOLDER / FAMILY_OF_MART[name] / f"{name}.sql"


@cache
def _python_marts() -> Mapping[str, PythonMart]:
    """Return the marts built in Python: the `MARTS` of every module in a family's folder."""
    marts: dict[str, PythonMart] = {}
    for family in sorted(set(FAMILY_OF_MART.values())):
        for path in sorted((_FOLDER / family).glob("*.py")):
            module = importlib.import_module(f"{__package__}.{family}.{path.stem}")
            marts.update(getattr(module, "MARTS", {}))
    return marts


@dataclass(frozen=True)
class Inputs:
    """Where a session reads from. `reference` holds the small meta tables by name.

    `source_rows` are those of source tables that are not as their files say: see `pipeline.inputs`.
    """

    source_files: Mapping[str, list[Path]]
    mart_files: Mapping[str, Path]
    reference: Mapping[str, pa.Table]
    source_rows: Mapping[str, pa.Table] = field(default_factory=dict)


@contextmanager
def session(inputs: Inputs) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an in-memory DuckDB that sees what was public at the reference table `clock`."""
    import duckdb

    # The system keeps what was read of files in memory as long as there is room; DuckDB would keep
    # it a second time.
    connection = duckdb.connect(":memory:", config={"enable_external_file_cache": "false"})
    try:
        for schema in ("lake", "sources", "marts", "meta"):
            connection.execute(f"create schema {schema}")
        for name, rows in inputs.reference.items():
            connection.register(f"{name}_arrow", rows)
            connection.execute(f"create table meta.{name} as from {name}_arrow")
        for name, files in inputs.source_files.items():
            _attach_source(connection, SOURCE_TABLES[name], files, inputs.source_rows.get(name))
        for name, path in inputs.mart_files.items():
            attach_mart(connection, name, path)
        yield connection
    finally:
        connection.close()


def attach_mart(connection: duckdb.DuckDBPyConnection, name: str, path: Path) -> None:
    """Let a session see a mart's file, the newest if it was replaced since."""
    view = f"create or replace view marts.{name} as from read_parquet({quoted(path)})"
    connection.execute(view)


def compute(name: str, connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return the rows of one mart, computed in this process; raise duckdb.Error with its name."""
    import duckdb

    try:
        if name in _python_marts():
            return _python_marts()[name].build(connection)
        return connection.sql(sql(name)).to_arrow_table()
    except duckdb.Error as error:
        raise type(error)(f"marts.{name}: {error}") from error


def build(name: str, connection: duckdb.DuckDBPyConnection, compute: Compute = compute) -> pa.Table:
    """Return the rows of one mart as far as its inputs are known, checked against its contract.

    `compute` is where they are computed. Raises ContractBreach, or what `compute` raises.
    """
    table = MART_TABLES[name]
    # Nothing here keeps the rows of one step while the next one copies them.
    return validate(table, cut(table, compute(name, connection), connection))


@cache
def upstream(name: str) -> frozenset[str]:
    """Return the qualified names of the tables that a mart reads.

    Raises ValueError, with the mart and its file, where its SQL cannot be read.
    """
    if name in _python_marts():
        return _python_marts()[name].reads
    try:
        return tables_read(sql(name))
    except ValueError as error:
        raise ValueError(f"marts.{name}: {sql_file(name)} is not valid SQL: {error}") from error


def sources_behind(tables: Iterable[str]) -> list[str]:
    """Return the source tables, without their schema, on which published tables rest."""
    return sorted(
        name.removeprefix("sources.") for name in _behind(tables) if name.startswith("sources.")
    )


def marts_behind(names: Iterable[str]) -> list[str]:
    """Return the marts of these names and all that they are built from."""
    found = _behind(f"marts.{name}" for name in names if name in MART_TABLES)
    return sorted(name.removeprefix("marts.") for name in found if name.startswith("marts."))


def _behind(tables: Iterable[str]) -> set[str]:
    """Return tables, by their full names, and all that they are built from."""
    seen: set[str] = set()
    waiting = list(tables)
    while waiting:
        table = waiting.pop()
        if table not in seen:
            seen.add(table)
            mart = table.removeprefix("marts.")
            waiting += upstream(mart) if mart in MART_TABLES and mart != table else ()
    return seen


def code_file(name: str) -> Path:
    """Return the file that builds a mart: its SQL, or the module of its function."""
    if name not in _python_marts():
        return sql_file(name)
    mart = _python_marts()[name]
    function = mart.symbols.prepare if mart.symbols else mart.build
    return Path(inspect.getsourcefile(function) or __file__)


def by_symbol(name: str) -> BySymbol | None:
    """Return how to build a mart one symbol at a time, where that is possible."""
    mart = _python_marts().get(name)
    return mart.symbols if mart else None


def is_in_sql(name: str) -> bool:
    """Tell whether a mart is built by a query, rather than by a function in Python."""
    return name not in _python_marts()


def schema_read(name: str) -> dict[str, tuple[str, ...]]:
    """Return the columns of the published tables that a mart reads, by qualified name."""
    return {q: PUBLISHED[q].column_names for q in sorted(upstream(name)) if q in PUBLISHED}


def column_lineage(name: str) -> dict[str, list[tuple[str, str]]]:
    """Return, per column of a mart, the (qualified table, column) pairs that it rests on.

    SQL says it by its text. A mart in Python declares tables: a column is taken to rest on the
    columns of its own name there, and where there is none, on every number in them.
    """
    if is_in_sql(name):
        return columns_read(sql(name), schema_read(name))
    tables = {q: PUBLISHED[q] for q in schema_read(name)}
    numbers = [
        (q, column.name)
        for q, table in tables.items()
        for column in table.columns
        if column.kind == "number"
    ]
    lineage = {}
    for column in MART_TABLES[name].column_names:
        same = [(q, column) for q, table in tables.items() if column in table.column_names]
        lineage[column] = same or numbers
    return lineage


def build_order() -> list[str]:
    """Return all marts, each after those that it reads; raise ValueError for a circle."""
    graph = {
        name: {table[6:] for table in upstream(name) if table.startswith("marts.")}
        for name in MART_TABLES
    }
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise ValueError(f"marts need each other in a circle: {', '.join(error.args[1])}") from None


def sql(name: str) -> str:
    """Return the SQL text of a mart."""
    return sql_file(name).read_text(encoding="utf-8")


def _attach_source(
    connection: duckdb.DuckDBPyConnection, table: Table, files: list[Path], rows: pa.Table | None
) -> None:
    """Create `lake.<name>` over rows or files, and `sources.<name>` of what was public then."""
    if rows is not None:
        connection.register(f"{table.name}_as_it_stood", rows)
        connection.execute(f"create view lake.{table.name} as from {table.name}_as_it_stood")
    elif files:
        attach_files(connection, f"lake.{table.name}", table, files)
    else:
        columns = ", ".join(
            f"null::{DUCKDB_TYPES[column.kind]} as {column.name}" for column in table.stored_columns
        )
        connection.execute(f"create view lake.{table.name} as select {columns} where false")
    connection.execute(f"create view sources.{table.name} as {public_rows(table)}")


def public_rows(table: Table) -> str:
    """Return the query on `lake.<name>` that gives the rows which were public at the clock."""
    if "status" in table.column_names:
        return _as_of("settlements", table.name)
    if "results_at" in table.column_names:
        return _as_of("operations", table.name)
    return _as_of("public_rows", table.name)


def _as_of(view: str, name: str) -> str:
    """Return the text of a view on a table as it was at the clock, from the folder `as_of`."""
    text = (_FOLDER / "as_of" / f"{view}.sql").read_text(encoding="utf-8")
    return text.replace("{name}", name)
