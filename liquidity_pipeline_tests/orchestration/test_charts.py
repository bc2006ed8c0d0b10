"""A chart per asset: one named series as an SVG, the brief's own where the brief draws the mart."""

import base64
import re
from datetime import date, datetime
from pathlib import Path
from xml.etree import ElementTree

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.sources.federal_reserve import REFERENCE_RATES
from liquidity_pipeline.contracts.sources.treasury import TGA_BALANCE
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.orchestration import charts, source_assets
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import SANDBOX, Settings
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.sources.registry import SOURCES

TABLES = {**SOURCE_TABLES, **MART_TABLES}
NOON = datetime(2026, 2, 6, 12)  # noqa: DTZ001 - naive UTC, as everywhere in the lake
NOWHERE = Pipeline(Settings(Path("/nonexistent"), SANDBOX))


def picture(metadata: dict) -> ElementTree.Element:
    """Return the SVG of a chart, which must be well-formed."""
    code = re.fullmatch(
        r".*?\n\n!\[.*\]\(data:image/svg\+xml;base64,(.*)\)", metadata["chart"].value, re.DOTALL
    )
    assert code, metadata["chart"].value[:200]
    return ElementTree.fromstring(base64.b64decode(code[1]))  # noqa: S314 - our own drawing


def shown_of(table: Table, rows: pa.Table, pipeline: Pipeline = NOWHERE) -> dict:
    """Return what is shown of rows that were never drawn before."""
    return charts.asset_chart(pipeline, table, lambda: rows, "these rows")


def marks(svg: ElementTree.Element) -> set[str]:
    names = " ".join(element.get("class", "") for element in svg.iter())
    return {name for name in names.split() if name.startswith("mark-")}


def test_every_table_has_a_series_or_a_reason_for_none():
    assert set(charts.SERIES) | set(charts.NO_SERIES) == set(TABLES)
    assert not set(charts.SERIES) & set(charts.NO_SERIES)
    assert set(charts.BRIEF_CHARTS) <= set(charts.SERIES)


@pytest.mark.parametrize("name", charts.SERIES)
def test_a_series_is_one_number_a_day(name):
    """Without a sum, the key must be the day and the columns that are fixed."""
    table, series = TABLES[name], charts.SERIES[name]
    columns = {column.name: column for column in table.columns}
    assert columns[series.column].kind == "number"
    for column, value in series.where.items():
        assert column in columns
        allowed = columns[column].allowed
        assert not allowed or value in allowed, f"{name}.{column} is never {value}"
    if not series.is_sum:
        day = next(c for c in (table.day, *table.key) if c and columns[c].kind == "date")
        assert {day, *series.where} >= set(table.key), table.key


def test_the_briefs_charts_are_those_of_the_brief(brief_blocks):
    found = {block["id"]: block["unit"] for block in brief_blocks}
    assert dict(charts.BRIEF_CHARTS.values()) == found


@pytest.fixture
def brief_blocks() -> list[dict]:
    """The chart blocks that the brief's sections ask for, read from their code."""
    folder = Path(charts.__file__).parents[1] / "brief" / "sections"
    code = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    calls = re.findall(r'book\.chart\(\s*"(\w+)",(.*?)"chart_', code, flags=re.DOTALL)
    return [
        {"id": name, "unit": re.findall(r'"(usd_mn|bp|ratio|pct)"', rest)[-1]}
        for name, rest in calls
    ]


def rates(*rows: tuple[int, str, float | None]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"effective_date": date(2026, 2, day), "rate": rate, "rate_pct": value}
            for day, rate, value in rows
        ],
        schema=REFERENCE_RATES.arrow_schema,
    )


def test_one_named_series_is_drawn_and_its_newest_value_is_a_number():
    rows = rates((2, "SOFR", 3.71), (3, "SOFR", 3.75), (4, "SOFR", None), (5, "EFFR", 9.99))
    shown = shown_of(REFERENCE_RATES, rows)
    assert shown["newest_rate_pct"] == 3.75
    title = shown["chart"].value.splitlines()[0]
    assert title == "rate_pct, rate SOFR (percent), 2026-02-02 to 2026-02-03"
    assert "mark-line" in marks(picture(shown))


def test_a_chart_of_two_years_is_small():
    """Dagster keeps it with every run: 520 points of a dozen characters, and as much around."""
    newest = date(2026, 2, 6).toordinal()
    rows = pa.Table.from_pylist(
        [
            {"record_date": date.fromordinal(newest - n), "closing_usd_mn": 8e5 + n * 7919 % 1e5}
            for n in range(520)
        ],
        schema=TGA_BALANCE.arrow_schema,
    )
    shown = charts._series_chart(TGA_BALANCE, charts._points(TGA_BALANCE, rows))
    svg = picture(shown)
    (line,) = (e for e in svg.iter() if e.get("stroke") == charts.charts.BLUE)
    assert len(re.findall("[ML]", line.get("d"))) == 520
    assert float(svg.get("width")) > 500
    assert len(shown["chart"].value) < 520 * 2 * 12 * 4 / 3


