"""Compare active alerts with those sent before, and send what began, changed or ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from liquidity_pipeline.alerts.evaluate import (
    NOT_EVALUATED,
    RUN_FAILED,
    TITLES,
    Finding,
    evaluate,
    evaluated,
    settlements_ahead,
    utc_now,
)
from liquidity_pipeline.alerts.send import Message, send
from liquidity_pipeline.alerts.state import State
from liquidity_pipeline.settings import AlertSettings
from liquidity_pipeline.storage.locks import holding, lock_file

if TYPE_CHECKING:
    pass

STATE_FILE = "alerts.json"


@dataclass(frozen=True)
class Event:
    """Something to tell, once."""

    kind: Literal["began", "changed", "ended"]
    title: str
    detail: str
    date: date
    key: str


def check(
    data_dir: Path, published: Path, settings: AlertSettings, more: Iterable[Finding] = ()
) -> list[Event]:
    """Evaluate all conditions, send what is new, and remember it; return what was sent.

    `more` are findings from elsewhere than the file. One check at a time: of two at the same
    moment, the second finds what the first has told.

    Raises DeliveryError when no message could be delivered: the next check sends it again.
    """
    with holding(lock_file(data_dir, "alerts"), "a check of alerts", lambda _: None):
        state = State.read(data_dir / STATE_FILE)
        now = utc_now()
        ahead, calendar = _calendar(published, state, now)
        findings = [*evaluate(published, settings, now), *calendar, *more]
        events = [
            *transitions(state, findings),
            *calendar_changes(state, ahead, settings.settlement_usd_bn, now.date()),
        ]
        if events:
            send(settings, [_message(event, settings) for event in events])
        after = remember(state, findings, ahead)
        if after != state:
            after.write(data_dir / STATE_FILE)
        return events


def _calendar(
    published: Path, state: State, now: datetime
) -> tuple[dict[str, float], list[Finding]]:
    """Return the net of the coming settlement days, the last one known where it cannot be read."""
    import duckdb

    if not published.exists():
        return state.calendar, []
    try:
        return settlements_ahead(published), [evaluated("settlement_calendar", now)]
    except duckdb.Error as error:
        return state.calendar, [evaluated("settlement_calendar", now, error)]


def transitions(state: State, findings: Iterable[Finding]) -> list[Event]:
    """Return what began, changed its level, or ended since the last check."""
    events = []
    for finding in findings:
        before = state.active.get(finding.key)
        title = f"{TITLES[finding.condition]}: {finding.subject}"
        if finding.is_active and before != finding.level:
            kind: Literal["began", "changed"] = "began" if before is None else "changed"
            title = f"{title} ({finding.level})"
            events.append(Event(kind, title, finding.detail, finding.date, finding.key))
        elif before is not None and not finding.is_active:
            events.append(Event("ended", title, finding.detail, finding.date, finding.key))
    return events


def calendar_changes(
    state: State, ahead: dict[str, float], threshold: float, today: date
) -> list[Event]:
    """Return the coming settlement days whose net changed by at least `threshold` USD bn.

    A day that was not known before is news of the calendar's horizon, not a change.
    """
    events = []
    for day, net in ahead.items():
        before = state.calendar.get(day)
        if before is not None and abs(net - before) >= threshold:
            detail = f"Net settlement was USD {before:,.1f} bn and is now {net:,.1f} bn."
            title = f"Settlement calendar changed: {day}"
            events.append(Event("changed", title, detail, today, f"settlement_calendar/{day}"))
    return events


def remember(state: State, findings: Iterable[Finding], ahead: dict[str, float]) -> State:
    """Return the state after a check; subjects that were not evaluated keep theirs."""
    active = dict(state.active)
    for finding in findings:
        active.pop(finding.key, None)
        if finding.is_active:
            active[finding.key] = finding.level
    return State(active, dict(ahead))


def _message(event: Event, settings: AlertSettings) -> Message:
    condition = event.key.partition("/")[0]
    lines = [event.detail, f"Describes {event.date}. Row behind it: {_where(condition)}."]
    if settings.link:
        lines.append(f"Brief: {settings.link}")
    ended = event.kind == "ended"
    title = f"Ended: {event.title}" if ended else event.title
    return Message(title, "\n".join(line for line in lines if line), good_news=ended)


def _where(condition: str) -> str:
    tables = {
        "stress_flags": "marts.stress_flags",
        "drain_surprise": "marts.drain_seasonality",
        "stale_sources": "meta.freshness",
        "not_published": "meta.publication",
        "settlement_calendar": "marts.settlement_calendar",
        RUN_FAILED: "the run in Dagster's UI",
        NOT_EVALUATED: "the published file",
    }
    return tables[condition]
