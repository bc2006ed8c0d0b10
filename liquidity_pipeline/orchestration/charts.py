"""One chart per asset for Dagster's UI: a real SVG of one named series.

A mart that the brief draws is drawn here from the same query and the same Altair specification. All
others show one series of theirs, named below: a table of many series has no shape of its own, and
sampling across them would draw one that does not exist.
"""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline.brief import charts
from liquidity_pipeline.brief.language import words
from liquidity_pipeline.brief.model import Block, Unit
from liquidity_pipeline.brief.queries import query
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.models import engine
from liquidity_pipeline.models.statements import tables
from liquidity_pipeline.pipeline import Pipeline

# Two years of business days, ten years of weeks.
_POINTS = 520
_WIDTH, _HEIGHT, _SHOWN_WIDTH = 620, 190, 720
# The name under which a materialisation keeps what its chart was drawn from.
_DATA_VERSION = "chart_data_version"


@dataclass(frozen=True)
class Series:
    """One series of a table: rows with the values of `where`, added up by day where `is_sum`."""

    column: str
    where: Mapping[str, Any] = field(default_factory=dict)
    is_sum: bool = False

    @property
    def name(self) -> str:
        """What the series is, e.g. `close, symbol SPX`."""
        chosen = [f"{column} {value}" for column, value in self.where.items()]
        return ", ".join([self.column, *chosen, *(["sum of the day"] if self.is_sum else [])])


SERIES: Mapping[str, Series] = {
    # sources
    "tga_balance": Series("closing_usd_mn"),
    "debt_settlements": Series("par_usd_mn", {"leg": "issue", "security_class": "bill"}, True),
    "debt_transactions": Series("amount_usd_mn", {"transaction_type": "Issues"}, True),
    "fed_operations": Series("accepted_usd_mn", {"direction": "purchase"}, True),
    "soma_holdings": Series("bills_usd_mn"),
    "repo_operations": Series("accepted_usd_mn", {"kind": "on_rrp"}, True),
    "reference_rates": Series("rate_pct", {"rate": "SOFR"}),
    "fed_balance_sheet": Series("value_usd_mn", {"series": "WRESBAL"}),
    "market_series": Series("value", {"series": "IORB"}),
    "index_prices": Series("close", {"symbol": "SPX"}),
    "crypto_prices": Series("close", {"symbol": "BTC"}),
    "ofr_fsi": Series("fsi"),
    "reserve_demand_elasticity": Series("p50_bp"),
    "buybacks": Series("accepted_usd_mn", is_sum=True),
    "soma_securities": Series("par_usd_mn", is_sum=True),
    "tga_flows": Series("amount_usd_mn", {"direction": "deposits"}, True),
    # marts
    "settlement_legs": Series("par_usd_mn", {"leg": "issue"}, True),
    "settlement_calendar": Series("net_public_usd_mn", is_sum=True),
    "weekly_settlements": Series("net_usd_mn", {"security_class": "all"}),
    "settlement_outlook": Series("net_public_expected_usd_mn", is_sum=True),
    "settlement_outlook_score": Series(
        "coverage_ratio", {"security_group": "all", "weeks_ahead": 1}
    ),
    "quarterly_borrowing": Series("privately_held_net_usd_mn"),
    "coupon_interest": Series("interest_usd_mn"),
    "forward_calendar": Series("amount_usd_mn", {"item": "maturities"}, True),
    "tga_daily": Series("closing_usd_mn"),
    "reserve_drains": Series("drain_reserves_usd_mn"),
    "reserve_ratios": Series("reserves_of_bank_assets_pct"),
    "drains": Series("drain_reserves_usd_mn", {"component": "tga"}),
    "weekly_drains": Series("drain_reserves_usd_mn", {"component": "total"}),
    "drain_seasonality": Series("surprise_usd_mn", {"component": "drain_reserves"}),
    "drain_outlook_score": Series(
        "error_usd_mn", {"component": "drain_reserves", "weeks_ahead": 1}
    ),
    "fed_bill_purchases": Series("net_purchases_usd_mn", is_sum=True),
    "reference_levels": Series(
        "value", {"subject": "reserve balances", "named_on": date(2025, 12, 10)}
    ),
    "drain_episode_weeks": Series("cusum_usd_mn"),
    "net_liquidity": Series("net_liquidity_usd_mn"),
    "funding_conditions": Series("sofr_iorb_bp"),
    "asset_returns": Series("close", {"asset": "SPX"}),
    "sampled_returns": Series("return_pct", {"frequency": "weekly", "asset": "SPX"}),
    "driver_changes": Series("value", {"frequency": "weekly", "driver": "reserve_drain"}),
    "rank_correlations": Series(
        "spearman", {"asset": "SPX", "driver": "reserve_drain_estimate", "window_days": 60}
    ),
    "rolling_correlations": Series(
        "correlation", {"asset": "SPX", "driver": "reserve_drain_estimate", "window_days": 60}
    ),
    "weekly_correlations": Series(
        "correlation", {"asset": "SPX", "driver": "reserve_drain", "window_weeks": 104}
    ),
    "stress_flags": Series("value", {"indicator": "sofr_iorb_bp"}),
    "stress_index": Series("index_value"),
}
# The chart of the brief, by mart: its identifier there, and its unit.
BRIEF_CHARTS: Mapping[str, tuple[str, Unit]] = {
    "tga_daily": ("tga", "usd_mn"),
    "weekly_drains": ("drain", "usd_mn"),
    "drain_seasonality": ("season", "usd_mn"),
    "settlement_calendar": ("settlements", "usd_mn"),
    "funding_conditions": ("sofr", "bp"),
    "rolling_correlations": ("correlations", "ratio"),
    "stress_index": ("stress", "ratio"),
}
# Tables without a series in time, and why.
NO_SERIES: Mapping[str, str] = {
    "maturing_holdings": "a snapshot of what matures",
    "upcoming_settlements": "a snapshot of what is announced",
    "price_disagreements": "days on which providers disagree",
    "crypto_disagreements": "days on which providers disagree",
    "buyback_schedule": "a snapshot of what is planned",
    "buyback_securities": "one row per security of an operation",
    "policy_events": "events",
    "outlook_moments": "moments, no numbers",
    "expected_issues": "each moment's expectations, many per day",
    "settlement_vintages": "each moment's knowledge, many per day",
    "tga_trajectory_score": "errors of each statement's path, many per day",
    "tga_trajectory": "each statement's path, many per day",
    "daily_drain_error": "one row per year",
    "drain_outlook": "each week's path, many per day",
    "drain_episodes": "one row per episode",
    "net_liquidity_fit": "one row per sample",
    "bank_credit": "one row per lag",
    "settlement_sensitivity": "estimates over windows of three kinds",
    "liquidity_sensitivity": "estimates over windows",
    "sensitivity_ranking": "tests over windows",
    "lead_lag": "one row per lag",
    "settlement_day_study": "one row per sample",
    "contagion": "one row per horizon",
    "contagion_sequences": "one row per bout",
    "contagion_order": "one row per pair of classes",
    "relative_performance": "one row per asset",
    "scenarios": "one row per scenario",
    "stress_scores": "one row per episode",
    "stress_gauges": "one row per gauge and year",
}


