"""The choice of an engine, and what happens where Spark cannot be used. No cluster is needed."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from liquidity_pipeline import engines
from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.engines.spark import Cluster, EngineError
from liquidity_pipeline.models import building, engine
from liquidity_pipeline.settings import SPARK, Settings
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline_tests.models.world import World, end_of, tga
from liquidity_pipeline_tests.models.worlds import sessions, world


def test_duckdb_computes_in_this_process_and_loads_nothing_of_spark():
    code = (
        "import sys, pathlib\n"
        "from liquidity_pipeline import engines\n"
        "from liquidity_pipeline.models import engine\n"
        "from liquidity_pipeline.settings import Settings\n"
        "with engines.opened(Settings(pathlib.Path('nowhere')), None, None) as compute:\n"
        "    assert compute is engine.compute\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        "print(*loaded & {'pyspark', 'py4j', 'sqlglot', 'grpc'})"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stdout.strip()) == (0, ""), answer.stderr


@pytest.fixture
def no_pyspark(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let imports of PySpark fail, as they do where the extra is not installed."""
    for name in [name for name in sys.modules if name.split(".")[0] == "pyspark"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyspark", None)


@pytest.mark.usefixtures("no_pyspark")
def test_without_pyspark_its_marts_fail_in_words_and_all_others_are_built(tmp_path: Path):
    hand_made = World(tmp_path)
    names = ["quarterly_borrowing", "sampled_returns", "rolling_correlations"]
    for table in ("asset_returns", "settlement_calendar", "settlement_vintages"):
        hand_made.put(table, [])
    settings = Settings(tmp_path, engine=SPARK)
    with (
        hand_made.session() as connection,
        engines.opened(settings, hand_made.lake, hand_made.marts) as compute,
    ):
        built = building.build_marts(
            names, connection, hand_made.marts, end_of(hand_made.today), compute=compute
        )
        failures = {each.name: each.failure for each in built}
    assert failures["quarterly_borrowing"] == ""
    assert "pip install 'liquidity-pipeline[spark]'" in failures["sampled_returns"]
    assert "not built, because marts.sampled_returns" in failures["rolling_correlations"]


def test_a_cluster_that_refused_is_not_asked_again_for_each_mart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []

    def refuse(master: str) -> None:
        asked.append(master)
        raise EngineError(f"nobody answers at {master}")

    monkeypatch.setattr("liquidity_pipeline.engines.spark._connect", refuse)
    cluster = Cluster("spark://head:7077", Lake(tmp_path), Lake(tmp_path))
    with world(daily=(sessions(3), {"tga_change": np.ones(3)}, {"SPX": np.ones(3)})) as connection:
        for name in ("asset_returns", "rolling_correlations"):
            with pytest.raises(EngineError, match="nobody answers"):
                cluster.compute(name, connection)
    assert asked == ["spark://head:7077"]


class Recorder:
    """Stands for a session of Spark, its reader and its frames; keeps the rows that it was sent."""

    def __init__(self) -> None:
        self.sent: list[pa.Table] = []
        self.read_files: tuple[str, ...] = ()
        self.read = self

    def createDataFrame(self, rows: pa.Table) -> Recorder:  # noqa: N802 - Spark's name
        self.sent.append(rows)
        return self

    def parquet(self, *paths: str) -> Recorder:
        self.read_files = paths
        return self

    def sql(self, _: str) -> Recorder:
        return self

    def createOrReplaceTempView(self, _: str) -> None:  # noqa: N802 - Spark's name
        pass


@pytest.mark.parametrize("is_past", [True, False])
def test_a_run_as_of_a_past_day_sends_rows_as_they_stood(tmp_path: Path, is_past: bool) -> None:
    """The files may hold corrections that were seen later, which the session has undone."""
    hand_made = World(tmp_path).add("tga_balance", tga(date(2026, 1, 5), 110))
    spark = Recorder()
    cluster = Cluster("local[*]", hand_made.lake, hand_made.marts, is_past=is_past)
    with hand_made.session() as connection:
        rows = connection.execute("from lake.tga_balance").to_arrow_table()
        stood = rows.set_column(
            rows.schema.get_field_index("closing_usd_mn"), "closing_usd_mn", pa.array([100.0])
        )
        connection.register("stood", stood)
        connection.execute("create or replace view lake.tga_balance as from stood")
        cluster._offer_source("tga_balance", spark, connection)
    closings = [
        t["closing_usd_mn"].to_pylist() for t in spark.sent if "closing_usd_mn" in t.schema.names
    ]
    assert closings == ([[100.0]] if is_past else [])
    assert bool(spark.read_files) is not is_past


def test_a_mart_by_symbol_is_the_same_built_one_symbol_at_a_time():
    """The promise on which distribution rests, bit for bit: on gaps, ties and constants."""
    rng = np.random.default_rng(11)
    n = 260
    gaps = np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n))
    drivers = {"tga_change": rng.normal(0, 20, n).round(3), "sofr_iorb_change": gaps}
    assets = {
        "SPX": rng.standard_t(3, n),
        "TLT": np.full(n, 0.25),
        "RUT": rng.integers(-3, 4, n) / 2,
        "BTC": np.where(rng.random(n) < 0.3, np.nan, rng.normal(0, 9, n)),
    }
    name = "rolling_correlations"
    symbols = engine.by_symbol(name)
    assert symbols is not None
    with world(daily=(sessions(n), drivers, assets)) as connection:
        together = symbols.build(connection)
        compute = symbols.prepare(connection)
        rows = connection.execute(symbols.query).to_arrow_table()
    assert compute is not None
    names = rows["asset"].unique()
    apart = pa.concat_tables(
        [compute(rows.filter(pa.compute.equal(rows["asset"], each))) for each in names]
    )
    key = [(each, "ascending") for each in MART_TABLES[name].key]
    assert len(names) == 4
    assert together.num_rows > 1_000
    assert apart.sort_by(key).equals(together.sort_by(key))
