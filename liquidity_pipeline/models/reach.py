"""Cut a mart where its inputs are no longer known: remove rows or set columns to NULL.

A mart is built from all stored data. Its contract and `meta.coverage` decide which of its values
are known, for SQL and Python marts alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline.contracts.reach import PRICE_TABLES, PRICES, REFINEMENTS, Input, Refinement
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.table import Table

if TYPE_CHECKING:
    import duckdb


Through = Mapping[str, date | None]


@dataclass(frozen=True)
class Span:
    """What is known of one input, and what should be."""

    start: date | None
    through: date | None
    expected: date | None


_NOTHING = Span(None, None, None)


@dataclass(frozen=True)
class Coverage:
    """`meta.coverage` by input, and the symbols of each asset class with their first due days."""

    spans: Mapping[tuple[str, str], Span]
    classes: Mapping[str, Mapping[str, date]]

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection) -> Coverage:
        """Read the coverage that a session sees."""
        spans = {
            (table, entity): Span(*span)
            for table, entity, *span in connection.execute(
                "select table_name, entity, known_from, known_through, expected_through "
                "from meta.coverage"
            ).fetchall()
        }
        classes: dict[str, dict[str, date]] = {}
        if any(table in PRICE_TABLES for table, _ in spans):
            for asset, name, since in connection.execute(
                "select asset, asset_class, since from meta.universe order by 1"
            ).fetchall():
                classes.setdefault(name, {})[asset] = since
        return cls(spans, classes)

    def span(self, table: str, entity: str) -> Span:
        """Return what is known of an input; of an input without a row there, nothing."""
        if table != PRICES:
            return self.spans.get((table, entity), _NOTHING)
        found = (self.spans.get((each, entity)) for each in PRICE_TABLES)
        return next((span for span in found if span), _NOTHING)

    def refinement(self, finer: Refinement) -> Span | None:
        """Return what is known of an input that makes others more exact; None if nothing lacks.

        Of one that was never served nothing lacks: a coarser basis takes its place. Where its
        record begins has no say: before it, that basis is used as well.
        """
        found = self.span(finer.table, "")
        through = found.through
        other = self.span(*finer.needed_with) if finer.needed_with else _NOTHING
        if through is None and other.through is not None and finer.from_day:
            through = finer.from_day - timedelta(days=1)
        if through is None or found.expected is None or through >= found.expected:
            return None
        return Span(None, through, found.expected)

    def lacking(self) -> tuple[str, ...]:
        """Return the inputs that make others more exact, were served, and are behind."""
        return tuple(name for name, finer in REFINEMENTS.items() if self.refinement(finer))

    def by_symbol(self) -> Through:
        """Return per symbol the last day through which its price is known."""
        symbols = {entity for table, entity in self.spans if table in PRICE_TABLES}
        return {symbol: self.span(PRICES, symbol).through for symbol in sorted(symbols)}

    def class_unknown(self, name: str, reach: str) -> str:
        """Return the SQL condition that some symbol of a class is not known on the row's day.

        A symbol counts from its first due day on: before it, there is nothing to know.
        """
        conditions = []
        for symbol, since in self.classes.get(name, {}).items():
            span = self.span(PRICES, symbol)
            known = f"{reach} between {_day(span.start)} and {_day(span.through)}"
            conditions.append(f"({reach} >= {_day(since)} and not coalesce({known}, false))")
        return f"({' or '.join(conditions)})" if conditions else "true"


def cut(table: Table, rows: pa.Table, connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return the rows of a mart without what its inputs are not known for."""
    tests = _tests(table, rows, connection)
    if not tests:
        return rows
    holds = _where(rows, tests, connection)
    columns = dict(zip(rows.schema.names, rows.columns, strict=True))
    schema = pa.schema([field.with_nullable(True) for field in rows.schema])
    del rows  # of the largest mart, which is not in memory twice if nobody else has it
    kept = pc.invert(holds.pop("")) if "" in holds else None
    for name, column in columns.items():
        if name in holds:
            columns[name] = pc.if_else(holds[name], pa.scalar(None, column.type), column)
        if kept is not None:
            columns[name] = columns[name].filter(kept)
    return pa.table(columns, schema=schema)


