"""What came of a table in one fetch, by month: its record keeps it, to tell what to ask again."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline import calendars
from liquidity_pipeline.contracts.table import Table


def digests(table: Table, rows: pa.Table) -> dict[str, str]:
    """Return by month a digest of the keys that came, and of which of their cells are empty."""
    columns = [rows[name].cast(pa.string()).to_pylist() for name in table.key]
    columns += [pc.is_null(rows[name]).to_pylist() for name in _may_be_empty(table)]
    hashes: dict[str, Any] = {}
    for month, *row in zip(_month_names(table, rows), *columns, strict=True):
        hashes.setdefault(month, hashlib.sha256()).update(repr(row).encode())
    return {month: found.hexdigest()[:12] for month, found in sorted(hashes.items())}


def doubtful(table: Table, rows: pa.Table, months: Sequence[date]) -> list[str]:
    """Return those of the months asked for of which the answer may lack something unnoticed.

    No calendar misses what is due on no day: where it did not come at all there is doubt about all
    months, and about those in which it came on most of its usual days. Of what has a calendar,
    single cells may be empty.
    """
    if _never_due(table) - {*_entities_of(table, rows)}:
        return [f"{month:%Y-%m}" for month in months]
    if table.on_occasion:
        return _interrupted(table, rows)
    return _with_empty_cells(table, rows)


def _with_empty_cells(table: Table, rows: pa.Table) -> list[str]:
    """Return the months in which a column of numbers is empty in fewer than half of the like rows.

    Alike are rows with the same labels: a rate, a leg and class. A column that is empty in most of
    them is sparse by nature.
    """
    labels = [c.name for c in table.stored_columns if c.allowed or c.name == table.entity]
    names = _may_be_empty(table)
    if not names or not rows.num_rows:
        return []
    empty = pa.table(
        {
            "month": pa.array(_month_names(table, rows)),
            **{name: rows[name] for name in labels},
            **{f"{name} empty": pc.is_null(rows[name]).cast(pa.int64()) for name in names},
        }
    )
    sums = [(f"{name} empty", "mean") for name in names]
    grouped = empty.group_by(["month", *labels]).aggregate(sums)
    months: set[str] = set()
    for name in names:
        share = grouped[f"{name} empty_mean"]
        odd = pc.and_(pc.greater(share, 0.0), pc.less(share, 0.5))
        months |= set(grouped.filter(odd)["month"].to_pylist())
    return sorted(months)


def _never_due(table: Table) -> set[str]:
    """Return the entities of a table with a calendar that are on it for no day."""
    allowed = (column.allowed for column in table.columns if column.name == table.entity)
    return {*next(allowed, ())} - {*table.releases} if table.releases else set()


def _entities_of(table: Table, rows: pa.Table) -> list[str]:
    return pc.unique(rows[table.entity]).to_pylist() if table.entity else []


def _interrupted(table: Table, rows: pa.Table) -> list[str]:
    """Return the months in which what comes on occasion lacks fewer than half of its usual days."""
    months: set[str] = set()
    for name, release in table.on_occasion.items():
        came = rows.filter(pc.equal(rows[table.entity], name))[table.day].to_pylist()
        usual = calendars.days(release.calendar, min(came), max(came)) if came else []
        due = Counter(f"{day:%Y-%m}" for day in usual)
        absent = Counter(f"{day:%Y-%m}" for day in {*usual}.difference(came))
        months |= {month for month, count in absent.items() if count < due[month] / 2}
    return sorted(months)


def _may_be_empty(table: Table) -> list[str]:
    return [c.name for c in table.stored_columns if c.kind == "number" and c.nullable]


def _month_names(table: Table, rows: pa.Table) -> list[str]:
    names: list[str] = pc.strftime(rows[table.day], "%Y-%m").to_pylist()
    return names
