"""One mart that fails stops neither the others nor the publication, and is named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from liquidity_pipeline import calendars
from liquidity_pipeline.contracts.sources.treasury import TGA_BALANCE
from liquidity_pipeline.models import engine
from liquidity_pipeline.orchestration.dagster_instance import instance
from liquidity_pipeline.orchestration.mart_assets import mart_key
from liquidity_pipeline.orchestration.runs import Runner
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings

pytestmark = pytest.mark.slow

DAY = date(2026, 1, 30)


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """Give a runner on a lake with a single row: the statement of 2026-01-30."""
    pipeline = Pipeline(Settings(tmp_path, as_of=date(2026, 2, 6)))
    row = {
        "record_date": DAY,
        "closing_usd_mn": 893_245.0,
        "known_at": calendars.DTS.known_at([DAY])[0],
    }
    rows = pa.Table.from_pylist([row], schema=TGA_BALANCE.arrow_schema)
    pipeline.lake.store(TGA_BALANCE, rows, [DAY.replace(day=1)], pipeline.now)
    with instance(tmp_path) as dagster:
        yield Runner(pipeline, dagster)


def break_mart(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    sql = engine.sql
    typo = "select closing from sources.tga_balance"
    monkeypatch.setattr(engine, "sql", lambda name: typo if name == broken else sql(name))


def tables(runner: Runner) -> set[str]:
    with duckdb.connect(str(runner.pipeline.settings.published_file), read_only=True) as published:
        query = "select table_name from information_schema.tables where table_schema = 'marts'"
        return {name for (name,) in published.execute(query).fetchall()}


def test_a_mart_that_was_never_built_is_named_and_absent(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
):
    break_mart(monkeypatch, "tga_daily")
    runner.publish()
    assert runner.report.published
    lines = runner.report.problems["marts"]
    assert any(line.startswith("marts.tga_daily: ") and '"closing"' in line for line in lines)
    readers = {n for n in engine.build_order() if "marts.tga_daily" in engine.upstream(n)}
    assert readers
    for name in readers:
        (line,) = (x for x in lines if x.startswith(f"marts.{name}: not built, because "))
        assert "marts.tga_daily" in line.partition(" failed")[0]
    missing = set(engine.build_order()) - tables(runner)
    assert missing >= {"tga_daily", *readers}
    assert "settlement_calendar" in tables(runner)


def test_a_mart_that_fails_keeps_its_last_good_rows(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
):
    runner.publish()
    # The same session of DuckDB told how long each mart took.
    event = runner.dagster.get_latest_materialization_event(mart_key("tga_daily"))
    assert event.asset_materialization.metadata["build_seconds"].value >= 0
    # With the output of the step Dagster would record it all a second time.
    outputs = [
        record.event_log_entry.dagster_event.step_output_data.metadata
        for record in runner.dagster.get_records_for_run(
            event.run_id, of_type=dg.DagsterEventType.STEP_OUTPUT
        ).records
    ]
    assert outputs
    assert all("last_rows" not in metadata for metadata in outputs)
    break_mart(monkeypatch, "tga_daily")
    again = Runner(runner.pipeline, runner.dagster)
    (runner.pipeline.settings.marts_dir / "built.json").unlink()
    again.publish()
    assert again.report.published
    assert "its last good rows are published" in again.report.problems["marts"][0]
    assert "tga_daily" in tables(again)
    newest = runner.dagster.get_runs(limit=1)[0]
    assert newest.status == dg.DagsterRunStatus.FAILURE, "the UI shows it, too"


def test_a_lake_of_another_contract_says_what_to_do(runner: Runner):
    (file,) = runner.pipeline.lake.files(TGA_BALANCE)
    pq.write_table(pq.read_table(file).drop_columns(["closing_usd_mn"]), file)
    runner.publish()
    assert not runner.report.published
    (line,) = runner.report.problems["marts"]
    assert "closing_usd_mn" in line
    assert "tga_balance" in line
    assert "`liquidity rebuild`" in line


def test_a_damaged_page_is_found_and_its_file_named(runner: Runner):
    (file,) = runner.pipeline.lake.files(TGA_BALANCE)
    body = bytearray(file.read_bytes())
    body[4:60] = bytes(56)  # the first pages; the footer is whole
    file.write_bytes(body)
    runner.publish()
    assert not runner.report.published
    said = " ".join(runner.report.problems["marts"])
    assert str(file) in said
    assert "`liquidity rebuild`" in said