def _tests(table: Table, rows: pa.Table, connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the SQL conditions under which a value is not known, by column; "" is the row."""
    if not table.rests_on or not rows.num_rows:
        return {}
    coverage = Coverage.read(connection)
    beyond = {}
    for each in table.rests_on:
        reach = each.by or str(table.reach)
        if condition := _beyond(each, reach, coverage, pc.max(rows[reach]).as_py()):
            beyond[each] = condition
    absent = [condition for each, condition in beyond.items() if not each.columns]
    tests = {"": " or ".join(absent)} if absent else {}
    for name in rows.schema.names:
        if conditions := [found for each, found in beyond.items() if name in each.columns]:
            tests[name] = " or ".join(conditions)
    return tests


def _where(
    rows: pa.Table, tests: Mapping[str, str], connection: duckdb.DuckDBPyConnection
) -> dict[str, pa.ChunkedArray]:
    """Return for which rows each test holds, where it does for any.

    Only the tests are worked out by DuckDB: it would copy all columns, of a mart that may be the
    largest, where nearly nothing is beyond.
    """
    asked = ", ".join(f'coalesce({test}, false) as "{name}."' for name, test in tests.items())
    connection.register("uncut", rows)
    try:
        found = connection.sql(f"select {asked} from uncut").to_arrow_table()
    finally:
        connection.unregister("uncut")
    holds = {name: found[f"{name}."] for name in tests}
    return {name: where for name, where in holds.items() if pc.any(where).as_py()}


def _beyond(each: Input, reach: str, coverage: Coverage, newest: date) -> str | None:
    """Return the SQL condition of rows that an input is not known for; None if there are none."""
    if each.entity_column:
        condition = _by_name(each.entity_column, coverage.by_symbol(), reach)
    elif each.class_column:
        condition = _by_class(each.class_column, coverage, reach)
    elif each.class_entity:
        condition = coverage.class_unknown(each.class_entity, reach)
    else:
        found = _by_span(each, reach, coverage, newest)
        if found is None:
            return None
        condition = found
    if from_day := each.from_day or _first_due(each):
        condition += f" and {reach} >= date '{from_day}'"
    if each.where:
        condition += f" and ({each.where})"
    if each.only_ahead:
        condition += f" and {reach} + {each.days} > (select today from meta.clock)"
    for name, values in each.only.items():
        condition += f" and {name} in ({', '.join(map(repr, values))})"
    return f"({condition})"


def _by_name(column: str, through: Through, reach: str) -> str:
    """Return the condition where the row's own column names the input."""
    cases = " ".join(f"when '{name}' then {_day(day)}" for name, day in through.items())
    limit = f"case {column} {cases} end" if cases else "null::date"
    return f"coalesce({reach} > {limit}, true)"


def _by_class(column: str, coverage: Coverage, reach: str) -> str:
    """Return the condition where the row's own column names the class."""
    cases = " ".join(
        f"when '{name}' then {coverage.class_unknown(name, reach)}" for name in coverage.classes
    )
    return f"case {column} {cases} else true end" if cases else "true"


def _first_due(each: Input) -> date | None:
    """Return the first day on which the publisher's calendar expects the input."""
    table = SOURCE_TABLES.get(each.table)
    release = table.releases.get(each.entity) if table else None
    return release.since if release else None


def _by_span(each: Input, reach: str, coverage: Coverage, newest: date) -> str | None:
    finer = REFINEMENTS.get(each.table)
    span = coverage.refinement(finer) if finer else coverage.span(each.table, each.entity)
    if span is None:
        return None
    if span.through is None:
        return "true"
    is_behind = span.expected is not None and span.through < span.expected
    if each.is_current:
        return "true" if is_behind else None
    limit = span.through - timedelta(days=each.days)
    is_cut = limit < newest and (is_behind or not each.looks_ahead)
    conditions = [f"{reach} > {_day(limit)}"] if is_cut else []
    if each.from_start and span.start is not None:
        begins_late = each.from_day is not None and str(span.start) > each.from_day
        is_cut_too = "<=" if each.is_change and begins_late else "<"
        conditions.append(f"{reach} {is_cut_too} {_day(span.start)}")
    if each.since and span.start is not None:
        conditions.append(f"{each.since} < {_day(span.start)}")
    return f"({' or '.join(conditions)})" if conditions else None


def _day(day: date | None) -> str:
    return f"date '{day}'" if day else "null::date"
