"""One asset per source: fetch a range of months into the lake, in one run."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import dagster as dg

from liquidity_pipeline.contracts.sources.policy import POLICY_EVENTS
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.contracts.validation import ContractBreach
from liquidity_pipeline.ingestion import traffic
from liquidity_pipeline.ingestion.completeness import Missing, first_month, spans
from liquidity_pipeline.ingestion.completeness import describe as describe_missing
from liquidity_pipeline.ingestion.health import read_gaps
from liquidity_pipeline.ingestion.ingest import Ingested
from liquidity_pipeline.orchestration.charts import asset_chart
from liquidity_pipeline.orchestration.dagster_instance import STARTED_BY
from liquidity_pipeline.orchestration.metadata import bullets, column_schema, describe
from liquidity_pipeline.orchestration.names import COMPLETE, CONTRACT
from liquidity_pipeline.orchestration.partitions import MONTHS, key_of, window_of
from liquidity_pipeline.orchestration.resources import who
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import SANDBOX, memory
from liquidity_pipeline.sources import publishers
from liquidity_pipeline.sources.errors import PublisherError, TransientError
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.sources.registry import SOURCES, Source, pool
from liquidity_pipeline.storage.lake import Stored
from liquidity_pipeline.storage.locks import holding_all

_STEP_RETRIES, _RETRY_SECONDS = 2, 120
OWNERS = ["team:liquidity"]


def source_key(name: str) -> dg.AssetKey:
    """Return the asset key of a source table."""
    return dg.AssetKey(["sources", name])


def publisher_key(name: str) -> dg.AssetKey:
    """Return the asset key of a publisher."""
    return dg.AssetKey(["publishers", name])


def publisher_specs() -> list[dg.AssetSpec]:
    """Return the publishers: assets of others, which nothing here materialises."""
    return [
        dg.AssetSpec(
            key=publisher_key(publisher.name),
            group_name="publishers",
            kinds={"api"},
            description=f"{publisher.title}, {publisher.live_url}",
            metadata={"url": dg.MetadataValue.url(publisher.live_url)},
            tags={"tier": "publisher"},
        )
        for publisher in publishers.PUBLISHERS.values()
    ]


def source_assets() -> list[dg.AssetsDefinition]:
    """Return all source assets."""
    return [_source_asset(source) for source in SOURCES.values()] + [policy_events]


def _source_asset(source: Source) -> dg.AssetsDefinition:
    table = source.tables[0]

    @dg.asset(
        key=source_key(source.name),
        deps=[publisher_key(name) for name in source.publishers],
        tags={
            "domain": publishers.find(source.publishers[0]).group,
            "tier": "source",
            "cadence": _cadence(table),
        },
        partitions_def=MONTHS if source.partitioned else None,
        backfill_policy=dg.BackfillPolicy.single_run() if source.partitioned else None,
        group_name=publishers.find(source.publishers[0]).group,
        kinds={"python", "parquet"},
        owners=OWNERS,
        description=table.comment(),
        metadata={"dagster/column_schema": column_schema(table)},
        pool=pool(source),
        check_specs=_check_specs(source),
        # A month that stays empty is not materialised: see _materialized.
        output_required=True,
    )
    def materialize(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        window = (
            window_of(context.partition_key_range)
            if source.partitioned
            else Window.of_months(pipeline.settings.today, pipeline.settings.today)
        )
        yield from _materialized(context, pipeline, source, window)

    return materialize


def _check_specs(source: Source) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            CONTRACT,
            asset=source_key(source.name),
            blocking=True,
            description="Columns, types, bounds and key conform to the contract.",
        ),
        dg.AssetCheckSpec(
            COMPLETE,
            asset=source_key(source.name),
            description="All observations that are public by the publisher's calendar are "
            "present in every stored month; acknowledged gaps are excluded.",
        ),
    ]


def _cadence(table: Table) -> str:
    """Return how often rows are due: weekly, daily (weekends too) or on business days."""
    calendars = {release.calendar for release in table.releases.values()}
    if calendars == {"wednesday"}:
        return "weekly"
    return "daily" if calendars == {"utc"} else "business_days"


def _materialized(
    context: dg.AssetExecutionContext, pipeline: Pipeline, source: Source, window: Window
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    try:
        ingested = _ingested(context, pipeline, source, window)
    except ContractBreach as error:
        yield _check(source, CONTRACT, passed=False, metadata={"breach": str(error)})
        raise dg.Failure(description=str(error), allow_retries=False) from error
    except PublisherError as error:
        raise retry_or_fail(error, context.run.tags) from error
    with pipeline.lake.looking_once():
        missing = pipeline.missing(source, window) if source.partitioned else []
        all_missing = _all_missing(pipeline, source, window)
    checks = [
        _check(source, CONTRACT, passed=True, metadata={}),
        _check(source, COMPLETE, passed=not all_missing, metadata=_missing_metadata(all_missing)),
    ]
    mine = [stored for stored in ingested.stored if stored.table is source.tables[0]]
    empty = _months_without_rows(source, window, mine, missing)
    if empty:
        # Some months came and some did not: record those that came, and fail naming the others.
        for stored in mine:
            context.log_event(_materialization(pipeline, source, stored))
        yield from checks
        raise dg.Failure(
            description=f"rows are due and none came for {_in_words(empty)}",
            metadata=bullets("gaps", ingested.gaps),
            allow_retries=False,
        )
    version = _combined_version(mine)
    last = last_materialization(context, source_key(source.name))
    run = _table_metadata(pipeline, source, window, last) | _fetch_metadata(ingested)
    _describe(context, source, window, mine, run)
    yield dg.MaterializeResult(
        metadata=origin(pipeline),
        data_version=dg.DataVersion(version),
        tags=origin_tags(pipeline),
        check_results=checks,
    )


def _describe(
    context: dg.AssetExecutionContext,
    source: Source,
    window: Window,
    stored: list[Stored],
    run: dict[str, Any],
) -> None:
    """Say of each month what was stored, and of the newest what is to be said of the whole run.

    Dagster records the newest last, and its UI shows it as the asset's own. With every month the
    chart would be recorded hundreds of times.
    """
    for part in stored:
        if part.month:
            context.add_asset_metadata(_stored_metadata(part), partition_key=key_of(part.month))
    newest = key_of(window.months[-1]) if source.partitioned else None
    context.add_asset_metadata(run, partition_key=newest)


def _ingested(
    context: dg.AssetExecutionContext, pipeline: Pipeline, source: Source, window: Window
) -> Ingested:
    """Fetch and store; one run at a time asks a publisher, and writes the tables it serves."""
    folder, wait = pipeline.settings.data_dir, context.log.warning
    try:
        with holding_all(folder, source.publishers, who(context.run), wait):
            return pipeline.ingest(source, window)
    finally:
        memory.give_back_now()


def _all_missing(pipeline: Pipeline, source: Source, window: Window) -> list[Missing]:
    """Return what is missing in all months that are held or were just asked for.

    The check speaks of the asset. A run over old months would else turn it red, or green, for them.
    """
    held = [first_month(pipeline.lake, table) for table in source.tables]
    first = min([window.start, *(month for month in held if month)])
    gaps = read_gaps(pipeline.settings.reference_dir)
    missing = pipeline.missing(source, Window.of_months(first, pipeline.settings.today))
    return [
        gap
        for gap in missing
        if not any(known.covers_days(gap.table, gap.entity, len(gap.days)) for known in gaps)
    ]


def retry_or_fail(error: PublisherError, run_tags: Mapping[str, str]) -> Exception:
    """Return the exception that makes Dagster retry what is transient and stop what is not.

    A scheduled run comes back to a publisher that is down; a person at a terminal does not wait.
    """
    if isinstance(error, TransientError) and STARTED_BY not in run_tags:
        return dg.RetryRequested(max_retries=_STEP_RETRIES, seconds_to_wait=_RETRY_SECONDS)
    return dg.Failure(description=str(error), allow_retries=False)


def _months_without_rows(
    source: Source, window: Window, stored: list[Stored], missing: list[Missing]
) -> list[date]:
    """Return the months of the range for which rows are due and nothing at all was stored."""
    if not source.partitioned:
        return []
    due = {day.replace(day=1) for gap in missing if gap.table == source.name for day in gap.days}
    return sorted(due - {part.month for part in stored} & set(window.months))


def _in_words(months: list[date]) -> str:
    return ", ".join(
        key_of(span.start)
        if len(span.months) == 1
        else f"{key_of(span.start)} … {key_of(span.end)}"
        for span in spans(months)
    )


def _materialization(pipeline: Pipeline, source: Source, stored: Stored) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        asset_key=source_key(source.name),
        partition=key_of(stored.month) if stored.month else None,
        metadata=_stored_metadata(stored),
        tags={"dagster/data_version": stored.version, **origin_tags(pipeline)},
    )


def _stored_metadata(stored: Stored) -> dict[str, Any]:
    return {
        "dagster/partition_row_count": stored.rows,
        "changed": stored.changed,
        "revised_values": stored.revised,
        "content_sha256": stored.version,
    }


def last_materialization(
    context: dg.AssetExecutionContext, key: dg.AssetKey
) -> dg.AssetMaterialization | None:
    """Return the last materialisation of an asset, if there is one."""
    event = context.instance.get_latest_materialization_event(key)
    return event.asset_materialization if event else None


def _table_metadata(
    pipeline: Pipeline, source: Source, window: Window, last: dg.AssetMaterialization | None
) -> dict[str, Any]:
    table = source.tables[0]
    rows = (
        pipeline.lake.read_months(table, window.months)
        if source.partitioned
        else pipeline.lake.read(table)
    )
    lake = pipeline.lake
    return describe(table, rows) | asset_chart(
        pipeline, table, lambda: lake.read(table), lake.state(table), last
    )


def _fetch_metadata(ingested: Ingested) -> dict[str, Any]:
    return traffic.summary(ingested.records) | bullets("gaps", ingested.gaps)


def _missing_metadata(missing: list[Missing]) -> dict[str, Any]:
    return {
        "missing_days": sum(len(gap.days) for gap in missing),
        "missing": dg.MetadataValue.md(
            "\n".join(f"- {line}" for line in describe_missing(missing)) or "nothing"
        ),
    }


def _check(
    source: Source, name: str, *, passed: bool, metadata: dict[str, Any]
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=passed, check_name=name, asset_key=source_key(source.name), metadata=metadata
    )


def _combined_version(stored: list[Stored]) -> str:
    """Return one version for what a run stored; equal content gives an equal version."""
    if len(stored) == 1:
        return stored[0].version
    import hashlib

    return hashlib.sha256("".join(part.version for part in stored).encode()).hexdigest()


def origin(pipeline: Pipeline) -> dict[str, Any]:
    """Return what is shown beside every materialisation of synthetic data."""
    if pipeline.settings.endpoints != SANDBOX:
        return {}
    return {"SYNTHETIC": "made by the sandbox; describes no real market"}


def origin_tags(pipeline: Pipeline) -> dict[str, str]:
    """Return the tags that mark every materialisation of synthetic data."""
    return {"synthetic": "true"} if pipeline.settings.endpoints == SANDBOX else {}


@dg.asset(
    key=source_key("policy_events"),
    group_name="policy",
    kinds={"csv", "parquet"},
    owners=OWNERS,
    description=POLICY_EVENTS.comment(),
    metadata={"dagster/column_schema": column_schema(POLICY_EVENTS)},
)
def policy_events(pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult[Any]:
    """Take over the facts that are kept by hand in data/reference."""
    stored = pipeline.read_policy_events()
    rows = pipeline.lake.read(POLICY_EVENTS)
    return dg.MaterializeResult(
        metadata=origin(pipeline) | describe(POLICY_EVENTS, rows),
        data_version=dg.DataVersion(stored.version),
        tags=origin_tags(pipeline),
    )
