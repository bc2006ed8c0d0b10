"""CPU of the commands that people wait for, and of loading the code location."""

from __future__ import annotations

from pathlib import Path

from liquidity_pipeline_tests.benchmarks.measuring import (
    Command,
    liquidity,
    measured_on,
    python,
    table,
    take_turns,
)

ROUNDS = 5
BARS = {"liquidity --help": 0.25, "liquidity query": 0.6, "liquidity status": 1.0}
DAGSTER, LOCATION = "import dagster", "import liquidity_pipeline.definitions"


def section(data_dir: Path) -> str:
    """Measure on a published data directory; return the section as Markdown."""
    place = ["--data-dir", str(data_dir)]
    commands: dict[str, Command] = {
        "liquidity --help": liquidity("--help"),
        "liquidity query": liquidity("query", *place, "select 1"),
        "liquidity status": liquidity("status", *place),
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
    header = ["command", "CPU s (least … most)", "times `import dagster`", "at most (s)"]
    return f"{measured_on()} Medians of {ROUNDS} rounds.\n\n{table(header, rows)}"
