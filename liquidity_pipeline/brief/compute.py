"""Compute a brief from a published file: the model of which every form is a rendering."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from liquidity_pipeline.brief.book import Book
from liquidity_pipeline.brief.inputs import merged
from liquidity_pipeline.brief.model import N_, SCHEMA, Block, Brief, Section, counted, msg
from liquidity_pipeline.brief.sections.coming import coming
from liquidity_pipeline.brief.sections.drain import drain
from liquidity_pipeline.brief.sections.reaction import reaction
from liquidity_pipeline.brief.sections.record import misses, missing
from liquidity_pipeline.brief.sections.stress import stress
from liquidity_pipeline.brief.sections.verdict import changes, verdict
from liquidity_pipeline.brief.sections.vitals import vitals
from liquidity_pipeline.brief.sections.watch import watch

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# Below one table; the figures' own list has all.
_REASONS = 4
_PARTS = (vitals, drain, coming, reaction, stress, watch, missing, misses)


def compute(
    connection: duckdb.DuckDBPyConnection, previous: Mapping[str, Any] | None = None
) -> Brief:
    """Return the brief of the file that the connection sees as `sources`, `marts` and `meta`.

    `previous` is the last kept brief; what changed since is told against it.
    """
    book = Book(connection)
    sections = [part(book) for part in _PARTS]
    for section in sections:
        for block in section["blocks"]:
            _explain(block, book)
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


def _explain(block: Block, book: Book) -> None:
    """Say below a table why figures in it are not known, each reason once."""
    if block["kind"] != "table":
        return
    shown = (part["figure"] for row in block["rows"] for part in _figures(row["cells"]))
    # A value that is not known has no age either: that is no reason of its own.
    unknown = [name for name in shown if book.figures[name]["unit"] != "days"]
    blamed = merged(one for name in unknown for one in book.blamed.get(name, ()))
    reasons = [one.told for one in blamed]
    reasons += [
        reason
        for name in unknown
        if not book.blamed.get(name) and (reason := book.figures[name].get("reason"))
    ]
    alike = list({str(reason): reason for reason in reasons}.values())
    if alike:
        listed = alike[:_REASONS]
        if more := len(alike) - len(listed):
            listed.append(
                counted(
                    "{n} more, listed under what is missing",
                    "{n} more, listed under what is missing",
                    more,
                )
            )
        block["unknown"] = msg(
            N_("n/k, not known: {reasons}."), reasons={"list": listed, "by": "; "}
        )


def _figures(part: Any) -> Iterator[dict[str, Any]]:
    """Yield the references to figures within cells, those within messages too."""
    if isinstance(part, dict):
        if "figure" in part:
            yield part
        for each in part.values():
            yield from _figures(each)
    elif isinstance(part, list):
        for each in part:
            yield from _figures(each)


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
