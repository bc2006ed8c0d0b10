"""How the cost of rolling correlations and of whole runs grows with symbols and with years."""

from __future__ import annotations

import math
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.process import run_sandbox_process
from liquidity_pipeline.statistics.rolling import Window
from liquidity_pipeline_tests.benchmarks import rolling
from liquidity_pipeline_tests.benchmarks.measuring import liquidity, measured_on, table

TIMES = (1, 4, 16)
SYMBOLS, SESSIONS = 250, 1575
TODAY, YEARS = date(2026, 2, 6), 1


def section() -> str:
    """Return CPU seconds and memory at 1, 4 and 16 times the size, with exponents, as Markdown.

    An exponent of 1 is growth in proportion.
    """
    seconds = {
        "rolling correlations, symbols": [_kernel(SYMBOLS * n, SESSIONS) for n in TIMES],
        "rolling correlations, sessions": [_kernel(SYMBOLS, SESSIONS * n) for n in TIMES],
    }
    runs = [_first_run(YEARS * n) for n in TIMES]
    seconds["first run, years"] = [taken for taken, _ in runs]
    rows = [
        [what, *(f"{taken:.2f}" for taken in costs), f"{_exponent(costs):.2f}"]
        for what, costs in seconds.items()
    ]
    peaks = [float(peak) for _, peak in runs]
    rows.append(["first run, peak memory (MB)", *map(round, peaks), f"{_exponent(peaks):.2f}"])
    header = ["CPU s", *(f"{n} x" for n in TIMES), "exponent"]
    return (
        f"{measured_on()} Once is {SYMBOLS} symbols, {SESSIONS:,} sessions, 4 windows and 6 "
        f"drivers, or a year of every source.\n\n{table(header, rows)}"
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
        words = liquidity("run", "--since", f"{first:%Y-%m}", "--as-of", f"{TODAY}", *place)
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise subprocess.CalledProcessError(os.waitstatus_to_exitcode(status), words)
    return used.ru_utime + used.ru_stime, used.ru_maxrss // 1024
