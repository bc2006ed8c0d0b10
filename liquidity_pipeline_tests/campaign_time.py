"""Time is right: the machine's time zone and a clock set back change nothing. Rerun it with

    python -m liquidity_pipeline_tests.campaign_time --count 16

Days around both changes of daylight saving time, a leap day, and a special closing of the exchange
are run in a process of its own per time zone: every source is fetched and every mart is built. The
tables must be equal in all zones. Then a newer day, an older day (the clock was set back) and the
newer day again must leave what the newer day alone leaves.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.server import start
from liquidity_pipeline_tests.campaign import Campaign, run_campaign

ZONES = ("UTC", "Asia/Tokyo", "Pacific/Honolulu")
DAYS = {
    "leap day": date(2024, 2, 29),
    "clocks go forward": date(2026, 3, 9),
    "clocks go back": date(2025, 11, 3),
    "day of mourning": date(2025, 1, 10),
}
# Prints a hash of every table as of the last of the days, each of which is run in turn.
PROGRAM = """
import hashlib, json, sys
from datetime import date
from pathlib import Path
from liquidity_pipeline.contracts.registry import PUBLISHED
from liquidity_pipeline.models.engine import build_order
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.sources.registry import SOURCES

folder, url, since, *days = sys.argv[1:]
for day in map(date.fromisoformat, days):
    pipeline = Pipeline(Settings(Path(folder), endpoints=url, as_of=day))
    window = Window.of_months(date.fromisoformat(since), day)
    for source in SOURCES.values():
        for span in pipeline.ranges_to_fetch(source, window):
            pipeline.ingest(source, span)
    pipeline.read_policy_events()
    failed = [built.failure for built in pipeline.build_marts(build_order()) if built.failure]
    assert not failed, failed
with pipeline.session() as connection:
    tables = {
        name: connection.sql(f"from {name} order by all").fetchall()
        for schema, name in connection.execute(
            "select table_schema, table_schema || '.' || table_name from information_schema.tables "
            "where table_schema in ('sources', 'marts')"
        ).fetchall()
    }
# The moment of a fetch is the machine's, whatever day the pipeline stands on.
tables["freshness"] = pipeline.freshness().drop_columns(["fetched_at"]).to_pylist()
tables["coverage"] = pipeline.coverage().to_pylist()
print(json.dumps({n: hashlib.sha256(repr(r).encode()).hexdigest() for n, r in tables.items()}))
"""


def tables(folder: Path, url: str, zone: str, days: Sequence[date]) -> dict[str, str]:
    """Run the days in a process whose machine is in a zone; return a hash of every table."""
    since = (days[-1].replace(day=1) - timedelta(days=1)).replace(day=1)
    words = [str(folder), url, since.isoformat(), *(day.isoformat() for day in days)]
    # In a file of its own: DuckDB takes `python -c` for a person, to whom it shows its progress.
    program = folder.with_suffix(".py")
    program.write_text(PROGRAM, encoding="utf-8")
    answer = subprocess.run(
        [sys.executable, str(program), *words],
        env={**os.environ, "TZ": zone},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        return {"failure": answer.stderr[-500:]}
    hashes: dict[str, str] = json.loads(answer.stdout)
    return hashes


def compare(found: Campaign, what: str, expected: dict[str, str], got: dict[str, str]) -> None:
    """Count one run, and fail with the tables that differ."""
    found.reached += 1
    different = sorted({name for name, _ in expected.items() ^ got.items()})
    found.tally[f"{what}: tables compared"] += len(got)
    found.tally[f"{what}: tables that differ"] += len(different)
    if different or "failure" in got:
        found.fail(f"{what}: {different[:5]} {got.get('failure', '')}")


def work(found: Campaign) -> None:
    """Run the days in all zones, and then with the clock set back."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for number, (what, day) in enumerate(DAYS.items()):
            with start(Options(today=day, start=day - timedelta(days=120))) as sandbox:
                expected: dict[str, str] = {}
                for zone in ZONES:
                    if not found.goes_on:
                        return
                    folder = scratch / f"{number}-{zone.replace('/', '-')}"
                    got = tables(folder, sandbox.url, zone, [day])
                    expected = expected or got
                    compare(found, f"{what} {day}, machine in {zone}", expected, got)
                if not found.goes_on:
                    return
                back = [day, day - timedelta(days=9), day]
                got = tables(scratch / f"{number}-back", sandbox.url, "UTC", back)
                compare(found, f"{what} {day}, clock set back nine days between", expected, got)


if __name__ == "__main__":
    run_campaign("time", "runs", len(DAYS) * (len(ZONES) + 1), work)
