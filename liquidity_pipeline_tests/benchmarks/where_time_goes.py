"""Where the time of a run goes, step by step, with and without Dagster.

    python -m liquidity_pipeline_tests.benchmarks.where_time_goes

It prints; docs/performance.md has the comparisons. The data come from the sandbox in
this process, so fetching is a little slower than against a server of its own.
"""

from __future__ import annotations

import resource as system
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path

import dagster as dg

from liquidity_pipeline.models import engine
from liquidity_pipeline.orchestration import dagster_instance, runs
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.server import start
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.sources.registry import SOURCES

TODAY, FIRST = date(2026, 2, 6), date(2024, 1, 1)
WINDOW = Window.of_months(FIRST, TODAY)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long the block took."""
    began = time.perf_counter()
    yield
    print(f"{time.perf_counter() - began:8.2f} s  {what}")  # noqa: T201


def main() -> None:
    """Print the time of each part, and the peak memory of this process."""
    options = Options(today=TODAY, start=FIRST)
    with tempfile.TemporaryDirectory() as folder, start(options) as box, ExitStack() as opened:
        pipeline = Pipeline(Settings(Path(folder), endpoints=box.url, as_of=TODAY))
        names = [*SOURCES, "policy_events"]
        with timed("Dagster: open its records for the first time"):
            dagster = opened.enter_context(dagster_instance.instance(Path(folder)))
        for run in ("first run", "second run"):
            runner = runs.Runner(pipeline, dagster)
            with timed(f"{run}: plan"):
                planned = runs.plan(pipeline, WINDOW, names, force=False)
            with timed(f"{run}: fetch and store {sum(len(g) for _, g in planned)} sources"):
                runner.refresh(planned)
            with timed(f"{run}: build, check and publish"):
                runner.publish()
        _without_dagster(pipeline)
        months = len(WINDOW.months)
        with timed(f"Dagster alone: {len(SOURCES)} empty assets of {months} months in one run"):
            _empty_job(dagster)
    peak = system.getrusage(system.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{peak:8.0f} MB peak, the sandbox included")  # noqa: T201


def _without_dagster(pipeline: Pipeline) -> None:
    """Time the same steps without an orchestrator."""
    with timed("without Dagster: fetch and store all sources again"):
        for source in SOURCES.values():
            pipeline.ingest(source, WINDOW)
    with timed("without Dagster: build all marts"):
        for name in engine.build_order():
            pipeline.build_mart(name)
    with timed("without Dagster: publish"):
        pipeline.publish()


def _empty_job(dagster: dg.DagsterInstance) -> None:
    months = dg.StaticPartitionsDefinition([f"{month:%Y-%m}" for month in WINDOW.months])

    def empty(name: str) -> dg.AssetsDefinition:
        @dg.asset(name=name, partitions_def=months, backfill_policy=dg.BackfillPolicy.single_run())
        def nothing() -> dg.MaterializeResult:
            return dg.MaterializeResult()

        return nothing

    first, last = f"{WINDOW.months[0]:%Y-%m}", f"{WINDOW.months[-1]:%Y-%m}"
    dg.materialize(
        [empty(f"empty_{name}") for name in SOURCES],
        instance=dagster,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        tags={
            "dagster/asset_partition_range_start": first,
            "dagster/asset_partition_range_end": last,
        },
    )


if __name__ == "__main__":
    main()
