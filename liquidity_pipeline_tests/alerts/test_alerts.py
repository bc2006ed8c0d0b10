"""Alerts: once per event, an end is told too, and nothing is lost when a channel is down."""

from __future__ import annotations

import socket
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from aiosmtpd.controller import Controller
from pytest_httpserver import HTTPServer

from liquidity_pipeline.alerts.check import STATE_FILE, calendar_changes, check, transitions
from liquidity_pipeline.alerts.evaluate import Finding, evaluate
from liquidity_pipeline.alerts.send import DeliveryError, Message, send
from liquidity_pipeline.alerts.state import State
from liquidity_pipeline.settings import AlertSettings

DAY = date(2026, 2, 6)
NOW = datetime(2026, 2, 6, 23)  # noqa: DTZ001 - naive UTC, as the file writes its moments


def finding(level: str = "stress", *, active: bool = True) -> Finding:
    return Finding("stress_flags", "sofr_iorb_bp", active, level, DAY, "11 bp over IORB")


def publish(
    path: Path,
    *,
    level: str = "normal",
    built: datetime = NOW,
    net: float = 60_000,
    due: datetime = NOW + timedelta(hours=1),
) -> Path:
    """Write the tables that the conditions read."""
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as c:
        c.execute("create schema meta; create schema marts")
        c.execute(
            "create table meta.publication as select ?::timestamp as built_at, ?::date as as_of",
            [built, DAY],
        )
        c.execute("create table meta.clock as select ?::timestamp as now", [NOW])
        c.execute(
            "create table marts.stress_flags as select 'sofr_iorb_bp' as indicator, ? as level, "
            "?::date as date, 'eleven over IORB' as reason, ?::timestamp as next_due_at",
            [level, DAY, due],
        )
        c.execute(
            "create table marts.drain_seasonality as select 'drain_reserves' as component, "
            "date '2026-02-04' as week_ending, 150000.0 as actual_usd_mn, 20000.0 as "
            "expected_usd_mn, 3.4 as surprise_sd"
        )
        c.execute(
            "create table meta.freshness as select 'tga_balance' as table_name, false as is_stale, "
            "null::varchar as problem, date '2026-02-05' as last_day, 0 as days_behind, "
            "0 as days_missing"
        )
        c.execute(
            "create table marts.settlement_calendar as "
            "select date '2026-02-10' as settlement_date, 'bill' as security_class, "
            "? as net_usd_mn",
            [net],
        )
    return path


def test_an_alert_is_told_when_it_begins_and_not_again():
    assert [event.kind for event in transitions(State(), [finding()])] == ["began"]
    told = State(active={"stress_flags/sofr_iorb_bp": "stress"})
    assert transitions(told, [finding()]) == []


def test_a_change_of_level_and_an_end_are_told():
    told = State(active={"stress_flags/sofr_iorb_bp": "stress"})
    assert [e.kind for e in transitions(told, [finding("severe")])] == ["changed"]
    assert [e.kind for e in transitions(told, [finding("normal", active=False)])] == ["ended"]


def test_a_subject_that_was_not_evaluated_does_not_end():
    told = State(active={"stress_flags/sofr_iorb_bp": "stress"})
    assert transitions(told, []) == []


def test_only_a_known_day_can_change():
    before = State(calendar={"2026-02-10": 60.0})
    changed = calendar_changes(before, {"2026-02-10": 90.0, "2026-04-01": 80.0}, 25, DAY)
    assert [event.key for event in changed] == ["settlement_calendar/2026-02-10"]
    assert calendar_changes(before, {"2026-02-10": 84.9}, 25, DAY) == []


def test_conditions_are_evaluated_on_the_file(tmp_path: Path):
    file = publish(tmp_path / "liquidity.duckdb", level="stress", built=NOW - timedelta(hours=40))
    found = {f.condition: f for f in evaluate(file, AlertSettings(), NOW)}
    assert {name: f.is_active for name, f in found.items()} == {
        "not_published": True,
        "stress_flags": True,
        "drain_surprise": True,
        "stale_sources": False,
        "not_evaluated": False,
    }
    assert "40 hours ago; the limit is 30" in found["not_published"].detail
    assert "Reserves fell by USD 150.0 bn" in found["drain_surprise"].detail


@pytest.mark.parametrize("level", ["normal", "severe"])
def test_a_flag_neither_begins_nor_ends_where_a_newer_value_is_due(tmp_path: Path, level: str):
    file = publish(tmp_path / "liquidity.duckdb", level=level, due=NOW)
    found = evaluate(file, AlertSettings(), NOW)
    assert "stress_flags" not in {finding.condition for finding in found}


def test_a_stale_source_without_a_failure_says_what_is_missing(tmp_path: Path):
    file = publish(tmp_path / "liquidity.duckdb")
    with duckdb.connect(str(file)) as c:
        c.execute(
            "insert into meta.freshness values "
            "('ofr_fsi', true, null, date '2026-02-04', 0, 1), "
            "('reference_rates', true, 'HTTP 500', date '2026-01-30', 4, 0)"
        )
    found = evaluate(file, AlertSettings(), NOW)
    told = {each.subject: each.detail for each in found if each.condition == "stale_sources"}
    assert told["ofr_fsi"] == "1 of 1 series lack what is due. Observations missing: 1."
    assert told["reference_rates"] == (
        "1 of 1 series lack what is due. Newest observation held: 2026-01-30. HTTP 500"
    )


