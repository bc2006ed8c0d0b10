"""Alerts from the daemon: the same events as the command, told once by whichever comes first."""

from datetime import date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from pytest_httpserver import HTTPServer

from liquidity_pipeline.alerts.check import check
from liquidity_pipeline.alerts.send import DeliveryError
from liquidity_pipeline.orchestration.alert_sensor import (
    failed_runs,
    failed_runs_of,
    send_alerts,
)
from liquidity_pipeline.orchestration.assembly import build_definitions
from liquidity_pipeline.orchestration.dagster_instance import dagster_home
from liquidity_pipeline.orchestration.mart_assets import mart_key
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import SANDBOX, AlertSettings, Settings
from liquidity_pipeline_tests.alerts.test_alerts import publish
from liquidity_pipeline_tests.orchestration.test_definitions import ended_run

pytestmark = pytest.mark.slow

KEY = mart_key("tga_daily")


def tick(dagster: dg.DagsterInstance, folder: Path) -> str:
    pipeline = Pipeline(Settings(folder, SANDBOX))
    context = dg.build_sensor_context(
        dagster, definitions=build_definitions(pipeline), resources={"pipeline": pipeline}
    )
    told = send_alerts.evaluate_tick(context)
    assert not told.run_requests
    return str(told.skip_message)


@pytest.fixture
def channel(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> HTTPServer:
    httpserver.expect_request("/hook", method="POST").respond_with_data("ok")
    monkeypatch.setenv("LIQUIDITY_ALERT_URLS", f"json://127.0.0.1:{httpserver.port}/hook")
    monkeypatch.setenv("LIQUIDITY_ALERT_SILENT_HOURS", "1e6")
    return httpserver


def titles(channel: HTTPServer) -> list[str]:
    return [request.get_json()["title"] for request, _ in channel.log]


def test_without_a_channel_the_sensor_does_nothing(tmp_path: Path):
    with dg.DagsterInstance.ephemeral() as dagster:
        assert "LIQUIDITY_ALERT_URLS" in tick(dagster, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_sensor_and_the_command_tell_each_event_once(tmp_path: Path, channel: HTTPServer):
    publish(tmp_path / "liquidity.duckdb", level="severe")
    settings = AlertSettings.from_env()
    with dg.DagsterInstance.ephemeral() as dagster:
        assert tick(dagster, tmp_path) == "sent 2"
        assert check(tmp_path, tmp_path / "liquidity.duckdb", settings) == []
        assert "nothing new" in tick(dagster, tmp_path)
        publish(tmp_path / "liquidity.duckdb", level="normal")
        (ended,) = check(tmp_path, tmp_path / "liquidity.duckdb", settings)
        assert ended.kind == "ended"
        assert "nothing new" in tick(dagster, tmp_path)
    assert len(titles(channel)) == 3


def test_a_failed_run_is_told_once_and_so_is_its_end(tmp_path: Path, channel: HTTPServer):
    publish(tmp_path / "liquidity.duckdb")
    with dg.DagsterInstance.ephemeral() as dagster:
        tick(dagster, tmp_path)
        channel.clear_log()
        ended_run(dagster, KEY, {}, False)
        tick(dagster, tmp_path)
        ended_run(dagster, KEY, {}, False)
        tick(dagster, tmp_path)
        assert titles(channel) == ["Run failed: materialisation (failed)"]
        ended_run(dagster, KEY, {}, True)
        tick(dagster, tmp_path)
        assert titles(channel)[1:] == ["Ended: Run failed: materialisation"]


def test_the_newest_run_of_a_job_decides():
    with dg.DagsterInstance.ephemeral() as dagster:
        assert failed_runs(dagster) == []
        ended_run(dagster, KEY, {}, True)
        run = ended_run(dagster, KEY, {}, False)
        (finding,) = failed_runs(dagster)
    assert (finding.subject, finding.is_active) == ("materialisation", True)
    assert run[:8] in finding.detail
    assert abs(finding.date - datetime.now().date()) <= timedelta(days=1)  # noqa: DTZ005
    assert isinstance(finding.date, date)


def test_a_channel_that_is_down_fails_the_tick_without_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    publish(tmp_path / "liquidity.duckdb", level="severe")
    monkeypatch.setenv("LIQUIDITY_ALERT_URLS", "json://user:secret@127.0.0.1:9/hook")
    with dg.DagsterInstance.ephemeral() as dagster, pytest.raises(DeliveryError) as failed:
        tick(dagster, tmp_path)
    assert "secret" not in str(failed.value)
    assert not (tmp_path / "alerts.json").exists(), "the next check sends it"


def test_records_that_cannot_be_read_are_told_and_hide_nothing_else(
    tmp_path: Path, channel: HTTPServer
):
    home = dagster_home(tmp_path)
    runs = home / "history" / "runs.db"
    runs.parent.mkdir()
    runs.write_bytes(b"no database " * 500)
    (finding,) = failed_runs_of(tmp_path)
    assert finding.is_active
    assert "cannot be read" in finding.detail
    settings = AlertSettings.from_env()
    events = check(tmp_path, tmp_path / "liquidity.duckdb", settings, [finding])
    assert [event.title.partition(":")[0] for event in events] == [
        "Nothing was published",
        "Run failed",
    ]
    runs.unlink()
    (ended,) = check(tmp_path, tmp_path / "liquidity.duckdb", settings, failed_runs_of(tmp_path))
    assert ended.kind == "ended"
    assert len(channel.log) == 3
