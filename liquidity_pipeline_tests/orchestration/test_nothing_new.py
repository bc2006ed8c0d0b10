"""A run that finds nothing new leaves the published file alone; any news is published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from liquidity_pipeline import calendars
from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.contracts.sources.treasury import TGA_BALANCE
from liquidity_pipeline.ingestion import status_note
from liquidity_pipeline.models.reconciliations.reconciliation import (
    RECONCILIATIONS,
    Reconciliation,
)
from liquidity_pipeline.orchestration.dagster_instance import instance
from liquidity_pipeline.orchestration.names import FRESH_CHECK
from liquidity_pipeline.orchestration.runs import Runner
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.fetch import Fetch, Window
from liquidity_pipeline.storage.files import mark_of
from liquidity_pipeline_tests.sources.canned import Canned

pytestmark = pytest.mark.slow

AS_OF = date(2026, 2, 6)
FRIDAY = date(2026, 1, 30)


def store(pipeline: Pipeline, *closes: float) -> None:
    """Store the closing balances of the business days up to 2026-01-30."""
    days = [FRIDAY - timedelta(days=number) for number in range(len(closes))]
    rows = [
        {"record_date": day, "closing_usd_mn": close, "known_at": known}
        for day, close, known in zip(days, closes, calendars.DTS.known_at(days), strict=True)
    ]
    table = pa.Table.from_pylist(rows, schema=TGA_BALANCE.arrow_schema)
    pipeline.lake.store(TGA_BALANCE, table, [FRIDAY.replace(day=1)], pipeline.now)


def asked(pipeline: Pipeline, error: str | None = None) -> None:
    """Note in the archive that the source was asked, and got nothing new or an error."""
    fetch = Fetch(Window(AS_OF, AS_OF), pipeline.now, pipeline.universe, Canned({}))
    pipeline.archive.keep(TGA_BALANCE.name, fetch, error)


@pytest.fixture
def published(tmp_path: Path) -> Pipeline:
    """Give the pipeline of a lake with two balances that has published one mart of them."""
    pipeline = Pipeline(Settings(tmp_path, as_of=AS_OF, reference_dir=reference(tmp_path)))
    store(pipeline, 893_245.0, 880_000.0)
    asked(pipeline)
    pipeline.build_mart("tga_daily")
    publish(pipeline)
    return pipeline


def publish(pipeline: Pipeline) -> None:
    pipeline.publish()
    pipeline.write_brief()


def reference(folder: Path) -> Path:
    """Give a copy of the facts kept by hand, which a test may change."""
    copied = folder / "reference"
    copied.mkdir()
    for path in Settings(folder).reference_dir.glob("*.*"):
        (copied / path.name).write_bytes(path.read_bytes())
    return copied


def is_published(pipeline: Pipeline, **settings: date) -> bool:
    """Ask as a process of its own would."""
    return Pipeline(replace(pipeline.settings, **settings)).is_published()


def test_the_file_stays_when_only_the_time_of_asking_is_new(published: Pipeline):
    settings = published.settings
    asked(published)
    assert status_note.freshness(settings) is None, "the note is of the fetches before"
    assert is_published(published)
    assert status_note.freshness(settings) == published.freshness().to_pylist()


NEWS: dict[str, Callable[[Pipeline], None]] = {
    "a balance is revised": lambda pipeline: store(pipeline, 893_246.0, 880_000.0),
    "a balance comes": lambda pipeline: store(pipeline, 893_245.0, 880_000.0, 870_000.0),
    "a fetch fails": lambda pipeline: asked(pipeline, "fiscaldata: HTTP 503"),
    "a fact is noted": lambda pipeline: note(
        pipeline.settings.reference_dir / "acknowledged_gaps.toml"
    ),
    "a page is gone": lambda pipeline: beside(pipeline, "brief.zh.html").unlink(),
    "the file is gone": lambda pipeline: beside(pipeline, "liquidity.duckdb").unlink(),
    "a mart is gone": lambda pipeline: pipeline.marts.path(MART_TABLES["tga_daily"]).unlink(),
}


def note(path: Path) -> None:
    """Add a comment to a file of facts."""
    path.write_text(f"{path.read_text()}# seen again\n")


def beside(pipeline: Pipeline, name: str) -> Path:
    return pipeline.settings.published_file.with_name(name)


@pytest.mark.parametrize("news", NEWS)
def test_any_news_is_to_be_published(published: Pipeline, news: str):
    NEWS[news](published)
    assert not is_published(published)
    if not published.never_built():
        publish(Pipeline(published.settings))
        assert is_published(published)


@pytest.mark.parametrize("part", ["coverage", "_expectations"])
def test_what_another_process_stores_meanwhile_makes_the_note_void(
    published: Pipeline, part: str, monkeypatch: pytest.MonkeyPatch
):
    """Files are looked for once in a step: the note must be of those that it was made of."""
    pipeline = Pipeline(published.settings)
    work_out = getattr(pipeline, part)

    def after_another_wrote() -> object:
        store(published, 893_246.0, 880_000.0)
        return work_out()

    monkeypatch.setattr(pipeline, part, after_another_wrote)
    contents = pipeline._contents()
    assert contents.inputs != status_note.state_of_inputs(pipeline.settings)
    contents.note(pipeline.settings, pipeline.now)
    assert status_note.freshness(pipeline.settings) is None
    assert not is_published(published)


def test_a_new_day_is_published_even_without_news(published: Pipeline):
    assert not is_published(published, as_of=AS_OF + timedelta(days=1))


def test_a_mart_that_contradicts_another_record_stays_stale(
    published: Pipeline, monkeypatch: pytest.MonkeyPatch
):
    assert "tga_daily" not in published.stale_marts()
    check = next(each for each in RECONCILIATIONS if each.mart == "tga_daily")
    contradiction = "select date '2026-01-30' as day, 1e6 as difference"
    monkeypatch.setattr(Reconciliation, "sql", contradiction)
    for blocking in (True, False):
        list(published.build_marts(["tga_daily"], [replace(check, blocking=blocking)]))
        stale = Pipeline(published.settings).stale_marts()
        assert ("tga_daily" in stale) == blocking


def test_a_second_run_leaves_the_file_and_says_so(published: Pipeline):
    with instance(published.settings.data_dir) as dagster:
        first, second = Runner(published, dagster), Runner(Pipeline(published.settings), dagster)
        first.publish()
        assert (first.report.published, first.report.unchanged) == (True, False)
        before = mark_of(published.settings.published_file)
        second.publish()
        kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
        entries = [e for run in dagster.get_runs() for e in dagster.all_logs(run.run_id, kind)]
    checks = {e.get_dagster_event().asset_check_evaluation_data.check_name for e in entries}
    assert checks, "the marts were reconciled"
    assert FRESH_CHECK not in checks, "freshness is judged by time, not by a run"
    assert (second.report.published, second.report.unchanged) == (False, True)
    assert second.report.is_current
    assert mark_of(published.settings.published_file) == before
