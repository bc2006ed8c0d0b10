"""Every input away in turn, on the sandbox and on the recorded history: does any value change?

    python -m liquidity_pipeline_tests.campaign_outages [--sources-only] [--world sandbox|replay]
        [--source NAME] [--ends DAYS ...] [--data-dir DIR --as-of YYYY-MM-DD] [--keep DIR]
        [--write docs/reliability.md]

Each source, and each series, symbol, kind and part of it, is taken away as if it had never been
served, had ended three months ago, and had ended yesterday; some pairs too. Prints, per outage, how
many values were compared, how many rows are absent, and how many values differ: none should, but
where a lake was never served what makes a value more exact (`COARSER`). `--write` replaces the
section "outages: WORLD" of a page by the counts, after each outage. The whole takes an hour or
more: with `--keep` the good day and each outage that was tried stay in a folder, and a campaign
that was stopped goes on where it ended, as long as the code is the same.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.scorecard import replace_section
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.sources.registry import SOURCES
from liquidity_pipeline_tests.conftest import REPLAY
from liquidity_pipeline_tests.filling import fill as fetch_all
from liquidity_pipeline_tests.models.outages import Outage, Publication, entities

SANDBOX_TODAY, SANDBOX_START = date(2026, 11, 24), date(2023, 1, 1)
# Eight years hold every source that is served; the whole history takes three times as long.
REPLAY_TODAY, REPLAY_START = date(2026, 8, 21), date(2018, 1, 1)
PAIRS = (
    (("fed_operations", ""), ("repo_operations", "")),
    (("tga_balance", ""), ("fed_balance_sheet", "")),
    (("debt_settlements", ""), ("upcoming_settlements", "")),
    (("index_prices", ""), ("crypto_prices", "")),
    # Treasury's buybacks as a whole: a lake that was never served any.
    (("buybacks", ""), ("debt_settlements", "buybacks")),
)
# A lake that was never served the Fed's holdings by security takes Treasury's estimate; each row
# says so in `soma_basis`.
COARSER = frozenset({"soma_securities"})
# How many days before the last an input ends: three months, and one.
ENDS = (91, 1)
COMMIT = subprocess.run(
    ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=True
).stdout.strip()


@dataclass(frozen=True)
class Trial:
    """What one outage changed: values compared, rows absent, values that differ."""

    outage: Outage
    values: int
    absent: int
    differ: int

    @property
    def is_coarser(self) -> bool:
        """The lake never had what makes the values more exact."""
        names = {source for source, _ in self.outage.gone}
        return self.outage.after is None and names <= COARSER

    @property
    def numbers(self) -> tuple[int, int, int]:
        """The counts, as they are kept."""
        return self.values, self.absent, self.differ

    @property
    def counts(self) -> str:
        """Say it in one line."""
        return f"{self.values:,} compared, {self.absent:,} rows absent, {self.differ:,} differ"


@contextmanager
def sandbox(folder: Path) -> Iterator[Settings]:
    """Give the settings of a filled data directory of the sandbox."""
    from liquidity_pipeline.sandbox.options import Options
    from liquidity_pipeline.sandbox.server import start

    options = Options(today=SANDBOX_TODAY, start=SANDBOX_START, compress=False)
    with start(options) as running:
        yield fill(folder, running.url, SANDBOX_START, SANDBOX_TODAY)


@contextmanager
def replay(folder: Path) -> Iterator[Settings]:
    """Give the settings of a data directory filled from the recorded history."""
    command = [sys.executable, str(REPLAY), "--port", "0", "--today", str(REPLAY_TODAY)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            yield fill(folder, url, REPLAY_START, REPLAY_TODAY)
        finally:
            process.kill()


World = Callable[[Path], AbstractContextManager[Settings]]
WORLDS: dict[str, World] = {"sandbox": sandbox, "replay": replay}
START = {"sandbox": SANDBOX_START, "replay": REPLAY_START}


def fill(folder: Path, url: str, first: date, today: date) -> Settings:
    """Fetch every source from a month on into a data directory, unless it was filled before."""
    settings = Settings(data_dir=folder, endpoints=url, as_of=today)
    filled_before = folder / "filled"
    if filled_before.exists():
        return settings
    fetch_all(Pipeline(settings), Window.of_months(first, today))
    filled_before.touch()
    return settings


def outages(settings: Settings, arguments: argparse.Namespace) -> Iterator[Outage]:
    """Yield the outages to try: whole sources and pairs of them before their parts."""
    days = (*(settings.today - timedelta(days=back) for back in arguments.ends), None)
    parts = entities(settings)
    gone: list[tuple[tuple[str, str], ...]] = [((name, ""),) for name in parts]
    gone += PAIRS
    if not arguments.sources_only:
        gone += [((name, part),) for name, names in parts.items() for part in names]
    for inputs in gone:
        if arguments.source is None or arguments.source in {name for name, _ in inputs}:
            yield from (Outage(inputs, after) for after in days)


def measure(
    settings: Settings, world: str, folder: Path, arguments: argparse.Namespace
) -> list[Trial]:
    """Try every outage on a good day, print what was compared, and return it.

    What was tried before with the same code is read from the folder.
    """
    log, good, trials = folder / "trials.jsonl", Publication(settings, folder), list[Trial]()
    tried, planned = read_trials(log), list(outages(settings, arguments))
    for outage in planned:
        trial = tried.get(str(outage))
        if trial is None:
            found = good.under(outage)
            trial = Trial(outage, found.values, found.absent, sum(found.wrong.values()))
            with log.open("a", encoding="utf-8") as file:
                file.write(json.dumps([COMMIT, str(outage), *trial.numbers]) + "\n")
            say(f"{outage}: {trial.counts}")
            for example in found.examples[:5]:
                say(f"    {example}")
        trials.append(replace(trial, outage=outage))
        if arguments.write:
            write(arguments.write, world, section(settings, world, trials, len(planned)))
    say(total(trials))
    return trials


def read_trials(log: Path) -> dict[str, Trial]:
    """Return what was tried with this code, by the outage's name."""
    if not log.exists() or COMMIT.endswith("-dirty"):
        return {}
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return {
        name: Trial(Outage((), None), *numbers)
        for commit, name, *numbers in rows
        if commit == COMMIT
    }


