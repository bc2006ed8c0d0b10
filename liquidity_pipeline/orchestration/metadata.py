"""What Dagster's UI shows beside a materialisation: schema, counts, figures, the last rows."""

from collections.abc import Sequence
from typing import Any

import dagster as dg
import pyarrow as pa

from liquidity_pipeline.contracts.table import DUCKDB_TYPES, Table

_PREVIEW_ROWS, _PREVIEW_COLUMNS = 8, 10
_FIGURES = 6
# As many columns behind one are named.
_NAMED = 12


def column_schema(table: Table) -> dg.TableSchema:
    """Return the contract as Dagster shows it."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=DUCKDB_TYPES[column.kind],
                description=column.comment,
                constraints=dg.TableColumnConstraints(
                    nullable=column.nullable, unique=table.key == (column.name,)
                ),
            )
            for column in table.columns
        ]
    )


def lineage_table(lineage: dg.TableColumnLineage) -> dg.MetadataValue[Any]:
    """Return a column lineage as Markdown: the open-source UI stores it and does not show it."""
    lines = ["| column | rests on |", "| --- | --- |"]
    for column, deps in lineage.deps_by_column.items():
        read = ", ".join(f"`{dep.asset_key.path[-1]}.{dep.column_name}`" for dep in deps[:_NAMED])
        more = f" and {len(deps) - _NAMED} more" if len(deps) > _NAMED else ""
        lines.append(f"| `{column}` | {read}{more} |")
    return dg.MetadataValue.md("\n".join(lines))


def describe(table: Table, rows: pa.Table) -> dict[str, Any]:
    """Return row count, date range, the newest figures as numbers to plot, and the last rows."""
    metadata: dict[str, Any] = {"dagster/row_count": rows.num_rows}
    day = table.day or next((c.name for c in table.columns if c.kind == "date"), None)
    if rows.num_rows and day:
        import pyarrow.compute as pc

        span = pc.min_max(rows[day]).as_py()
        metadata |= {"first_day": str(span["min"]), "last_day": str(span["max"])}
        newest = rows.take(pc.sort_indices(rows[day])[-_PREVIEW_ROWS:])
        metadata["last_rows"] = last_rows(newest, table)
        metadata |= newest_figures(newest, table)
    return metadata


def last_rows(rows: pa.Table, table: Table) -> dg.TableMetadataValue:
    """Return the last rows as a table."""
    names = [name for name in table.column_names if name in rows.schema.names]
    shown = [name for name in names if name != "known_at"][:_PREVIEW_COLUMNS]
    last = rows.slice(max(0, rows.num_rows - _PREVIEW_ROWS)).select(shown).to_pylist()
    return dg.MetadataValue.table(
        [dg.TableRecord({name: _plain(row[name]) for name in shown}) for row in last]
    )


def newest_figures(rows: pa.Table, table: Table) -> dict[str, float]:
    """Return the newest row's numbers, which Dagster plots over materialisations.

    Only of a table with one row a day: of several series, one would represent all.
    """
    if set(table.key) != {table.day or table.key[0]}:
        return {}
    newest = rows.slice(rows.num_rows - 1).to_pylist()[0]
    numbers = [column.name for column in table.columns if column.kind == "number"]
    return {
        f"newest_{name}": float(newest[name])
        for name in numbers[:_FIGURES]
        if newest.get(name) is not None
    }


def _plain(value: object) -> str | float | int | bool | None:
    return value if isinstance(value, str | float | int | bool | None) else str(value)


def bullets(name: str, lines: Sequence[str]) -> dict[str, Any]:
    """Return lines as one Markdown list under a name, or nothing."""
    return {name: dg.MetadataValue.md("\n".join(f"- {line}" for line in lines))} if lines else {}
