"""The one resource: a pipeline whose settings come from the environment when a run starts."""

from collections.abc import Iterator

import dagster as dg

from liquidity_pipeline.orchestration import liveness
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings


@dg.resource(description="The steps of the pipeline, with the settings of the environment.")
def environment_pipeline(context: dg.InitResourceContext) -> Iterator[Pipeline]:
    """Give a run its pipeline, and show that the run is alive for as long as its process is.

    The command line passes a pipeline of its own instead, and holds its runs' locks itself.
    """
    if context.run is not None and context.instance is not None:
        liveness.keep_alive(context.instance, context.run.run_id, who(context.run))
        liveness.recover(context.instance)
    yield Pipeline(Settings.from_env())


def who(run: dg.DagsterRun) -> str:
    """Return what a run is called by those who wait for it."""
    job = "materialisation" if run.job_name.startswith("__") else f"job {run.job_name}"
    return f"Dagster's run {run.run_id[:8]}, {job}"
