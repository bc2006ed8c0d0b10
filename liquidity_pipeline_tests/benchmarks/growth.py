"""How the cost of rolling correlations and of whole runs grows: symbols, years, earlier fetches."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
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


def section() -> str:
    """Return CPU seconds and memory at 1, 4 and 16 times the size, with exponents, as Markdown.

    An exponent of 1 is growth in proportion.
    """
    seconds = {
        "rolling correlations, symbols": [_kernel(SYMBOLS * n, SESSIONS) for n in TIMES],
        "rolling correlations, sessions": [_kernel(SYMBOLS, SESSIONS * n) for n in TIMES],
    }
    runs = [_first_run(YEARS * n) for n in TIMES]
    later = [_nothing_new(FETCHES * n) for n in TIMES]
    seconds["first run, years"] = [taken for taken, _ in runs]
    seconds["empty job of as many months"] = [_empty_job(YEARS * n) for n in TIMES]
    seconds["nothing new, earlier fetches"] = [taken for taken, _ in later]
    rows = [
        [what, *(f"{taken:.2f}" for taken in costs), f"{_exponent(costs):.2f}"]
        for what, costs in seconds.items()
    ]
    first_run, empty = seconds["first run, years"], seconds["empty job of as many months"]
    ratios = (f"{ours / others:.2f}" for ours, others in zip(first_run, empty, strict=True))
    rows.append(["first run, times its empty job", *ratios, ""])
    for what, measured in {"first run": runs, "nothing new": later}.items():
        peaks = [float(peak) for _, peak in measured]
        rows.append([f"{what}, peak memory (MB)", *map(round, peaks), f"{_exponent(peaks):.2f}"])
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
    rolling.own(x[:, :99], y[:2, :99], Window(20, 18))
    start = time.process_time()
    for length in rolling.LENGTHS:
        rolling.own(x, y, Window(length, length * 9 // 10))
    return time.process_time() - start


def _first_run(years: int) -> tuple[float, int]:
    """Return CPU seconds and peak memory (MB) of a first run over some years."""
    first = date(TODAY.year - years, TODAY.month, 1)
    options = Options(today=TODAY, start=first, compress=False)
    with run_sandbox_process(options) as url, tempfile.TemporaryDirectory() as folder:
        place = ["--endpoints", url, "--data-dir", str(Path(folder) / "data")]
        return _measured("run", "--since", f"{first:%Y-%m}", "--as-of", f"{TODAY}", *place)


def _empty_job(years: int) -> float:
    """Return CPU seconds of Dagster's own part of a first run over some years."""
    first, last = f"{TODAY.year - years}-{TODAY:%m}", f"{TODAY:%Y-%m}"
    with tempfile.TemporaryDirectory() as folder:
        job = "liquidity_pipeline_tests.benchmarks.empty_job"
        return cpu([sys.executable, "-m", job, folder, first, last], may_end_with=[0])


def _nothing_new(fetches: int) -> tuple[float, int]:
    """Return CPU seconds and peak memory (MB) of a run with so many earlier fetches of a source."""
    first = date(TODAY.year - YEARS, TODAY.month, 1)
    options = Options(today=TODAY, start=first, compress=False)
    with run_sandbox_process(options) as url, tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        words = ["run", "--since", f"{first:%Y-%m}", "--as-of", f"{TODAY}"]
        words += ["--endpoints", url, "--data-dir", str(data)]
        for _ in range(2):  # a hole is believed when two answers agree on it
            _measured(*words)
        _repeat_the_last_fetches(data / "archive" / "fetches", fetches)
        _measured(*words)
        return _measured(*words)


def _repeat_the_last_fetches(folder: Path, times: int) -> None:
    """Let each source look as if its last fetch had been made on so many earlier days too."""
    for source in folder.iterdir():
        last = FetchRecord.load(max(source.glob("*.json")))
        for days in range(1, times + 1):
            then = last.kept_at - timedelta(days=days)
            copied = replace(last, kept_at=then).to_json()
            (source / f"{then:%Y%m%dT%H%M%S%f}-{days:08x}.json").write_text(copied)


# A process counts as its own the memory of the one that it was forked from: a small one starts it.
_WITNESS = """
import json, resource, subprocess, sys

done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([done.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024]))
"""


def _measured(*words: str) -> tuple[float, int]:
    """Return CPU seconds and peak memory (MB) of a command."""
    command = python(_WITNESS, *liquidity(*words))
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    code, seconds, peak = json.loads(told)
    if code not in (0, 1):
        raise subprocess.CalledProcessError(code, words)
    return float(seconds), int(peak)
