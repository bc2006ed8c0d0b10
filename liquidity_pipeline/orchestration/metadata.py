"""What Dagster's UI shows beside a materialisation: schema, counts, a preview, a small chart."""

from collections.abc import Sequence
from typing import Any

import dagster as dg
import pyarrow as pa

from liquidity_pipeline.contracts.table import DUCKDB_TYPES, Table

_BARS = "▁▂▃▄▅▆▇█"
_PREVIEW_ROWS = 5


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


def describe(table: Table, rows: pa.Table) -> dict[str, Any]:
    """Return row count, date range, the last rows and a sparkline of the first number."""
    metadata: dict[str, Any] = {"dagster/row_count": rows.num_rows}
    day = table.day or next((c.name for c in table.columns if c.kind == "date"), None)
    if rows.num_rows and day:
        import pyarrow.compute as pc

        span = pc.min_max(rows[day]).as_py()
        metadata |= {"first_day": str(span["min"]), "last_day": str(span["max"])}
        ordered = rows.sort_by(day)
        metadata["preview"] = dg.MetadataValue.md(preview(ordered, table))
        if chart := sparkline(ordered, table):
            metadata["chart"] = dg.MetadataValue.md(chart)
    return metadata


def preview(rows: pa.Table, table: Table) -> str:
    """Return the last rows as a Markdown table."""
    names = table.column_names
    shown = [name for name in names if name in rows.schema.names and name != "known_at"][:8]
    last = rows.slice(max(0, rows.num_rows - _PREVIEW_ROWS)).select(shown).to_pylist()
    lines = ["| " + " | ".join(shown) + " |", "|" + " --- |" * len(shown)]
    lines += ["| " + " | ".join(_word(row[name]) for name in shown) + " |" for row in last]
    return "\n".join(lines)


def sparkline(rows: pa.Table, table: Table, width: int = 48) -> str:
    """Return the first number column over time as a line of bars, with its extremes."""
    name = _charted_column(rows, table)
    if name is None:
        return ""
    values = [value for value in rows[name].to_pylist() if value is not None]
    if len(values) < 2:
        return ""
    step = max(1, len(values) // width)
    points: Sequence[float] = values[::step][-width:]
    low, high = min(points), max(points)
    scale = (len(_BARS) - 1) / (high - low) if high > low else 0.0
    bars = "".join(_BARS[int((value - low) * scale)] for value in points)
    return f"`{bars}`\n\n{name}: {low:,.2f} … {high:,.2f}, last {values[-1]:,.2f}"


def _charted_column(rows: pa.Table, table: Table) -> str | None:
    """Return the column worth a chart: a close, a total, else the first number."""
    numbers = [c.name for c in table.columns if c.kind == "number" and c.name in rows.schema.names]
    preferred = ("closing_usd_mn", "close", "drain_reserves_usd_mn", "net_usd_mn", "index_value")
    return next((name for name in preferred if name in numbers), numbers[0] if numbers else None)


def _word(value: object) -> str:
    if value is None:
        return ""
    return (
        f"{value:,.4g}"
        if isinstance(value, float) and abs(value) < 1000
        else (f"{value:,.0f}" if isinstance(value, float) else str(value))
    )


def bullets(name: str, lines: Sequence[str]) -> dict[str, Any]:
    """Return lines as one Markdown list under a name, or nothing."""
    return {name: dg.MetadataValue.md("\n".join(f"- {line}" for line in lines))} if lines else {}
