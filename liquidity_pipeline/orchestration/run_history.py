"""What Dagster's records of a data directory say about its runs, read without taking part."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from liquidity_pipeline.orchestration.assembly import build_definitions
from liquidity_pipeline.orchestration.dagster_private import next_tick
from liquidity_pipeline.orchestration.jobs import schedules


@dataclass(frozen=True)
class RunHistory:
    """The newest run, the checks whose newest result failed, and the next schedule.

    Moments are UTC. Schedules run where the daemon does: `liquidity ui`, or a service.
    """

    last_run: str
    last_run_at: datetime | None
    failing_checks: tuple[str, ...]
    next_schedule: str
    next_at: datetime


def run_history(data_dir: Path) -> RunHistory:
    """Read the records, if there are any."""
    next_at, next_schedule = min(
        (next_tick(str(s.cron_schedule), str(s.execution_timezone), datetime.now(UTC)), s.name)
        for s in schedules
    )
    home = data_dir / "dagster_home"
    if not (home / "dagster.yaml").exists():
        return RunHistory("none", None, (), next_schedule, next_at)
    with dg.DagsterInstance.from_config(str(home)) as dagster:
        records = dagster.get_run_records(limit=1)
        newest = records[0] if records else None
        return RunHistory(
            last_run=newest.dagster_run.status.value.lower() if newest else "none",
            last_run_at=newest.update_timestamp if newest else None,
            failing_checks=_failing_checks(dagster),
            next_schedule=next_schedule,
            next_at=next_at,
        )


def _failing_checks(dagster: dg.DagsterInstance) -> tuple[str, ...]:
    """Return the checks of all assets whose newest result is a failure."""
    keys = build_definitions().resolve_asset_graph().asset_check_keys
    newest = dagster.event_log_storage.get_latest_asset_check_execution_by_key(list(keys))
    return tuple(
        sorted(
            f"{key.asset_key.path[-1]}: {key.name}"
            for key, execution in newest.items()
            if execution.status.value == "FAILED"
        )
    )
