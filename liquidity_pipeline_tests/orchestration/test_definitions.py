"""What a data engineer finds in Dagster: assets, partitions, checks, jobs, schedules, sensors."""

import time
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
import yaml

from liquidity_pipeline.contracts.marts import FAMILY_OF_MART, MART_TABLES
from liquidity_pipeline.definitions import defs
from liquidity_pipeline.orchestration.dagster_instance import COMMAND_LINE
from liquidity_pipeline.orchestration.jobs import schedules
from liquidity_pipeline.orchestration.mart_assets import column_lineage, mart_key
from liquidity_pipeline.orchestration.sensors import publish_what_is_new
from liquidity_pipeline.sources.registry import SOURCES

ROOT = Path(__file__).resolve().parents[2]
SOURCE_KEYS = [dg.AssetKey(["sources", name]) for name in SOURCES]


def spec(key: dg.AssetKey) -> dg.AssetSpec:
    return next(found for found in defs.resolve_all_asset_specs() if found.key == key)


def test_the_workspace_names_a_module_that_loads():
    entry = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"][0]["python_module"]
    module = __import__(entry["module_name"], fromlist=["defs"])
    dg.Definitions.validate_loadable(module.defs)


def test_sources_are_partitioned_by_month_from_the_first_statement():
    for name, source in SOURCES.items():
        partitions = spec(dg.AssetKey(["sources", name])).partitions_def
        if not source.partitioned:
            assert partitions is None
            continue
        keys = partitions.get_partition_keys(current_time=datetime(2026, 2, 6, tzinfo=UTC))
        assert keys[0] == "2005-10"
        assert keys[-1] == "2026-02", "the current month is there from its first day on"


@pytest.mark.parametrize("key", SOURCE_KEYS + [dg.AssetKey(["marts", m]) for m in MART_TABLES])
def test_every_asset_says_what_it_is_and_whose(key):
    asset = spec(key)
    assert asset.description
    assert asset.owners == ["team:liquidity"]
    assert asset.kinds
    assert asset.group_name != "default"
    schema = asset.metadata["dagster/column_schema"]
    assert all(column.description for column in schema.columns)


def test_a_range_of_months_is_one_run():
    for key in SOURCE_KEYS:
        assets_def = defs.resolve_assets_def(key)
        if assets_def.partitions_def is not None:
            assert assets_def.backfill_policy == dg.BackfillPolicy.single_run()


def test_each_publisher_has_a_pool():
    for name, source in SOURCES.items():
        assets_def = defs.resolve_assets_def(dg.AssetKey(["sources", name]))
        assert set(source.publishers) <= set(assets_def.op.pool.split("+"))


def test_freshness_is_checked_by_the_newest_observation_of_every_asset_and_by_nothing_else():
    published = [dg.AssetKey(["publication", name]) for name in ("liquidity_duckdb", "brief")]
    keys = [*SOURCE_KEYS, *map(mart_key, MART_TABLES), *published]
    checks = defs.resolve_asset_graph().asset_check_keys
    for key in keys:
        assert dg.AssetCheckKey(key, "fresh") in checks
        # A policy goes by the last run: green after a run that fetched nothing.
        assert spec(key).freshness_policy is None
        assert spec(key).tags["tier"]


def test_no_job_evaluates_freshness():
    for name in ("refresh", "backfill", "publish"):
        assert not any("freshness" in node.name for node in defs.resolve_job_def(name).nodes)


def test_the_readers_of_the_file_are_downstream_of_it():
    graph = defs.resolve_asset_graph()
    readers = dg.AssetKey(["readers", "dashboards_and_assistants"])
    assert graph.get(readers).parent_keys == {dg.AssetKey(["publication", "liquidity_duckdb"])}
    assert not graph.get(readers).is_materializable


def test_marts_depend_on_what_their_sql_reads():
    graph = defs.resolve_asset_graph()
    parents = {key.path[-1] for key in graph.get(dg.AssetKey(["marts", "tga_daily"])).parent_keys}
    assert parents == {"tga_balance", "debt_transactions", "policy_events"}


def test_the_publication_comes_after_every_source_and_mart():
    graph = defs.resolve_asset_graph()
    published = dg.AssetKey(["publication", "liquidity_duckdb"])
    upstream = {key.path[-1] for key in graph.get_ancestor_asset_keys(published)}
    assert upstream >= {*MART_TABLES, *SOURCES}
    # Through the marts: an edge from each of them would hide the graph.
    assert mart_key("tga_daily") not in graph.get(published).parent_keys


def test_contracts_block_and_completeness_warns():
    checks = {(k.asset_key.path[-1], k.name) for k in defs.resolve_asset_graph().asset_check_keys}
    for name in SOURCES:
        assert (name, "contract") in checks
        assert (name, "complete") in checks
    assert ("tga_daily", "tga_close_equals_h41") in checks
    assert ("weekly_drains", "weekly_drains_tie_to_reserves") in checks


