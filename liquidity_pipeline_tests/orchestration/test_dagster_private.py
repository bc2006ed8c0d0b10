"""What is relied on of Dagster's private modules: an upgrade that changes it fails here."""

from __future__ import annotations

import ast
import inspect
from datetime import UTC, datetime
from pathlib import Path

import pytest

import liquidity_pipeline
from liquidity_pipeline.orchestration import dagster_private as private
from liquidity_pipeline.orchestration import dagster_private_storage

pytestmark = pytest.mark.slow

PACKAGE = Path(liquidity_pipeline.__file__).parent


def parameters(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]


def test_the_signatures_are_those_that_the_event_log_overrides():
    storage = dagster_private_storage.SqliteEventLogStorage
    assert parameters(storage.__init__) == ["self", "base_dir", "inst_data"]
    assert parameters(storage._connect) == ["self", "shard"]
    assert parameters(storage.conn_string_for_shard) == ["self", "shard_name"]
    assert parameters(storage.has_table) == ["self", "table_name"]
    assert parameters(storage.has_secondary_index) == ["self", "name"]
    column = storage._has_asset_key_col_on_connection
    assert parameters(column) == ["self", "conn", "column_name"]
    assert parameters(private.InstanceRef.from_dir)[:1] == ["base_dir"]
    assert "overrides" in parameters(private.InstanceRef.from_dir)


def test_the_names_are_those_that_dagster_reads_and_writes():
    from dagster._core.errors import DagsterExecutionInterruptedError

    assert DagsterExecutionInterruptedError.__name__ == private.INTERRUPTED
    assert private.ASSET_PARTITION_RANGE_START_TAG == "dagster/asset_partition_range_start"
    assert private.ASSET_PARTITION_RANGE_END_TAG == "dagster/asset_partition_range_end"


def test_the_next_tick_is_in_the_schedules_own_time_zone():
    # 16:45 in New York is 21:45 UTC in winter.
    after = datetime(2026, 2, 6, 12, tzinfo=UTC)
    tick = private.next_tick("45 16 * * 1-5", "America/New_York", after)
    assert tick == datetime(2026, 2, 6, 21, 45, tzinfo=UTC)


def test_no_other_module_imports_what_is_private():
    offenders = [
        f"{path.name}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        if not path.name.startswith("dagster_private")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("dagster._")
    ]
    assert offenders == []
