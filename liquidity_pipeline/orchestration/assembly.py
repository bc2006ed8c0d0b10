"""All definitions put together, around the pipeline resource of whoever asks."""

import dagster as dg

from liquidity_pipeline.orchestration.jobs import jobs, schedules, sensors
from liquidity_pipeline.orchestration.mart_assets import brief, liquidity_duckdb, marts
from liquidity_pipeline.orchestration.resources import PipelineResource
from liquidity_pipeline.orchestration.source_assets import source_assets


def build_definitions(pipeline: PipelineResource | None = None) -> dg.Definitions:
    """Return all definitions; tests and the command line pass a pipeline of their own."""
    return dg.Definitions(
        assets=[*source_assets(), marts, liquidity_duckdb, brief],
        jobs=jobs,
        schedules=schedules,
        sensors=sensors,
        resources={"pipeline": pipeline or PipelineResource()},
        executor=dg.in_process_executor,
    )
