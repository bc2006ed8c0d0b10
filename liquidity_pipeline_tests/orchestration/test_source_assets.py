"""Materialising sources: one month, a range, again, and when the publisher fails."""

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
import pytest

from liquidity_pipeline.orchestration.assembly import build_definitions
from liquidity_pipeline.orchestration.dagster_instance import COMMAND_LINE
from liquidity_pipeline.orchestration.names import SOURCE_CHECKS
from liquidity_pipeline.orchestration.partitions import range_tags
from liquidity_pipeline.orchestration.source_assets import retry_or_fail
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.server import start
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline_tests.conftest import SANDBOX_TODAY

TGA = dg.AssetKey(["sources", "tga_balance"])
TGA_NODE = "sources__tga_balance"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIQUIDITY_HTTP_BACKOFF", "0.01")
    monkeypatch.setenv("LIQUIDITY_HTTP_RETRIES", "1")


@pytest.fixture
def materialize(instance: dg.DagsterInstance, tmp_path: Path):
    """Give `materialize(url, first month, last month)` of the Treasury's account."""

    def run(url: str, first: str, last: str) -> dg.ExecuteInProcessResult:
        given = {
            "LIQUIDITY_DATA_DIR": str(tmp_path),
            "LIQUIDITY_ENDPOINTS": url,
            "LIQUIDITY_AS_OF": SANDBOX_TODAY.isoformat(),
        }
        pipeline = Pipeline(Settings.from_env({**os.environ, **given}))
        job = build_definitions(pipeline).resolve_job_def("backfill")
        window = Window(date.fromisoformat(f"{first}-01"), date.fromisoformat(f"{last}-01"))
        return job.execute_in_process(
            instance=instance,
            run_config=QUIET,
            asset_selection=[TGA],
            tags={**range_tags(window), **COMMAND_LINE},
            raise_on_error=False,
        )

    return run


def versions(instance: dg.DagsterInstance) -> list[tuple[str | None, str]]:
    records = instance.fetch_materializations(TGA, limit=100).records
    return [
        (record.partition_key, record.asset_materialization.tags["dagster/data_version"])
        for record in records
    ]


def failure(result: dg.ExecuteInProcessResult) -> str:
    (event,) = [e for e in result.all_events if e.is_step_failure]
    return str(event.step_failure_data.user_failure_data.description)


def test_one_month_is_one_partition_and_again_has_the_same_version(
    materialize, instance, sandbox, tmp_path
):
    assert materialize(sandbox, "2026-01", "2026-01").success
    assert materialize(sandbox, "2026-01", "2026-01").success
    (second, first) = versions(instance)
    assert first == second
    assert first[0] == "2026-01"


def test_a_range_is_one_run_with_one_file_a_month(materialize, instance, sandbox, tmp_path):
    assert materialize(sandbox, "2025-11", "2026-02").success
    months = ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert sorted(key for key, _ in versions(instance)) == months
    files = sorted(path.parent.name for path in (tmp_path / "lake").rglob("tga_balance.parquet"))
    assert files == [f"month={month}" for month in months]


def test_what_a_run_shows_is_kept_once_with_its_newest_month(
    materialize, instance, sandbox, tmp_path
):
    """A chart with each of three hundred months is 30 MB of Dagster's records."""
    result = materialize(sandbox, "2025-12", "2026-02")
    recorded = {m.partition: m.metadata for m in result.asset_materializations_for_node(TGA_NODE)}
    # 22, 20 and, until 5 February, 4 Federal Reserve business days.
    counts = {
        month: shown["dagster/partition_row_count"].value for month, shown in recorded.items()
    }
    assert counts == {"2025-12": 22, "2026-01": 20, "2026-02": 4}
    of_the_run = {"chart", "last_rows", "requests"}
    assert {month for month, shown in recorded.items() if of_the_run & set(shown)} == {"2026-02"}
    # It is what the UI shows as the asset's, and what the next run takes the chart from.
    newest = instance.get_latest_materialization_event(TGA).asset_materialization
    assert newest.partition == "2026-02"
    assert of_the_run <= set(newest.metadata)
    outputs = [e for e in result.events_for_node(TGA_NODE) if e.is_successful_output]
    assert all("chart" not in event.step_output_data.metadata for event in outputs)


def checks_of(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    """Return what the source's own checks found; that of freshness is of no run."""
    found = {c.check_name: c.passed for c in result.get_asset_check_evaluations()}
    return {name: found[name] for name in SOURCE_CHECKS}


def test_checks_speak_of_all_that_is_due_and_counts_of_the_month(
    materialize, instance, sandbox, tmp_path
):
    """An old month alone hides no current gap: on 6 February, February's days are due too."""
    result = materialize(sandbox, "2026-01", "2026-01")
    checks = checks_of(result)
    assert checks == {"contract": True, "complete": False}
    (event,) = result.asset_materializations_for_node("sources__tga_balance")
    # January 2026 has 20 Federal Reserve business days: not 1 January, not 19 January.
    assert event.metadata["dagster/partition_row_count"].value == 20
    result = materialize(sandbox, "2026-02", "2026-02")
    checks = checks_of(result)
    assert checks == {"contract": True, "complete": True}


def test_a_month_that_stays_empty_fails_by_name_and_the_others_are_recorded(
    materialize, instance, sandbox, tmp_path
):
    # The sandbox serves from 2025-11 on, so October has statements due and none come.
    result = materialize(sandbox, "2025-10", "2025-11")
    assert not result.success
    assert "none came for 2025-10" in failure(result)
    assert [key for key, _ in versions(instance)] == ["2025-11"]
    checks = {c.check_name: c.passed for c in result.get_asset_check_evaluations()}
    assert checks["complete"] is False


def test_a_renamed_label_leaves_the_old_partition_and_names_the_source(
    materialize, instance, sandbox, tmp_path
):
    assert materialize(sandbox, "2026-01", "2026-01").success
    (file,) = (tmp_path / "lake").rglob("tga_balance.parquet")
    before = file.read_bytes()
    options = Options(today=SANDBOX_TODAY, start=date(2025, 11, 1), faults="renamed_label:1")
    with start(options) as broken:
        (tmp_path / "endpoints.json").unlink()  # the same publishers at another address
        result = materialize(broken.url, "2026-01", "2026-01")
    assert not result.success
    assert "fiscaldata" in failure(result)
    assert "operating_cash_balance" in failure(result)
    assert file.read_bytes() == before


def test_an_unreachable_publisher_is_retried_by_a_schedule_and_not_by_a_person():
    from liquidity_pipeline.sources.errors import TransientError, UnexpectedPayloadError

    scheduled: dict[str, str] = {}
    by_hand = COMMAND_LINE
    outage, nonsense = TransientError("no answer in time"), UnexpectedPayloadError("column gone")
    assert isinstance(retry_or_fail(outage, scheduled), dg.RetryRequested)
    for tags, error in ((scheduled, nonsense), (by_hand, outage), (by_hand, nonsense)):
        failed = retry_or_fail(error, tags)
        assert isinstance(failed, dg.Failure)
        assert failed.allow_retries is False


def test_the_lake_holds_what_the_contract_says(materialize, instance, sandbox, tmp_path):
    materialize(sandbox, "2026-01", "2026-01")
    (file,) = (tmp_path / "lake").rglob("tga_balance.parquet")
    assert pq.read_schema(file).field("closing_usd_mn").nullable is False
