"""Help for readers of the published file: example queries, labels and views.

The text of each view and query is a `.sql` file. Its first line says what it answers; further lines
`-- column: meaning` comment on columns that no table has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from liquidity_pipeline.contracts.glossary import COMPONENT_LABELS
from liquidity_pipeline.contracts.meta import (
    COLUMNS,
    COMPONENTS,
    EXAMPLE_QUERIES,
    RELATIONSHIPS,
    TABLES,
    VIEWS,
)
from liquidity_pipeline.contracts.registry import PUBLISHED
from liquidity_pipeline.contracts.renames import RENAMED_COLUMNS
from liquidity_pipeline.contracts.table import DUCKDB_TYPES, Table
from liquidity_pipeline.models.lineage import tables_read

if TYPE_CHECKING:
    import duckdb


_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class View:
    """A view of the published file, with the sentence that describes it."""

    schema: str
    name: str
    meaning: str
    sql: str
    own_columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def qualified_name(self) -> str:
        """Schema and name, as SQL writes them."""
        return f"{self.schema}.{self.name}"

    @property
    def reads(self) -> frozenset[str]:
        """The qualified names of the tables behind the view."""
        return tables_read(self.sql)

    def column_comment(self, column: str) -> str:
        """Return the view's own comment on a column, or that of a table that it reads.

        Raises ValueError when no contract says what the column means.
        """
        if column in self.own_columns:
            return self.own_columns[column]
        for table in sorted(self.reads):
            for candidate in PUBLISHED[table].columns:
                if candidate.name == column:
                    return candidate.comment
        raise ValueError(f"{self.qualified_name}: no comment on the column {column}")


def views() -> list[View]:
    """Return the views for dashboards, and the tables under their previous column names."""
    return [*_dashboard_views(), *_previous_names()]


def tables(connection: duckdb.DuckDBPyConnection, published: Sequence[Table]) -> pa.Table:
    """Return `meta.tables`: one row per published table, with its count of rows."""
    rows = []
    for table in published:
        query = f"select count(*) from {table.qualified_name}"
        ((count,),) = connection.execute(query).fetchall()
        rows.append(
            {
                "schema_name": table.schema,
                "table_name": table.name,
                "row_count": count,
                "meaning": table.meaning,
                "key": ", ".join(table.key),
                "origin": table.origin or None,
            }
        )
    return pa.Table.from_pylist(rows, schema=TABLES.arrow_schema)


def columns(published: Sequence[Table]) -> pa.Table:
    """Return `meta.columns`: one row per published column, in the order of the tables."""
    rows = [
        {
            "schema_name": table.schema,
            "table_name": table.name,
            "column_name": column.name,
            "position": position,
            "data_type": DUCKDB_TYPES[column.kind],
            "unit": column.unit_text or None,
            "is_nullable": column.nullable,
            "meaning": column.meaning,
        }
        for table in published
        for position, column in enumerate(table.columns, start=1)
    ]
    return pa.Table.from_pylist(rows, schema=COLUMNS.arrow_schema)


def example_queries() -> pa.Table:
    """Return `meta.example_queries`: queries to start with, in the order of a first visit."""
    rows = [
        {"name": path.stem[3:], "position": int(path.stem[:2]), "question": question, "sql": sql}
        for path, question, _, sql in _sql_files("example_queries")
    ]
    return pa.Table.from_pylist(rows, schema=EXAMPLE_QUERIES.arrow_schema)


def view_queries(views: Sequence[View]) -> pa.Table:
    """Return `meta.views`: the text of each view.

    DuckDB prints the query of a view in words of its own, and what it prints is not always the same
    query: of a cross join before a left join it makes a comma, which binds less tightly.
    """
    rows = [{"schema_name": view.schema, "view_name": view.name, "sql": view.sql} for view in views]
    return pa.Table.from_pylist(rows, schema=VIEWS.arrow_schema)


def components(signs: pa.Table) -> pa.Table:
    """Return `meta.components` from the sign conventions: a label and both signs per component."""
    by_convention: dict[str, dict[str, int]] = {}
    for row in signs.to_pylist():
        by_convention.setdefault(row["component"], {})[row["convention"]] = row["sign"]
    rows = [
        {
            "component": component,
            "label": label,
            "sign_reserves": by_convention.get(component, {}).get("reserves"),
            "sign_headline": by_convention.get(component, {}).get("headline"),
        }
        for component, label in COMPONENT_LABELS.items()
    ]
    return pa.Table.from_pylist(rows, schema=COMPONENTS.arrow_schema)


def relationships(tables: Sequence[Table]) -> pa.Table:
    """Return `meta.relationships`: which column of which table refers to which dimension table.

    They are described and not declared: a declared key keeps an index in the file, and those of the
    large tables would more than double it.
    """
    names = {table.qualified_name for table in tables}
    rows = [
        {
            "from_table": table.qualified_name,
            "from_column": column,
            "to_table": dimension,
            "to_column": key,
        }
        for table in tables
        for column, (dimension, key) in _DIMENSIONS.items()
        if column in table.column_names and table.qualified_name != dimension and dimension in names
    ]
    return pa.Table.from_pylist(rows, schema=RELATIONSHIPS.arrow_schema)


_DIMENSIONS: Mapping[str, tuple[str, str]] = {
    "component": ("meta.components", "component"),
    "asset": ("meta.universe", "asset"),
    "date": ("meta.calendar_days", "date"),
    "record_date": ("meta.calendar_days", "date"),
    "settlement_date": ("meta.calendar_days", "date"),
    "week_ending": ("meta.calendar_days", "date"),
}


def _dashboard_views() -> list[View]:
    return [
        View("bi", path.stem, meaning, sql, own_columns)
        for path, meaning, own_columns, sql in _sql_files("views")
    ]


def _previous_names() -> list[View]:
    """Return a view per table with renamed columns.

    Columns are listed one by one: `select * rename` cannot be read by DuckDB before 1.2.
    """
    views = []
    for qualified, renamed in RENAMED_COLUMNS.items():
        columns = PUBLISHED[qualified].columns
        chosen = ", ".join(
            f"{c.name} as {renamed[c.name]}" if c.name in renamed else c.name for c in columns
        )
        pairs = ", ".join(f"{new} as {old}" for new, old in renamed.items())
        views.append(
            View(
                schema="previous",
                name=qualified.partition(".")[2],
                meaning=f"The table {qualified} with the former names of columns: {pairs}.",
                sql=f"select {chosen} from {qualified}",
                own_columns={renamed[c.name]: c.comment for c in columns if c.name in renamed},
            )
        )
    return views


def _sql_files(folder: str) -> list[tuple[Path, str, dict[str, str], str]]:
    """Return path, first comment, comments on columns and query of every file, by file name."""
    found = []
    for path in sorted((_FOLDER / folder).glob("*.sql")):
        lines = path.read_text(encoding="utf-8").splitlines()
        header = list(takewhile(lambda line: line.startswith("-- "), lines))
        columns = dict(line.removeprefix("-- ").split(": ", maxsplit=1) for line in header[1:])
        sql = "\n".join(lines[len(header) :]).strip()
        found.append((path, header[0].removeprefix("-- "), columns, sql))
    return found
