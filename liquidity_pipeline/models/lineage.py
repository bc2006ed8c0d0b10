"""What a query reads, from its text: tables, and the columns behind each result column.

SQLGlot needs seconds for the queries of this package, whose text rarely changes. So the answers are
kept in `lineage.json`, by the hash of all that they depend on; what is not in that file is parsed.
`python -m liquidity_pipeline.models.lineage_file` writes it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlglot.lineage import Node

# Columns by qualified table name.
Schema = Mapping[str, tuple[str, ...]]
Lineage = dict[str, list[tuple[str, str]]]

FILE = Path(__file__).with_name("lineage.json")


@cache
def tables_read(sql: str) -> frozenset[str]:
    """Return the qualified names (`schema.table`) of the tables that a DuckDB query reads.

    Raises ValueError, with the line and the column, for a text that is not one query.
    """
    kept = _kept().get(tables_key(sql))
    return parse_tables(sql) if kept is None else frozenset(kept)


def columns_read(sql: str, schema: Schema) -> Lineage:
    """Return, per column of a query's result, the (qualified table, column) pairs it rests on.

    `schema` has the columns of the tables that the query reads. A column that rests on none, such
    as a constant, has an empty list.
    """
    kept = _kept().get(columns_key(sql, schema))
    if kept is None:
        return parse_columns(sql, schema)
    return {name: [(table, column) for table, column in pairs] for name, pairs in kept.items()}


def parse_tables(sql: str) -> frozenset[str]:
    """Do what `tables_read` does from the text alone."""
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


def parse_columns(sql: str, schema: Schema) -> Lineage:
    """Do what `columns_read` does from the text alone."""
    from sqlglot.lineage import lineage

    # Types play no part in lineage.
    nested: dict[str, dict[str, dict[str, str]]] = {}
    for qualified, columns in sorted(schema.items()):
        database, _, table = qualified.partition(".")
        nested.setdefault(database, {})[table] = dict.fromkeys(columns, "double")
    nodes: Any = lineage(None, sql, nested, dialect="duckdb")
    return {name: sorted(set(_leaves(node))) for name, node in nodes.items()}


def tables_key(sql: str) -> str:
    """Return the name under which `lineage.json` keeps the tables that a query reads."""
    return _hash(["tables", sql])


def columns_key(sql: str, schema: Schema) -> str:
    """Return the name under which `lineage.json` keeps the columns behind a query's result."""
    return _hash(["columns", sql, sorted(schema.items())])


def _hash(told: list[Any]) -> str:
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


@cache
def _kept() -> Mapping[str, Any]:
    kept: Mapping[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return kept


def _leaves(node: Node) -> Iterator[tuple[str, str]]:
    """Yield the columns of tables at the ends of a column's lineage."""
    from sqlglot import exp

    for part in node.walk():
        if isinstance(part.expression, exp.Table) and part.expression.db:
            table = f"{part.expression.db}.{part.expression.name}"
            yield table, part.name.rpartition(".")[2]
