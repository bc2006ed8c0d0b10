"""CPU of the commands that people wait for, and of loading the code location."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from liquidity_pipeline.ingestion import status_note
from liquidity_pipeline.settings import Settings
from liquidity_pipeline_tests.benchmarks.measuring import (
    Command,
    liquidity,
    measured_on,
    python,
    table,
    take_turns,
)

ROUNDS = 3
DAGSTER, LOCATION = "import dagster", "import liquidity_pipeline.definitions"
BARS = {
    "liquidity --help": "0.25 s",
    "liquidity query": "0.6 s",
    "liquidity status": "1.0 s",
    LOCATION: "1.3 times",
}


def section(data_dir: Path) -> str:
    """Measure on a data directory that this code has published; return the section as Markdown."""
    settings = Settings(data_dir.absolute())
    if status_note.freshness(settings) is None:
        raise SystemExit(f"{data_dir} was not published by this code: `liquidity run` does that")
    # As of another month the note of the publication does not count.
    earlier = f"LIQUIDITY_AS_OF={settings.today.replace(day=1) - timedelta(days=1)}"
    place = ["--data-dir", str(data_dir)]
    commands: dict[str, Command] = {
        "liquidity --help": liquidity("--help"),
        "liquidity query": liquidity("query", *place, "select 1"),
        "liquidity status": liquidity("status", *place),
        "liquidity status, worked out": ["env", earlier, *liquidity("status", *place)],
        "an empty interpreter": python("pass"),
        DAGSTER: python(DAGSTER),
        LOCATION: python(LOCATION),
    }
    costs = take_turns(commands, ROUNDS)
    dagster = costs[DAGSTER].median
    rows = [
        [f"`{name}`", cost, f"{cost.median / dagster:.2f}", BARS.get(name, "")]
        for name, cost in costs.items()
    ]
    header = ["command", "CPU s (least … most)", "times `import dagster`", "at most"]
    return f"{measured_on()} Medians of {ROUNDS} rounds.\n\n{table(header, rows)}"
