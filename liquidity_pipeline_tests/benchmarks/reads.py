"""How long a reader waits for an answer, while nothing happens and during publications."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from liquidity_pipeline.settings import Settings
from liquidity_pipeline_tests.benchmarks.measuring import measured_on, table

READS = 100
PUBLICATIONS = 1
QUERY = "select driver, avg(correlation) from marts.rolling_correlations group by driver"
_PUBLISH = """
import json, sys, time
from pathlib import Path
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings
pipeline = Pipeline(Settings(Path(sys.argv[1]), endpoints=sys.argv[2]))
seconds = []
for _ in range(int(sys.argv[3])):
    began = time.perf_counter()
    pipeline.publish()
    seconds.append(time.perf_counter() - began)
print(json.dumps(seconds))
"""


def section(data_dir: Path) -> str:
    """Measure on a copy of a published data directory; return the section as Markdown."""
    import json

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "data"
        shutil.copytree(data_dir, copy)
        endpoints = json.loads((copy / "endpoints.json").read_text())["endpoints"]
        file = Settings(copy).published_file
        quiet = _until(file, lambda read: read >= READS)
        command = [sys.executable, "-c", _PUBLISH, str(copy), endpoints, str(PUBLICATIONS)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as publishing:
            busy = _until(file, lambda _: publishing.poll() is not None)
            assert publishing.stdout is not None
            took = json.loads(publishing.stdout.read().splitlines()[-1])
    rows = [["nothing else", *_figures(quiet)], ["publications", *_figures(busy)]]
    header = ["beside", "reads", "p50 ms", "p99 ms", "failed"]
    published = ", ".join(f"{seconds:.1f}" for seconds in took)
    return (
        f"{measured_on()} Each read opens the file, runs `{QUERY}` and closes it.\n\n"
        f"{table(header, rows)}\n\n"
        f"From the last mart to a readable file: {published} s by the clock."
    )


def _until(file: Path, done: Callable[[int], bool]) -> list[float]:
    """Read again and again; return the seconds of each read. A read that fails ends it."""
    seconds: list[float] = []
    while not done(len(seconds)):
        began = time.perf_counter()
        with duckdb.connect(str(file), read_only=True) as connection:
            connection.execute(QUERY).fetchall()
        seconds.append(time.perf_counter() - began)
    return seconds


def _figures(seconds: list[float]) -> list[object]:
    cuts = statistics.quantiles(seconds, n=100)
    return [len(seconds), f"{cuts[49] * 1000:.0f}", f"{cuts[98] * 1000:.0f}", 0]
