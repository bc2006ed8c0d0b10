"""Does an answer go on from what the lake holds? Units that changed, and columns that fell empty.

A contract's bounds cannot tell millions from thousands where both are possible. The days that are
fetched again every time can: their values are known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline.contracts.table import Table

# No correction multiplies most of the values that are known by this, or divides them by it.
JUMP = 100.0
# Fewer values than these prove nothing.
LEAST_VALUES = 3
# A column counts as filled when this share of its earlier values is there, and a sparse one when
# so many values would be expected among the new rows.
FILLED, EXPECTED = 0.9, 20
# Publishers touch volumes up for weeks, and those of two providers are not comparable.
_NOT_COMPARED = frozenset({"volume"})


def other_units(table: Table, known: pa.Table, rows: pa.Table) -> str | None:
    """Return in which column most known values jumped by a factor of 100 or more; None if none.

    Compared are the `rows` that are `known` under the same key, those with the same labels with
    each other: a publisher may change the unit of one feed of several that fill a table.
    """
    names = _numbers(table)
    if not names or not known.num_rows or not rows.num_rows:
        return None
    key = list(table.key)
    labels = [c.name for c in table.stored_columns if c.allowed or c.name == table.entity]
    added = [name for name in labels if name not in key]
    both = rows.select([*key, *added, *names]).join(
        known.select([*key, *names]), key, right_suffix=" known", join_type="inner"
    )
    for label, part in _alike(labels, both):
        for name in names:
            if problem := _jump(part, name):
                return f"{table.name}{label and f' {label}'}: {problem}"
    return None


def fell_empty(
    table: Table, known: pa.Table, when: str, rows: pa.Table, name: Callable[[str], None]
) -> None:
    """Name each column that the `known` rows have and the new `rows` lack, by entity.

    `when` says of the known rows when they were filled, such as "in 2026-01".
    """
    held_by = dict(_by_entity(table, known))
    for entity, part in _by_entity(table, rows):
        if entity not in held_by or min(part.num_rows, held_by[entity].num_rows) < LEAST_VALUES:
            continue
        for column in (c.name for c in table.stored_columns if c.nullable):
            held = held_by[entity][column]
            share = 1 - held.null_count / len(held)
            is_filled = share >= FILLED or share * part.num_rows >= EXPECTED
            if is_filled and part[column].null_count == part.num_rows:
                where = f"{table.name}{f' {entity}' if entity else ''}"
                name(
                    f"{where}: {column} is empty in all {part.num_rows} rows, and was filled "
                    f"{when}: has the publisher dropped or renamed its field?"
                )


def _numbers(table: Table) -> list[str]:
    return [
        c.name
        for c in table.stored_columns
        if c.kind == "number" and c.name not in table.key and c.name not in _NOT_COMPARED
    ]


def _alike(labels: list[str], rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Yield the rows that have the same labels, with these in words."""
    places = defaultdict(list)
    for place, label in enumerate(zip(*(rows[n].to_pylist() for n in labels), strict=True)):
        places[label].append(place)
    if not labels:
        yield "", rows
    for label, found in places.items():
        yield " ".join(str(part) for part in label if part is not None), rows.take(found)


def _by_entity(table: Table, rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Yield the rows by entity; all of them at once under "" where the table has none."""
    if table.entity is None:
        yield "", rows
        return
    for entity in pc.unique(rows[table.entity]).drop_null():
        yield entity.as_py(), rows.filter(pc.equal(rows[table.entity], entity))


def _jump(rows: pa.Table, name: str) -> str | None:
    new, old = pc.abs(rows[name]), pc.abs(rows[f"{name} known"])
    comparable = pc.and_(pc.greater(new, 0.0), pc.greater(old, 0.0))
    rows = rows.filter(comparable)
    if rows.num_rows < LEAST_VALUES:
        return None
    ratio = pc.abs(pc.divide(rows[name], rows[f"{name} known"]))
    jumped = pc.or_(pc.greater_equal(ratio, JUMP), pc.less_equal(ratio, 1 / JUMP))
    count = pc.sum(jumped.cast(pa.int64())).as_py()
    if count * 2 <= rows.num_rows:
        return None
    example = rows.filter(jumped).slice(0, 1).to_pylist()[0]
    return (
        f"{count} of {rows.num_rows} known values of {name} came with another power of ten "
        f"({example[f'{name} known']:g} is now {example[name]:g}); expected the unit of the "
        f"contract. Nothing of this answer is stored. If the new values are right, run "
        f"`liquidity backfill --force` over these months"
    )
