"""Where the rows of marts are computed: in this process with DuckDB, or on a Spark cluster.

`LIQUIDITY_ENGINE` decides. Checking rows against their contract, cutting them where their inputs
end, storing and publishing them are the same for both.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from liquidity_pipeline.models import engine
from liquidity_pipeline.settings import DUCKDB, Settings
from liquidity_pipeline.storage.lake import Lake


@contextmanager
def opened(settings: Settings, lake: Lake, marts: Lake) -> Iterator[engine.Compute]:
    """Give the function that computes the rows of a mart; its inputs are in these two lakes.

    A cluster is asked for with the first mart that runs there, and released at the end.
    """
    if settings.engine == DUCKDB:
        yield engine.compute
        return
    from liquidity_pipeline.engines.spark import Cluster

    cluster = Cluster(settings.spark_master, lake, marts, is_past=settings.as_of is not None)
    try:
        yield cluster.compute
    finally:
        cluster.close()
