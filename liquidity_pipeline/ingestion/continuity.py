"""Does an answer go on from what the lake holds? Changed units or basis, and columns fallen empty.

A contract's bounds cannot tell millions from thousands where both are possible. The days that are
fetched again every time can: their values are known.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline.contracts.table import Table

# No correction multiplies most of the values that are known by this, or divides them by it.
JUMP = 100.0
# Fewer values than these prove nothing, unless at least two moved by the same power of ten.
LEAST_VALUES, LEAST_ALIKE = 3, 2
# Prices that all moved by one factor, at least this far from 1 and alike to so much, are on another
# basis: after a split, or a payout for which a provider adjusts its history.
_FACTOR, _ALIKE = 0.01, 0.001
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
    labels = [c.name for c in table.stored_columns if c.allowed or c.name == table.entity]
    added = [name for name in labels if name not in table.key]
    for label, part in _alike(labels, _joined(list(table.key), added, names, rows, known)):
        for name in names:
            if problem := _jump(part, name):
                return f"{table.name}{label and f' {label}'}: {problem}"
    return None


@dataclass(frozen=True)
class Rebased:
    """An entity whose known values of a provider, from a day on, came multiplied by a factor."""

    entity: str
    provider: str
    since: date
    factor: float


def rebased(table: Table, known: pa.Table, rows: pa.Table) -> list[Rebased]:
    """Return the entities of a table of prices whose known values all moved by one factor.

    A provider that adjusts its history says so with a split, or does not. Rows that are fetched
    later would then be on another basis than those that are stored.
    """
    if table.provider is None or not known.num_rows or not rows.num_rows:
        return []
    key, names = [*table.key, table.provider], _numbers(table)
    both = _joined(key, [], names, rows, known)
    found = []
    for entity, part in _by_entity(table, both):
        for provider in pc.unique(part[table.provider]).to_pylist():
            of_both = part.filter(pc.equal(part[table.provider], provider))
            if factor := _one_factor(of_both, names):
                since = pc.min(of_both[table.day]).as_py()
                found.append(Rebased(entity, provider, since, factor))
    return found


def _one_factor(rows: pa.Table, names: list[str]) -> float | None:
    """Return by what all values were multiplied; None where they were not, or hardly."""
    if rows.num_rows < LEAST_VALUES:
        return None
    ratios = pa.chunked_array([], pa.float64())
    for name in names:
        ratio = pc.divide(rows[name], rows[f"{name} known"])
        ratios = pa.chunked_array([*ratios.chunks, *ratio.drop_null().chunks], pa.float64())
    span = pc.min_max(ratios)
    least, most = span["min"].as_py(), span["max"].as_py()
    if least is None or not 0 < most < math.inf or most - least > _ALIKE * most:
        return None
    return None if abs(most - 1) < _FACTOR else float(most)


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


def _joined(
    key: list[str], added: list[str], names: list[str], rows: pa.Table, known: pa.Table
) -> pa.Table:
    """Return the rows that are known under the same key, with the known values beside the new."""
    new, old = (_without_nulls(part, key) for part in (rows, known))
    return new.select([*key, *added, *names]).join(
        old.select([*key, *names]), key, right_suffix=" known", join_type="inner"
    )


def _without_nulls(rows: pa.Table, key: list[str]) -> pa.Table:
    """Return the rows with an empty text for each NULL of their key: a join matches no NULL."""
    for name in key:
        if rows[name].null_count:
            place = rows.schema.get_field_index(name)
            rows = rows.set_column(place, name, pc.fill_null(rows[name], ""))
    return rows


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
    ratio = pc.abs(pc.divide(rows[name], rows[f"{name} known"]))
    if rows.num_rows < LEAST_VALUES and not _is_one_power_of_ten(ratio.to_pylist()):
        return None
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


def _is_one_power_of_ten(ratios: list[float]) -> bool:
    """Tell whether two values or more moved by the same power of ten, as corrections hardly do."""
    powers = {round(math.log10(ratio)) for ratio in ratios}
    if len(ratios) < LEAST_ALIKE or len(powers) != 1:
        return False
    (power,) = powers
    return all(abs(ratio / 10.0**power - 1) < _ALIKE for ratio in ratios)
