"""Check an Arrow table against its contract, with pandera doing the checking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from liquidity_pipeline.contracts.table import Ascending, Column, Table
from liquidity_pipeline.settings import memory

if TYPE_CHECKING:
    import pandera.pandas as pandera
    import pyarrow as pa


class ContractBreach(ValueError):  # noqa: N818 - a breach is the field's own word
    """Rows that break their contract: the message names table, column, rule and an example."""


def validate(table: Table, rows: pa.Table) -> pa.Table:
    """Return the rows with the contract's columns, order and types, or raise ContractBreach.

    Checked are names, types, nulls, bounds, closed sets, the key's uniqueness, the order of columns
    that ascend, and that no number is NaN or infinite (undefined is NULL).
    """
    columns = _cast(table, rows)
    del rows  # see _in_order
    cast = _in_order(table, columns)
    _refuse_not_finite(table, cast)
    if not _is_sound(table, cast):
        _refuse_unsound(table, cast)
    return cast


def _is_sound(table: Table, rows: pa.Table) -> bool:
    """Tell whether sorted rows keep all rules, without saying which one they break.

    Nearly all do, and to find that out takes Arrow a twentieth of pandera's time.
    """
    import pyarrow.compute as pc

    columns = ((column, rows[column.name]) for column in table.stored_columns)
    if any(not pc.all(_keeps_rules(*each), min_count=0).as_py() for each in columns):
        return False
    if any(pc.any(_falls(rule, rows)).as_py() for rule in table.ascending):
        return False
    return not _has_doubles(rows.select(list(table.key)))


def _falls(rule: Ascending, rows: pa.Table) -> pa.ChunkedArray:
    """Tell of each row whether a column is less than one to its left."""
    import pyarrow as pa
    import pyarrow.compute as pc

    falls = pa.chunked_array([pa.repeat(False, rows.num_rows)], pa.bool_())
    most = rows[rule.columns[0]]
    for name in rule.columns[1:]:
        falls = pc.or_(falls, pc.fill_null(pc.less(rows[name], most), False))
        most = pc.max_element_wise(most, rows[name])
    return falls


def _has_doubles(keys: pa.Table) -> bool:
    """Tell whether two rows that follow upon each other in sorted keys are equal."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if keys.num_rows < 2:
        return False
    same = pa.chunked_array([pa.repeat(True, keys.num_rows - 1)], pa.bool_())
    for column in keys.columns:
        here, before = column.slice(1), column.slice(0, keys.num_rows - 1)
        both_null = pc.and_(pc.is_null(here), pc.is_null(before))
        same = pc.and_(same, pc.or_(pc.fill_null(pc.equal(here, before), False), both_null))
    return bool(pc.any(same).as_py())


def _refuse_unsound(table: Table, rows: pa.Table) -> None:
    """Raise ContractBreach that names the broken rules; pandera finds those of single columns."""
    memory.let_pandas_in()
    import pandas as pd
    from pandera.errors import SchemaErrors

    lines = [*_falling(table, rows)]
    frame = rows.to_pandas(types_mapper=pd.ArrowDtype)
    try:
        pandera_schema(table).validate(frame, lazy=True)
    except SchemaErrors as error:
        lines += _explain(error)
    raise ContractBreach(f"{table.qualified_name} breaks its contract: " + "; ".join(lines))


def _falling(table: Table, rows: pa.Table) -> Iterator[str]:
    """Yield each order of columns that does not hold, with an example."""
    for rule in table.ascending:
        wrong = rows.filter(_falls(rule, rows))
        if wrong.num_rows:
            example = wrong.select([*table.key, *rule.columns]).slice(0, 1).to_pylist()[0]
            told = ", ".join(f"{name} {value}" for name, value in example.items())
            yield f"{rule} does not hold in {wrong.num_rows} row(s), e.g. {told}"


def keep_sound(table: Table, rows: pa.Table, name: Callable[[str], None]) -> pa.Table:
    """Return the rows as `validate` does, without a few that break the contract, which are named.

    Of rows that share their key and differ none is believed. Cells of which one must be wrong are
    emptied, and named as well. Raises ContractBreach where more than half of the rows break it, or
    where a column is missing or of another type.
    """
    try:
        return validate(table, rows)
    except ContractBreach as error:
        breach = error
    distinct = _distinct(table, rows)
    mended, emptied = _without_doubted(table, distinct)
    sound = _sound(table, mended)
    left_out = distinct.num_rows - sound.num_rows
    is_as_before = not emptied and sound.num_rows == rows.num_rows
    if is_as_before or max(left_out, emptied) * 2 > distinct.num_rows:
        raise breach
    if left_out:
        name(f"{left_out} of {distinct.num_rows} rows are left out: {breach}")
    if emptied:
        name(f"{emptied} of {distinct.num_rows} rows have cells that are left empty: {breach}")
    return validate(table, sound)


def _without_doubted(table: Table, rows: pa.Table) -> tuple[pa.Table, int]:
    """Empty the doubted cells of rows in which columns fall; return in how many rows, too."""
    import pyarrow as pa
    import pyarrow.compute as pc

    emptied = pa.chunked_array([pa.repeat(False, rows.num_rows)], pa.bool_())
    for rule in table.ascending:
        if not rule.doubted:
            continue
        falls = _falls(rule, rows)
        emptied = pc.or_(emptied, falls)
        for name in rule.doubted:
            place, column = rows.schema.get_field_index(name), rows.schema.field(name)
            rows = rows.set_column(place, column, pc.if_else(falls, None, rows[name]))
    return rows, pc.sum(emptied, min_count=0).as_py()


