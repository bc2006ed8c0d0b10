"""A mart that is computed in Python, because it is sequential or inferential."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import pyarrow as pa


@dataclass(frozen=True)
class PythonMart:
    """How to build the mart from a session, and the qualified names of the tables it reads."""

    build: Callable[[duckdb.DuckDBPyConnection], pa.Table]
    reads: frozenset[str]
