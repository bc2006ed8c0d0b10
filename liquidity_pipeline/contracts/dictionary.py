"""Write the data dictionary from the contracts: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

from liquidity_pipeline.contracts.registry import PUBLISHED
from liquidity_pipeline.contracts.table import DUCKDB_TYPES, Column, Table

_HEAD = """\
# Data dictionary

Every table and column of `liquidity.duckdb`. This page is written from the contracts by
`make docs`; a test fails when it is stale. Times are UTC; an undefined value is NULL, never NaN.
"""
_SCHEMAS = {
    "sources": "What the publishers say, one unit each, nothing computed.",
    "marts": "What is computed from it.",
    "meta": "What marts join to, and what a publication says of itself.",
}


def dictionary() -> str:
    """Return the whole page as Markdown."""
    parts = [_HEAD]
    for schema, meaning in _SCHEMAS.items():
        parts.append(f"## {schema}\n\n{meaning}\n")
        parts += [_section(table) for table in PUBLISHED.values() if table.schema == schema]
    return "\n".join(parts)


def _section(table: Table) -> str:
    origin = f" Source: {table.origin}." if table.origin else ""
    lines = [
        f"### {table.qualified_name}\n",
        f"{table.meaning}{origin}\n",
        f"Key: {', '.join(f'`{name}`' for name in table.key)}\n",
        "| column | type | unit | meaning |",
        "| --- | --- | --- | --- |",
        *(_row(column) for column in table.columns),
    ]
    if table.rests_on:
        lines += [f"\nRests, by `{table.reach}`, on:\n"]
        lines += [f"- {each.label}" for each in table.rests_on]
    return "\n".join(lines) + "\n"


def _row(column: Column) -> str:
    kind = DUCKDB_TYPES[column.kind] + ("" if column.nullable else " not null")
    allowed = f" ({', '.join(column.allowed)})" if column.allowed else ""
    return f"| `{column.name}` | {kind} | {column.unit_text} | {column.meaning}{allowed} |"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(dictionary(), encoding="utf-8")
