"""What the campaigns share: a seed, a count to reach, a wall limit, and a section of a page.

A campaign counts what it tried and collects failures in plain words. It ends with 1 when anything
failed or when the count that was asked for was not reached, so that a nightly run tells of both.
One that takes hours may be stopped: with `--keep FILE` it goes on where it ended.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.scorecard import replace_section
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline_tests.filling import build, fill

SHOWN_FAILURES = 20


@dataclass
class Campaign:
    """One run of a campaign: what was asked for, and what was found.

    `reached` counts what `unit` names; `tally` counts outcomes; `notes` are lines for the page.
    `trials` counts what was tried, whether or not it counted; `commits` are those it ran on.
    """

    name: str
    unit: str
    asked: int
    seed: int
    seconds: float
    began: float = field(default_factory=time.monotonic)
    reached: int = 0
    tally: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    trials: int = 0
    commits: list[str] = field(default_factory=list)
    earlier_seconds: float = 0.0
    keep: Path | None = None

    def begin(self) -> None:
        """Take over what an earlier part of this campaign has kept, and note the commit."""
        if self.keep and self.keep.exists():
            kept = json.loads(self.keep.read_text(encoding="utf-8"))
            self.reached, self.trials = kept["reached"], kept["trials"]
            self.tally, self.failures = Counter(kept["tally"]), kept["failures"]
            self.commits, self.earlier_seconds = kept["commits"], kept["seconds"]
        self.commits = list(dict.fromkeys([*self.commits, commit()]))

    def numbers(self) -> Iterator[int]:
        """Number the trials that are still to do, until the count or the time; keep each."""
        while self.goes_on:
            yield self.trials
            self.trials += 1
            self._save()

    def _save(self) -> None:
        if self.keep:
            state = {
                "reached": self.reached,
                "trials": self.trials,
                "tally": self.tally,
                "failures": self.failures,
                "commits": self.commits,
                "seconds": self.taken,
            }
            self.keep.write_text(json.dumps(state, indent=1), encoding="utf-8")

    @property
    def taken(self) -> float:
        """Seconds that all parts of the campaign took."""
        return self.earlier_seconds + time.monotonic() - self.began

    @property
    def is_time_over(self) -> bool:
        """Tell whether the wall limit is reached."""
        return time.monotonic() - self.began > self.seconds

    @property
    def goes_on(self) -> bool:
        """Tell whether more is asked for and there is time for it."""
        return self.reached < self.asked and not self.is_time_over

    def dice(self, *names: object) -> random.Random:
        """Return a generator that depends on the seed and the names alone."""
        return random.Random(f"{self.seed} {names}")  # noqa: S311 - repeatable, no secret

    def fail(self, text: str) -> None:
        """Note a failure, and show it at once."""
        self.failures.append(" ".join(text.split())[:600])
        print(f"FAILED {self.failures[-1]}", flush=True)  # noqa: T201

    def report(self) -> str:
        """Return the section of the page as Markdown."""
        verdict = "reached" if self.reached >= self.asked else "**stopped before the count asked**"
        lines = [
            f"`python -m liquidity_pipeline_tests.campaign_{self.name} --count {self.asked} "
            f"--seed {self.seed}`, {datetime.now(UTC):%Y-%m-%d}, "
            f"commit{'s' * (len(self.commits) > 1)} {', '.join(self.commits)}, "
            f"{self.taken:,.0f} seconds: {self.reached:,} of {self.asked:,} "
            f"{self.unit} ({verdict}), {len(self.failures)} failures.",
            "",
            "| outcome | times |",
            "| --- | ---: |",
            *(f"| {what} | {times:,} |" for what, times in sorted(self.tally.items())),
        ]
        if self.notes:
            lines += ["", *self.notes]
        if self.failures:
            lines += ["", "Failures (the first twenty):", ""]
            lines += [f"- {failure}" for failure in self.failures[:SHOWN_FAILURES]]
        return "\n".join(lines)


def commit() -> str:
    """Return the short name of the commit, marked where files differ from it."""
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def run_campaign(name: str, unit: str, count: int, work: Callable[[Campaign], None]) -> None:
    """Read the options, run `work`, print and write what it found; end with 1 on any failure."""
    parser = argparse.ArgumentParser(description=work.__doc__)
    parser.add_argument("--count", type=int, default=count, help=f"how many {unit}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=600, help="wall limit")
    parser.add_argument("--write", type=Path, help="page whose section is replaced")
    parser.add_argument("--keep", type=Path, help="file in which the campaign is continued")
    options = parser.parse_args()
    campaign = Campaign(name, unit, options.count, options.seed, options.minutes * 60)
    campaign.keep = options.keep
    campaign.begin()
    work(campaign)
    section = campaign.report()
    if options.write:
        page = options.write.read_text(encoding="utf-8")
        options.write.write_text(replace_section(page, name, section), encoding="utf-8")
    print(section)  # noqa: T201
    sys.exit(bool(campaign.failures) or campaign.reached < campaign.asked)


def filled(folder: Path, url: str, as_of: date, since: date) -> Pipeline:
    """Return a pipeline on a directory into which every source was fetched, with all marts."""
    pipeline = Pipeline(Settings(data_dir=folder, endpoints=url, as_of=as_of))
    return build(fill(pipeline, Window.of_months(since, as_of)))
