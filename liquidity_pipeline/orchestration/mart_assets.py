"""All marts and the publication in one step, each an asset with its own lineage.

They share a step because one session of DuckDB serves all marts, a step costs Dagster more than
most marts, and because Dagster skips what depends on a failed step: one mart that fails must stop
neither the marts that do not read it nor the publication. Each can be materialised alone.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import dagster as dg

from liquidity_pipeline.brief import charts
from liquidity_pipeline.brief.render import to_markdown
from liquidity_pipeline.contracts.marts import FAMILY_OF_MART, MART_TABLES
from liquidity_pipeline.contracts.meta import BRIEF_FIGURES
from liquidity_pipeline.ingestion.health import health, read_gaps
from liquidity_pipeline.models import engine
from liquidity_pipeline.models.building import BuiltMart
from liquidity_pipeline.models.reconciliations.reconciliation import (
    RECONCILIATIONS,
    Reconciliation,
    ReconciliationResult,
    figures,
    passes,
)
from liquidity_pipeline.orchestration.charts import asset_chart
from liquidity_pipeline.orchestration.metadata import (
    bullets,
    column_schema,
    describe,
    lineage_table,
)
from liquidity_pipeline.orchestration.names import ALL_COMPLETE_CHECK, PUBLICATION_PATH
from liquidity_pipeline.orchestration.resources import who
from liquidity_pipeline.orchestration.source_assets import (
    OWNERS,
    last_materialization,
    origin,
    origin_tags,
    source_key,
)
from liquidity_pipeline.pipeline import Pipeline, sharing
from liquidity_pipeline.settings import SANDBOX
from liquidity_pipeline.sources.registry import SOURCES
from liquidity_pipeline.storage.locks import WAREHOUSE, holding_all

PUBLICATION_KEY = dg.AssetKey(PUBLICATION_PATH)
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
        group_name=FAMILY_OF_MART[name],
        kinds={"duckdb", "parquet"},
        owners=OWNERS,
        description=table.comment(),
        metadata={"dagster/column_schema": column_schema(table), **_code(name)},
        tags={"domain": FAMILY_OF_MART[name], "tier": "mart", "cadence": "every_publication"},
        skippable=True,
    )


def _code(name: str) -> dict[str, Any]:
    """Return where a mart's code is, and of one in SQL its text."""
    path = engine.code_file(name)
    reference = dg.LocalFileCodeReference(file_path=str(path), line_number=1, label=path.name)
    references = dg.CodeReferencesMetadataValue(code_references=[reference])
    found: dict[str, Any] = {"dagster/code_references": references}
    if path.suffix == ".sql":
        found["sql"] = dg.MetadataValue.md(f"```sql\n{engine.sql(name)}\n```")
    return found


@cache
def column_lineage(name: str) -> dg.TableColumnLineage:
    """Return which columns of which assets each column of a mart rests on.

    Of a mart in SQL its text says so. A mart in Python declares the tables that it reads, and each
    of its columns may rest on any number in them: see `engine.column_lineage`.
    """
    deps: dict[str, list[dg.TableColumnDep]] = {}
    for column, read in engine.column_lineage(name).items():
        # Two tables of one source are one asset.
        pairs = {(_key_of_table(table), source) for table, source in read}
        deps[column] = [
            dg.TableColumnDep(asset_key=key, column_name=source)
            for key, source in sorted(pairs, key=str)
            if key is not None
        ]
    return dg.TableColumnLineage(deps_by_column=deps)


def _recorded(name: str) -> dg.TableColumnLineage:
    """Return the lineage that a materialisation keeps: without columns that may rest on any number.

    Of these the graph of assets says as much, in a hundredth of the room.
    """
    lineage = column_lineage(name).deps_by_column
    if engine.is_in_sql(name):
        return column_lineage(name)
    return dg.TableColumnLineage(
        {
            column: deps
            for column, deps in lineage.items()
            if all(dep.column_name == column for dep in deps)
        }
    )


def _key_of_table(qualified: str) -> dg.AssetKey | None:
    schema, _, table = qualified.partition(".")
    if schema == "marts":
        return mart_key(table)
    return source_key(_ASSET_OF_TABLE[table]) if schema == "sources" else None


def _upstream_keys(name: str) -> list[dg.AssetKey]:
    keys = {_key_of_table(qualified) for qualified in engine.upstream(name)}
    return sorted(key for key in keys if key is not None)


