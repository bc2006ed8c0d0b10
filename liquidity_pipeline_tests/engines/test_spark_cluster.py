"""Marts on a real cluster of Spark, one master and two workers on loopback, equal DuckDB's.

Needs the extra `spark` and Java 17 or later; takes some three minutes on two cores.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.engines import spark
from liquidity_pipeline.engines.spark import Cluster, EngineError, runs_here
from liquidity_pipeline.models import engine
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.server import start
from liquidity_pipeline.settings import SANDBOX, Settings
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline_tests.engines.cluster import (
    LoopbackCluster,
    java,
    loopback_cluster,
    loopback_connect,
    write_defaults,
)
from liquidity_pipeline_tests.filling import build, fill
from liquidity_pipeline_tests.models.world import World
from liquidity_pipeline_tests.models.worlds import sessions

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import SparkSession

    from liquidity_pipeline.models.mart import Rows

pytest.importorskip("pyspark", reason="the extra 'spark' is not installed")
pytestmark = [
    pytest.mark.campaign,
    pytest.mark.skipif(java() is None, reason="Spark needs Java 17 or later, and there is none"),
]

TODAY, FIRST = date(2026, 2, 6), date(2024, 1, 1)
MARTS = [name for name in engine.build_order() if runs_here(name)]
# Made by the compiled kernel, which both engines run: the same bits.
OF_THE_KERNEL = {"correlation", "beta", "spearman", "n_obs"}


@pytest.fixture(scope="module", autouse=True)
def spark_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Configure Spark as a user would: by its own files and variables."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("conf")
        write_defaults(folder)
        patch.setenv("SPARK_CONF_DIR", str(folder))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        yield


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """Two years of the sandbox, with all marts built by DuckDB."""
    with start(Options(today=TODAY, start=FIRST, compress=False)) as running:
        settings = Settings(
            data_dir=tmp_path_factory.mktemp("a [strange] folder"),
            endpoints=SANDBOX,
            sandbox_url=running.url,
            as_of=TODAY,
        )
        pipeline = fill(Pipeline(settings), Window.of_months(FIRST, TODAY))
    return build(pipeline)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoopbackCluster]:
    with loopback_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


def both(
    pipeline: Pipeline, names: list[str], master: str
) -> Iterator[tuple[str, pa.Table, pa.Table]]:
    """Yield each mart by name as DuckDB and as Spark make it, both through the contract."""
    with (
        closing(Cluster(master, pipeline.lake, pipeline.marts)) as cluster,
        pipeline.session() as connection,
    ):
        for name in names:
            yield (
                name,
                engine.build(name, connection),
                engine.build(name, connection, cluster.compute),
            )


def assert_equal(ours: pa.Table, theirs: pa.Table) -> None:
    """Compare all columns: NULL is where NULL is, numbers to 1e-12, the kernel's bit for bit."""
    assert theirs.schema == ours.schema
    assert theirs.num_rows == ours.num_rows > 0
    for name in ours.schema.names:
        mine, other = ours[name], theirs[name]
        if mine.equals(other):
            continue
        assert pa.types.is_floating(mine.type), name
        assert name not in OF_THE_KERNEL, name
        assert mine.is_null().equals(other.is_null()), name
        x, y = (column.drop_null().to_numpy() for column in (mine, other))
        assert np.all(np.abs(x - y) <= 1e-12 * np.maximum(1, np.abs(x))), name


def test_every_mart_of_the_sandbox_equals_duckdbs(history: Pipeline, cluster: LoopbackCluster):
    compared = []
    for name, ours, theirs in both(history, MARTS, cluster.url):
        assert_equal(ours, theirs)
        compared.append(name)
    assert compared == MARTS


def test_undefined_is_null_on_adversarial_series(tmp_path: Path, cluster: LoopbackCluster):
    """Constants, gaps, ties, offsets: where DuckDB's own functions have NaN, ANSI rules fail."""
    rng = np.random.default_rng(7)
    n, days = 300, sessions(300)
    prices = {
        "SPX": 100 * np.exp(np.cumsum(rng.normal(0, 0.01, n))),
        "IXIC": np.full(n, 1e9),
        "RUT": np.where(rng.random(n) < 0.3, np.nan, 50 + rng.integers(-1, 2, n)),
        "HYG": np.where(np.arange(n) < n - 5, np.nan, 80.0),
    }
    world = World(tmp_path / "world", today=days[-1])
    for symbol, closes in prices.items():
        world.add(
            "index_prices",
            *(
                {"trade_date": day, "symbol": symbol, "close": float(close), "source": "yahoo",
                 "dividend": 0.5 if i % 60 == 7 and symbol == "SPX" else None}
                for i, (day, close) in enumerate(zip(days, closes, strict=True))
                if not np.isnan(close)
            ),
        )  # fmt: skip
    ties = (rng.integers(-(10**8), 10**8, n) * 2 + 1) / 2e6
    drivers = {"tga_change": ties, "fed_bill_purchases": np.zeros(n)}
    world.put("driver_changes", [
        {"frequency": "daily", "date": day, "driver": name, "value": float(values[i]),
         "unit": "USD bn"}
        for name, values in drivers.items() for i, day in enumerate(days)
    ])  # fmt: skip
    world.put("asset_returns", world.build("asset_returns"))
    world.put("sampled_returns", world.build("sampled_returns"))
    with (
        closing(Cluster(cluster.url, world.lake, world.marts)) as spark_cluster,
        world.session() as connection,
    ):
        found = {}
        for name in (
            "asset_returns",
            "sampled_returns",
            "rolling_correlations",
        ):
            found[name] = engine.build(name, connection, spark_cluster.compute)
            assert_equal(engine.build(name, connection), found[name])
    rolling = found["rolling_correlations"].to_pylist()
    undefined = [row for row in rolling if row["asset"] == "IXIC" or row["driver"] != "tga_change"]
    assert len(undefined) > 1_000
    assert all(row["correlation"] is None for row in undefined)
    assert all(row["spearman"] is None for row in rolling if row["asset"] in ("IXIC", "HYG"))


