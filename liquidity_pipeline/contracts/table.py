"""The contract of a table: its columns with type, unit, meaning and bounds, and its key.

Parquet schemas, DuckDB comments, Dagster column schemas, validation and the data dictionary are
all derived from it, so a column is described in one place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from liquidity_pipeline.calendars import Release
from liquidity_pipeline.contracts.reach import Input

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["date", "timestamp", "text", "number", "integer", "boolean"]
SchemaName = Literal["sources", "marts", "meta"]

DUCKDB_TYPES: Mapping[Kind, str] = {
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "text": "VARCHAR",
    "number": "DOUBLE",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
}

# A name's ending states its unit; anything else says so in `Column.unit`.
_UNIT_SUFFIXES = {
    "_usd_mn": "USD millions",
    "_usd_bn": "USD billions",
    "_pct": "percent",
    "_bp": "basis points",
    "_ratio": "ratio",
    "_days": "days",
}
_UNIT_KINDS: Mapping[Kind, str] = {"date": "day", "timestamp": "UTC", "boolean": "true or false"}


@dataclass(frozen=True)
class Column:
    """One column: `low` and `high` are inclusive bounds, `allowed` the closed set of values.

    `stored=False` marks a column that the lake does not hold because it depends on the moment of
    reading (a settlement is 'scheduled' today and 'settled' tomorrow); publication derives it.

    `formula` is the SQL of a column that follows from others of the same row. The published file
    computes it on reading instead of storing it; Parquet files hold it like any other.
    """

    name: str
    kind: Kind
    meaning: str
    nullable: bool = True
    low: float | None = None
    high: float | None = None
    allowed: tuple[str, ...] = ()
    unit: str | None = None
    stored: bool = True
    formula: str = ""

    @property
    def unit_text(self) -> str:
        """The unit in words, from the name's ending where it is not stated."""
        if self.unit:
            return self.unit
        for suffix, words in _UNIT_SUFFIXES.items():
            if self.name.endswith(suffix):
                return words
        return _UNIT_KINDS.get(self.kind, "")

    @property
    def comment(self) -> str:
        """What DuckDB and Dagster show beside the column."""
        unit = f" [{self.unit_text}]" if self.unit_text else ""
        return f"{self.meaning}{unit}"


