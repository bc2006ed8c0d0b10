"""Compute marts on a Spark cluster: queries in Spark's dialect, and functions by symbol.

Workers read the lake and the marts as Parquet files, at the same paths as this process: they need
the data directory on a shared file system. Small tables (calendar, clock, universe) are sent. The
rows of a mart come back as Arrow, so that each mart must fit into the memory of this process, as it
must without a cluster.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaiting
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.engines import dialect
from liquidity_pipeline.models import engine
from liquidity_pipeline.models.lineage import tables_read
from liquidity_pipeline.models.mart import BySymbol, Rows
from liquidity_pipeline.storage.lake import Lake

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# The queries whose rows grow with the number of symbols, and the drivers beside them. Marts that
# are built by symbol say so themselves.
QUERIES = ("asset_returns", "sampled_returns", "driver_changes")

# A task of a function by symbol. A symbol takes some 10 ms; a task should take longer than the
# 20 ms in which Spark starts it, and yet there should be many for a worker that is lost.
SYMBOLS_PER_TASK = 16

# As long as a cluster may leave this process without an executor, at the start and later.
SECONDS_WITHOUT_EXECUTOR = 120

SQL_SETTINGS = {
    # Errors are errors: no silent NULL for what cannot be computed.
    "spark.sql.ansi.enabled": "true",
    # Moments are UTC without a zone, as in DuckDB and in the files.
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
}
# What only a process that is itself Spark's driver can decide.
DRIVER_SETTINGS = {
    # A mart may be larger than the 1 GB at which Spark would refuse to return it.
    "spark.driver.maxResultSize": "0",
    "spark.ui.showConsoleProgress": "false",
}


class EngineError(RuntimeError):
    """Spark cannot be used, or a job failed there; the message says what to do about it."""


def runs_here(name: str) -> bool:
    """Tell whether a mart is one of those that a cluster computes."""
    return name in QUERIES or engine.by_symbol(name) is not None


class Cluster:
    """A Spark session that begins with the first mart computed on it.

    In a run as of a past day (`is_past`) the rows of sources are sent as the session of DuckDB sees
    them, because the files of the lake may hold later corrections.
    """

    def __init__(self, master: str, lake: Lake, marts: Lake, *, is_past: bool = False) -> None:
        self._master, self._lake, self._marts, self._is_past = master, lake, marts, is_past
        self._session: SparkSession | None = None
        self._refusal: EngineError | None = None

    def compute(self, name: str, connection: duckdb.DuckDBPyConnection) -> pa.Table:
        """Return the rows of a mart, computed on the cluster if it is one of those that run there.

        Raises EngineError with the name of the mart.
        """
        if not runs_here(name):
            return engine.compute(name, connection)
        session = self._started()
        try:
            frame = self._frame(name, session, connection)
            if frame is None:
                return MART_TABLES[name].arrow_schema.empty_table()
            return _watched(frame.toArrow, session, self._master)
        except Exception as error:
            if not _is_sparks(error):
                raise
            raise EngineError(f"marts.{name} on Spark ({self._master}): {_said(error)}") from error

    def close(self) -> None:
        """Give the executors back."""
        if self._session is not None:
            self._session.stop()
            self._session = None

    def _started(self) -> SparkSession:
        """Return the session; a cluster that refused once is not asked again for each mart."""
        if self._refusal is not None:
            raise self._refusal
        if self._session is None:
            try:
                self._session = _connect(self._master)
            except EngineError as error:
                self._refusal = error
                raise
        return self._session

    def _frame(
        self, name: str, session: SparkSession, connection: duckdb.DuckDBPyConnection
    ) -> DataFrame | None:
        """Return a mart, not yet computed; None where there is nothing to build from."""
        by_symbol = engine.by_symbol(name)
        if by_symbol is None:
            return self._query(engine.sql(name), session, connection)
        rows = by_symbol.prepare(connection)
        if rows is None:
            return None
        query = self._query(by_symbol.query, session, connection)
        return _apply(query, by_symbol, rows, _n_symbols(connection))

    def _query(
        self, sql: str, session: SparkSession, connection: duckdb.DuckDBPyConnection
    ) -> DataFrame:
        """Return the result of a query, not yet computed, on the tables of this moment."""
        for table in sorted(tables_read(sql)):
            self._offer(table, session, connection)
        return session.sql(dialect.to_spark(sql))

    def _offer(
        self, qualified: str, session: SparkSession, connection: duckdb.DuckDBPyConnection
    ) -> None:
        """Let queries on Spark see a table as the session of DuckDB sees it."""
        schema, _, name = qualified.partition(".")
        if schema == "sources":
            self._offer_source(name, session, connection)
            return
        if schema == "marts":
            frame = _read(session, [self._marts.path(MART_TABLES[name])])
        else:
            rows = connection.execute(f"from {qualified}").to_arrow_table()
            frame = session.createDataFrame(rows)
        frame.createOrReplaceTempView(dialect.view_name(qualified))

    def _offer_source(
        self, name: str, session: SparkSession, connection: duckdb.DuckDBPyConnection
    ) -> None:
        """Offer the rows of a source that were public at the clock."""
        table = SOURCE_TABLES[name]
        files = [] if self._is_past else self._lake.gathered(table)
        if files:
            frame = _read(session, files)
        else:
            rows = connection.execute(f"from lake.{name}").to_arrow_table()
            frame = session.createDataFrame(rows)
        frame.createOrReplaceTempView(dialect.view_name(f"lake.{name}"))
        self._offer("meta.clock", session, connection)
        public = session.sql(dialect.to_spark(engine.public_rows(table)))
        public.createOrReplaceTempView(dialect.view_name(f"sources.{name}"))


def _connect(master: str) -> SparkSession:
    """Return a session on a cluster that computes; raise EngineError in words if there is none."""
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise EngineError(
            "LIQUIDITY_ENGINE is 'spark', but PySpark is not installed: "
            "pip install 'liquidity-pipeline[spark]'"
        ) from error
    builder = SparkSession.builder.appName("liquidity-pipeline")
    is_remote = master.startswith("sc://")
    builder = builder.remote(master) if is_remote else builder.master(master)
    for name, value in (SQL_SETTINGS if is_remote else DRIVER_SETTINGS | SQL_SETTINGS).items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except Exception as error:
        _abandon_start()
        raise EngineError(
            f"Spark at {master} cannot be reached: {_said(error)}. See docs/scaling.md."
        ) from error
    if not is_remote:
        session.sparkContext.setLogLevel("ERROR")
    try:
        _first_answer(session, master)
    except BaseException:
        session.stop()
        raise
    return session


def _first_answer(session: SparkSession, master: str) -> None:
    """Wait until an executor has computed something; raise EngineError if none does."""
    waiting = ThreadPoolExecutor(1, "spark-first-answer")
    try:
        waiting.submit(session.range(1).count).result(SECONDS_WITHOUT_EXECUTOR)
    except StillWaiting:
        raise _no_executor(master) from None
    except Exception as error:
        raise EngineError(f"Spark at {master} does not compute: {_said(error)}") from error
    finally:
        # Stopping the session ends a job that still waits.
        waiting.shutdown(wait=False)


def _watched(job: Callable[[], pa.Table], session: SparkSession, master: str) -> pa.Table:
    """Return what a job returns; cancel it, with EngineError, if no executor works on it any more.

    Spark itself would wait for ever for new workers. With Connect, its server is the one to watch.
    """
    if master.startswith("sc://"):
        return job()
    working = ThreadPoolExecutor(1, "spark-job")
    result, last_seen = working.submit(job), monotonic()
    try:
        while True:
            with suppress(StillWaiting):
                return result.result(timeout=1)
            if not _is_starved(session):
                last_seen = monotonic()
            elif monotonic() - last_seen > SECONDS_WITHOUT_EXECUTOR:
                raise _no_executor(master)
    finally:
        if not result.done():
            session.sparkContext.cancelAllJobs()
        working.shutdown(wait=False)


def _is_starved(session: SparkSession) -> bool:
    """Tell whether there are tasks to do and nobody does one."""
    tracker = session.sparkContext.statusTracker()
    stages = [tracker.getStageInfo(number) for number in tracker.getActiveStageIds()]
    return bool(stages) and not any(stage and stage.numActiveTasks for stage in stages)


def _no_executor(master: str) -> EngineError:
    return EngineError(
        f"Spark at {master} gave no executor within {SECONDS_WITHOUT_EXECUTOR} seconds: look at "
        f"its web page for workers that are alive and have free cores and memory."
    )


def _read(session: SparkSession, files: Iterable[Path]) -> DataFrame:
    # Spark takes some characters of a path for patterns, and a backslash before them as they are.
    paths = (re.sub(r"[\[\]{}*?\\]", r"\\\g<0>", str(path.absolute())) for path in files)
    return session.read.parquet(*(f"file://{path}" for path in paths))


def _n_symbols(connection: duckdb.DuckDBPyConnection) -> int:
    ((n,),) = connection.execute("select count(*) from meta.universe").fetchall()
    return int(n)


def _apply(frame: DataFrame, by_symbol: BySymbol, rows: Rows, n_symbols: int) -> DataFrame:
    """Return the rows of a mart from those of its query, each symbol by a task of the cluster."""
    from pyspark.sql.pandas.types import from_arrow_schema

    schema = by_symbol.table.arrow_schema
    tasks = max(1, math.ceil(n_symbols / SYMBOLS_PER_TASK))
    names = frame.columns

    def of_symbol(part: pa.Table) -> pa.Table:
        return rows(part.select(names)).cast(schema)

    return (
        frame.repartition(tasks, by_symbol.column)
        .groupBy(by_symbol.column)
        .applyInArrow(of_symbol, from_arrow_schema(schema, prefer_timestamp_ntz=True))
    )


def _is_sparks(error: Exception) -> bool:
    """Tell whether an error comes from Spark or from the way to it."""
    return type(error).__module__.split(".")[0] in ("pyspark", "py4j", "grpc")


def _abandon_start() -> None:
    """Stop what a start that failed has left, so that a later one begins from nothing."""
    from pyspark import SparkContext

    context = SparkContext._active_spark_context
    if context is not None:
        context.stop()


def _said(error: Exception) -> str:
    """Return the part of an error that is for people: Spark adds traces of two languages."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    causes = [line for line in lines if "Error:" in line or line.startswith(": ")]
    return (causes or lines or [type(error).__name__])[0].removeprefix(": ")
