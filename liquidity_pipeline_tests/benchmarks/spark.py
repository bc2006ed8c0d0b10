"""From how many symbols a cluster is worth it: `marts.rolling_correlations` here and on Spark.

Run it by hand: `python -m liquidity_pipeline_tests.benchmarks.spark [symbols] [sessions]`. Both
read the same Parquet file of returns, compute the mart's rows by symbol with the same function
(three windows, six drivers: correlation, band, rank correlation, beta, n) and write them as
Parquet. One is this process; the other is a cluster of two workers with a core each on loopback.
CPU is that of all processes: workers, executors, their Python, and Spark's driver. This is no test.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from liquidity_pipeline.contracts.assets.correlations import ROLLING_CORRELATIONS
from liquidity_pipeline.engines import spark
from liquidity_pipeline.models.assets.rolling_correlations import Drivers
from liquidity_pipeline.models.mart import BySymbol
from liquidity_pipeline.statistics.rolling import Series
from liquidity_pipeline_tests.engines.cluster import LoopbackCluster, loopback_cluster

DRIVERS = 6
MISSING = 0.08
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Print seconds and CPU seconds of both, and their ratio."""
    symbols, sessions = (int(a) for a in (sys.argv[1:] + ["100", "6300"][len(sys.argv) - 1 :])[:2])
    # Executors must find Python and the package.
    os.environ |= {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_DIR")) as name:
        folder = Path(name)
        drivers, file = _drivers(sessions), folder / "returns.parquet"
        _write_returns(file, symbols, sessions)
        _here(drivers, file, folder / "warm.parquet", most=1)  # compile before the clock starts
        began, cpu = time.monotonic(), time.process_time()
        rows = _here(drivers, file, folder / "here.parquet")
        _say("one process", rows, time.monotonic() - began, time.process_time() - cpu)
        _on_cluster(drivers, file, folder, symbols)


def _here(drivers: Drivers, file: Path, target: Path, most: int | None = None) -> int:
    """Build the mart in this process, so many symbols at a time; return its rows."""
    per_group, n = spark.SYMBOLS_PER_TASK, 0
    with (
        duckdb.connect() as connection,
        pq.ParquetWriter(target, ROLLING_CORRELATIONS.arrow_schema) as writer,
    ):
        source = f"from read_parquet('{file}')"
        names = [
            a for (a,) in connection.sql(f"select distinct asset {source} order by 1").fetchall()
        ]
        for start in range(0, len(names), per_group):
            group = names[start : start + (most or per_group)]
            rows = connection.execute(
                f"{source} where asset between ? and ? order by asset, session",
                [group[0], group[-1]],
            ).to_arrow_table()
            built = drivers.correlations(rows)
            writer.write_table(built)
            n += built.num_rows
            if most:
                break
    return n


def _on_cluster(drivers: Drivers, file: Path, folder: Path, symbols: int) -> None:
    """Build it on a cluster: first what starting costs, then the job, twice."""
    by_symbol = BySymbol("", "asset", lambda _: drivers.correlations, ROLLING_CORRELATIONS)
    with loopback_cluster(folder / "cluster") as cluster:
        with _timed("a session of Spark", cluster):
            session = spark._connect(cluster.url)
        try:
            for attempt in ("cluster of two, first job", "cluster of two, second job"):
                target = folder / attempt
                with _timed(attempt, cluster):
                    frame = session.read.parquet(str(file))
                    rows = spark._apply(frame, by_symbol, drivers.correlations, symbols)
                    rows.write.option("compression", "snappy").parquet(str(target))
                written = sum(pq.read_metadata(each).num_rows for each in target.glob("*.parquet"))
                print(f"{attempt}: {written:,} rows")  # noqa: T201
        finally:
            session.stop()


@contextmanager
def _timed(what: str, cluster: LoopbackCluster) -> Iterator[None]:
    began, cpu = time.monotonic(), _cpu(cluster)
    yield
    _say(what, 0, time.monotonic() - began, _cpu(cluster) - cpu)


def _say(what: str, rows: int, seconds: float, cpu: float) -> None:
    counted = f", {rows:,} rows, {cpu / rows * 1e6:.2f} us of CPU each" if rows else ""
    print(f"{what:28s} {seconds:8.1f} s, {cpu:8.1f} s of CPU{counted}", flush=True)  # noqa: T201


def _cpu(cluster: LoopbackCluster) -> float:
    """Return the CPU seconds of this process, its children, and all processes of the workers."""
    sessions = {worker.pid for worker in cluster.workers}
    parents, used, session_of = {}, {}, {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        pid = int(entry.parent.name)
        parents[pid], session_of[pid] = int(fields[1]), int(fields[3])
        used[pid] = sum(map(int, fields[11:15])) / TICKS
    own = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in own} - own:
        own |= more
    return sum(t for pid, t in used.items() if pid in own or session_of[pid] in sessions)


def _drivers(sessions: int) -> Drivers:
    rng = np.random.default_rng(1)
    names = tuple(f"driver {i}" for i in range(DRIVERS))
    days = np.datetime64("2000-01-03") + np.arange(sessions)
    return Drivers(Series(1, names, rng.normal(0, 20, (DRIVERS, sessions))), days, days)


def _write_returns(file: Path, symbols: int, sessions: int) -> None:
    rng = np.random.default_rng(2)
    schema = pa.schema([("session", pa.int64()), ("asset", pa.string()), ("value", pa.float64())])
    with pq.ParquetWriter(file, schema) as writer:
        for i in range(symbols):
            kept = np.flatnonzero(rng.random(sessions) >= MISSING)
            columns = [kept + 1, [f"S{i:05d}"] * len(kept), rng.standard_t(4, len(kept))]
            writer.write_table(pa.table(columns, schema=schema))


if __name__ == "__main__":
    main()
