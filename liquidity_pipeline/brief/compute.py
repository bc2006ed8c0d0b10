"""Compute a brief from a published file: the model of which every form is a rendering."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from liquidity_pipeline.brief.book import Book
from liquidity_pipeline.brief.model import N_, SCHEMA, Brief, Section, msg
from liquidity_pipeline.brief.sections.coming import coming
from liquidity_pipeline.brief.sections.drain import drain
from liquidity_pipeline.brief.sections.reaction import reaction
from liquidity_pipeline.brief.sections.record import misses, missing
from liquidity_pipeline.brief.sections.stress import stress, watch
from liquidity_pipeline.brief.sections.verdict import changes, verdict
from liquidity_pipeline.brief.sections.vitals import vitals

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_PARTS = (vitals, drain, coming, reaction, stress, watch, missing, misses)


def compute(
    connection: duckdb.DuckDBPyConnection, previous: Mapping[str, Any] | None = None
) -> Brief:
    """Return the brief of the file that the connection sees as `sources`, `marts` and `meta`.

    `previous` is the last kept brief; what changed since is told against it.
    """
    book = Book(connection)
    sections = [part(book) for part in _PARTS]
    since: Section = {
        "id": "changes",
        "title": msg(N_("Since the last brief")),
        "blocks": changes(book, previous),
    }
    return {
        "schema": SCHEMA,
        "publication": _publication(book),
        "previous_as_of": previous["publication"]["as_of"] if previous else None,
        "verdict": verdict(book),
        "sections": [since, *sections],
        "figures": book.figures,
    }


def _publication(book: Book) -> dict[str, Any]:
    kept = ("publication_id", "as_of", "built_at", "endpoints", "is_synthetic", "pipeline_version")
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name in kept
        for value in [book.publication[name]]
    }


def figures_table(brief: Brief, schema: pa.Schema) -> pa.Table:
    """Return the rows of `meta.brief_figures`, labelled in English."""
    import pyarrow as pa

    from liquidity_pipeline.brief.render import Text

    label = Text(brief, "en").label

    figures = brief["figures"]
    rows = []
    for name, figure in figures.items():
        before = figures.get(f"previous.{name}")
        rows.append(
            {
                "id": name,
                "label": label(figure["label"]),
                "value": figure["value"],
                "unit": figure["unit"],
                "date": date.fromisoformat(figure["date"]) if figure["date"] else None,
                "sources": ", ".join(figure["sources"]),
                "query": figure["query"],
                "reason": label(figure["reason"]) if "reason" in figure else None,
                "previous_value": before["value"] if before else None,
                "previous_date": date.fromisoformat(before["date"])
                if before and before["date"]
                else None,
            }
        )
    return pa.Table.from_pylist(rows, schema=schema)
