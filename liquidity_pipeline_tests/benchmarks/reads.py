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
BANDS = "select avg(correlation_low), avg(correlation_high) from {}"
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
        file_mb = file.stat().st_size / 1e6
        held, with_band, computed_ms, stored_ms = _room(file, Path(folder))
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
        f"From the last mart to a readable file: {published} s by the clock.\n\n"
        f"`marts.rolling_correlations` takes {held:.1f} MB of {file_mb:.1f}; with its band stored "
        f"it would take {with_band:.1f}. A scan of all bands takes {computed_ms:.1f} ms, and "
        f"{stored_ms:.1f} where they are stored."
    )


def _room(file: Path, folder: Path) -> tuple[float, float, float, float]:
    """Return the MB of the rolling correlations as they are held, and with their band stored.

    The other two numbers are the milliseconds of a scan of all bands, computed and stored.
    """
    sizes = []
    for columns in ("* exclude (correlation_low, correlation_high)", "*"):
        target = folder / "room.duckdb"
        with duckdb.connect() as connection:
            connection.execute(f"attach '{file}' as published (read_only)")
            connection.execute(f"attach '{target}' as room (storage_version 'v1.0.0')")
            rows = f"select {columns} from published.marts.rolling_correlations"
            connection.execute(f"create table room.held as {rows}")
            connection.execute("detach room")
        sizes.append(target.stat().st_size / 1e6)
        if columns == "*":
            stored = _milliseconds(target, "held")
        target.unlink()
    return sizes[0], sizes[1], _milliseconds(file, "marts.rolling_correlations"), stored


def _milliseconds(file: Path, name: str) -> float:
    """Return how long a scan of all bands takes: the median of some."""
    seconds = []
    with duckdb.connect(str(file), read_only=True) as connection:
        for _ in range(READS // 5):
            began = time.perf_counter()
            connection.execute(BANDS.format(name)).fetchall()
            seconds.append(time.perf_counter() - began)
    return statistics.median(seconds) * 1000


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
