"""A publisher's fault never becomes a wrong row without a word. Rerun it with

    python -m liquidity_pipeline_tests.campaign_faults --seed 1 --keep FILE

Every source meets every fault of the sandbox, at 30 and at 70 % of the requests, on a fresh
directory and on one that holds an earlier day. After the sick run the tables must be those of a
healthy run, or what is missing must be named: by an error with publisher, address and problem, or
by a gap. Then one run meets a healthy publisher, and its tables must be equal to those of a
directory that was never sick.

Three faults cannot be seen in the answer: a first print that is corrected later, another unit on a
directory that knows no value to compare with, and an answer of the day before about what comes on
no fixed day, such as operations, or from two venues of a coin at once. They are counted by
themselves; the healthy run must correct the first and the third, and refuse or correct the second.
A line of the Daily Treasury Statement under a name that is not known is kept, and listed as such.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from itertools import product
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline.contracts.validation import ContractBreach
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.sandbox import faults
from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.server import Running, start
from liquidity_pipeline.settings import SANDBOX, Settings
from liquidity_pipeline.sources.errors import PublisherError
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.sources.registry import SOURCES, Source
from liquidity_pipeline_tests.campaign import Campaign, run_campaign
from liquidity_pipeline_tests.campaign_formats import memory

TODAY, SINCE, EARLIER = date(2026, 2, 6), date(2025, 11, 1), date(2026, 1, 20)
WINDOW = Window.of_months(SINCE, TODAY)
RATES, FRESH, FILLED = (0.3, 0.7), "fresh", "filled"
WORLD = Options(today=TODAY, start=SINCE, compress=False, slow_seconds=0.02, timeout_seconds=1)
Tables = dict[str, pa.Table]


@dataclass(frozen=True)
class Ended:
    """How a run of one source ended: its tables, and what it named."""

    tables: Tables
    errors: list[str]
    gaps: set[str]


@dataclass(frozen=True)
class Known:
    """One source: a directory of an earlier day, and how healthy runs end by kind of directory."""

    source: Source
    filled: Path
    good: dict[str, Ended]


def settings(folder: Path, url: str, *, sick: bool = False) -> Settings:
    """Return settings of a directory of the sandbox; a sick publisher is waited for briefly."""
    return Settings(
        data_dir=folder,
        endpoints=SANDBOX,
        sandbox_url=url,
        as_of=TODAY,
        http_retries=0,
        http_backoff=0.01,
        http_timeout=0.3 if sick else 60.0,
    )


def run(pipeline: Pipeline, source: Source, window: Window = WINDOW) -> Ended:
    """Do what an incremental run does for one source."""
    errors, gaps = [], set[str]()
    spans = pipeline.ranges_to_fetch(source, window) if source.partitioned else [window]
    for span in spans:
        try:
            gaps |= {*pipeline.ingest(source, span).gaps}
        except PublisherError as error:
            named = error.publisher and error.url and error.problem
            errors.append(str(error) if named else f"UNNAMED {error!r}")
        except ContractBreach as error:
            errors.append(str(error))
    gaps |= {*map(str, pipeline.missing(source, window))}
    return Ended({t.name: pipeline.lake.read(t) for t in source.tables}, errors, gaps)


def equal(one: Tables, other: Tables) -> bool:
    """Tell whether two sets of tables hold the same rows."""
    return all(one[name].equals(rows) for name, rows in other.items())


def are_listed(one: Tables, other: Tables) -> bool:
    """Tell whether lines only changed their name, to one that is marked as not known."""
    for name, rows in other.items():
        if one[name].equals(rows):
            continue
        if "is_known_line" not in rows.column_names or one[name].num_rows != rows.num_rows:
            return False
        expected = rows.to_pylist()
        added = [row for row in one[name].to_pylist() if row not in expected]
        if any(row["is_known_line"] for row in added):
            return False
    return True


def is_occasional(source: Source, one: Tables, other: Tables) -> bool:
    """Tell whether two sets of tables differ only in series that are due on no day."""
    for table in source.tables:
        if one[table.name].equals(other[table.name]):
            continue
        if not table.on_occasion:
            return False
        on_occasion = pa.array(list(table.on_occasion), pa.string())
        due, known = (
            rows.filter(pc.invert(pc.is_in(rows[str(table.entity)], value_set=on_occasion)))
            for rows in (one[table.name], other[table.name])
        )
        if not due.equals(known):
            return False
    return True


@contextmanager
def knowledge(scratch: Path, url: str) -> Iterator[list[Known]]:
    """Prepare, for every source, the earlier day and what healthy runs give."""
    known = []
    for source in SOURCES.values():
        folder = scratch / source.name
        early = replace(settings(folder / FILLED, url), as_of=EARLIER)
        Pipeline(early).ingest(source, Window.of_months(SINCE, EARLIER))
        good = {}
        for kind in (FRESH, FILLED):
            well = folder / f"well-{kind}"
            if kind == FILLED:
                shutil.copytree(folder / FILLED, well)
            good[kind] = run(Pipeline(settings(well, url)), source)
        known.append(Known(source, folder / FILLED, good))
    yield known


@dataclass(frozen=True)
class Trial:
    """One sick run: source, fault, share of requests, kind of directory, seed."""

    known: Known
    fault: str
    rate: float
    kind: str
    seed: int

    def __str__(self) -> str:
        """Name it in a few words."""
        return (
            f"{self.known.source.name}, {self.fault} at {self.rate:.0%}, {self.kind} directory, "
            f"seed {self.seed}"
        )

    @property
    def is_invisible(self) -> bool:
        """Tell whether nothing in the answer can give the fault away."""
        if self.fault == faults.LATE:
            tables = self.known.source.tables
            return self.known.source.name == "crypto_prices" or not any(t.releases for t in tables)
        return self.fault == "corrected_rows" or (
            self.fault == "changed_unit" and self.kind == FRESH
        )


def strike(
    campaign: Campaign, trial: Trial, folder: Path, *, healthy: Running, sick: Running
) -> None:
    """Run one trial and judge it."""
    source, good = trial.known.source, trial.known.good[trial.kind]
    if trial.kind == FILLED:
        shutil.copytree(trial.known.filled, folder)
    sick.sandbox.trouble(f"{trial.fault}:{trial.rate}", trial.seed)
    ended = run(Pipeline(settings(folder, sick.url, sick=True)), source)
    campaign.reached += 1
    unnamed = [error for error in ended.errors if error.startswith("UNNAMED")]
    if unnamed:
        campaign.fail(f"{trial}: {unnamed[0]}")
    if equal(ended.tables, good.tables):
        outcome = "tables as without a fault"
    elif ended.errors or ended.gaps - good.gaps:
        outcome = "named"
    elif are_listed(ended.tables, good.tables):
        outcome = "kept under a name that is listed as not known"
    elif trial.is_invisible or (
        trial.fault == faults.LATE and is_occasional(source, ended.tables, good.tables)
    ):
        outcome = "cannot be seen in the answer"
    else:
        outcome = "silent difference"
        campaign.fail(f"{trial}: the tables differ and nothing is named")
    campaign.tally[f"{trial.fault}: {outcome}"] += 1
    heal(campaign, trial, folder, healthy.url)


def heal(campaign: Campaign, trial: Trial, folder: Path, healthy: str) -> None:
    """Run once against the healthy publisher and compare."""
    source, good = trial.known.source, trial.known.good[trial.kind]
    ended = run(Pipeline(settings(folder, healthy)), source)
    if equal(ended.tables, good.tables):
        campaign.tally["healed by one healthy run"] += 1
        return
    refused = any("another power of ten" in error for error in ended.errors)
    if refused or trial.is_invisible or are_listed(ended.tables, good.tables):
        forced = Pipeline(settings(folder, healthy), takes_other_units=True)
        forced.ingest(source, WINDOW)
        if all(forced.lake.read(t).equals(good.tables[t.name]) for t in source.tables):
            why = "refused as another unit" if refused else "closed months are not asked again"
            campaign.tally[f"healed by `backfill --force`: {why}"] += 1
            return
    different = [name for name, rows in good.tables.items() if not ended.tables[name].equals(rows)]
    campaign.tally["not healed by one healthy run"] += 1
    campaign.fail(f"{trial}: not healed: {', '.join(different)}; {ended.errors[:1]}")


def trials(campaign: Campaign, known: list[Known], seed: int) -> list[Trial]:
    """Return the trials of one seed: everything once, in an order of its own."""
    made = [
        Trial(source, fault, rate, kind, seed)
        for source, fault, rate, kind in product(known, faults.NAMES, RATES, (FRESH, FILLED))
    ]
    campaign.dice(seed).shuffle(made)
    return made


def work(campaign: Campaign) -> None:
    """Strike every source with every fault, seed after seed, until the count or the time."""
    with (
        tempfile.TemporaryDirectory(dir=memory()) as name,
        start(WORLD) as healthy,
        start(WORLD) as sick,
    ):
        scratch = Path(name)
        with knowledge(scratch, healthy.url) as known:
            per_seed = len(trials(campaign, known, campaign.seed))
            for number in campaign.numbers():
                seed = campaign.seed + number // per_seed
                trial = trials(campaign, known, seed)[number % per_seed]
                strike(campaign, trial, scratch / "trial", healthy=healthy, sick=sick)
                shutil.rmtree(scratch / "trial", ignore_errors=True)
                campaign.tally["seeds completed"] = (number + 1) // per_seed


# Every source, every fault, two rates, two kinds of directory, twenty seeds.
COUNT = 20 * len(SOURCES) * len(faults.NAMES) * len(RATES) * 2

if __name__ == "__main__":
    run_campaign("faults", "sick runs", COUNT, work)