def _distinct(table: Table, rows: pa.Table) -> pa.Table:
    """Return the rows in the contract's types, nulls allowed; a row that comes twice is one."""
    import pyarrow as pa

    nullable = pa.schema([field.with_nullable(True) for field in table.arrow_schema])
    try:
        cast = rows.select(nullable.names).cast(nullable)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, KeyError):
        return rows
    return cast.group_by(nullable.names).aggregate([]).select(nullable.names)


def _sound(table: Table, rows: pa.Table) -> pa.Table:
    """Return the rows that break no rule; of rows that share a key and differ, none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    fine = pa.chunked_array([pa.repeat(True, rows.num_rows)], pa.bool_())
    for column in table.stored_columns:
        fine = pc.and_(fine, _keeps_rules(column, rows[column.name]))
    for rule in table.ascending:
        fine = pc.and_(fine, pc.invert(_falls(rule, rows)))
    kept = rows.filter(fine)
    parts = [pc.fill_null(kept[name].cast(pa.string()), "\x00") for name in table.key]
    keys = pc.binary_join_element_wise(*parts, "\x1f")
    counts = keys.value_counts()
    once = counts.filter(pc.equal(counts.field("counts"), 1)).field("values")
    return kept.filter(pc.is_in(keys, value_set=once))


def _keeps_rules(column: Column, values: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    rules = []
    if column.kind == "number":
        rules.append(pc.is_finite(values))
    if column.low is not None:
        rules.append(pc.greater_equal(values, column.low))
    if column.high is not None:
        rules.append(pc.less_equal(values, column.high))
    if column.allowed:
        rules.append(pc.is_in(values, value_set=pa.array(column.allowed)))
    kept = pc.if_else(pc.is_null(values), column.nullable, True)
    for rule in rules:
        kept = pc.and_(kept, pc.or_(pc.is_null(values), pc.fill_null(rule, False)))
    return kept


def conform(table: Table, rows: pa.Table) -> pa.Table:
    """Select and cast the contract's columns; sort by key so that equal content is equal bytes."""
    columns = _cast(table, rows)
    del rows  # see _in_order
    return _in_order(table, columns)


def _cast(table: Table, rows: pa.Table) -> list[pa.ChunkedArray]:
    import pyarrow as pa

    held = rows.schema.names
    if missing := [each.name for each in table.stored_columns if each.name not in held]:
        raise ContractBreach(
            f"{table.qualified_name}: column(s) {', '.join(missing)} are missing; "
            f"present are {', '.join(held)}."
        )
    columns = []
    for field in table.arrow_schema:
        try:
            column = rows[field.name].cast(field.type)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, KeyError) as error:
            raise ContractBreach(f"{table.qualified_name}.{field.name}: {error}") from error
        if column.null_count and not field.nullable:
            raise ContractBreach(
                f"{table.qualified_name}.{field.name}: {column.null_count} value(s) are NULL, "
                f"which the contract does not allow."
            )
        columns.append(column)
    return columns


def _in_order(table: Table, columns: list[pa.ChunkedArray]) -> pa.Table:
    """Return a table in the order of the key, and no copy of columns that come in it.

    Each column is dropped as soon as it is sorted: the largest mart is not in memory twice, if
    nobody else has its columns.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    unsorted = pa.table(columns, schema=table.arrow_schema).select(list(table.key))
    places = pc.sort_indices(unsorted, [(name, "ascending") for name in table.key]).to_numpy()
    del unsorted
    if not np.array_equal(places, np.arange(len(places), dtype=places.dtype)):
        for i, column in enumerate(columns):
            columns[i] = column.take(places)
    return pa.table(columns, schema=table.arrow_schema).combine_chunks()


@cache
def pandera_schema(table_: Table) -> pandera.DataFrameSchema:
    """Derive the pandera schema: one column per stored column, the key unique."""
    memory.let_pandas_in()
    import pandas as pd
    import pandera.pandas as pandera

    return pandera.DataFrameSchema(
        {
            column.name: pandera.Column(
                pd.ArrowDtype(table_.arrow_schema.field(column.name).type),
                checks=_checks(column),
                nullable=column.nullable,
                description=column.comment,
            )
            for column in table_.stored_columns
        },
        unique=list(table_.key),
        strict=True,
        name=table_.qualified_name,
        description=table_.comment(),
    )


def _checks(column: Column) -> list[pandera.Check]:
    import pandera.pandas as pandera

    checks = []
    if column.low is not None:
        checks.append(pandera.Check.ge(column.low))
    if column.high is not None:
        checks.append(pandera.Check.le(column.high))
    if column.allowed:
        checks.append(pandera.Check.isin(column.allowed))
    return checks


def _refuse_not_finite(table: Table, rows: pa.Table) -> None:
    import pyarrow.compute as pc

    for column in table.stored_columns:
        if column.kind != "number":
            continue
        finite = pc.all(pc.is_finite(rows[column.name])).as_py()
        if finite is False:
            raise ContractBreach(
                f"{table.qualified_name}.{column.name}: NaN or infinite values; "
                f"what is undefined must be NULL."
            )


def _explain(error: Exception) -> list[str]:
    """Name the first five broken rules with an example each, and rows that share a key."""
    cases = error.failure_cases  # type: ignore[attr-defined]
    lines = []
    is_double = cases["check"] == "multiple_fields_uniqueness"
    cases, doubled = cases[~is_double], cases[is_double]
    if len(doubled):
        first = doubled[doubled["index"] == doubled["index"].iloc[0]]
        key = ", ".join(f"{c.column} {c.failure_case}" for c in first.itertuples())
        lines.append(f"{doubled['index'].nunique()} rows share their key, e.g. {key}")
    for (column, check), group in list(cases.groupby(["column", "check"], dropna=False))[:5]:
        example = group["failure_case"].iloc[0]
        lines.append(f"{column}: {check} fails for {len(group)} value(s), e.g. {example!r}")
    return lines
