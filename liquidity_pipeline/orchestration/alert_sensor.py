"""Alerts from the daemon, with the conditions and the memory of `liquidity alerts check`.

An event is told once, whichever of the two sees it first.
"""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from liquidity_pipeline.alerts.check import check
from liquidity_pipeline.alerts.evaluate import RUN_FAILED, Finding
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import AlertSettings

_SECONDS = 300
_AT_ONCE = 200
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]


@dg.sensor(
    minimum_interval_seconds=_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells the channels of LIQUIDITY_ALERT_URLS, once per event, what began, changed "
    "or ended: stress, drain surprises, the settlement calendar, stale sources, failed runs, and "
    "nothing published. Without a channel it does nothing.",
)
def send_alerts(
    context: dg.SensorEvaluationContext, pipeline: dg.ResourceParam[Pipeline]
) -> dg.SkipReason:
    """Send what is new; a channel that is down fails the tick, and the next one tries again."""
    alerts = AlertSettings.from_env()
    if not alerts.urls:
        return dg.SkipReason("no channel is set: LIQUIDITY_ALERT_URLS is empty")
    settings = pipeline.settings
    failed = failed_runs(context.instance)
    events = check(settings.data_dir, settings.published_file, alerts, failed)
    for event in events:
        context.log.info(f"{event.kind}: {event.title} ({event.date})")
    return dg.SkipReason(f"sent {len(events)}" if events else "nothing new since the last check")


def failed_runs(dagster: dg.DagsterInstance) -> list[Finding]:
    """Return, per job, whether its newest run that ended by itself failed."""
    ended = dagster.get_run_records(
        dg.RunsFilter(statuses=_ENDED), limit=_AT_ONCE, order_by="update_timestamp"
    )
    newest: dict[str, dg.RunRecord] = {}
    for record in ended:
        newest.setdefault(_job(record.dagster_run), record)
    return [_finding(job, record) for job, record in sorted(newest.items())]


def failed_runs_of(data_dir: Path) -> list[Finding]:
    """Return `failed_runs` from the records of a data directory, if there are any.

    Records that cannot be read, as on a full disk, are a finding themselves: all others are still
    told.
    """
    # A fifth of the time that the code location takes to load, and only this needs it there.
    from sqlalchemy.exc import SQLAlchemyError

    home = data_dir / "dagster_home"
    if not (home / "dagster.yaml").exists():
        return []
    try:
        with dg.DagsterInstance.from_config(str(home)) as dagster:
            return [*failed_runs(dagster), _records_finding("")]
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        return [_records_finding(" ".join(str(error).split())[:200])]


def _records_finding(problem: str) -> Finding:
    return Finding(
        condition=RUN_FAILED,
        subject="Dagster's records",
        is_active=bool(problem),
        level="unreadable" if problem else "readable",
        date=datetime.now(UTC).date(),
        detail=f"They cannot be read: {problem}" if problem else "They can be read.",
    )


def _finding(job: str, record: dg.RunRecord) -> Finding:
    run, ended = record.dagster_run, record.update_timestamp
    has_failed = run.status == dg.DagsterRunStatus.FAILURE
    return Finding(
        condition=RUN_FAILED,
        subject=job,
        is_active=has_failed,
        level="failed" if has_failed else "succeeded",
        date=ended.date(),
        detail=f"Run {run.run_id[:8]} ended at {ended:%Y-%m-%d %H:%M} UTC: "
        f"{run.status.value.lower()}.",
    )


def _job(run: dg.DagsterRun) -> str:
    return "materialisation" if run.job_name.startswith("__") else run.job_name
