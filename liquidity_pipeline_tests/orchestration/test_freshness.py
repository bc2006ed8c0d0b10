"""The standing check `fresh`: its colour follows the calendar, without a run."""

from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.ingestion.completeness import releases
from liquidity_pipeline.orchestration.assembly import build_definitions
from liquidity_pipeline.orchestration.freshness import judge_freshness
from liquidity_pipeline.orchestration.names import PUBLICATION_PATH
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings

pytestmark = pytest.mark.slow

FILE, BRIEF = dg.AssetKey(PUBLICATION_PATH), dg.AssetKey(["publication", "brief"])
STATEMENT = dg.AssetKey(["marts", "tga_daily"])
BALANCE_SHEET = dg.AssetKey(["marts", "drain_episode_weeks"])
# A Friday on which the evening's refresh is over at the end of the day, New York time.
FRIDAY = date(2026, 2, 6)


def pipeline_on(folder: Path, day: date) -> Pipeline:
    """Return a pipeline at the end of a day, New York time."""
    return Pipeline(Settings(folder, "http://127.0.0.1:9", as_of=day))


def publish(pipeline: Pipeline, day: date) -> None:
    """Write a file whose sources hold all that is public at the end of a day, and its marts."""
    universe = pipeline.universe
    with duckdb.connect(str(pipeline.settings.published_file)) as file:
        file.execute("create schema meta")
        file.execute("create schema marts")
        file.execute(
            "create table meta.freshness (table_name text, entity text, last_day date, "
            "is_stale boolean, problem text)"
        )
        for table in SOURCE_TABLES.values():
            for entity, release in (releases(table, universe) or {"": None}).items():
                now = pipeline_on(pipeline.settings.data_dir, day).now
                due = release.due(day - timedelta(days=90), day, now) if release else [day]
                newest = due[-1] if due else None
                file.execute(
                    "insert into meta.freshness values (?, ?, ?, false, null)",
                    [table.name, entity, newest],
                )
        for mart in MART_TABLES:
            file.execute(f"create table marts.{mart} (day date)")


def tick(
    pipeline: Pipeline, cursor: str | None = None
) -> tuple[dict[dg.AssetKey, dg.AssetCheckEvaluation], str | None]:
    with dg.DagsterInstance.ephemeral() as dagster:
        context = dg.build_sensor_context(
            dagster,
            cursor=cursor,
            definitions=build_definitions(pipeline),
            resources={"pipeline": pipeline},
        )
        result = judge_freshness.evaluate_tick(context)
    assert not result.run_requests
    events = {event.asset_key: event for event in result.asset_events}
    assert all(isinstance(event, dg.AssetCheckEvaluation) for event in events.values())
    return events, result.cursor  # type: ignore[return-value]


def states(folder: Path, day: date) -> dict[dg.AssetKey, tuple[bool, dg.AssetCheckSeverity]]:
    """Return whether each asset passes, and how severe it is if not."""
    events, _ = tick(pipeline_on(folder, day))
    return {key: (event.passed, event.severity) for key, event in events.items()}


def test_before_the_first_publication_nothing_is_judged(tmp_path: Path):
    assert tick(pipeline_on(tmp_path, FRIDAY)) == ({}, None)


def test_a_file_is_fresh_through_the_weekend_late_on_monday_and_stale_on_tuesday(tmp_path: Path):
    publish(pipeline_on(tmp_path, FRIDAY), FRIDAY)
    warn, error = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR
    found = states(tmp_path, FRIDAY)
    marts = [dg.AssetKey(["marts", name]) for name in MART_TABLES]
    assert all(found[key][0] for key in [*marts, FILE, BRIEF])
    # Coins are due on weekends too; of what business days bring, nothing is.
    found = states(tmp_path, date(2026, 2, 8))
    assert found[STATEMENT][0]
    assert found[BALANCE_SHEET][0]
    # Friday's statement is public on Monday, Monday's on Tuesday; H.4.1 comes on Thursday.
    found = states(tmp_path, date(2026, 2, 9))
    assert found[STATEMENT] == (False, warn)
    assert found[BALANCE_SHEET][0]
    found = states(tmp_path, date(2026, 2, 10))
    assert found[STATEMENT] == (False, error)
    assert found[FILE] == found[BRIEF] == (False, error)
    found = states(tmp_path, date(2026, 2, 12))
    assert found[BALANCE_SHEET] == (False, warn)


def test_what_was_fetched_and_not_published_is_no_excuse_and_the_lake_judges_sources(
    tmp_path: Path,
):
    """The lake is empty here and the file is not: each asset is judged by what it holds."""
    publish(pipeline_on(tmp_path, FRIDAY), FRIDAY)
    found = states(tmp_path, FRIDAY)
    assert not found[dg.AssetKey(["sources", "tga_balance"])][0]
    assert found[STATEMENT][0]


def test_a_mart_that_was_never_built_is_not_fresh(tmp_path: Path):
    publish(pipeline_on(tmp_path, FRIDAY), FRIDAY)
    with duckdb.connect(str(tmp_path / "liquidity.duckdb")) as file:
        file.execute("drop table marts.tga_daily")
    events, _ = tick(pipeline_on(tmp_path, FRIDAY))
    assert not events[STATEMENT].passed
    assert events[STATEMENT].description == "Not published yet."


def test_only_what_changed_is_recorded_and_it_names_what_is_overdue(tmp_path: Path):
    publish(pipeline_on(tmp_path, FRIDAY), FRIDAY)
    _, cursor = tick(pipeline_on(tmp_path, FRIDAY))
    assert tick(pipeline_on(tmp_path, FRIDAY), cursor)[0] == {}
    events, _ = tick(pipeline_on(tmp_path, date(2026, 2, 9)), cursor)
    told = events[STATEMENT].description or ""
    assert "tga_balance: newest 2026-02-05, due 2026-02-06, 1 observation behind" in told
    assert BALANCE_SHEET not in events
