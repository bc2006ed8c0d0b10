"""Building only what a change touches gives what building everything gives: every mart, every row.

The versions that are compared are hashes of all rows of a mart.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.models import engine
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings, default_reference_dir
from liquidity_pipeline.storage.lake import Lake

TODAY = date(2026, 2, 6)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pipeline(place: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """Two months of all sources and all marts, with reference facts that may be changed."""
    folder = tmp_path_factory.mktemp("incremental")
    shutil.copytree(default_reference_dir(), folder / "reference")
    shutil.copytree(place[3], folder / "data")
    settings = Settings(
        folder / "data", endpoints=place[1], as_of=TODAY, reference_dir=folder / "reference"
    )
    pipeline = Pipeline(settings)
    assert pipeline.stale_marts() == []
    return pipeline


def built(pipeline: Pipeline, names: list[str]) -> None:
    assert [each.failure for each in pipeline.build_marts(names) if each.failure] == []


def versions(pipeline: Pipeline) -> dict[str, str | None]:
    return {name: pipeline.marts.version(table) for name, table in MART_TABLES.items()}


def month_without_its_last_day(pipeline: Pipeline, name: str) -> None:
    """Take the newest day out of a month, as if it had not come."""
    table = SOURCE_TABLES[name]
    path = pipeline.lake.path(table, date(2026, 1, 1))
    rows = pipeline.lake.read_months(table, [date(2026, 1, 1)])
    last = pc.max(rows[table.day])
    rewritten(path, rows.filter(pc.less(rows[table.day], last)))


def revised(pipeline: Pipeline, name: str, column: str) -> None:
    """Change every value of a column of a month, as a revision does."""
    table = SOURCE_TABLES[name]
    rows = pipeline.lake.read_months(table, [date(2025, 12, 1)])
    at = rows.schema.get_field_index(column)
    values = pc.add(pc.multiply(rows[column], 1.01), 1.0)
    path = pipeline.lake.path(table, date(2025, 12, 1))
    rewritten(path, rows.set_column(at, rows.schema.field(column), values))


def rewritten(path: Path, rows: pa.Table) -> None:
    import pyarrow.parquet as pq

    pq.write_table(rows, path)


def another_sign(pipeline: Pipeline) -> None:
    """Turn the signs of one component round in a reference table."""
    path = pipeline.settings.reference_dir / "sign_conventions.csv"
    lines = path.read_text().splitlines(keepends=True)
    first, sign = next((i, line) for i, line in enumerate(lines) if ",-1" in line)
    lines[first] = sign.replace(",-1", ",1", 1)
    path.write_text("".join(lines))


CHANGES: dict[str, Callable[[Pipeline], None]] = {
    "a month of prices": lambda p: month_without_its_last_day(p, "index_prices"),
    "a month of statements": lambda p: month_without_its_last_day(p, "tga_balance"),
    "a revised rate": lambda p: revised(p, "reference_rates", "rate_pct"),
    "a revised balance": lambda p: revised(p, "fed_balance_sheet", "value_usd_mn"),
    "a revised coin": lambda p: revised(p, "crypto_prices", "close"),
    "a reference table": another_sign,
}
# Every mart depends on the reference facts; of a source, only some do.
FOR_ALL = {"a reference table"}


# Each builds everything once for comparison; `make test` has one of each kind.
MORE = {"a month of statements", "a revised coin", "a revised balance"}


@pytest.mark.parametrize(
    "change",
    [pytest.param(c, marks=pytest.mark.campaign) if c in MORE else c for c in CHANGES],
)
def test_what_a_change_touches_is_built_and_equals_a_build_of_everything(
    change: str, pipeline: Pipeline, tmp_path: Path
):
    before = versions(pipeline)
    CHANGES[change](pipeline)
    incremental = Pipeline(pipeline.settings)
    stale = incremental.stale_marts()
    assert stale, "a change of an input touches some mart"
    assert (len(stale) == len(MART_TABLES)) == (change in FOR_ALL), stale
    built(incremental, stale)
    assert incremental.stale_marts() == []
    everything = versions(of_everything(pipeline.settings, tmp_path))
    assert versions(incremental) == everything
    assert everything != before, "the change is one that a reader sees"


def of_everything(settings: Settings, folder: Path) -> Pipeline:
    whole = Pipeline(settings)
    whole.marts = Lake(folder / "marts")
    built(whole, engine.build_order())
    return whole


def test_the_sql_of_a_mart_touches_it_and_what_reads_it(
    pipeline: Pipeline, monkeypatch, tmp_path: Path
):
    text = engine.sql
    changed = "reserve_drains"
    monkeypatch.setattr(
        engine, "sql", lambda name: text(name) + ("\n-- changed\n" if name == changed else "")
    )
    stale = Pipeline(pipeline.settings).stale_marts()
    assert changed in stale
    read = {name for name in MART_TABLES if f"marts.{changed}" in engine.upstream(name)}
    assert read <= set(stale)
    assert len(stale) < len(MART_TABLES)


def test_another_day_touches_every_mart(pipeline: Pipeline):
    yesterday = replace(pipeline.settings, as_of=TODAY - timedelta(days=1))
    assert Pipeline(yesterday).stale_marts() == engine.build_order()


def test_a_mart_whose_file_is_gone_is_built_again(pipeline: Pipeline):
    path = pipeline.marts.path(MART_TABLES["tga_daily"])
    kept = path.read_bytes()
    path.unlink()
    try:
        assert "tga_daily" in Pipeline(pipeline.settings).stale_marts()
    finally:
        path.write_bytes(kept)