@dataclass(frozen=True)
class Ascending:
    """Columns that never fall from left to right in a true row; empty cells are passed over.

    In a row in which they do, one of them is wrong, and nobody knows which. The `doubted` columns
    of such a row are emptied; without any, the row is left out.
    """

    columns: tuple[str, ...]
    doubted: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Write the rule as an inequality."""
        return " <= ".join(self.columns)


@dataclass(frozen=True, eq=False)
class Table:
    """One table's contract.

    `releases` names, per entity (a rate, a series, a symbol) or under `""` for the whole table,
    on which days a row is due. `entity` is the column that holds that name. `keep_vanished`:
    rows that a publisher stops sending are kept, because it serves a rolling window; without it
    an answer replaces the month, because records may be withdrawn (a postponed auction).
    `whole_days`: an answer replaces all rows of a day that it has, so that they go on adding up,
    and leaves the rows of a day that it lacks. `can_become_empty`: having no rows any more is good
    news (a quarantine). `notes_revisions`: of a table without partitions, which is replaced whole,
    what changed of the days that the new version still covers is noted. `fullness`: a column that
    only the better provider fills; a row without it never replaces a row with it. `provider`: the
    column that names who served a row; one of a later choice never replaces one of an earlier.
    `parts`: names of what is served apart and due on no day, each with the end of the path at
    which it is asked for; `""` is the whole table. `on_occasion`: entities of a table with a
    calendar that have a value on some days only, known like events by the question, each with the
    calendar of its usual days. `rests_on`: what a mart's rows and columns rest on, `reach`: the
    column with the day up to which they need it. `ascending`: what cannot be otherwise in one row.
    """

    schema: SchemaName
    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    origin: str = ""
    day: str | None = None
    entity: str | None = None
    releases: Mapping[str, Release] = field(default_factory=dict)
    keep_vanished: bool = False
    whole_days: bool = False
    can_become_empty: bool = False
    notes_revisions: bool = False
    fullness: str | None = None
    provider: str | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    on_occasion: Mapping[str, Release] = field(default_factory=dict)
    rests_on: tuple[Input, ...] = ()
    reach: str | None = None
    ascending: tuple[Ascending, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a contract that contradicts itself."""
        named = {*self.key, self.day, self.entity, self.fullness, self.provider, self.reach} - {
            None
        }
        for each in self.rests_on:
            named |= {
                *each.columns,
                *each.only,
                each.entity_column,
                each.class_column,
                each.since,
                each.by,
            }
        for rule in self.ascending:
            named |= {*rule.columns, *rule.doubted}
        named -= {None}
        if missing := named - set(self.column_names):
            raise ValueError(f"{self.qualified_name}: no column for {missing}")
        if len(set(self.column_names)) < len(self.columns):
            raise ValueError(f"{self.qualified_name}: two columns have the same name")
        if self.rests_on and self.reach is None:
            raise ValueError(f"{self.qualified_name}: rests on inputs, but up to which day?")

    @property
    def qualified_name(self) -> str:
        """Schema and name, as SQL writes them."""
        return f"{self.schema}.{self.name}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    @property
    def is_stored_by_key(self) -> bool:
        """Whether stored rows come in the order of the key.

        Those of each file do, and the files of months follow each other by day.
        """
        return self.schema == "marts" or self.key[0] == self.day

    @property
    def stored_columns(self) -> tuple[Column, ...]:
        """The columns that Parquet holds."""
        return tuple(column for column in self.columns if column.stored)

    @cached_property
    def arrow_schema(self) -> pa.Schema:
        """The Parquet schema of the stored columns."""
        import pyarrow as pa

        types = {
            "date": pa.date32(),
            "timestamp": pa.timestamp("us"),
            "text": pa.string(),
            "number": pa.float64(),
            "integer": pa.int64(),
            "boolean": pa.bool_(),
        }
        return pa.schema(
            [
                pa.field(
                    column.name,
                    types[column.kind],
                    nullable=column.nullable,
                    metadata={"comment": column.comment},
                )
                for column in self.stored_columns
            ]
        )

    def comment(self) -> str:
        """Return what DuckDB shows beside the table."""
        origin = f" Source: {self.origin}." if self.origin else ""
        return f"{self.meaning} Key: {', '.join(self.key)}.{origin}"


def by_name(tables: Iterable[Table]) -> dict[str, Table]:
    """Index tables by their bare names, which are unique across schemas."""
    index: dict[str, Table] = {}
    for table in tables:
        if table.name in index:
            raise ValueError(f"two contracts are called {table.name}")
        index[table.name] = table
    return index


# Short constructors: a contract should read like a dictionary entry.


def day(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """Return a calendar-day column."""
    return Column(name, "date", meaning, nullable=nullable)


def moment(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """Return a UTC time-stamp column."""
    return Column(name, "timestamp", meaning, nullable=nullable)


def text(
    name: str,
    meaning: str,
    *,
    nullable: bool = False,
    allowed: tuple[str, ...] = (),
    stored: bool = True,
) -> Column:
    """Return a text column, optionally restricted to a closed set."""
    return Column(name, "text", meaning, nullable=nullable, allowed=allowed, stored=stored)


def number(
    name: str,
    meaning: str,
    *,
    nullable: bool = True,
    low: float | None = None,
    high: float | None = None,
    unit: str | None = None,
) -> Column:
    """Return a floating-point column with inclusive bounds."""
    return Column(name, "number", meaning, nullable=nullable, low=low, high=high, unit=unit)


def integer(
    name: str, meaning: str, *, nullable: bool = False, low: float | None = None, unit: str = ""
) -> Column:
    """Return a whole-number column."""
    return Column(name, "integer", meaning, nullable=nullable, low=low, unit=unit)


def flag(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """Return a true-or-false column."""
    return Column(name, "boolean", meaning, nullable=nullable)


def usd(name: str, meaning: str, *, nullable: bool = True) -> Column:
    """Return an amount in USD millions, of either sign; ten trillion is beyond any of them."""
    return number(name, meaning, nullable=nullable, low=-1e7, high=1e7)


KNOWN_AT = moment("known_at", "When the publisher made the row public")
MART_KNOWN_AT = moment("known_at", "When the last record behind the row was public")