def asset_chart(
    pipeline: Pipeline,
    table: Table,
    rows: Callable[[], pa.Table],
    data_version: str,
    last: dg.AssetMaterialization | None = None,
) -> dict[str, Any]:
    """Return a chart of a table's named series, and its newest value as a number to plot.

    `rows` gives all rows of the table. Where the series has no value among them there is neither. A
    chart that cannot be drawn costs its asset nothing: the error is shown in its place.

    `data_version` tells these rows from any others. The chart of the asset's `last` materialisation
    is used again where it was drawn from the same. A chart of the brief shows more than one table,
    so it is drawn each time.
    """
    if table.name not in SERIES:
        return {}
    newest = f"newest_{SERIES[table.name].column}"
    if last is not None and _drawn_from(last) == data_version and table.name not in BRIEF_CHARTS:
        kept = ("chart", newest, _DATA_VERSION)
        return {name: last.metadata[name] for name in kept if name in last.metadata}
    try:
        points = _points(table, rows())
        drawn = _brief_chart(pipeline, table.name) or _series_chart(table, points)
    except Exception as error:  # noqa: BLE001 - whatever it is, the rows are good
        return {"chart": dg.MetadataValue.text(f"not drawn: {error}")}
    values = {newest: float(points[-1]["value"])} if points else {}
    return {**drawn, **values, _DATA_VERSION: data_version} if drawn else {}


def _drawn_from(last: dg.AssetMaterialization) -> object:
    known = last.metadata.get(_DATA_VERSION)
    return known.value if known else None


def _series_chart(table: Table, points: list[dict[str, Any]]) -> dict[str, Any]:
    if not points:
        return {}
    series, first, last = SERIES[table.name], points[0]["date"], points[-1]["date"]
    unit = next(column.unit_text for column in table.columns if column.name == series.column)
    title = f"{series.name}{f' ({unit})' if unit else ''}, {first} to {last}"
    return {"chart": _markdown(title, charts.svg(_specification(points), "en"))}


