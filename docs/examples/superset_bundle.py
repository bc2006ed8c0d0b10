"""Write a Superset dashboard bundle for a published file: database, datasets, six charts, a page.

    python superset_bundle.py data/liquidity.duckdb liquidity-superset.zip

Import the ZIP under Dashboards, or with `superset import-dashboards -p liquidity-superset.zip -u
admin`. Superset needs `pip install duckdb-engine`, and must not put DuckDB among the databases that
it refuses (PREVENT_UNSAFE_DB_CONNECTIONS = False).
"""

from __future__ import annotations

import json
import sys
import uuid
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import yaml

NAME = "Liquidity"
SPACE = uuid.UUID("6f0d1c52-6c9d-4d0e-9a57-3a1f0f6b7c11")
LINE, BAR, TABLE = "echarts_timeseries_line", "echarts_timeseries_bar", "table"
# Title, kind, dataset, day, measures, split by; a table shows its columns as they are.
CHARTS: list[tuple[str, str, str, str, list[str], list[str]]] = [
    ("Newest values", TABLE, "bi.dashboard", "", ["gauge", "value", "unit", "date"], []),
    (
        "Is it fresh?",
        TABLE,
        "bi.freshness_summary",
        "",
        ["built_at", "as_of", "source_tables", "stale_tables", "stale_table_names"],
        [],
    ),
    (
        "Treasury General Account and target, USD millions",
        LINE,
        "marts.tga_daily",
        "record_date",
        ["closing_usd_mn", "target_usd_mn"],
        [],
    ),
    (
        "Weekly drain of reserves by component, USD millions",
        BAR,
        "bi.weekly_drain_components",
        "week_ending",
        ["drain_reserves_usd_mn"],
        ["label"],
    ),
    (
        "SOFR and its 99th percentile over IORB, basis points",
        LINE,
        "marts.funding_conditions",
        "date",
        ["sofr_iorb_bp", "sofr_p99_iorb_bp"],
        [],
    ),
    (
        "Net settlement paid by the public, by day, USD millions",
        BAR,
        "bi.daily_settlements",
        "settlement_date",
        ["net_public_usd_mn"],
        [],
    ),
]


def main(file: Path, bundle: Path) -> None:
    """Write the bundle; the file is only read, for the names and types of its columns."""
    parts = {
        "metadata.yaml": {
            "version": "1.0.0",
            "type": "Dashboard",
            "timestamp": "2026-01-01T00:00:00+00:00",
        },
        f"databases/{NAME}.yaml": database(file.absolute()),
        "dashboards/Liquidity.yaml": dashboard(),
    }
    with duckdb.connect(str(file), read_only=True) as connection:
        for name in sorted({chart[2] for chart in CHARTS}):
            parts[f"datasets/{NAME}/{name}.yaml"] = dataset(connection, name)
    for chart in CHARTS:
        parts[f"charts/{identifier(chart[0])}.yaml"] = chart_of(chart)
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(f"liquidity/{name}", yaml.safe_dump(content, sort_keys=False))


def identifier(name: str) -> str:
    """Return the same identifier for the same name, so that importing again replaces."""
    return str(uuid.uuid5(SPACE, name))


def database(file: Path) -> dict[str, Any]:
    """Return the connection: read-only, and closed after each query."""
    return {
        "database_name": NAME,
        # Superset opens a connection per query, so the next query sees the next publication.
        "sqlalchemy_uri": f"duckdb:///{file}?access_mode=read_only",
        "cache_timeout": 300,
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_file_upload": False,
        "extra": {},
        "uuid": identifier("database"),
        "version": "1.0.0",
    }


def dataset(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, Any]:
    """Return a table or view with its columns, and their comments as descriptions."""
    schema, table = name.split(".")
    columns = connection.execute(
        "select column_name, data_type, comment from duckdb_columns() "
        "where schema_name = ? and table_name = ? order by column_index",
        [schema, table],
    ).fetchall()
    return {
        "table_name": table,
        "schema": schema,
        "main_dttm_col": next((c for c, kind, _ in columns if kind == "DATE"), None),
        "columns": [
            {
                "column_name": column,
                "type": kind,
                "is_dttm": kind in ("DATE", "TIMESTAMP"),
                "groupby": True,
                "filterable": True,
                "description": comment,
            }
            for column, kind, comment in columns
        ],
        "metrics": [
            {"metric_name": "count", "expression": "count(*)", "verbose_name": "Rows"},
        ],
        "uuid": identifier(name),
        "database_uuid": identifier("database"),
        "version": "1.0.0",
    }


def chart_of(chart: tuple[str, str, str, str, list[str], list[str]]) -> dict[str, Any]:
    """Return a chart, with the query that Superset runs for it."""
    title, kind, source, day, measures, split = chart
    if kind == TABLE:
        query: dict[str, Any] = {"columns": measures, "metrics": [], "row_limit": 100}
        form: dict[str, Any] = {"query_mode": "raw", "all_columns": measures, "row_limit": 100}
    else:
        metrics = [total(column) for column in measures]
        axis = {
            "columnType": "BASE_AXIS",
            "sqlExpression": day,
            "label": day,
            "expressionType": "SQL",
            "timeGrain": "P1D",
        }
        query = {
            "columns": [axis, *split],
            "metrics": metrics,
            "orderby": [[day, False]],
            "row_limit": 2000,
        }
        form = {
            "x_axis": day,
            "time_grain_sqla": "P1D",
            "metrics": metrics,
            "groupby": split,
            "row_limit": 2000,
            "stack": "Stack" if kind == BAR else None,
        }
    context = {
        "datasource": {"id": 0, "type": "table"},
        "queries": [{"filters": [], "extras": {}, **query}],
        "form_data": {"viz_type": kind, **form},
        "result_format": "json",
        "result_type": "full",
    }
    return {
        "slice_name": title,
        "viz_type": kind,
        "params": {"viz_type": kind, **form},
        "query_context": json.dumps(context),
        "cache_timeout": None,
        "uuid": identifier(title),
        "version": "1.0.0",
        "dataset_uuid": identifier(source),
    }


def total(column: str) -> dict[str, Any]:
    """Return the metric of a chart: one row a day and series, so the sum is the value."""
    return {
        "expressionType": "SIMPLE",
        "column": {"column_name": column},
        "aggregate": "SUM",
        "label": column,
        "optionName": f"metric_{column}",
    }


def dashboard() -> dict[str, Any]:
    """Return the page: two charts in a row."""
    position: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": [], "parents": ["ROOT_ID"]},
    }
    for place in range(0, len(CHARTS), 2):
        row = f"ROW-{place}"
        position["GRID_ID"]["children"].append(row)
        position[row] = {
            "type": "ROW",
            "id": row,
            "children": [],
            "parents": ["ROOT_ID", "GRID_ID"],
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
        for title, *_ in CHARTS[place : place + 2]:
            chart = f"CHART-{identifier(title)}"
            position[row]["children"].append(chart)
            position[chart] = {
                "type": "CHART",
                "id": chart,
                "children": [],
                "parents": ["ROOT_ID", "GRID_ID", row],
                "meta": {
                    "uuid": identifier(title),
                    "sliceName": title,
                    "width": 6,
                    "height": 50,
                    "chartId": place,
                },
            }
    return {
        "dashboard_title": "US liquidity",
        "description": None,
        "css": "",
        "slug": "us-liquidity",
        "uuid": identifier("dashboard"),
        "position": position,
        "metadata": {},
        "version": "1.0.0",
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
