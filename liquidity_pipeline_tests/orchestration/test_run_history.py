"""Records that are read from SQLite files are those that Dagster tells."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from liquidity_pipeline.orchestration import run_history, sqlite_records
from liquidity_pipeline.orchestration.assembly import build_definitions
from liquidity_pipeline.orchestration.dagster_instance import dagster_home
from liquidity_pipeline.orchestration.dagster_records import ask_dagster
from liquidity_pipeline.orchestration.event_log import open_instance
from liquidity_pipeline.orchestration.jobs import schedules
from liquidity_pipeline.orchestration.run_history import RunHistory, defined_checks, read_records
from liquidity_pipeline.sources.timetable import TIMINGS

TGA, FRESH = dg.AssetKey(["sources", "tga_balance"]), "liquidity_duckdb: sources_are_complete"


def report(dagster: dg.DagsterInstance, asset: dg.AssetKey, name: str, *, passed: bool) -> None:
    dagster.report_runless_asset_event(
        dg.AssetCheckEvaluation(asset_key=asset, check_name=name, passed=passed, metadata={})
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the home of an instance with a failed run, and checks that failed and were mended."""
    home = dagster_home(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(home))

    @dg.op
    def fails() -> None:
        raise ValueError

    with open_instance(home) as dagster:
        dg.GraphDefinition("job", node_defs=[fails]).execute_in_process(
            instance=dagster, raise_on_error=False
        )
        report(dagster, TGA, "complete", passed=True)
        report(dagster, TGA, "complete", passed=False)
        report(dagster, TGA, "contract", passed=False)
        report(dagster, TGA, "contract", passed=True)
        report(dagster, TGA, "of_older_code", passed=False)
        publication = dg.AssetKey(["publication", "liquidity_duckdb"])
        report(dagster, publication, "sources_are_complete", passed=False)
    return home


def test_the_files_say_what_dagster_says(home: Path, monkeypatch: pytest.MonkeyPatch):
    told = ask_dagster(home)
    monkeypatch.setattr("liquidity_pipeline.orchestration.dagster_records.ask_dagster", None)
    read = read_records(home)
    assert (read.last_run, read.last_run_at) == (told.last_run, told.last_run_at)
    assert read.last_run == "failure"
    assert read.failed & defined_checks() == told.failed
    history = run_history.run_history(home.parent)
    assert history.failing_checks == (FRESH, "tga_balance: complete")


def test_records_that_are_kept_elsewhere_are_asked_of_dagster(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    asked: list[Path] = []
    told = run_history.Records("success", None, frozenset())

    def ask(home: Path) -> run_history.Records:
        asked.append(home)
        return told

    monkeypatch.setattr("liquidity_pipeline.orchestration.dagster_records.ask_dagster", ask)
    config = home / "dagster.yaml"
    text = config.read_text()
    for elsewhere in ("storage:\n  postgres:\n", "event_log_storage:\n  module: own\n"):
        config.write_text(text + elsewhere)
        assert read_records(home) == told
    config.write_text(text)
    assert read_records(home) != told
    (home / "history" / "runs.db").write_bytes(b"of another version")
    assert read_records(home) == told
    assert asked == [home] * 3


def test_a_new_directory_has_no_records(tmp_path: Path):
    history = run_history.run_history(tmp_path)
    assert isinstance(history, RunHistory)
    assert (history.last_run, history.failing_checks) == ("none", ())
    assert list(tmp_path.iterdir()) == []


def test_checks_and_schedules_are_those_of_the_code_location():
    keys = build_definitions().resolve_asset_graph().asset_check_keys
    found = {(tuple(key.asset_key.path), key.name) for key in keys if key.name != "fresh"}
    assert defined_checks() == found
    assert {(s.name, s.cron_schedule, s.execution_timezone) for s in schedules} == {
        (timing.name, timing.cron, timing.zone) for timing in TIMINGS
    }


def test_records_are_read_where_sqlite_can_write_nothing(home: Path):
    """As on a disk that is full or read-only: the index of the write-ahead log cannot be made."""
    records = read_records(home)
    for path in (home / "history/runs.db", home / "history/runs/index.db"):
        index = path.with_name(f"{path.name}-shm")
        index.unlink(missing_ok=True)
        index.mkdir()
        with sqlite_records._open(path) as connection:
            assert connection.execute("select count(*) from sqlite_master").fetchone()
    assert read_records(home) == records