def _brief_chart(pipeline: Pipeline, mart: str) -> dict[str, Any]:
    """Return the brief's chart of a mart that was just built; nothing where it has no data."""
    if mart not in BRIEF_CHARTS:
        return {}
    name, unit = BRIEF_CHARTS[mart]
    spec = charts.specification(_block(pipeline, name, unit), words("en"))
    if spec is None:
        return {}
    title = f"{mart}, as the brief draws it ({'USD bn' if unit == 'usd_mn' else unit})"
    on_white = {**spec, "config": {**spec["config"], "background": "white"}}
    return {"chart": _markdown(title, charts.svg(on_white, "en"))}


def _block(pipeline: Pipeline, name: str, unit: Unit) -> Block:
    """Return a chart block of the brief with its data, read from the marts as they are stored."""
    import duckdb

    from liquidity_pipeline.contracts.marts import MART_TABLES

    sql = query(f"chart_{name}")
    with duckdb.connect(":memory:") as connection:
        connection.execute("create schema marts; create schema meta")
        connection.execute(
            "create table meta.publication as select ?::date as as_of", [pipeline.settings.today]
        )
        for qualified in tables(sql):
            mart = qualified.removeprefix("marts.")
            if mart in MART_TABLES and (path := pipeline.marts.path(MART_TABLES[mart])).exists():
                engine.attach_mart(connection, mart, path)
        try:
            rows = connection.execute(sql).to_arrow_table().to_pylist()
        except duckdb.CatalogException:  # a mart beside this one was never built
            rows = []
    data = [{key: _plain(value) for key, value in row.items()} for row in rows]
    return {"kind": "chart", "id": name, "unit": unit, "data": data}


def _points(table: Table, rows: pa.Table) -> list[dict[str, Any]]:
    """Return the newest days of the named series as `date` and `value`, oldest first."""
    series = SERIES.get(table.name)
    if series is None:
        return []
    day = _day(table)
    for column, value in series.where.items():
        rows = rows.filter(pc.equal(rows[column], value))
    rows = rows.select([day, series.column])
    if series.is_sum:
        # A day with an amount that is not known has no known sum.
        add = pc.ScalarAggregateOptions(skip_nulls=False)
        rows = rows.group_by(day).aggregate([(series.column, "sum", add)])
        rows = rows.rename_columns({f"{series.column}_sum": series.column})
    rows = rows.filter(pc.is_valid(rows[series.column])).sort_by(day)
    newest = rows.slice(max(0, rows.num_rows - _POINTS)).to_pylist()
    return [{"date": row[day].isoformat(), "value": row[series.column]} for row in newest]


def _day(table: Table) -> str:
    """Return the column of a table's day: the contract's, or the first of the key that is one."""
    kinds = {column.name: column.kind for column in table.columns}
    return table.day or next(name for name in (*table.key, *kinds) if kinds[name] == "date")


def _specification(points: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "data": {"values": points},
        "mark": {
            "type": "line",
            "color": charts.BLUE,
            "strokeWidth": 1.4,
            "point": {"color": charts.BLUE, "size": 16} if len(points) < 60 else False,
        },
        "encoding": {
            "x": {
                "field": "date",
                "type": "temporal",
                "scale": {"type": "utc"},
                "axis": {"title": None, "tickCount": 8},
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "scale": {"zero": False},
                "axis": {"title": None, "tickCount": 5, "format": ",~f"},
            },
        },
        "width": _WIDTH,
        "height": _HEIGHT,
        "config": {**charts.CONFIG, "background": "white", "font": "sans-serif"},
    }


def _markdown(title: str, svg: str) -> dg.MetadataValue[Any]:
    """Return an image for Dagster's UI, which shows pictures in Markdown and escapes HTML."""
    code = base64.b64encode(_compact(svg).encode()).decode()
    return dg.MetadataValue.md(f"{title}\n\n![{title}](data:image/svg+xml;base64,{code})")


def _compact(svg: str) -> str:
    """Return a drawing with a width, and without what an image does not show.

    It comes without a width, and would be shown small. Dagster keeps it with every run: tenths of a
    point are enough, and nothing in it can be clicked or read aloud.
    """
    svg = re.sub(r' (?:role|aria-[a-z]+|pointer-events)="[^"]*"| opacity="1"', "", svg)
    svg = re.sub(r"-?\d*\.\d{2,}", lambda number: f"{float(number[0]):.1f}", svg)
    return svg.replace("<svg ", f'<svg width="{_SHOWN_WIDTH}" ', 1)


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
