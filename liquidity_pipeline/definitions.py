"""The one Dagster entry point."""

from liquidity_pipeline.settings import memory

with memory.loading():
    from liquidity_pipeline.orchestration.assembly import build_definitions

    defs = build_definitions()
