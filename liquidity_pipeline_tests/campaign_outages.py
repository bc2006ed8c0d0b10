"""Every input away in turn, on the sandbox and on the recorded history: does any value change?

    python -m liquidity_pipeline_tests.campaign_outages [--sources-only] [--world sandbox|replay]
        [--source NAME] [--data-dir DIR --as-of YYYY-MM-DD]

Each source, and each series, symbol, kind and part of it, is taken away as if it had never been
served, had ended three months ago, and had ended yesterday; some pairs too. Prints, per outage, how
many values were compared, how many rows are absent, and how many values differ: none should.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import FIRST_MONTH, Settings
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.sources.registry import SOURCES
from liquidity_pipeline_tests.conftest import REPLAY
from liquidity_pipeline_tests.models.outages import Outage, Publication, entities

SANDBOX_TODAY, SANDBOX_START = date(2026, 11, 24), date(2023, 1, 1)
REPLAY_TODAY = date(2026, 8, 21)
PAIRS = (
    (("fed_operations", ""), ("repo_operations", "")),
    (("tga_balance", ""), ("fed_balance_sheet", "")),
    (("debt_settlements", ""), ("upcoming_settlements", "")),
    (("index_prices", ""), ("crypto_prices", "")),
)


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
            yield fill(folder, url, FIRST_MONTH, REPLAY_TODAY)
        finally:
            process.kill()


WORLDS = {"sandbox": sandbox, "replay": replay}


def fill(folder: Path, url: str, first: date, today: date) -> Settings:
    """Fetch every source from a month on into a new data directory."""
    settings = Settings(data_dir=folder, endpoints=url, as_of=today)
    filled = Pipeline(settings)
    for source in SOURCES.values():
        filled.ingest(source, Window.of_months(first, today))
    filled.read_policy_events()
    return settings


def outages(settings: Settings, *, sources_only: bool, source: str | None) -> Iterator[Outage]:
    """Yield the outages to try, source by source."""
    days = (None, settings.today - timedelta(days=91), settings.today - timedelta(days=1))
    gone: list[tuple[tuple[str, str], ...]] = []
    for name, parts in entities(settings).items():
        gone += [((name, part),) for part in ("", *([] if sources_only else parts))]
    gone += PAIRS
    for inputs in gone:
        if source is None or source in {name for name, _ in inputs}:
            yield from (Outage(inputs, after) for after in days)


def measure(settings: Settings, folder: Path, arguments: argparse.Namespace) -> int:
    """Try every outage on a good day, print what was compared, return how many values differ."""
    good = Publication(settings, folder)
    values = wrong = 0
    for outage in outages(settings, sources_only=arguments.sources_only, source=arguments.source):
        found = good.under(outage)
        differ = sum(found.wrong.values())
        values, wrong = values + found.values, wrong + differ
        say(f"{outage}: {found.values:,} compared, {found.absent:,} rows absent, {differ:,} differ")
        for example in found.examples[:5]:
            say(f"    {example}")
    say(f"{values:,} values compared, {wrong:,} differ")
    return wrong


def say(line: str) -> None:
    """Print a line at once: the whole takes long."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the campaign; exit code 1 when a value differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sources-only", action="store_true", help="whole sources, no parts")
    parser.add_argument("--source", choices=sorted(SOURCES), help="only this source")
    parser.add_argument("--world", choices=sorted(WORLDS), help="only this world")
    parser.add_argument("--data-dir", type=Path, help="a filled data directory instead")
    parser.add_argument("--as-of", type=date.fromisoformat, help="its day")
    arguments = parser.parse_args(argv)
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        if arguments.data_dir:
            settings = Settings(data_dir=arguments.data_dir, as_of=arguments.as_of)
            return min(1, measure(settings, Path(scratch) / "work", arguments))
        for name, world in WORLDS.items():
            if arguments.world not in (None, name) or (name == "replay" and not REPLAY.exists()):
                continue
            say(f"--- {name}")
            with world(Path(scratch) / name) as settings:
                wrong += measure(settings, Path(scratch) / f"{name}-work", arguments)
    return min(1, wrong)


if __name__ == "__main__":
    sys.exit(main())
