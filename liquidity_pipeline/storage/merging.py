"""Which rows a partition has after a new answer: its rows, and the stored ones that stay."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.contracts.validation import conform

# The rank of a provider for an entity, from 0 for its first choice.
Choice = Mapping[tuple[str, str], int]
NO_CHOICE: Choice = {}


def kept_rows(
    table: Table,
    old: pa.Table,
    new: pa.Table,
    elsewhere: pa.Table,
    *,
    keep_after: date | None,
    withdrawn: Collection[str],
) -> pa.Table:
    """Return the stored rows of a month that stay even if the answer lacks them.

    `new` are the answer's rows of this month, `elsewhere` those of other months. Rows of days after
    `keep_after` stay, except those with a `withdrawn` key that were never full.
    """
    kept = _unmoved(table, _kept(table, old, new, keep_after), elsewhere)
    return _not_withdrawn(table, kept, withdrawn)


def merge(table: Table, new: pa.Table, kept: pa.Table, old: pa.Table, choice: Choice) -> pa.Table:
    """Return the new rows, the kept ones that they lack, and the old ones that know more."""
    if old.num_rows and (table.fullness or table.provider):
        worse = _worse(table, new, old, choice)
        better = pc.is_in(_row_keys(table, old), value_set=_row_keys(table, new.filter(worse)))
        new = pa.concat_tables([new.filter(pc.invert(worse)), old.filter(better)])
    if not kept.num_rows:
        return conform(table, new)
    gone = pc.invert(pc.is_in(_row_keys(table, kept), value_set=_row_keys(table, new)))
    return conform(table, pa.concat_tables([new, kept.filter(gone)]))


def _kept(table: Table, old: pa.Table, new: pa.Table, keep_after: date | None) -> pa.Table:
    """Return the old rows that stay even if the new answer lacks them."""
    if table.keep_vanished:
        return old
    if table.whole_days:
        return old.filter(pc.invert(pc.is_in(old[table.day], value_set=new[table.day])))
    if keep_after is None:
        return old.slice(0, 0)
    return old.filter(pc.greater(old[table.day], pa.scalar(keep_after, pa.date32())))


def _unmoved(table: Table, old: pa.Table, elsewhere: pa.Table) -> pa.Table:
    """Leave out old rows that the answer has in another month: they would be there twice."""
    if table.day in table.key or not old.num_rows:
        return old
    keys = _row_keys(table, elsewhere)
    return old.filter(pc.invert(pc.is_in(_row_keys(table, old), value_set=keys)))


def _not_withdrawn(table: Table, kept: pa.Table, withdrawn: Collection[str]) -> pa.Table:
    """Leave out old rows that will never be full: what settles of a postponed auction is nothing.

    A row that was full stays: results that are gone from an answer are the answer's fault.
    """
    if not withdrawn or not kept.num_rows or len(table.key) != 1 or not table.fullness:
        return kept
    named = pc.is_in(kept[table.key[0]], value_set=pa.array(sorted(withdrawn), pa.string()))
    return kept.filter(pc.invert(pc.and_(named, pc.is_null(kept[table.fullness]))))


def _worse(table: Table, new: pa.Table, old: pa.Table, choice: Choice) -> pa.Array:
    """Tell of each new row whether it knows less than the stored row of the same key.

    It lacks what makes a row full, or is from a provider of a later choice.
    """
    keys = _row_keys(table, new)
    worse = pa.array([False] * new.num_rows, pa.bool_())
    if table.fullness:
        full_before = old.filter(pc.is_valid(old[table.fullness]))
        had = pc.is_in(keys, value_set=_row_keys(table, full_before))
        worse = pc.or_(worse, pc.and_(pc.is_null(new[table.fullness]), had))
    if table.provider and choice:
        stored = dict(
            zip(_row_keys(table, old).to_pylist(), _ranks(table, old, choice), strict=True)
        )
        ranks = zip(keys.to_pylist(), _ranks(table, new, choice), strict=True)
        later = [rank > stored.get(key, rank) for key, rank in ranks]
        worse = pc.or_(worse, pa.array(later, pa.bool_()))
    return worse


def _ranks(table: Table, rows: pa.Table, choice: Choice) -> list[int]:
    """Return the rank of each row's provider; one that is no longer chosen comes last."""
    pairs = zip(rows[table.entity].to_pylist(), rows[table.provider].to_pylist(), strict=True)
    return [choice.get(pair, len(choice)) for pair in pairs]


def _row_keys(table: Table, rows: pa.Table) -> pa.Array:
    """Return one string per row that identifies it by its key."""
    parts = [pc.fill_null(rows[name].cast(pa.string()), "\x00") for name in table.key]
    return pc.binary_join_element_wise(*parts, "\x1f").combine_chunks()