def test_without_a_value_there_is_no_chart_and_no_number():
    assert shown_of(REFERENCE_RATES, rates((5, "EFFR", 9.99))) == {}
    assert shown_of(TGA_BALANCE, TGA_BALANCE.arrow_schema.empty_table()) == {}


def test_a_day_with_an_unknown_amount_has_no_sum():
    table = SOURCE_TABLES["repo_operations"]
    days = [(2, 5.0), (2, 6.0), (3, 1.0), (3, None)]
    rows = pa.Table.from_pylist(
        [
            {"operation_date": date(2026, 2, day), "kind": "on_rrp", "accepted_usd_mn": amount}
            for day, amount in days
        ],
        schema=table.arrow_schema,
    )
    assert shown_of(table, rows)["newest_accepted_usd_mn"] == 11.0


def test_a_chart_that_cannot_be_drawn_costs_nothing_else(monkeypatch):
    def broken(*_):
        raise RuntimeError("no fonts")

    monkeypatch.setattr(charts.charts, "svg", broken)
    shown = shown_of(REFERENCE_RATES, rates((2, "SOFR", 3.71)))
    assert shown["chart"].text == "not drawn: no fonts"


def test_a_mart_of_the_brief_is_drawn_as_there(place):
    settings = Settings(Path(place[3]), SANDBOX, sandbox_url=place[1], as_of=date(2026, 2, 6))
    pipeline = Pipeline(settings)
    for name, (chart, _) in charts.BRIEF_CHARTS.items():
        rows = pq.read_table(pipeline.marts.path(MART_TABLES[name]))
        shown = shown_of(MART_TABLES[name], rows, pipeline)
        if "chart" in shown and "as the brief" in shown["chart"].value:
            assert len(picture(shown)) > 0, chart
    tga = pq.read_table(pipeline.marts.path(MART_TABLES["tga_daily"]))
    shown = shown_of(MART_TABLES["tga_daily"], tga, pipeline)
    assert "as the brief draws it (USD bn)" in shown["chart"].value
    newest = max(tga.to_pylist(), key=lambda row: row["record_date"])
    assert shown["newest_closing_usd_mn"] == newest["closing_usd_mn"]


def test_the_chart_of_the_same_rows_is_not_drawn_again():
    def not_read() -> pa.Table:
        raise AssertionError

    drawn = {"chart": dg.MetadataValue.md("a picture"), "newest_closing_usd_mn": 893_245.0}
    last = dg.AssetMaterialization(
        "sources/tga_balance",
        # The newest opening is that of the months that the last run asked for.
        metadata={**drawn, "chart_data_version": "v1", "requests": 1, "newest_opening_usd_mn": 7.0},
    )
    again = charts.asset_chart(NOWHERE, TGA_BALANCE, not_read, "v1", last)
    assert {name: value.value for name, value in again.items()} == {
        "chart": "a picture",
        "newest_closing_usd_mn": 893_245.0,
        "chart_data_version": "v1",
    }
    row = {"record_date": date(2026, 2, 5), "closing_usd_mn": 5.0}
    rows = pa.Table.from_pylist([row], schema=TGA_BALANCE.arrow_schema)
    other = charts.asset_chart(NOWHERE, TGA_BALANCE, lambda: rows, "v2", last)
    assert other["newest_closing_usd_mn"] == 5.0
    assert other["chart_data_version"] == "v2"


def test_a_chart_that_could_not_be_drawn_is_tried_again(monkeypatch):
    rows = rates((2, "SOFR", 3.71))
    with monkeypatch.context() as broken:
        broken.setattr(charts.charts, "svg", lambda *_: 1 / 0)
        failed = shown_of(REFERENCE_RATES, rows)
    last = dg.AssetMaterialization("sources/reference_rates", metadata=failed)
    again = charts.asset_chart(NOWHERE, REFERENCE_RATES, lambda: rows, "these rows", last)
    assert "mark-line" in marks(picture(again))


def test_a_run_over_old_months_shows_the_newest_days(tmp_path):
    """What is drawn is the asset, not the months that a run asked for."""
    pipeline = Pipeline(Settings(tmp_path, SANDBOX))
    for month, value in ((1, 3.7), (2, 3.8)):
        day = date(2026, month, 5)
        row = {"effective_date": day, "rate": "SOFR", "rate_pct": value, "known_at": NOON}
        rows = pa.Table.from_pylist([row], schema=REFERENCE_RATES.arrow_schema)
        pipeline.lake.store(REFERENCE_RATES, rows, [day.replace(day=1)], NOON)
    january = Window.of_months(date(2026, 1, 1), date(2026, 1, 1))
    source = SOURCES["reference_rates"]
    shown = source_assets._table_metadata(pipeline, source, january, None)
    assert shown["dagster/row_count"] == 1
    assert shown["newest_rate_pct"] == 3.8