def _unread() -> list[dg.AssetKey]:
    """Return the assets that no mart reads: an edge from each of all others would hide the rest."""
    read = {key for name in MART_TABLES for key in _upstream_keys(name)}
    assets = [*map(mart_key, MART_TABLES), *map(source_key, (*SOURCES, "policy_events"))]
    return [key for key in assets if key not in read]


_PUBLICATION_SPEC = dg.AssetSpec(
    key=PUBLICATION_KEY,
    deps=_unread(),
    group_name="publication",
    kinds={"duckdb"},
    owners=OWNERS,
    tags={"domain": "publication", "tier": "publication", "cadence": "every_publication"},
    description="The DuckDB file that BI tools read: built separately, checked, and swapped in "
    "as a whole. It contains all sources, marts and meta tables; the graph draws "
    "edges only from tables that no mart reads.",
    skippable=True,
)

_BRIEF_SPEC = dg.AssetSpec(
    key=BRIEF_KEY,
    deps=[PUBLICATION_KEY],
    group_name="publication",
    kinds={"html"},
    owners=OWNERS,
    description="The brief of the published file, as pages in English and Chinese in the "
    "same folder.",
    tags={"domain": "publication", "tier": "brief", "cadence": "every_publication"},
    metadata={"dagster/column_schema": column_schema(BRIEF_FIGURES)},
    skippable=True,
)

# Not made here, but what all this is for: who reads the file is part of its lineage.
READERS_SPEC = dg.AssetSpec(
    key=dg.AssetKey(["readers", "dashboards_and_assistants"]),
    deps=[PUBLICATION_KEY],
    group_name="readers",
    kinds={"dashboard"},
    owners=OWNERS,
    tags={"tier": "reader"},
    description="BI tools, notebooks and assistants that open the published file read-only; "
    "docs/bi.md says how. Nothing here materialises them.",
)


_COMPLETE_SPEC = dg.AssetCheckSpec(
    ALL_COMPLETE_CHECK,
    asset=PUBLICATION_KEY,
    description="Every source holds all observations that are public by its publisher's "
    "calendar; acknowledged gaps are excluded.",
)


