"""All marts in one step, rebuilt whole, and the publication that follows them.

Each mart is an asset of its own, with its own lineage, and can be materialised alone. They share a
step because one session of DuckDB serves them all, and a step costs Dagster more than most marts.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dagster as dg

from liquidity_pipeline.brief import charts
from liquidity_pipeline.brief.render import to_markdown
from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.contracts.meta import BRIEF_FIGURES
from liquidity_pipeline.models import engine
from liquidity_pipeline.models.reconciliations.reconciliation import (
    RECONCILIATIONS,
    Reconciliation,
    figures,
    passes,
)
from liquidity_pipeline.orchestration.metadata import column_schema, describe
from liquidity_pipeline.orchestration.resources import PipelineResource
from liquidity_pipeline.orchestration.source_assets import OWNERS, origin, origin_tags, source_key
from liquidity_pipeline.settings import SANDBOX
from liquidity_pipeline.sources.registry import SOURCES

WAREHOUSE_POOL = "warehouse"
PUBLICATION_KEY = dg.AssetKey(["publication", "liquidity_duckdb"])
BRIEF_KEY = dg.AssetKey(["publication", "brief"])

# A source may fill a second table; for Dagster that table is the source's asset.
_ASSET_OF_TABLE = {
    table.name: source.name for source in SOURCES.values() for table in source.tables
} | {"policy_events": "policy_events"}


def mart_key(name: str) -> dg.AssetKey:
    """Return the asset key of a mart."""
    return dg.AssetKey(["marts", name])


def _mart_spec(name: str) -> dg.AssetSpec:
    """Return a mart's place in the lineage, as its SQL or its code states it."""
    table = MART_TABLES[name]
    return dg.AssetSpec(
        key=mart_key(name),
        deps=_upstream_keys(name),
        group_name="marts",
        kinds={"duckdb", "parquet"},
        owners=OWNERS,
        description=table.comment(),
        metadata={"dagster/column_schema": column_schema(table)},
    )


def _upstream_keys(name: str) -> list[dg.AssetKey]:
    keys = set()
    for qualified in engine.upstream(name):
        schema, _, table = qualified.partition(".")
        if schema == "marts":
            keys.add(mart_key(table))
        elif schema == "sources":
            keys.add(source_key(_ASSET_OF_TABLE[table]))
    return sorted(keys)


@dg.multi_asset(
    specs=[_mart_spec(name) for name in engine.build_order()],
    check_specs=[
        dg.AssetCheckSpec(
            reconciliation.name,
            asset=mart_key(reconciliation.mart),
            description=reconciliation.meaning,
            blocking=reconciliation.blocking,
        )
        for reconciliation in RECONCILIATIONS
    ],
    can_subset=True,
    pool=WAREHOUSE_POOL,
)
def marts(
    context: dg.AssetExecutionContext, pipeline: PipelineResource
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Build the selected marts in order, and reconcile what depends on them."""
    asked = {key.name for key in context.selected_asset_check_keys}
    chosen = [
        name for name in engine.build_order() if mart_key(name) in context.selected_asset_keys
    ]
    for stored, rows in pipeline.pipeline.build_marts(chosen):
        name = stored.table.name
        yield dg.MaterializeResult(
            asset_key=mart_key(name),
            metadata=origin(pipeline.pipeline) | describe(stored.table, rows),
            data_version=dg.DataVersion(stored.version),
            tags=origin_tags(pipeline.pipeline),
        )
        yield from _reconcile(
            pipeline, [t for t in RECONCILIATIONS if t.mart == name and t.name in asked]
        )
    # A check can be asked for without its mart.
    yield from _reconcile(
        pipeline, [t for t in RECONCILIATIONS if t.mart not in chosen and t.name in asked]
    )


def _reconcile(
    resource: PipelineResource, reconciliations: list[Reconciliation]
) -> Iterator[dg.AssetCheckResult]:
    for reconciliation in reconciliations:
        result = resource.pipeline.evaluate(reconciliation)
        yield dg.AssetCheckResult(
            asset_key=mart_key(reconciliation.mart),
            check_name=reconciliation.name,
            passed=passes(reconciliation, result),
            severity=_severity(reconciliation),
            metadata=figures(reconciliation, result),
        )


def _severity(reconciliation: Reconciliation) -> dg.AssetCheckSeverity:
    return dg.AssetCheckSeverity.ERROR if reconciliation.blocking else dg.AssetCheckSeverity.WARN


@dg.asset(
    key=PUBLICATION_KEY,
    deps=[
        *(mart_key(name) for name in MART_TABLES),
        *(source_key(name) for name in (*SOURCES, "policy_events")),
    ],
    group_name="publication",
    kinds={"duckdb"},
    owners=OWNERS,
    description="The DuckDB file that BI tools read: built aside, checked, swapped in whole.",
    pool=WAREHOUSE_POOL,
)
def liquidity_duckdb(pipeline: PipelineResource) -> dg.MaterializeResult[Any]:
    """Publish sources, marts and meta as one file."""
    # The brief that follows draws charts; what draws them loads while DuckDB writes the file.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(charts.warm_up)
        counts = pipeline.pipeline.publish()
    settings = pipeline.pipeline.settings
    return dg.MaterializeResult(
        metadata=origin(pipeline.pipeline)
        | {
            "file": dg.MetadataValue.path(str(settings.published_file)),
            "size_bytes": settings.published_file.stat().st_size,
            "endpoints": settings.endpoints,
            "synthetic": settings.endpoints == SANDBOX,
            "as_of": str(settings.today),
            "tables": len(counts),
            "dagster/row_count": sum(counts.values()),
        },
        tags=origin_tags(pipeline.pipeline),
    )


@dg.asset(
    key=BRIEF_KEY,
    deps=[PUBLICATION_KEY],
    group_name="publication",
    kinds={"html"},
    owners=OWNERS,
    description="The brief of the published file, as pages in English and Chinese beside it.",
    metadata={"dagster/column_schema": column_schema(BRIEF_FIGURES)},
    pool=WAREHOUSE_POOL,
)
def brief(pipeline: PipelineResource) -> dg.MaterializeResult[Any]:
    """Render the brief that was computed with the publication."""
    model = pipeline.pipeline.brief()
    pages = pipeline.pipeline.write_brief()
    return dg.MaterializeResult(
        metadata=origin(pipeline.pipeline)
        | {
            "pages": dg.MetadataValue.md("\n".join(f"- `{page}`" for page in pages)),
            "brief": dg.MetadataValue.md(to_markdown(model, "en", footnotes=False)),
            "confidence": model["verdict"]["confidence"],
            "as_of": model["publication"]["as_of"],
            "figures": len(model["figures"]),
        },
        tags=origin_tags(pipeline.pipeline),
    )