def total(trials: Sequence[Trial]) -> str:
    """Say how many values were compared and differ, those on a coarser basis apart."""
    differ = sum(trial.differ for trial in trials if not trial.is_coarser)
    coarser = sum(trial.differ for trial in trials if trial.is_coarser)
    compared = sum(trial.values for trial in trials)
    text = f"{len(trials)} outages, {compared:,} values compared, {differ:,} differ"
    return f"{text}; {coarser:,} more rest on a coarser basis" if coarser else text


def section(settings: Settings, world: str, trials: Sequence[Trial], planned: int) -> str:
    """Return the counts as Markdown; of a campaign that was stopped, how far it came."""
    part = "" if len(trials) == planned else f"Stopped after {len(trials)} of {planned}: "
    lines = [
        f"Day {settings.today}, records from {START[world]:%Y-%m} on, commit {COMMIT}, "
        f"measured on {datetime.now(UTC).date()} by "
        "`python -m liquidity_pipeline_tests.campaign_outages`; edit nothing here by hand.",
        "",
        f"{part}{total(trials)}.",
        "",
        "| Input away | Values compared | Rows absent | Values that differ |",
        "|---|---:|---:|---:|",
        *(
            f"| {t.outage} | {t.values:,} | {t.absent:,} | "
            f"{t.differ:,}{' (coarser basis)' * t.is_coarser} |"
            for t in trials
        ),
    ]
    return "\n".join(lines)


def write(page: Path, world: str, text: str) -> None:
    """Replace the section of a world in a page."""
    old = page.read_text(encoding="utf-8")
    page.write_text(replace_section(old, f"outages: {world}", text), encoding="utf-8")


def say(line: str) -> None:
    """Print a line at once: the whole takes long."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the campaign; exit code 1 when a value differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sources-only", action="store_true", help="whole sources, no parts")
    parser.add_argument("--ends", type=int, nargs="+", default=ENDS, help="days before the last")
    parser.add_argument("--source", choices=sorted(SOURCES), help="only this source")
    parser.add_argument("--world", choices=sorted(WORLDS), help="only this world")
    parser.add_argument("--data-dir", type=Path, help="a filled data directory instead")
    parser.add_argument("--keep", type=Path, help="folder that keeps what was done, to go on later")
    parser.add_argument("--write", type=Path, help="page whose sections are replaced")
    parser.add_argument("--as-of", type=date.fromisoformat, help="its day")
    arguments = parser.parse_args(argv)
    wrong = 0
    kept = nullcontext(arguments.keep) if arguments.keep else tempfile.TemporaryDirectory()
    with kept as scratch:
        for name, world in worlds(arguments).items():
            say(f"--- {name}, commit {COMMIT}")
            with world(Path(scratch) / name) as settings:
                trials = measure(settings, name, Path(scratch) / f"{name}-work", arguments)
                wrong += sum(trial.differ for trial in trials if not trial.is_coarser)
    return min(1, wrong)


def worlds(arguments: argparse.Namespace) -> dict[str, World]:
    """Return the worlds to try: those asked for, or a filled data directory in place of one."""
    if arguments.data_dir:
        settings = Settings(data_dir=arguments.data_dir, as_of=arguments.as_of)
        return {arguments.world or "sandbox": lambda _: nullcontext(settings)}
    held = [name for name in WORLDS if name != "replay" or REPLAY.exists()]
    if arguments.world is not None and arguments.world not in held:
        raise SystemExit(f"the recorded history is not here: {REPLAY} does not exist")
    return {name: WORLDS[name] for name in held if arguments.world in (None, name)}


if __name__ == "__main__":
    sys.exit(main())
