"""Which tables a query reads, from its text."""

from __future__ import annotations

from functools import cache


@cache
def tables_read(sql: str) -> frozenset[str]:
    """Return the qualified names (`schema.table`) of the tables that a DuckDB query reads."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(sql, read="duckdb")
    return frozenset(f"{table.db}.{table.name}" for table in tree.find_all(exp.Table) if table.db)
