"""`meta.coverage` for hand-made worlds: everything is known, but for what a test takes away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

import pyarrow as pa

from liquidity_pipeline.contracts.meta import COVERAGE
from liquidity_pipeline.contracts.reach import PRICE_TABLES
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.ingestion.coverage import last_full_day

Through = Mapping[tuple[str, str], date | None]
FIRST = date(1990, 1, 1)


def everything(
    now: datetime, symbols: Iterable[str] = (), through: Through | None = None
) -> pa.Table:
    """Return coverage in which all is known up to `now`; `through` says what ends earlier.

    `through` maps (table, entity) to the last day known, or None for an input never served.
    """
    end, cut = last_full_day(now), through or {}
    inputs = [
        (table.name, entity)
        for table in SOURCE_TABLES.values()
        for entity in (*table.releases, *table.parts, *table.on_occasion)
        if table.name not in PRICE_TABLES
    ]
    inputs += [(table, symbol) for symbol in symbols for table in PRICE_TABLES]
    rows = []
    for table, entity in inputs:
        last = cut.get((table, entity), end)
        rows.append(
            {
                "table_name": table,
                "entity": entity,
                "known_from": FIRST if last else None,
                "known_through": last,
                "expected_through": end,
                "basis": "rows" if entity in SOURCE_TABLES[table].releases else "answered",
                "reason": "known as far as is due" if last == end else "taken away by the test",
            }
        )
    if unknown := cut.keys() - set(inputs):
        raise ValueError(f"no input is called {unknown}")
    return pa.Table.from_pylist(rows, schema=COVERAGE.arrow_schema)
