"""What a query reads, from its text: tables, and the columns that each of its columns rests on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liquidity_pipeline.storage.files import replacing

if TYPE_CHECKING:
    from sqlglot.lineage import Node

# Columns by qualified table name.
Schema = Mapping[str, tuple[str, ...]]


@cache
def tables_read(sql: str) -> frozenset[str]:
    """Return the qualified names (`schema.table`) of the tables that a DuckDB query reads.

    Raises ValueError, with the line and the column, for a text that is not one query.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import ParseError

    try:
        tree = sqlglot.parse_one(sql, read="duckdb")
    except ParseError as error:
        first = error.errors[0] if error.errors else {"description": "not a query"}
        where = f" (line {first['line']}, column {first['col']})" if first.get("line") else ""
        raise ValueError(f"{first['description']}{where}") from error
    return frozenset(f"{table.db}.{table.name}" for table in tree.find_all(exp.Table) if table.db)


def columns_read(sql: str, schema: Schema) -> dict[str, list[tuple[str, str]]]:
    """Return, per column of a query's result, the (qualified table, column) pairs it rests on.

    `schema` has the columns of the tables that the query reads. A column that rests on none, such
    as a constant, has an empty list.
    """
    from sqlglot.lineage import lineage

    # Types play no part in lineage.
    nested: dict[str, dict[str, dict[str, str]]] = {}
    for qualified, columns in schema.items():
        database, _, table = qualified.partition(".")
        nested.setdefault(database, {})[table] = dict.fromkeys(columns, "double")
    nodes: Any = lineage(None, sql, nested, dialect="duckdb")
    return {name: sorted(set(_leaves(node))) for name, node in nodes.items()}


def columns_read_once(sql: str, schema: Schema, folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Return `columns_read`, from a file of an earlier run if there is one.

    Reading all marts takes seconds, and their text rarely changes. A file is named by the hash of
    all that its content depends on, so it is never out of date; a damaged one is written again.
    """
    told = [
        version("sqlglot"),
        Path(__file__).read_text(encoding="utf-8"),
        sql,
        sorted(schema.items()),
    ]
    path = folder / f"{hashlib.sha256(json.dumps(told).encode()).hexdigest()}.json"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return {name: [(table, column) for table, column in pairs] for name, pairs in kept.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        found = columns_read(sql, schema)
    with replacing(path, folder) as draft:
        draft.write_text(json.dumps(found), encoding="utf-8")
    return found


def _leaves(node: Node) -> Iterator[tuple[str, str]]:
    """Yield the columns of tables at the ends of a column's lineage."""
    from sqlglot import exp

    for part in node.walk():
        if isinstance(part.expression, exp.Table) and part.expression.db:
            table = f"{part.expression.db}.{part.expression.name}"
            yield table, part.name.rpartition(".")[2]
