"""Old runs are forgotten, but for those that last made something."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy

from liquidity_pipeline.orchestration import retention
from liquidity_pipeline.orchestration.dagster_instance import dagster_home, instance
from liquidity_pipeline_tests.orchestration.test_postgres import postgres

pytestmark = pytest.mark.slow

MONTHS = dg.StaticPartitionsDefinition(["2026-01", "2026-02"])


@dg.asset(partitions_def=MONTHS, check_specs=[dg.AssetCheckSpec("complete", asset="prices")])
def prices():
    return dg.MaterializeResult(
        check_results=[dg.AssetCheckResult(passed=True, check_name="complete")]
    )


CHECKS = [dg.AssetCheckKey(dg.AssetKey("prices"), "complete")]


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def dagster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance with the records of a command, or with those of deploy/postgres."""
    if request.param == "SQLite":
        with instance(tmp_path) as found:
            yield found
        return
    with postgres(tmp_path / "postgres") as url:
        home = dagster_home(tmp_path)
        settings = (
            f"telemetry: {{enabled: false}}\nstorage: {{postgres: {{postgres_url: '{url}'}}}}\n"
        )
        (home / "dagster.yaml").write_text(settings)
        with dg.DagsterInstance.from_config(str(home)) as found:
            yield found


def run(dagster: dg.DagsterInstance, month: str) -> str:
    return dg.materialize([prices], instance=dagster, partition_key=month).run_id


def age(dagster: dg.DagsterInstance, run_id: str, days: int) -> None:
    """Let a run look as if its record had last changed some days ago."""
    then = datetime.now(UTC) - timedelta(days=days)
    storage = dagster.run_storage
    with storage.connect() as connection:
        connection.execute(
            sqlalchemy.text("update runs set update_timestamp = :then where run_id = :run"),
            {"then": f"{then:%Y-%m-%d %H:%M:%S}", "run": run_id},
        )


def test_an_old_run_goes_once_newer_ones_have_made_the_same(dagster):
    january, february, again = (run(dagster, month) for month in ("2026-01", "2026-02", "2026-02"))
    home = Path(dagster.root_directory)
    for run_id in (january, february, again):
        age(dagster, run_id, 31)
    assert retention.forget_old_runs(dagster, CHECKS) == [february]
    assert {record.dagster_run.run_id for record in dagster.get_run_records()} == {january, again}
    assert not list(home.rglob(f"*{february}*"))
    made = dagster.get_materialized_partitions(dg.AssetKey("prices"))
    assert made == {"2026-01", "2026-02"}


def count(dagster: dg.DagsterInstance, table: str, run_id: str) -> int:
    with dagster.event_log_storage.index_connection() as connection:
        counted = sqlalchemy.text(f"select count(*) from {table} where run_id = :run")
        return connection.execute(counted, {"run": run_id}).scalar_one()


def test_of_a_run_that_last_made_a_month_only_that_is_kept(dagster):
    january, february, again = (run(dagster, month) for month in ("2026-01", "2026-02", "2026-02"))
    home = Path(dagster.root_directory)
    assert count(dagster, "event_logs", january) > 1
    for run_id in (january, february, again):
        age(dagster, run_id, 31)
    retention.forget_old_runs(dagster, CHECKS)
    assert count(dagster, "event_logs", january) == 1
    assert [count(dagster, "asset_check_executions", one) for one in (january, february)] == [0, 0]
    assert not list(home.rglob(f"*{january}*"))
    # The newest result of the check is from the last run, of which everything stays.
    assert count(dagster, "asset_check_executions", again) == 1
    assert len(dagster.all_logs(again)) > 5
    prices_of_january = dg.AssetRecordsFilter(dg.AssetKey("prices"), asset_partitions=["2026-01"])
    (record,) = dagster.fetch_materializations(prices_of_january, limit=9).records
    assert record.run_id == january
    with dg.DagsterInstance.from_config(str(home)) as of_another_process:
        # PostgreSQL keeps all events in one table, SQLite those of a run in a file of their own.
        assert len(of_another_process.all_logs(january)) <= 1


def test_forgetting_again_changes_nothing(dagster):
    runs = [run(dagster, month) for month in ("2026-01", "2026-02")]
    for run_id in runs:
        age(dagster, run_id, 31)
    mark = Path(dagster.root_directory) / "old_runs_forgotten"
    for _ in range(2):
        mark.unlink(missing_ok=True)
        assert retention.forget_old_runs(dagster, CHECKS) == []
    assert dagster.get_materialized_partitions(dg.AssetKey("prices")) == {"2026-01", "2026-02"}


def test_recent_runs_stay_and_it_is_done_once_a_day(dagster):
    first, second = run(dagster, "2026-01"), run(dagster, "2026-01")
    assert retention.forget_old_runs(dagster, CHECKS) == []
    age(dagster, first, 31)
    assert retention.forget_old_runs(dagster, CHECKS) == []
    yesterday = time.time() - 90_000
    os.utime(Path(dagster.root_directory) / "old_runs_forgotten", (yesterday, yesterday))
    assert retention.forget_old_runs(dagster, CHECKS) == [first]
    assert {record.dagster_run.run_id for record in dagster.get_run_records()} == {second}
