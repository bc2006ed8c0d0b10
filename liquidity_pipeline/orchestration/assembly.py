"""All definitions put together, around the environment's pipeline or a given one."""

import dagster as dg

from liquidity_pipeline.orchestration.alert_sensor import send_alerts
from liquidity_pipeline.orchestration.freshness import freshness, judge_freshness
from liquidity_pipeline.orchestration.jobs import jobs, schedules
from liquidity_pipeline.orchestration.mart_assets import READERS_SPEC, marts
from liquidity_pipeline.orchestration.resources import environment_pipeline
from liquidity_pipeline.orchestration.sensors import sensors
from liquidity_pipeline.orchestration.source_assets import publisher_specs, source_assets
from liquidity_pipeline.pipeline import Pipeline


def build_definitions(pipeline: Pipeline | None = None) -> dg.Definitions:
    """Return all definitions; tests and the command line pass a pipeline of their own."""
    return dg.Definitions(
        assets=[*publisher_specs(), *source_assets(), marts, READERS_SPEC],
        asset_checks=[freshness],
        jobs=jobs,
        schedules=schedules,
        sensors=[*sensors, judge_freshness, send_alerts],
        resources={"pipeline": pipeline or environment_pipeline},
        executor=dg.in_process_executor,
    )
