"""What changed between two versions of a partition: the rows of `meta.revisions`."""

from __future__ import annotations

import json
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline.contracts.meta import REVISIONS
from liquidity_pipeline.contracts.table import Table


def months_of_both(
    table: Table, old: pa.Table, new: pa.Table
) -> list[tuple[date, pa.Table, pa.Table]]:
    """Return old and new rows by month, for the days from the first to the last of the new rows."""
    if not new.num_rows:
        return []
    span = pc.min_max(new[table.day])
    after = pc.greater_equal(old[table.day], span["min"])
    old = old.filter(pc.and_(after, pc.less_equal(old[table.day], span["max"])))
    firsts = [
        pc.floor_temporal(rows[table.day], unit="month").cast(pa.date32()) for rows in (old, new)
    ]
    return [
        (
            month.as_py(),
            old.filter(pc.equal(firsts[0], month)),
            new.filter(pc.equal(firsts[1], month)),
        )
        for month in firsts[0].unique()
    ]


def compare(table: Table, month: date, old: pa.Table, new: pa.Table, seen_at: datetime) -> pa.Table:
    """Return one row of `meta.revisions` per value that differs between two versions.

    Rows that only the new version has are news, not revisions. Volumes are left out: publishers
    touch them up for weeks.
    """
    names = [name for name in table.arrow_schema.names if name not in table.key]
    names = [name for name in names if name not in ("known_at", "volume")]
    before, after = _keyed(table, old, names), _keyed(table, new, names)
    found: list[dict[str, object]] = []
    for key, old_row in before.items():
        common = {
            "table_name": table.name,
            "row_key": key,
            "month": month,
            "seen_at": seen_at,
        }
        new_row = after.get(key)
        if new_row is None:
            gone = {"column_name": "*", "change": "vanished", "old_value": None, "new_value": None}
            found.append(common | gone)
            continue
        for name, was, now in zip(names, old_row, new_row, strict=True):
            if was != now:
                values = {"old_value": _word(was), "new_value": _word(now)}
                found.append(common | {"column_name": name, "change": "changed"} | values)
    return pa.Table.from_pylist(found, schema=REVISIONS.arrow_schema)


def _keyed(table: Table, rows: pa.Table, names: list[str]) -> dict[str, tuple[object, ...]]:
    keys = [rows[name].cast(pa.string()).to_pylist() for name in table.key]
    values = [rows[name].to_pylist() for name in names]
    labels = (json.dumps(dict(zip(table.key, key, strict=True))) for key in zip(*keys, strict=True))
    return dict(zip(labels, zip(*values, strict=True), strict=True))


def _word(value: object) -> str | None:
    return None if value is None else str(value)