@pytest.mark.parametrize(
    ("name", "timezone", "hour", "weekdays"),
    [
        ("morning_rates", "America/New_York", "9", "1-5"),
        ("afternoon_statements", "America/New_York", "16", "1-5"),
        ("evening_statements_and_closes", "America/New_York", "21", "1-5"),
        ("crypto_every_day", "UTC", "0", "*"),
    ],
)
def test_schedules_run_after_publication(name, timezone, hour, weekdays):
    schedule = next(s for s in schedules if s.name == name)
    cron = str(schedule.cron_schedule).split()
    assert (schedule.execution_timezone, cron[1], cron[4]) == (timezone, hour, weekdays)


def test_a_scheduled_run_asks_for_the_previous_and_the_current_month():
    schedule = next(s for s in schedules if s.name == "evening_statements_and_closes")
    at = datetime(2026, 2, 7, 2, 30, tzinfo=UTC)  # 21:30 in New York, still 6 February
    context = dg.build_schedule_context(scheduled_execution_time=at)
    requests = schedule.evaluate_tick(context).run_requests
    assert len(requests) == 1
    assert requests[0].tags["dagster/asset_partition_range_start"] == "2026-01"
    assert requests[0].tags["dagster/asset_partition_range_end"] == "2026-02"
    assert set(requests[0].asset_selection) >= set(SOURCE_KEYS)


def test_sensors_and_schedules_are_on_and_described():
    assert {sensor.name for sensor in defs.sensors} == {
        "publish_what_is_new",
        "record_killed_runs",
        "judge_freshness",
        "send_alerts",
    }
    for sensor in defs.sensors:
        assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    for schedule in schedules:
        assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    assert all(part.description for part in [*defs.sensors, *schedules])


def ended_run(dagster: dg.DagsterInstance, key: dg.AssetKey, tags: dict[str, str], ok: bool) -> str:
    job = defs.resolve_implicit_global_asset_job_def()
    run = dagster.create_run_for_job(job, asset_selection=frozenset({key}), tags=tags)
    dagster.report_run_failed(run) if not ok else dagster.handle_new_event(success(run))
    return run.run_id


def success(run: dg.DagsterRun) -> dg.EventLogEntry:
    event = dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, run.job_name)
    return dg.EventLogEntry(None, "info", "", run.run_id, time.time(), dagster_event=event)


def test_one_publication_follows_all_runs_that_touched_a_source():
    """By clicks, backfills and jobs; failed ones too; not after the commands, nor after marts."""
    with dg.DagsterInstance.ephemeral() as dagster:

        def asked(cursor: str | None) -> tuple[list[str], str | None]:
            context = dg.build_sensor_context(dagster, cursor=cursor, definitions=defs)
            ticked = publish_what_is_new.evaluate_tick(context)
            return [request.run_key for request in ticked.run_requests], ticked.cursor

        assert asked(None) == ([], None)
        ended_run(dagster, mart_key("tga_daily"), {}, True)
        ended_run(dagster, SOURCE_KEYS[0], COMMAND_LINE, True)
        requests, cursor = asked(None)
        assert requests == []
        ended_run(dagster, SOURCE_KEYS[0], {}, True)
        last = ended_run(dagster, SOURCE_KEYS[1], {}, False)
        requests, cursor = asked(cursor)
        assert requests == [f"after-{last}"]
        assert asked(cursor) == ([], cursor)


def test_publishers_are_upstream_and_the_code_is_shown():
    graph = defs.resolve_asset_graph()
    parents = graph.get(dg.AssetKey(["sources", "index_prices"])).parent_keys
    assert {key.path[-1] for key in parents} == {"yahoo", "cboe", "fred"}
    for name in MART_TABLES:
        (reference,) = spec(mart_key(name)).metadata["dagster/code_references"].code_references
        assert Path(reference.file_path).exists()
        assert spec(mart_key(name)).group_name == FAMILY_OF_MART[name]
    assert "sources.tga_balance" in spec(mart_key("tga_daily")).metadata["sql"].value


@pytest.mark.parametrize("name", MART_TABLES)
def test_every_column_of_a_mart_has_its_lineage_inside_what_the_mart_reads(name):
    lineage = column_lineage(name).deps_by_column
    assert set(lineage) == set(MART_TABLES[name].column_names)
    parents = defs.resolve_asset_graph().get(mart_key(name)).parent_keys
    assert {dep.asset_key for deps in lineage.values() for dep in deps} <= parents


def test_the_lineage_of_a_column_is_what_its_sql_says():
    """The gap to target is the close less the Treasury's announced target, and nothing else."""
    deps = column_lineage("tga_daily").deps_by_column["gap_to_target_usd_mn"]
    assert {(dep.asset_key.path[-1], dep.column_name) for dep in deps} == {
        ("policy_events", "value"),
        ("tga_balance", "closing_usd_mn"),
    }
