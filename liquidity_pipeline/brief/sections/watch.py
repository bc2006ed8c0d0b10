"""What would change this view: the nearest thresholds, and levels that were named."""

from __future__ import annotations

from liquidity_pipeline.brief.book import Book, Record
from liquidity_pipeline.brief.model import (
    N_,
    Block,
    Row,
    Section,
    Unit,
    fig,
    msg,
    row,
    statement,
    table,
)
from liquidity_pipeline.brief.sections.stress import UNIT_WORDS, gauge_unit, reading
from liquidity_pipeline.brief.terms import INDICATORS, REFERENCE_LEVELS, term


def watch(book: Book) -> Section:
    """Return what would change this view: the nearest thresholds, and levels that were named."""
    return {
        "id": "watch",
        "title": msg(N_("What would change this view")),
        "blocks": [_thresholds(book), _levels(book)],
    }


def _thresholds(book: Book) -> Block:
    nearest = book.records("near_thresholds")
    if not nearest:
        what = msg(N_("How far the gauges are from their thresholds"))
        return statement("thresholds", book.unknown(what, "marts.stress_flags"), "unknown")
    rows = []
    for gauge in nearest:
        value = reading(book, gauge, "value", N_("{gauge}: value"))
        threshold = reading(book, gauge, "threshold", N_("{gauge}: threshold"))
        rank = reading(
            book, gauge, "rank * 100", N_("{gauge}: percentile among earlier values"), "percentile"
        )
        rows.append(
            row(
                term(INDICATORS, gauge["indicator"]),
                msg(UNIT_WORDS.get(gauge_unit(gauge["indicator"]), "")),
                fig(value),
                fig(threshold),
                fig(rank),
                gauge["date"],
            )
        )
    columns = [
        msg(N_("Gauge")),
        msg(N_("Unit")),
        msg(N_("Value")),
        msg(N_("Flagged above")),
        msg(N_("Percentile")),
        msg(N_("Describes")),
    ]
    title = msg(N_("Stress indicators nearest to their thresholds, as of {date}"), date=book.as_of)
    return table("thresholds", title, columns, rows, ["marts.stress_flags"])


def _levels(book: Book) -> Block:
    levels = book.records("reference_levels")
    if not levels:
        what = msg(N_("Distance to named levels"))
        return statement("levels", book.unknown(what, "marts.reference_levels"), "unknown")
    rows = [_level(book, position, record) for position, record in enumerate(levels)]
    columns = [
        msg(N_("Named level")),
        msg(N_("Unit")),
        msg(N_("Value")),
        msg(N_("Reference")),
        msg(N_("Distance")),
        msg(N_("Describes")),
    ]
    title = msg(N_("Distance to named levels, as of {date}"), date=book.as_of)
    return table("levels", title, columns, rows, ["marts.reference_levels"])


def _level(book: Book, position: int, record: Record) -> Row:
    """Return the row of one level; a ratio that ended a month ago is not today's distance."""
    name = term(REFERENCE_LEVELS, record["subject"])
    unit: Unit = "usd_mn" if "USD" in record["unit"] else "pct"
    if record["is_old"]:
        since = msg(N_("not known since {date}"), date=record["date"])
        return row(name, msg(UNIT_WORDS[unit]), "", "", "", since, tone="unknown")
    value, level, distance = (
        book.figure(
            f"level.{position}.{column}",
            msg(label, what=name),
            unit,
            "reference_level",
            date=record["date"],
            subject=record["subject"],
            level=record["level"],
            column=column,
        )
        for column, label in (
            ("value", N_("{what}: value")),
            ("level", N_("{what}: named level")),
            ("distance", N_("{what}: above the level")),
        )
    )
    return row(
        name,
        msg(UNIT_WORDS[unit]),
        fig(value),
        fig(level),
        fig(distance, "signed"),
        record["date"],
    )
