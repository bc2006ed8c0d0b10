"""Build marts one after another and store each; one that fails stops only those that read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING

import pyarrow as pa

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.models import engine
from liquidity_pipeline.models.reconciliations import reconciliation
from liquidity_pipeline.models.reconciliations.reconciliation import (
    Reconciliation,
    ReconciliationResult,
)
from liquidity_pipeline.settings.memory import give_back_now
from liquidity_pipeline.storage.lake import Lake, Stored

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class BuiltMart:
    """The outcome of building one mart: what was stored, or why nothing was."""

    name: str
    stored: Stored | None = None
    rows: pa.Table | None = None
    seconds: float = 0.0
    failure: str = ""
    error: Exception | None = None
    results: tuple[tuple[Reconciliation, ReconciliationResult], ...] = ()

    @property
    def is_contradicted(self) -> bool:
        """Tell whether a reconciliation that forbids a publication failed."""
        return any(
            check.blocking and not reconciliation.passes(check, result)
            for check, result in self.results
        )


def build_marts(
    names: Iterable[str],
    connection: duckdb.DuckDBPyConnection,
    marts: Lake,
    now: datetime,
    *,
    checks: Sequence[Reconciliation] = (),
    compute: engine.Compute = engine.compute,
) -> Iterator[BuiltMart]:
    """Build marts in the order given and yield the outcome of each; `now` is naive UTC.

    `compute` is where their rows are computed. A mart that fails keeps its last good file, and so
    do those that read it. One that was built is reconciled by its `checks`.
    """
    failed: set[str] = set()
    for name in names:
        if unbuilt := sorted(failed & engine.upstream(name)):
            built = BuiltMart(name, failure=f"not built, because {', '.join(unbuilt)} failed")
        else:
            built = _build(name, connection, marts, now, compute)
        if built.failure:
            failed.add(f"marts.{name}")
        else:
            own = (check for check in checks if check.mart == name)
            results = ((check, reconciliation.evaluate(check, connection)) for check in own)
            built = replace(built, results=tuple(results))
        yield built
        del built  # and its rows, before the next mart needs the memory
        give_back_now()


def _build(
    name: str,
    connection: duckdb.DuckDBPyConnection,
    marts: Lake,
    now: datetime,
    compute: engine.Compute,
) -> BuiltMart:
    began = monotonic()
    table = MART_TABLES[name]
    try:
        rows = engine.build(name, connection, compute)
        stored = marts.store_snapshot(table, rows, now, checked=True, computed=True)
        engine.attach_mart(connection, name, marts.path(table))
    except Exception as error:  # noqa: BLE001 - whatever fails in one mart must not stop others
        said = str(error) or type(error).__name__
        named = said if said.startswith("marts.") else f"marts.{name}: {said}"
        return BuiltMart(name, failure=named, error=error)
    return BuiltMart(name, stored, rows, monotonic() - began)