def test_a_worker_that_is_killed_on_the_way_costs_nothing(
    history: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # Far more tasks than there are symbols: most are empty, and some are left when a worker dies.
    monkeypatch.setattr(spark, "SYMBOLS_PER_TASK", 0.25)
    take_long(monkeypatch)
    with (
        loopback_cluster(tmp_path / "mortal") as cluster,
        closing(Cluster(cluster.url, history.lake, history.marts)) as on_spark,
        history.session() as connection,
        ThreadPoolExecutor(1) as thread,
    ):
        ours = engine.build("rolling_correlations", connection)
        session = on_spark._started()
        result = thread.submit(on_spark.compute, "rolling_correlations", connection)
        done, tasks = wait_until_under_way(session, result)
        cluster.kill_worker(0)
        theirs = result.result(240)
        assert 0 < done < tasks
        assert executors(session) == 1
    key = [(each, "ascending") for each in MART_TABLES["rolling_correlations"].key]
    assert_equal(ours.sort_by(key), theirs.cast(ours.schema).sort_by(key))


def take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each symbol take half a second on the cluster, so that a worker can be killed before."""
    symbols = engine.by_symbol("rolling_correlations")
    assert symbols is not None

    def prepare(connection: duckdb.DuckDBPyConnection) -> Rows | None:
        rows = symbols.prepare(connection)
        assert rows is not None

        def slowly(table: pa.Table) -> pa.Table:
            time.sleep(0.5)
            return rows(table)

        return slowly

    monkeypatch.setattr(engine, "by_symbol", lambda _: replace(symbols, prepare=prepare))


def wait_until_under_way(session: SparkSession, result: Future[pa.Table]) -> tuple[int, int]:
    """Return how many tasks of the stage with many of them are done, and of how many: a third."""
    tracker = session.sparkContext.statusTracker()
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for stage in tracker.getActiveStageIds():
            info = tracker.getStageInfo(stage)
            if info and info.numTasks > 20 and info.numCompletedTasks > info.numTasks // 3:
                return info.numCompletedTasks, info.numTasks
        time.sleep(0.01)
    raise AssertionError("the stage by symbol was never seen under way")


def executors(session: SparkSession) -> int:
    """Return how many executors the driver still has."""
    return len(session.sparkContext._jsc.sc().statusTracker().getExecutorInfos()) - 1


def test_a_master_that_is_not_there_is_said_in_one_line(history: Pipeline):
    with (
        closing(Cluster("spark://127.0.0.1:1", history.lake, history.marts)) as nobody,
        history.session() as connection,
        pytest.raises(
            EngineError, match=r"Spark at spark://127\.0\.0\.1:1 .*docs/scaling\.md"
        ) as error,
    ):
        nobody.compute("asset_returns", connection)
    assert "\n" not in str(error.value)


def test_a_cluster_without_workers_is_given_up(
    history: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(spark, "SECONDS_WITHOUT_EXECUTOR", 10)
    with (
        loopback_cluster(tmp_path / "idle", n_workers=0) as idle,
        closing(Cluster(idle.url, history.lake, history.marts)) as on_spark,
        history.session() as connection,
        pytest.raises(EngineError, match="gave no executor within 10 seconds"),
    ):
        on_spark.compute("asset_returns", connection)


def test_a_cluster_that_loses_all_workers_is_given_up(
    history: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(spark, "SYMBOLS_PER_TASK", 0.25)
    take_long(monkeypatch)
    with (
        loopback_cluster(tmp_path / "dying") as cluster,
        closing(Cluster(cluster.url, history.lake, history.marts)) as on_spark,
        history.session() as connection,
        ThreadPoolExecutor(1) as thread,
    ):
        session = on_spark._started()
        result = thread.submit(on_spark.compute, "rolling_correlations", connection)
        wait_until_under_way(session, result)
        # Not before: a busy machine may leave the first tasks without an executor for as long.
        monkeypatch.setattr(spark, "SECONDS_WITHOUT_EXECUTOR", 5)
        for number in range(2):
            cluster.kill_worker(number)
        with pytest.raises(EngineError, match="gave no executor within 5 seconds"):
            result.result(120)


# Last in this file: a process that has used Connect cannot be a driver of its own any more.
def test_spark_connect_gives_the_same(history: Pipeline, tmp_path: Path):
    pytest.importorskip("grpc_status", reason="the extra 'spark' is not installed")
    with loopback_connect(tmp_path / "connect") as url:
        for _, ours, theirs in both(history, ["sampled_returns", "rolling_correlations"], url):
            assert_equal(ours, theirs)
