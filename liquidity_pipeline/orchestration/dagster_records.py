"""Dagster's records through Dagster, wherever an instance keeps them."""

from pathlib import Path

import dagster as dg

from liquidity_pipeline.orchestration.assembly import build_definitions
from liquidity_pipeline.orchestration.sqlite_records import Check, Records


def ask_dagster(home: Path) -> Records:
    """Return the newest run and the failed checks of the instance that a home configures."""
    with dg.DagsterInstance.from_config(str(home)) as dagster:
        records = dagster.get_run_records(limit=1)
        newest = records[0] if records else None
        return Records(
            last_run=newest.dagster_run.status.value.lower() if newest else "none",
            last_run_at=newest.update_timestamp if newest else None,
            failed=_failed_checks(dagster),
        )


def _failed_checks(dagster: dg.DagsterInstance) -> frozenset[Check]:
    """Return the checks of all assets whose newest result is a failure."""
    keys = build_definitions().resolve_asset_graph().asset_check_keys
    newest = dagster.event_log_storage.get_latest_asset_check_execution_by_key(list(keys))
    return frozenset(
        (tuple(key.asset_key.path), key.name)
        for key, execution in newest.items()
        if execution.status.value == "FAILED"
    )
