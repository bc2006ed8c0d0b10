"""The faults of the recorded history's server: what they leave is right or named, and heals.

The sandbox's own faults are in `campaign_faults`. Here every source meets every fault of a server
that knows nothing of this project, on a fresh directory and on one that holds an earlier day.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.errors import PublisherError
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.sources.registry import SOURCES, Source
from liquidity_pipeline_tests.campaign_faults import (
    FILLED,
    FRESH,
    RATES,
    Ended,
    are_listed,
    equal,
    is_occasional,
    run,
)
from liquidity_pipeline_tests.conftest import RECORDED_TODAY, REPLAY

SINCE, EARLIER = date(2026, 6, 1), date(2026, 8, 5)
WINDOW = Window.of_months(SINCE, RECORDED_TODAY)
pytestmark = [pytest.mark.replay, pytest.mark.slow]

FAULTS = (
    "429", "500", "503", "timeout", "reset", "html200", "truncate", "duplicate_page", "slow",
    "nulls",
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A port at which healthy and sick servers follow each other, and a folder for directories.

    A directory keeps to one address, so that all of them must answer at the same.
    """

    port: int
    folder: Path

    @contextmanager
    def serving(self, faults: str = "", seed: int = 0) -> Iterator[None]:
        """Serve the recorded history while the block lasts."""
        words = ["--port", f"{self.port}", "--today", f"{RECORDED_TODAY}", "--faults", faults]
        words += ["--seed", f"{seed}", "--timeout-seconds", "1", "--slow-seconds", "0.02"]
        command = [sys.executable, str(REPLAY), *words]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            yield
            process.kill()

    def pipeline(self, folder: Path, *, sick: bool = False) -> Pipeline:
        """Return a pipeline on a directory; a sick publisher is waited for briefly."""
        return Pipeline(
            Settings(
                data_dir=folder,
                endpoints=f"http://127.0.0.1:{self.port}",
                as_of=RECORDED_TODAY,
                http_retries=0,
                http_backoff=0.01,
                http_timeout=0.5 if sick else 60.0,
            )
        )


@dataclass(frozen=True)
class Good:
    """A place, and by kind of directory and source how a healthy run ends there."""

    place: Place
    ended: dict[str, dict[str, Ended]]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Good:
    """Give what healthy runs leave, on fresh directories and on those of an earlier day."""
    if not REPLAY.exists():
        pytest.skip("the recorded history is not beside this checkout (../shared/replay)")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
    place = Place(port, tmp_path_factory.mktemp("recorded_faults"))
    ended: dict[str, dict[str, Ended]] = {FRESH: {}, FILLED: {}}
    with place.serving():
        for source in SOURCES.values():
            fill(place, source)
            for kind, found in ended.items():
                folder = directory(place, source, kind, "well")
                found[source.name] = run(place.pipeline(folder), source, WINDOW)
    return Good(place, ended)


def fill(place: Place, source: Source) -> None:
    """Make a directory that holds an earlier day of a source, as far as that is served."""
    folder = place.folder / FILLED / source.name
    early = Pipeline(replace(place.pipeline(folder).settings, as_of=EARLIER))
    try:
        early.ingest(source, Window.of_months(SINCE, EARLIER))
    except PublisherError:
        folder.mkdir(parents=True, exist_ok=True)


def directory(place: Place, source: Source, kind: str, name: str) -> Path:
    """Return a new directory of a kind."""
    folder = place.folder / name / kind / source.name
    shutil.rmtree(folder, ignore_errors=True)
    if kind == FILLED:
        shutil.copytree(place.folder / FILLED / source.name, folder)
    return folder


def outcome(source: Source, sick: Ended, well: Ended) -> str:
    """Say how a sick run ended beside a healthy one."""
    if any(error.startswith("UNNAMED") for error in sick.errors):
        return "error without a name"
    if equal(sick.tables, well.tables):
        return "as without a fault"
    if sick.errors or sick.gaps - well.gaps:
        return "named"
    if are_listed(sick.tables, well.tables) or is_occasional(source, sick.tables, well.tables):
        return "listed, or due on no day"
    return "silent difference"


def strike(good: Good, fault: str, rate: float, seed: int) -> list[str]:
    """Run every source against a fault, then once without it; return what did not hold."""
    trials = [(source, kind) for kind in (FRESH, FILLED) for source in SOURCES.values()]
    folders = [directory(good.place, source, kind, "sick") for source, kind in trials]
    problems = []
    with good.place.serving(f"{fault}:{rate}", seed):
        for (source, kind), folder in zip(trials, folders, strict=True):
            ended = run(good.place.pipeline(folder, sick=True), source, WINDOW)
            found = outcome(source, ended, good.ended[kind][source.name])
            if found in ("silent difference", "error without a name"):
                problems.append(f"{source.name}, {kind} directory: {found} {ended.errors[:1]}")
    with good.place.serving():
        for (source, kind), folder in zip(trials, folders, strict=True):
            ended = run(good.place.pipeline(folder), source, WINDOW)
            well = good.ended[kind][source.name]
            if not equal(ended.tables, well.tables):
                different = [
                    n for n, rows in well.tables.items() if not ended.tables[n].equals(rows)
                ]
                problems.append(f"{source.name}, {kind} directory: not healed: {different}")
    return problems


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.campaign
def test_a_fault_is_named_or_harmless_and_one_healthy_run_heals(
    good: Good, fault: str, rate: float, seed: int
) -> None:
    assert strike(good, fault, rate, seed) == []


def test_blank_cells_are_named_or_harmless_and_one_healthy_run_heals(good: Good) -> None:
    """The short form: the only fault that the sandbox does not have."""
    assert strike(good, "nulls", RATES[0], seed=3) == []
