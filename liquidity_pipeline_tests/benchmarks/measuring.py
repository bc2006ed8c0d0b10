"""CPU of processes that take turns, and tables of what was measured."""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

Command = Sequence[str]
_PACKAGES = ("dagster", "duckdb", "pyarrow", "pandas", "polars", "numbagg", "numpy")


@dataclass(frozen=True)
class Costs:
    """The CPU seconds of one command, one per round."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.seconds)

    def __str__(self) -> str:
        """Return the median with the least and the greatest."""
        return f"{self.median:.2f} ({min(self.seconds):.2f} … {max(self.seconds):.2f})"


def python(code: str, *arguments: str) -> Command:
    """Return the command that runs code in a new interpreter."""
    return [sys.executable, "-c", code, *arguments]


def liquidity(*words: str) -> Command:
    """Return the `liquidity` command in a new interpreter."""
    return python("from liquidity_pipeline.cli.main import main; main()", *words)


def take_turns(commands: Mapping[str, Command], rounds: int) -> dict[str, Costs]:
    """Run every command once to warm its caches, then all of them in turn, `rounds` times."""
    for command in commands.values():
        cpu(command)
    found: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            found[name].append(cpu(command))
    return {name: Costs(tuple(seconds)) for name, seconds in found.items()}


def cpu(command: Command, *, may_end_with: Collection[int] = (0, 1)) -> float:
    """Return the CPU seconds of a command, with those of its children.

    Compiled modules are kept, as they are in an installation. Raises CalledProcessError for a
    command that ends otherwise than it may. A run that ends with 1 says that data are missing.
    """
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in may_end_with:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table; all columns but the first are numbers."""
    lines = [
        list(header),
        ["---", *["---:"] * (len(header) - 1)],
        *(list(map(str, r)) for r in rows),
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def measured_on() -> str:
    """Return one line on the machine, its load, and the versions that were measured."""
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    load = os.getloadavg()[0]
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC on {os.cpu_count()} cores "
        f"({platform.machine()}, {platform.system()}) at a load of {load:.0f}, "
        f"Python {platform.python_version()}, {versions}."
    )
