"""What changed between two versions of a partition: the rows of `meta.revisions`."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date, datetime
from pathlib import Path
from typing import Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline.contracts.meta import REVISIONS
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.storage.files import names_in

# What became of a row that is no longer there: its publisher withdrew it, or a split made its
# prices incomparable with the new ones, and it is fetched again.
Gone = Literal["vanished", "rebased"]


class Seen(NamedTuple):
    """When an answer came, from which moment on it counts, and what became of rows that it lacks.

    Runs as of a day before `counts_from` do not know what the answer revised.
    """

    at: datetime
    counts_from: datetime
    gone: Gone = "vanished"


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


def compare(table: Table, month: date, old: pa.Table, new: pa.Table, seen: Seen) -> pa.Table:
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
            "seen_at": seen.at,
        }
        new_row = after.get(key)
        if new_row is None:
            whole = {"column_name": "*", "change": seen.gone, "old_value": None, "new_value": None}
            found.append(common | whole)
            continue
        for name, was, now in zip(names, old_row, new_row, strict=True):
            if was != now:
                values = {"old_value": _word(was), "new_value": _word(now)}
                found.append(common | {"column_name": name, "change": "changed"} | values)
    return pa.Table.from_pylist(found, schema=REVISIONS.arrow_schema)


def of_interrupted_write(
    folder: Path, table: Table, month: date, partition: Path, moment: str
) -> list[Path]:
    """Return the files of revisions that were noted after a partition was last written.

    Revisions are noted before the partition is replaced, so a writer that was stopped in between
    has left them. Those that count only from after `moment`, as file names say it, are left out.
    """
    written = partition.stat().st_mtime_ns
    start = f"{table.name}-{month:%Y-%m}-"
    return [
        folder / name
        for name in names_in(folder)
        if name.startswith(start)
        and name.split("-")[-2] <= moment
        and (folder / name).stat().st_mtime_ns > written
    ]


def not_in(found: pa.Table, noted: pa.Table) -> pa.Table:
    """Return the revisions that have not been noted, whenever they were seen."""
    columns = [name for name in found.schema.names if name != "seen_at"]
    known = {tuple(row.values()) for row in noted.select(columns).to_pylist()}
    keep = [tuple(row.values()) not in known for row in found.select(columns).to_pylist()]
    return found.filter(pa.array(keep, pa.bool_()))


def undo(
    table: Table, rows: pa.Table, later: pa.Table, fetched: Collection[date] | None = None
) -> pa.Table:
    """Return rows with the values that they had before these revisions of `meta.revisions`.

    `fetched` are the months that had been fetched by then, all by default. In any other month
    nothing was held, so a cell that was filled later keeps its value. A row that vanished stays
    away: what it said is in the archive only. A row that was set aside after a split stays on the
    new basis, like the rows beside it, and so do its earlier corrections.
    """
    before: dict[str, dict[str, str | None]] = {}
    for each in later.sort_by("seen_at").to_pylist():
        key, was = each["row_key"], each["old_value"]
        if each["change"] == "rebased":
            for values in before.values():
                values.pop(key, None)
        elif each["change"] == "changed":
            if was is None and fetched is not None and each["month"] not in fetched:
                continue
            # Of several corrections the first one tells what stood before them all.
            before.setdefault(each["column_name"], {}).setdefault(key, was)
    labels = _labels(table, rows) if before else []
    for name in before.keys() & set(rows.schema.names):
        kind, values = rows.schema.field(name).type, rows[name].to_pylist()
        for place, label in enumerate(labels):
            if label in before[name]:
                values[place] = _value(before[name][label], kind)
        column = rows.schema.get_field_index(name)
        rows = rows.set_column(column, rows.schema.field(name), pa.array(values, kind))
    return rows


def _keyed(table: Table, rows: pa.Table, names: list[str]) -> dict[str, tuple[object, ...]]:
    values = [rows[name].to_pylist() for name in names]
    return dict(zip(_labels(table, rows), zip(*values, strict=True), strict=True))


def _labels(table: Table, rows: pa.Table) -> list[str]:
    keys = [rows[name].cast(pa.string()).to_pylist() for name in table.key]
    return [json.dumps(dict(zip(table.key, key, strict=True))) for key in zip(*keys, strict=True)]


def _value(text: str | None, kind: pa.DataType) -> object:
    """Read what `_word` has written."""
    return pa.scalar(text, pa.string()).cast(kind).as_py()


def _word(value: object) -> str | None:
    return None if value is None else str(value)
