"""What the command line records is what Dagster's own storage, in the UI, reads back."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from liquidity_pipeline.orchestration.dagster_instance import dagster_home, instance
from liquidity_pipeline.orchestration.event_log import OpenEventLog

MONTHS = dg.StaticPartitionsDefinition(["2026-01", "2026-02", "2026-03"])


@dg.asset(
    partitions_def=MONTHS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[dg.AssetCheckSpec("complete", asset="levels")],
)
def levels() -> dg.MaterializeResult:
    check = dg.AssetCheckResult(check_name="complete", passed=True)
    return dg.MaterializeResult(metadata={"rows": 3}, tags={"kept": "yes"}, check_results=[check])


def record(data_dir: Path) -> str:
    with instance(data_dir) as dagster:
        assert isinstance(dagster.event_log_storage, OpenEventLog)
        result = dg.materialize(
            [levels],
            instance=dagster,
            tags={
                "dagster/asset_partition_range_start": "2026-01",
                "dagster/asset_partition_range_end": "2026-02",
            },
        )
    return result.run_id


@pytest.mark.slow
def test_dagsters_own_storage_reads_the_run_the_partitions_and_the_check(tmp_path: Path):
    run_id = record(tmp_path)
    with dg.DagsterInstance.from_config(str(dagster_home(tmp_path))) as plain:
        assert type(plain.event_log_storage) is SqliteEventLogStorage
        assert plain.get_materialized_partitions(levels.key) == {"2026-01", "2026-02"}
        newest = plain.get_latest_materialization_event(levels.key).asset_materialization
        assert (newest.metadata["rows"].value, newest.tags["kept"]) == (3, "yes")
        run = plain.get_run_by_id(run_id)
        assert run.status == dg.DagsterRunStatus.SUCCESS
        kinds = [entry.dagster_event_type for entry in plain.all_logs(run_id)]
        assert kinds.count(dg.DagsterEventType.ASSET_MATERIALIZATION) == 2
        (check,) = plain.event_log_storage.get_latest_asset_check_execution_by_key(
            [dg.AssetCheckKey(levels.key, "complete")]
        ).values()
        assert check.status.value == "SUCCEEDED"


@pytest.mark.slow
def test_a_second_command_adds_to_what_the_first_recorded(tmp_path: Path):
    runs = {record(tmp_path), record(tmp_path)}
    with instance(tmp_path) as dagster:
        assert {run.run_id for run in dagster.get_runs()} == runs
        assert all(dagster.all_logs(run_id) for run_id in runs)


def test_a_user_who_keeps_events_elsewhere_is_left_alone(tmp_path: Path):
    (dagster_home(tmp_path) / "dagster.yaml").write_text(
        "event_log_storage:\n"
        "  module: dagster._core.storage.event_log\n"
        "  class: ConsolidatedSqliteEventLogStorage\n"
        f"  config: {{base_dir: {tmp_path / 'elsewhere'}}}\n"
    )
    with instance(tmp_path) as dagster:
        assert type(dagster.event_log_storage).__name__ == "ConsolidatedSqliteEventLogStorage"
