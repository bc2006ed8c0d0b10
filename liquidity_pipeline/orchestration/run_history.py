"""What Dagster's records of a data directory say about its runs, read without taking part.

Where Dagster keeps its records in the SQLite files of its own home, these are read directly:
loading Dagster takes several seconds of CPU. Any other storage is asked through Dagster.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from liquidity_pipeline.orchestration.sqlite_records import Check, Records, read_sqlite
from liquidity_pipeline.sources.timetable import TIMINGS

# Settings of dagster.yaml that keep records elsewhere than in the home's own SQLite files.
_ELSEWHERE = re.compile(r"^\s*[\"']?(\w*storage)[\"']?\s*:", re.MULTILINE)


@dataclass(frozen=True)
class RunHistory:
    """The newest run, the checks whose newest result failed, and the next schedule.

    Moments are UTC. Schedules run where the daemon does: `liquidity ui`, or a service.
    """

    last_run: str
    last_run_at: datetime | None
    failing_checks: tuple[str, ...]
    next_schedule: str
    next_at: datetime


def run_history(data_dir: Path) -> RunHistory:
    """Read the records, if there are any."""
    now = datetime.now(UTC)
    next_at, next_schedule = min((timing.next_after(now), timing.name) for timing in TIMINGS)
    records = read_records(data_dir / "dagster_home")
    # A check that the code no longer has can never pass again.
    failing = records.failed & defined_checks() if records.failed else frozenset()
    return RunHistory(
        last_run=records.last_run,
        last_run_at=records.last_run_at,
        failing_checks=tuple(sorted(f"{asset[-1]}: {name}" for asset, name in failing)),
        next_schedule=next_schedule,
        next_at=next_at,
    )


def read_records(home: Path) -> Records:
    """Return the records of a Dagster home, from its SQLite files or through Dagster."""
    config = home / "dagster.yaml"
    if not config.exists():
        return Records("none", None, frozenset())
    if not _ELSEWHERE.search(config.read_text(encoding="utf-8")):
        try:
            return read_sqlite(home / "history")
        except (sqlite3.Error, ValueError):
            pass  # of another version of Dagster, which will know how to read them
    from liquidity_pipeline.orchestration.dagster_records import ask_dagster

    return ask_dagster(home)


def defined_checks() -> frozenset[Check]:
    """Return the checks that the code location defines, without loading Dagster.

    Without those of freshness: who reads this judges freshness at the moment of asking.
    """
    from liquidity_pipeline.models.reconciliations.reconciliation import RECONCILIATIONS
    from liquidity_pipeline.orchestration.names import (
        ALL_COMPLETE_CHECK,
        PUBLICATION_PATH,
        SOURCE_CHECKS,
    )
    from liquidity_pipeline.sources.registry import SOURCES

    checks: set[Check] = {(PUBLICATION_PATH, ALL_COMPLETE_CHECK)}
    checks |= {(("sources", source), name) for source in SOURCES for name in SOURCE_CHECKS}
    checks |= {(("marts", check.mart), check.name) for check in RECONCILIATIONS}
    return frozenset(checks)
