"""How long Dagster's records of runs are kept, so that years of daily runs do not fill the disk.

A run that ended more than 30 days ago is forgotten once nothing depends on it. As long as it is the
last that made some month of an asset, the UI still shows it and what it made, but none of its other
events. As long as it is the last that evaluated some check, everything stays.
"""

import shutil
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
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

_EVENTS = "select id from event_logs where run_id = :run"
_FORGET_EVENT = "delete from event_logs where id = :event"
_FORGET_TAGS = "delete from asset_event_tags where event_id = :event"
_FORGET_CHECKS = "delete from asset_check_executions where run_id = :run"


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
    checked = set(_runs_of_newest_checks(dagster, checks)) if old else set()
    made = _newest_materializations(dagster) if old else {}
    forgotten = []
    for run_id in (record.dagster_run.run_id for record in old):
        if run_id in checked:
            continue
        _forget_events(dagster, run_id, but=made.get(run_id, frozenset()))
        if run_id not in made:
            dagster.delete_run(run_id)
            forgotten.append(run_id)
        _remove_files(home, run_id)
    mark.touch()
    return forgotten


def _newest_materializations(dagster: dg.DagsterInstance) -> Mapping[str, Collection[int]]:
    """Return the runs that last made a partition, or an asset without any, and in which events."""
    found: dict[str, set[int]] = defaultdict(set)
    for key in dagster.all_asset_keys():
        newest = dagster.event_log_storage.get_latest_storage_id_by_partition(
            key, dg.DagsterEventType.ASSET_MATERIALIZATION
        )
        wanted = dg.AssetRecordsFilter(asset_key=key, storage_ids=list(newest.values()))
        records = (
            dagster.fetch_materializations(wanted, limit=len(newest)).records if newest else []
        )
        for record in (*records, *dagster.fetch_materializations(key, limit=1).records):
            found[record.run_id].add(record.storage_id)
    return found


def _runs_of_newest_checks(
    dagster: dg.DagsterInstance, checks: Sequence[dg.AssetCheckKey]
) -> Iterator[str]:
    """Yield the runs that last evaluated a check."""
    newest = dagster.event_log_storage.get_latest_asset_check_execution_by_key(list(checks))
    for execution in newest.values():
        yield execution.run_id


def _forget_events(dagster: dg.DagsterInstance, run_id: str, *, but: Collection[int]) -> None:
    """Delete the events of a run, and the results of its checks, from where Dagster looks for both.

    Deleting a run leaves the results of its checks behind.
    """
    import sqlalchemy

    from liquidity_pipeline.orchestration.dagster_private_storage import SqlEventLogStorage

    log = dagster.event_log_storage
    if not isinstance(log, SqlEventLogStorage):
        return
    with log.index_transaction() as connection:
        held = connection.execute(sqlalchemy.text(_EVENTS), {"run": run_id}).scalars()
        gone = [{"event": event} for event in held if event not in but]
        if gone:
            for statement in (_FORGET_TAGS, _FORGET_EVENT):
                connection.execute(sqlalchemy.text(statement), gone)
        connection.execute(sqlalchemy.text(_FORGET_CHECKS), {"run": run_id})


def _remove_files(home: Path, run_id: str) -> None:
    """Remove what deleting a run leaves behind: its own event file, and the output of its steps."""
    shutil.rmtree(home / "storage" / run_id, ignore_errors=True)
    for name in (f"{run_id}.db", f"{run_id}.db-wal", f"{run_id}.db-shm"):
        (home / "history" / "runs" / name).unlink(missing_ok=True)
