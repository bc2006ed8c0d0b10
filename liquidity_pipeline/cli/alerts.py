"""`liquidity alerts`: send alerts on what began, changed or ended."""

from __future__ import annotations

import sys

import click

from liquidity_pipeline.cli.console import console
from liquidity_pipeline.cli.exits import INCOMPLETE, OK, tell
from liquidity_pipeline.cli.place import Place
from liquidity_pipeline.settings import AlertSettings


def check_and_exit(place: Place, *, dry_run: bool) -> None:
    """Send what is new since the last check; exit 0 when all was delivered, else 1."""
    import duckdb

    from liquidity_pipeline.alerts import check as checking
    from liquidity_pipeline.alerts.evaluate import evaluate, utc_now
    from liquidity_pipeline.alerts.send import DeliveryError
    from liquidity_pipeline.alerts.state import State
    from liquidity_pipeline.orchestration.alert_sensor import failed_runs_of

    settings, alerts = place.settings(), AlertSettings.from_env()
    failed = failed_runs_of(settings.data_dir)
    try:
        if dry_run:
            state = State.read(settings.data_dir / checking.STATE_FILE)
            findings = [*evaluate(settings.published_file, alerts, utc_now()), *failed]
            events = checking.transitions(state, findings)
            active = sum(finding.is_active for finding in findings)
            console.print(f"{len(findings)} subjects evaluated, {active} active; nothing was sent")
        else:
            events = checking.check(settings.data_dir, settings.published_file, alerts, failed)
    except (DeliveryError, ValueError, duckdb.Error) as error:
        tell(f"alerts: {error}")
        sys.exit(INCOMPLETE)
    for event in events:
        line = f"{event.kind}: {event.title} ({event.date}) {event.detail}"
        console.print(line, markup=False, soft_wrap=True)
    if not events:
        console.print("nothing new since the last check")
    sys.exit(OK)


def test_and_exit() -> None:
    """Send one test message to every channel; exit 0 when all took it, else 1."""
    from liquidity_pipeline.alerts.send import DeliveryError, Message, send

    text = "This is a test of liquidity-pipeline's alerts. Nothing is wrong."
    try:
        send(AlertSettings.from_env(), [Message("Test alert", text)])
    except DeliveryError as error:
        raise click.ClickException(str(error)) from None
    console.print("every channel took the test message")