@dg.multi_asset(
    name="marts",
    specs=[*map(_mart_spec, engine.build_order()), _PUBLICATION_SPEC, _BRIEF_SPEC],
    check_specs=[
        dg.AssetCheckSpec(
            reconciliation.name,
            asset=mart_key(reconciliation.mart),
            description=reconciliation.meaning,
            blocking=reconciliation.blocking,
        )
        for reconciliation in RECONCILIATIONS
    ]
    + [_COMPLETE_SPEC],
    can_subset=True,
    pool=WAREHOUSE,
)
def marts(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Build the selected marts in order, reconcile, publish, and then fail if any mart failed."""
    wait = context.log.warning
    with holding_all(pipeline.settings.data_dir, [WAREHOUSE], who(context.run), wait):
        failures: list[str] = []
        blocked: list[str] = []
        yield from _built(context, pipeline, failures, blocked)
        if PUBLICATION_KEY in context.selected_asset_keys and not blocked:
            yield _published(pipeline, failures)
            if problem := sharing.share(pipeline.settings):
                failures.append(problem)
            if any(key.name == ALL_COMPLETE_CHECK for key in context.selected_asset_check_keys):
                yield _complete(pipeline)
        if BRIEF_KEY in context.selected_asset_keys and not blocked:
            yield _brief(pipeline)
    failures += [f"not published: {name} does not reconcile" for name in blocked]
    if failures:
        raise dg.Failure(
            description="; ".join(failures), metadata=bullets("gaps", failures), allow_retries=False
        )


def _built(
    context: dg.AssetExecutionContext,
    pipeline: Pipeline,
    failures: list[str],
    blocked: list[str],
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Build and reconcile; add to the lists what failed, and what forbids a publication."""
    asked = {key.name for key in context.selected_asset_check_keys}
    wanted = [r for r in RECONCILIATIONS if r.name in asked]
    chosen = [
        name for name in engine.build_order() if mart_key(name) in context.selected_asset_keys
    ]
    for built in pipeline.build_marts(chosen, wanted) if chosen else ():
        if built.failure:
            failures.append(_failure(pipeline, built))
            context.log.error(failures[-1], exc_info=built.error)
            continue
        yield _mart_result(context, pipeline, built)
        for reconciliation, result in built.results:
            yield _check_result(reconciliation, result, blocked)
        del built
    # A check can be asked for without its mart.
    others = [each for each in wanted if each.mart not in chosen]
    if others:
        for reconciliation, result in zip(others, pipeline.evaluate_all(others), strict=True):
            yield _check_result(reconciliation, result, blocked)


def _failure(pipeline: Pipeline, built: BuiltMart) -> str:
    text = " ".join(built.failure.split())
    label = "" if text.startswith("marts.") else f"marts.{built.name}: "
    kept = built.name not in pipeline.never_built()
    state = "its last good rows are published" if kept else "it has never been built"
    return f"{label}{text} ({state})"


def _mart_result(
    context: dg.AssetExecutionContext, pipeline: Pipeline, built: BuiltMart
) -> dg.MaterializeResult[Any]:
    assert built.stored is not None  # noqa: S101 - a mart that did not fail was stored
    key = mart_key(built.name)
    last = last_materialization(context, key)
    # What is given with a result Dagster records twice: with the output of the step too.
    context.add_asset_metadata(
        describe(built.stored.table, built.rows)
        | asset_chart(pipeline, built.stored.table, lambda: built.rows, built.stored.version, last)
        | {
            "build_seconds": round(built.seconds, 3),
            "dagster/column_lineage": _recorded(built.name),
            "columns_rest_on": lineage_table(column_lineage(built.name)),
        },
        asset_key=key,
    )
    return dg.MaterializeResult(
        asset_key=key,
        metadata=origin(pipeline),
        data_version=dg.DataVersion(built.stored.version),
        tags=origin_tags(pipeline),
    )


def _check_result(
    reconciliation: Reconciliation, result: ReconciliationResult, blocked: list[str]
) -> dg.AssetCheckResult:
    passed = passes(reconciliation, result)
    if reconciliation.blocking and not passed:
        blocked.append(reconciliation.name)
    return dg.AssetCheckResult(
        asset_key=mart_key(reconciliation.mart),
        check_name=reconciliation.name,
        passed=passed,
        severity=_severity(reconciliation),
        metadata=figures(reconciliation, result),
    )


def _severity(reconciliation: Reconciliation) -> dg.AssetCheckSeverity:
    return dg.AssetCheckSeverity.ERROR if reconciliation.blocking else dg.AssetCheckSeverity.WARN


def _published(pipeline: Pipeline, failures: list[str]) -> dg.MaterializeResult[Any]:
    """Publish sources, marts and meta as one file."""
    # The brief that follows draws charts; what draws them loads while DuckDB writes the file.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(charts.warm_up)
        counts = pipeline.publish()
    settings = pipeline.settings
    return dg.MaterializeResult(
        asset_key=PUBLICATION_KEY,
        metadata=origin(pipeline)
        | bullets("not_current", failures)
        | {
            "file": dg.MetadataValue.path(str(settings.published_file)),
            "size_bytes": settings.published_file.stat().st_size,
            "endpoints": settings.endpoints,
            "synthetic": settings.endpoints == SANDBOX,
            "as_of": str(settings.today),
            "tables": len(counts),
            "dagster/row_count": sum(counts.values()),
        },
        tags=origin_tags(pipeline),
    )


def _brief(pipeline: Pipeline) -> dg.MaterializeResult[Any]:
    """Render the brief that was computed with the publication."""
    model = pipeline.brief()
    pages = pipeline.write_brief()
    return dg.MaterializeResult(
        asset_key=BRIEF_KEY,
        metadata=origin(pipeline)
        | {
            "pages": dg.MetadataValue.md("\n".join(f"- `{page}`" for page in pages)),
            "brief": dg.MetadataValue.md(to_markdown(model, "en", footnotes=False)),
            "confidence": model["verdict"]["confidence"],
            "as_of": model["publication"]["as_of"],
            "figures": len(model["figures"]),
        },
        tags=origin_tags(pipeline),
    )


def _complete(pipeline: Pipeline) -> dg.AssetCheckResult:
    """Say which sources lack what is due, old days too, as the published `meta.freshness` does."""
    gaps = read_gaps(pipeline.settings.reference_dir)
    found = health(pipeline.freshness().to_pylist(), gaps)
    newest = [source.newest for source in found if source.newest is not None]
    return dg.AssetCheckResult(
        asset_key=PUBLICATION_KEY,
        check_name=ALL_COMPLETE_CHECK,
        passed=all(source.fresh for source in found),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "stale": ", ".join(source.table for source in found if not source.fresh) or "none",
            "newest_datum": str(max(newest, default="none")),
        },
    )
