"""How the cost of rolling correlations and of whole runs grows: symbols, years, earlier fetches."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.process import run_sandbox_process
from liquidity_pipeline.statistics.rolling import Window
from liquidity_pipeline.storage.fetch_record import FetchRecord
from liquidity_pipeline_tests.benchmarks import rolling
from liquidity_pipeline_tests.benchmarks.measuring import cpu, liquidity, measured_on, python, table

TIMES = (1, 4, 16)
SYMBOLS, SESSIONS = 250, 1575
TODAY, YEARS = date(2026, 2, 6), 1
# Of each source: as many days, 16 times of which are ten years of business days.
FETCHES = 156


@dataclass(frozen=True)
class Usage:
    """CPU seconds and peak memory (MB) of a command and its children."""

    seconds: float
    peak: int


@dataclass(frozen=True)
class Life:
    """What runs over some years cost: the first, a later one, and one after many more fetches."""

    first_run: Usage
    nothing_new: Usage
    after_fetches: tuple[Usage, ...]


def section() -> str:
    """Return CPU seconds and memory at 1, 4 and 16 times the size, with exponents, as Markdown.

    An exponent of 1 is growth in proportion.
    """
    rolling.use_compiled_loops()
    seconds = {
        "rolling correlations, symbols": [_kernel(SYMBOLS * n, SESSIONS) for n in TIMES],
        "rolling correlations, sessions": [_kernel(SYMBOLS, SESSIONS * n) for n in TIMES],
    }
    lives = [_life(YEARS * n, fetches=TIMES if n == 1 else ()) for n in TIMES]
    runs = {
        "first run, years": [life.first_run for life in lives],
        "nothing new, years": [life.nothing_new for life in lives],
        "nothing new, earlier fetches": lives[0].after_fetches,
    }
    seconds |= {what: [cost.seconds for cost in costs] for what, costs in runs.items()}
    seconds["empty job of as many months"] = [_empty_job(YEARS * n) for n in TIMES]
    rows = [
        [what, *(f"{taken:.2f}" for taken in costs), f"{_exponent(costs):.2f}"]
        for what, costs in seconds.items()
    ]
    first_run, empty = seconds["first run, years"], seconds["empty job of as many months"]
    ratios = (f"{ours / others:.2f}" for ours, others in zip(first_run, empty, strict=True))
    rows.append(["first run, times its empty job", *ratios, ""])
    for what, costs in runs.items():
        peaks = [cost.peak for cost in costs]
        rows.append([f"{what}: peak memory (MB)", *peaks, f"{_exponent(peaks):.2f}"])
    header = ["CPU s", *(f"{n} x" for n in TIMES), "exponent"]
    return (
        f"{measured_on()} Once is {SYMBOLS} symbols, {SESSIONS:,} sessions, 4 windows and 6 "
        f"drivers, a year of every source, or {FETCHES} earlier fetches of each.\n\n"
        f"{table(header, rows)}"
    )


def _exponent(costs: Sequence[float]) -> float:
    """Return the exponent of growth from the least to the greatest size."""
    return math.log(costs[-1] / costs[0]) / math.log(TIMES[-1] / TIMES[0])


def _kernel(symbols: int, sessions: int) -> float:
    x, y = rolling.data(symbols, sessions)
    start = time.process_time()
    for length in rolling.LENGTHS:
        rolling.own(x, y, Window(length, length * 9 // 10))
    return time.process_time() - start


def _life(years: int, fetches: Sequence[int]) -> Life:
    """Return what runs over some years cost, and what they cost after so many times the fetches."""
    first = date(TODAY.year - years, TODAY.month, 1)
    options = Options(today=TODAY, start=first, compress=False)
    with run_sandbox_process(options) as url, tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        words = ["run", "--since", f"{first:%Y-%m}", "--as-of", f"{TODAY}"]
        words += ["--endpoints", url, "--data-dir", str(data)]
        first_run = _measured(*words)
        _measured(*words)  # a hole is believed when two answers agree on it
        nothing_new = _measured(*words)
        later: list[Usage] = []
        for before, times in pairwise((0, *fetches)):
            days = range(FETCHES * before + 1, FETCHES * times + 1)
            _repeat_the_last_fetches(data / "archive" / "fetches", days)
            _measured(*words)
            later.append(_measured(*words))
    return Life(first_run, nothing_new, tuple(later))


def _empty_job(years: int) -> float:
    """Return CPU seconds of Dagster's own part of a first run over some years."""
    first, last = f"{TODAY.year - years}-{TODAY:%m}", f"{TODAY:%Y-%m}"
    with tempfile.TemporaryDirectory() as folder:
        job = "liquidity_pipeline_tests.benchmarks.empty_job"
        return cpu([sys.executable, "-m", job, folder, first, last], may_end_with=[0])


def _repeat_the_last_fetches(folder: Path, days: Iterable[int]) -> None:
    """Let each source look as if its last fetch had been made so many days earlier, too."""
    for source in folder.iterdir():
        last = FetchRecord.load(max(source.glob("*.json")))
        for ago in days:
            then = last.kept_at - timedelta(days=ago)
            copied = replace(last, kept_at=then).to_json()
            (source / f"{then:%Y%m%dT%H%M%S%f}-{ago:08x}.json").write_text(copied)


# A process counts as its own the memory of the one that it was forked from: a small one starts it.
_WITNESS = """
import json, resource, subprocess, sys

done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([done.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024]))
"""


def _measured(*words: str) -> Usage:
    """Return what a command uses."""
    command = python(_WITNESS, *liquidity(*words))
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    code, seconds, peak = json.loads(told)
    if code not in (0, 1):
        raise subprocess.CalledProcessError(code, words)
    return Usage(seconds, peak)
