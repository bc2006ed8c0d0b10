"""Jobs, and the days on which they run.

Sources and marts are two jobs: in Dagster a failed step skips whatever depends on it, and one
publisher that is down must not keep the others' news from the readers. A publication follows every
run that touched a source, see `sensors`.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import dagster as dg

from liquidity_pipeline.contracts.marts import FAMILY_OF_MART
from liquidity_pipeline.orchestration import freshness
from liquidity_pipeline.orchestration.names import SOURCE_CHECKS
from liquidity_pipeline.orchestration.partitions import range_tags
from liquidity_pipeline.orchestration.source_assets import source_key
from liquidity_pipeline.settings import NEW_YORK
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.sources.registry import SOURCES, timings
from liquidity_pipeline.sources.timetable import AFTERNOON, EVENING, MIDNIGHT, MORNING, Timing

_PARTITIONED = [name for name, source in SOURCES.items() if source.partitioned]
_ALL_SOURCES = [source_key(name) for name in (*SOURCES, "policy_events")]
# Freshness is judged by time, not by a run: see `freshness`.
_FRESHNESS = dg.AssetSelection.checks(*freshness.CHECK_KEYS)

refresh = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.assets(*_ALL_SOURCES) - _FRESHNESS,
    executor_def=dg.in_process_executor,
    description="Fetches the current and the previous month of every source; marts and publication "
    "follow.",
)
backfill = dg.define_asset_job(
    "backfill",
    selection=dg.AssetSelection.assets(*(source_key(name) for name in _PARTITIONED)) - _FRESHNESS,
    executor_def=dg.in_process_executor,
    description="Fetches any range of months of every source in one run; marts and "
    "publication follow.",
)
publish = dg.define_asset_job(
    "publish",
    selection=dg.AssetSelection.groups(*sorted(set(FAMILY_OF_MART.values())), "publication")
    - _FRESHNESS,
    executor_def=dg.in_process_executor,
    description="Builds all marts, runs their reconciliations, and publishes the DuckDB file that "
    "readers open.",
)


def trailing_window(today: date) -> Window:
    """Return the previous and the current month."""
    return Window.of_months(today.replace(day=1) - timedelta(days=1), today)


def _schedule(timing: Timing, sources: Sequence[str], description: str) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=timing.name,
        job=refresh,
        cron_schedule=timing.cron,
        execution_timezone=timing.zone,
        description=description,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        day = context.scheduled_execution_time.astimezone(NEW_YORK).date()
        return dg.RunRequest(
            run_key=f"{timing.name}-{context.scheduled_execution_time.isoformat()}",
            asset_selection=[source_key(source) for source in sources],
            asset_check_keys=[
                dg.AssetCheckKey(source_key(source), check)
                for source in sources
                if source in SOURCES
                for check in SOURCE_CHECKS
            ],
            tags=range_tags(trailing_window(day)),
        )

    return schedule


def _refreshed_at(timing: Timing) -> list[str]:
    return [name for name, source in SOURCES.items() if timing in timings(source)]


schedules = [
    _schedule(
        MORNING,
        _refreshed_at(MORNING),
        "After the secured (8:00) and the unsecured rates (9:00) of the day before.",
    ),
    _schedule(
        AFTERNOON,
        _refreshed_at(AFTERNOON),
        "After the Daily Treasury Statement (16:00) and, on Thursdays, H.4.1 (16:30).",
    ),
    _schedule(
        EVENING,
        [*_refreshed_at(EVENING), "policy_events"],
        "Everything, after the exchanges' files; what came late in the day is taken too.",
    ),
    _schedule(
        MIDNIGHT,
        _refreshed_at(MIDNIGHT),
        "After the UTC day has closed, weekends included.",
    ),
]


jobs = [refresh, backfill, publish]
