"""How long Dagster's records of runs are kept, so that years of daily runs do not fill the disk.

A run that ended more than 30 days ago is forgotten once nothing newer depends on it: as long as it
is the last that made some month of an asset, or evaluated some check, the UI still shows it.
"""

import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

KEPT = timedelta(days=30)
# Finding out which old runs still matter reads every asset, so it is done once a day.
_EVERY = timedelta(days=1)
_ENDED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]


def forget_old_runs(dagster: dg.DagsterInstance, checks: Sequence[dg.AssetCheckKey]) -> list[str]:
    """Delete the records, events and logs of old runs; return their ids.

    `checks` are the asset checks whose newest result is to stay. Does nothing when it was done
    within a day.
    """
    home = Path(dagster.root_directory)
    mark, now = home / "old_runs_forgotten", datetime.now(UTC)
    if mark.exists() and now.timestamp() - mark.stat().st_mtime < _EVERY.total_seconds():
        return []
    old = dagster.get_run_records(dg.RunsFilter(statuses=_ENDED, updated_before=now - KEPT))
    needed = set(_newest(dagster, checks)) if old else set()
    forgotten = [record.dagster_run.run_id for record in old]
    forgotten = [run_id for run_id in forgotten if run_id not in needed]
    for run_id in forgotten:
        dagster.delete_run(run_id)
        _remove_files(home, run_id)
    mark.touch()
    return forgotten


def _newest(dagster: dg.DagsterInstance, checks: Sequence[dg.AssetCheckKey]) -> Iterator[str]:
    """Yield the runs that last made a partition, or an asset without any, or evaluated a check."""
    log = dagster.event_log_storage
    for key in dagster.all_asset_keys():
        newest = log.get_latest_storage_id_by_partition(
            key, dg.DagsterEventType.ASSET_MATERIALIZATION
        )
        if newest:
            wanted = dg.AssetRecordsFilter(asset_key=key, storage_ids=list(newest.values()))
            for record in dagster.fetch_materializations(wanted, limit=len(newest)).records:
                yield record.run_id
        last = dagster.get_latest_materialization_event(key)
        if last is not None:
            yield last.run_id
    for execution in log.get_latest_asset_check_execution_by_key(list(checks)).values():
        yield execution.run_id


def _remove_files(home: Path, run_id: str) -> None:
    """Remove what deleting a run leaves behind: its own event file, and the output of its steps."""
    shutil.rmtree(home / "storage" / run_id, ignore_errors=True)
    for name in (f"{run_id}.db", f"{run_id}.db-wal", f"{run_id}.db-shm"):
        (home / "history" / "runs" / name).unlink(missing_ok=True)
