"""What the daemon looks for: data that are not published yet, and runs that were killed.

Publication follows by a sensor over all runs, not by an AutomationCondition on the assets: a
condition sees materialisations only, so a run that failed for one publisher after it stored the
others' news, or that was killed, would never lead to a publication; and it would act once for each
of fourteen sources. The sensor sees every finished run that touched a source, however it was
started (a job, a click on an asset, a backfill), and asks for one publication for all that finished
since it last looked. The commands publish by themselves and are left out.
"""

from collections.abc import Iterator

import dagster as dg

from liquidity_pipeline.orchestration import liveness, retention
from liquidity_pipeline.orchestration.dagster_instance import STARTED_BY
from liquidity_pipeline.orchestration.jobs import backfill, publish, refresh

_FINISHED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]
# A publication that has not begun will see all that is stored by now.
_NOT_BEGUN = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED]
_SECONDS = 30
_AT_ONCE = 200


@dg.sensor(
    job=publish,
    minimum_interval_seconds=_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts one publication for all runs that fetched a source since the last "
    "publication, whether they succeeded or not.",
)
def publish_what_is_new(
    context: dg.SensorEvaluationContext,
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Ask for a publication when a run that touched a source has ended.

    The cursor is the number of the storage's newest run that was seen to have ended, with the
    moment of its last change, so that a run which began earlier and ends later is not missed.
    """
    ended = context.instance.get_run_records(
        dg.RunsFilter(statuses=_FINISHED),
        limit=_AT_ONCE,
        order_by="update_timestamp",
    )
    if not ended:
        yield dg.SkipReason("no run has ended yet")
        return
    moments = {record.dagster_run.run_id: record.update_timestamp.timestamp() for record in ended}
    since = float(context.cursor) if context.cursor else 0.0
    touched = [
        record.dagster_run.run_id
        for record in ended
        if moments[record.dagster_run.run_id] > since and _touched_a_source(record.dagster_run)
    ]
    if not touched:
        yield dg.SkipReason("no run has touched a source since the last publication was asked for")
    elif context.instance.get_runs(dg.RunsFilter(job_name=publish.name, statuses=_NOT_BEGUN)):
        yield dg.SkipReason("a publication that has not begun will take what is new")
    else:
        yield dg.RunRequest(run_key=f"after-{touched[0]}", tags={"after_runs": str(len(touched))})
    context.update_cursor(repr(max(moments.values())))


def _touched_a_source(run: dg.DagsterRun) -> bool:
    if STARTED_BY in run.tags:
        return False
    if run.asset_selection is not None:
        return any(key.path[0] == "sources" for key in run.asset_selection)
    return run.job_name in (refresh.name, backfill.name)


@dg.sensor(
    minimum_interval_seconds=_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Marks runs whose process was killed as failed, so that runs waiting for their "
    "pool can start; and once a day deletes old runs that are no longer needed.",
)
def record_killed_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Recover what dead runs hold, see `liveness`; forget old runs, see `retention`."""
    recovered = liveness.recover(context.instance)
    repository = context.repository_def
    checks = repository.asset_graph.asset_check_keys if repository else ()
    forgotten = retention.forget_old_runs(context.instance, list(checks)) if checks else []
    return dg.SkipReason(
        f"recovered: {', '.join(recovered) or 'nothing'}; forgotten: {len(forgotten)} old runs"
    )


sensors = [publish_what_is_new, record_killed_runs]