def test_a_condition_that_fails_is_an_alert_and_keeps_no_other_from_being_told(
    tmp_path: Path, httpserver: HTTPServer
):
    httpserver.expect_request("/hook").respond_with_data("ok")
    urls = (f"json://127.0.0.1:{httpserver.port}/hook",)
    settings = AlertSettings(urls=urls, silent_hours=1)
    file = publish(tmp_path / "liquidity.duckdb")
    with duckdb.connect(str(file)) as c:
        c.execute("alter table marts.stress_flags drop column next_due_at")
        c.execute("drop table marts.settlement_calendar")
    told = {event.title: event.detail for event in check(tmp_path, file, settings)}
    assert "Nothing was published: liquidity.duckdb (silent)" in told
    failed = "Alert condition cannot be evaluated: {} (failed)"
    for condition in ("stress_flags", "settlement_calendar"):
        assert "publish it again with `liquidity run`" in told[failed.format(condition)]
    assert check(tmp_path, file, settings) == []
    renewed = publish(tmp_path / "renewed.duckdb")
    ended = {event.title for event in check(tmp_path, renewed, settings) if event.kind == "ended"}
    assert "Alert condition cannot be evaluated: stress_flags" in ended


def test_a_file_that_cannot_be_read_is_an_alert(tmp_path: Path):
    file = tmp_path / "liquidity.duckdb"
    file.write_bytes(b"no database")
    (found,) = evaluate(file, AlertSettings(), NOW)
    assert (found.condition, found.subject) == ("not_evaluated", "liquidity.duckdb")
    assert found.is_active
    assert str(file) in found.detail


def test_a_missing_file_is_an_alert(tmp_path: Path):
    (found,) = evaluate(tmp_path / "liquidity.duckdb", AlertSettings(), NOW)
    assert found.is_active
    assert found.condition == "not_published"


def test_a_webhook_gets_each_event_once(tmp_path: Path, httpserver: HTTPServer):
    httpserver.expect_request("/hook", method="POST").respond_with_data("ok")
    url = f"json://127.0.0.1:{httpserver.port}/hook"
    settings = AlertSettings(urls=(url,), link="https://example.org/brief.html", silent_hours=1e6)
    file = publish(tmp_path / "liquidity.duckdb", level="severe")
    first = check(tmp_path, file, settings)
    assert {event.key for event in first} == {
        "stress_flags/sofr_iorb_bp",
        "drain_surprise/drain_reserves",
    }
    assert check(tmp_path, file, settings) == []
    publish(file, level="normal", net=100_000)
    later = check(tmp_path, file, settings)
    assert {(e.kind, e.key) for e in later} == {
        ("ended", "stress_flags/sofr_iorb_bp"),
        ("changed", "settlement_calendar/2026-02-10"),
    }
    bodies = [request.get_json() for request, _ in httpserver.log]
    assert len(bodies) == 4
    assert all("https://example.org/brief.html" in body["message"] for body in bodies)


def test_what_could_not_be_delivered_is_sent_by_the_next_check(
    tmp_path: Path, httpserver: HTTPServer
):
    file = publish(tmp_path / "liquidity.duckdb", level="severe")
    secret = "json://user:secret-word@127.0.0.1:9/hook"  # noqa: S105 - made up
    with pytest.raises(DeliveryError, match=r"channel 1 \(json\)") as error:
        check(tmp_path, file, AlertSettings(urls=(secret,), silent_hours=1e6))
    assert "secret-word" not in str(error.value)
    assert "secret-word" not in repr(AlertSettings(urls=(secret,)))
    assert not (tmp_path / STATE_FILE).exists()
    httpserver.expect_request("/hook").respond_with_data("ok")
    good = AlertSettings(urls=(f"json://127.0.0.1:{httpserver.port}/hook",), silent_hours=1e6)
    assert len(check(tmp_path, file, good)) == 2


def test_a_channel_that_is_down_keeps_nothing_from_the_others(httpserver: HTTPServer):
    httpserver.expect_request("/hook").respond_with_data("ok")
    urls = ("json://127.0.0.1:9/hook", f"json://127.0.0.1:{httpserver.port}/hook")
    with pytest.raises(DeliveryError, match="channel 1"):
        send(AlertSettings(urls=urls), [Message("title", "text")])
    assert len(httpserver.log) == 1


def test_mail_is_sent():
    class Inbox:
        mails: list[str]

        def __init__(self) -> None:
            self.mails = []

        async def handle_DATA(self, server: object, session: object, envelope: object) -> str:  # noqa: N802
            self.mails.append(envelope.content.decode())  # type: ignore[attr-defined]
            return "250 OK"

    inbox = Inbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        url = (
            f"mailto://127.0.0.1:{port}?from=pipeline@example.org&to=desk@example.org&mode=insecure"
        )
        send(AlertSettings(urls=(url,)), [Message("Stress indicator", "eleven over IORB")])
    finally:
        controller.stop()
    (mail,) = inbox.mails
    assert "Stress indicator" in mail
    assert "desk@example.org" in mail


def test_no_channel_and_a_malformed_address_are_said():
    with pytest.raises(DeliveryError, match="LIQUIDITY_ALERT_URLS"):
        send(AlertSettings(), [Message("title", "text")])
    with pytest.raises(DeliveryError, match=r"channel 1 \(nonsense\): the address is malformed"):
        send(AlertSettings(urls=("nonsense://host",)), [Message("title", "text")])


def test_a_damaged_state_names_its_file(tmp_path: Path):
    (tmp_path / STATE_FILE).write_text("{")
    with pytest.raises(ValueError, match=r"alerts\.json is damaged"):
        State.read(tmp_path / STATE_FILE)
