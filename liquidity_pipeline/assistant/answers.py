"""What the tools answer. Each answer names its publication and how far its data reach."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, Field

from liquidity_pipeline.models.engine import sources_behind

_SYNTHETIC = "SYNTHETIC DATA from the sandbox: these figures describe no real market. Say so."
_MOST_BEHIND = 12


class Publication(BaseModel):
    """Which build of the file was read."""

    publication_id: str
    built_at: str = Field(description="When it was built, UTC")
    as_of: str = Field(description="Last day whose publications were used")
    endpoints: str = Field(description="live, sandbox, or the address that was asked instead")
    is_synthetic: bool
    caution: str = Field(default="", description="What must be said with every figure")


class Reach(BaseModel):
    """How far one source table behind an answer is known."""

    table: str
    known_through: str | None = Field(
        description="Last day through which every part is known; null where one is not at all"
    )
    newest: str | None = Field(description="Last day through which its newest part is known")
    behind: list[str] = Field(
        description="Parts known less far than is due, and why; empty when all is current"
    )


class Answer(BaseModel):
    """What every answer says of itself."""

    publication: Publication
    reach: list[Reach] = Field(description="The source tables behind this answer")


class Column(BaseModel):
    """A column of a published table."""

    name: str
    type: str
    unit: str | None = None
    meaning: str | None = None


class TableEntry(BaseModel):
    """A published table or view, in one line."""

    name: str
    rows: int | None = Field(description="null for a view")
    meaning: str


class Example(BaseModel):
    """A question, and a query that answers it on this file."""

    question: str
    sql: str


class Catalogue(Answer):
    """Tables, views and example queries."""

    tables: list[TableEntry]
    examples: list[Example]


class TableDescription(Answer):
    """One table or view, with its columns and their units."""

    name: str
    meaning: str
    key: str | None = Field(description="Columns that identify a row")
    columns: list[Column]


class QueryResult(Answer):
    """The rows of a query."""

    columns: list[Column]
    rows: list[list[Any]]
    is_cut: bool = Field(description="There are more rows than are shown")


class Coverage(Answer):
    """How far each input is known, part by part."""

    inputs: list[dict[str, Any]]


class BriefText(Answer):
    """The brief, as Markdown."""

    text: str


def publication(row: Mapping[str, Any]) -> Publication:
    """Return what a row of `meta.publication` says, with the caution that belongs to it."""
    names = ("publication_id", "built_at", "as_of", "endpoints", "is_synthetic")
    caution = _SYNTHETIC if row["is_synthetic"] else ""
    return Publication(**{name: row[name] for name in names}, caution=caution)


def reach(coverage: Iterable[Mapping[str, Any]], tables: Iterable[str] | None) -> list[Reach]:
    """Return how far the sources behind published tables are known; None means all sources.

    `coverage` are rows of `meta.coverage`, with days as ISO text.
    """
    wanted = None if tables is None else set(sources_behind(tables))
    parts: dict[str, list[Mapping[str, Any]]] = {}
    for row in coverage:
        if wanted is None or row["table_name"] in wanted:
            parts.setdefault(row["table_name"], []).append(row)
    return [_reach_of(table, rows) for table, rows in sorted(parts.items())]


def _reach_of(table: str, rows: list[Mapping[str, Any]]) -> Reach:
    known = [row["known_through"] for row in rows]
    behind = [
        f"{row['entity'] or table}: through {row['known_through'] or 'no day'} ({row['reason']})"
        for row in rows
        if row["expected_through"]
        and (row["known_through"] is None or row["known_through"] < row["expected_through"])
    ]
    more = len(behind) - _MOST_BEHIND
    return Reach(
        table=f"sources.{table}",
        known_through=None if None in known else min(known),
        newest=max((day for day in known if day), default=None),
        behind=behind[:_MOST_BEHIND] + ([f"and {more} more"] if more > 0 else []),
    )
