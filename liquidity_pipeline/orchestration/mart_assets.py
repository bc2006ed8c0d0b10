"""One asset per mart, rebuilt whole, and the publication that follows them."""

from typing import Any

import dagster as dg

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.models import engine
from liquidity_pipeline.orchestration.metadata import column_schema, describe
from liquidity_pipeline.orchestration.resources import PipelineResource
from liquidity_pipeline.orchestration.source_assets import OWNERS, source_key
from liquidity_pipeline.settings import SANDBOX
from liquidity_pipeline.sources.registry import SOURCES

WAREHOUSE_POOL = "warehouse"
PUBLICATION_KEY = dg.AssetKey(["publication", "liquidity_duckdb"])

# A source may fill a second table; for Dagster that table is the source's asset.
_ASSET_OF_TABLE = {
    table.name: source.name for source in SOURCES.values() for table in source.tables
} | {"policy_events": "policy_events"}


def mart_key(name: str) -> dg.AssetKey:
    """Return the asset key of a mart."""
    return dg.AssetKey(["marts", name])


def mart_assets() -> list[dg.AssetsDefinition]:
    """Return all marts and the publication, with the dependencies that their SQL states."""
    return [_mart_asset(name) for name in engine.build_order()] + [liquidity_duckdb]


def _mart_asset(name: str) -> dg.AssetsDefinition:
    table = MART_TABLES[name]

    @dg.asset(
        key=mart_key(name),
        deps=_upstream_keys(name),
        group_name="marts",
        kinds={"duckdb", "parquet"},
        owners=OWNERS,
        description=table.comment(),
        metadata={"dagster/column_schema": column_schema(table)},
        pool=WAREHOUSE_POOL,
    )
    def build(pipeline: PipelineResource) -> dg.MaterializeResult[Any]:
        stored = pipeline.pipeline.build_mart(name)
        rows = pipeline.pipeline.marts.read(table)
        return dg.MaterializeResult(
            metadata=describe(table, rows), data_version=dg.DataVersion(stored.version)
        )

    return build


def _upstream_keys(name: str) -> list[dg.AssetKey]:
    keys = set()
    for qualified in engine.upstream(name):
        schema, _, table = qualified.partition(".")
        if schema == "marts":
            keys.add(mart_key(table))
        elif schema == "sources":
            keys.add(source_key(_ASSET_OF_TABLE[table]))
    return sorted(keys)


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
    counts = pipeline.pipeline.publish()
    settings = pipeline.pipeline.settings
    return dg.MaterializeResult(
        metadata={
            "file": dg.MetadataValue.path(str(settings.published_file)),
            "size_bytes": settings.published_file.stat().st_size,
            "endpoints": settings.endpoints,
            "synthetic": settings.endpoints == SANDBOX,
            "as_of": str(settings.today),
            "tables": len(counts),
            "dagster/row_count": sum(counts.values()),
        }
    )
