"""What the campaigns share: a limit of time, a count of trials, and a section of the report.

A campaign is a list of trials in an order that its seed fixes. It does as many as its time allows
and says when that was fewer than it was asked for.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from liquidity_pipeline.scorecard import replace_section

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reliability.md"

_Item = TypeVar("_Item")


class Clock:
    """A limit on the time of a campaign; None is none."""

    def __init__(self, minutes: float | None) -> None:
        self.begun = time.monotonic()
        self.minutes = minutes
        self.was_cut = False

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.begun

    def in_time(self, items: Iterable[_Item]) -> Iterator[_Item]:
        """Yield the items until the time is up."""
        for item in items:
            if self.minutes is not None and self.seconds > self.minutes * 60:
                self.was_cut = True
                return
            yield item


@dataclass
class Tally:
    """What the trials found. `failures` must stay empty; `counts` are the rows of the table."""

    trials: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def fail(self, what: str) -> None:
        """Note a failure and show it at once."""
        self.failures.append(what)
        sys.stdout.write(f"FAILED {what}\n")
        sys.stdout.flush()


def commit() -> str:
    """Return the abbreviated commit of the checkout, marked where files were changed since."""
    asked = ["git", "describe", "--always", "--abbrev=7", "--dirty=, with changes", "--exclude=*"]
    answer = subprocess.run(asked, cwd=PAGE.parent, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "unknown"


def arguments(description: str | None, **defaults: int) -> argparse.ArgumentParser:
    """Return a parser with what all campaigns understand, and a whole number per default."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, value in defaults.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=value)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, help="begin no trial after so many minutes")
    parser.add_argument("--write", type=Path, help="page whose section is replaced")
    return parser


def close(section: str, found: Tally, clock: Clock, asked: argparse.Namespace) -> int:
    """Print the section of a campaign, write it where that was asked for; return the exit code."""
    words = " ".join(sys.argv[1:])
    module = Path(sys.argv[0]).stem
    lines = [
        f"`python -m liquidity_pipeline_tests.{module} {words}".rstrip() + "`, "
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit()}, seed {asked.seed}: "
        f"{found.trials:,} trials in {clock.seconds / 60:.1f} minutes, "
        f"{len(found.failures)} failures."
        + (" The limit of time ended it before its list did." if clock.was_cut else ""),
        "",
        "| what | count |",
        "| --- | ---: |",
        *(f"| {what} | {count:,} |" for what, count in sorted(found.counts.items())),
        *(["", "Failures:", ""] if found.failures else []),
        *(f"- {failure[:300]}" for failure in found.failures[:20]),
    ]
    text = "\n".join(lines)
    sys.stdout.write(f"{text}\n")
    if asked.write:
        page = replace_section(asked.write.read_text(encoding="utf-8"), section, text)
        asked.write.write_text(page, encoding="utf-8")
    return int(bool(found.failures))
