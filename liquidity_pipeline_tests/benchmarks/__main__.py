"""Measure, and write what was measured into docs/performance.md.

    python -m liquidity_pipeline_tests.benchmarks [section ...] [--data-dir DIR]

Without names all sections are measured, which takes ten minutes on two idle cores. The
data directory must be published; without one, a sandbox's three years are made first.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from liquidity_pipeline.scorecard import replace_section
from liquidity_pipeline_tests.benchmarks import commands, growth, jobs, reads, rolling
from liquidity_pipeline_tests.benchmarks.measuring import liquidity

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
ON_DATA: dict[str, Callable[[Path], str]] = {"commands": commands.section, "reads": reads.section}
ALONE: dict[str, Callable[[argparse.Namespace], str]] = {
    "jobs": lambda chosen: jobs.section(chosen.rounds, chosen.io_python),
    "rolling": lambda chosen: rolling.section(chosen.symbols, chosen.sessions),
    "growth": lambda _: growth.section(),
}


def main() -> None:
    """Measure the sections that are named, and write each as soon as it is there."""
    names = [*ON_DATA, *ALONE]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", help=", ".join(names))
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--rounds", type=int, default=2, help="of the jobs")
    parser.add_argument("--io-python", type=Path, help="interpreter with dagster-duckdb-pandas")
    parser.add_argument("--symbols", type=int, default=1000)
    parser.add_argument("--sessions", type=int, default=6300)
    chosen = parser.parse_args()
    if unknown := set(chosen.sections) - set(names):
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen.sections or names:
            if name in ALONE:
                write(name, ALONE[name](chosen))
                continue
            if chosen.data_dir is None:
                chosen.data_dir = Path(folder) / "data"
                make = liquidity("run", "--sandbox", "--data-dir", str(chosen.data_dir))
                subprocess.run(make, check=True)
            write(name, ON_DATA[name](chosen.data_dir))


def write(name: str, section: str) -> None:
    """Replace a section of the page."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(replace_section(text, name, section), encoding="utf-8")
    print(f"{name}\n\n{section}\n")  # noqa: T201


if __name__ == "__main__":
    main()
