"""Fill a data directory from whatever answers for the publishers, and build its marts."""

from __future__ import annotations

from liquidity_pipeline.models import engine
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.sources.registry import SOURCES


def fill(pipeline: Pipeline, window: Window) -> Pipeline:
    """Fetch every source over a window, and the facts kept by hand; return the pipeline."""
    for source in SOURCES.values():
        pipeline.ingest(source, window)
    pipeline.read_policy_events()
    return pipeline


def build(pipeline: Pipeline) -> Pipeline:
    """Build every mart, none of which may fail; return the pipeline."""
    failures = [built.failure for built in pipeline.build_marts(engine.build_order())]
    assert not any(failures), failures
    return pipeline
