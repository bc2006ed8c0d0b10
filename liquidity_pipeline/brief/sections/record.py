"""What is stale or missing and since when, and the latest errors of our own outlooks."""

from __future__ import annotations

from typing import Any

from liquidity_pipeline.brief.book import Book, Record
from liquidity_pipeline.brief.model import (
    N_,
    Block,
    Row,
    Section,
    Style,
    counted,
    fig,
    msg,
    row,
    statement,
    table,
)

SHOWN = 10


def missing(book: Book) -> Section:
    """Return what is stale or missing."""
    return {
        "id": "missing",
        "title": msg(N_("What is stale or missing")),
        "blocks": _stale(book),
    }


def misses(book: Book) -> Section:
    """Return the last misses of the season, the settlement outlook and the Treasury's path."""
    rows = [*_season(book), *_outlooks(book), *_paths(book)]
    if not rows:
        what = msg(N_("Errors of past outlooks"))
        tables = ("marts.settlement_outlook_score", "marts.tga_trajectory_score")
        block = statement("misses", book.unknown(what, *tables), "unknown")
    else:
        columns = [
            msg(N_("Outlook")),
            msg(N_("Made on")),
            msg(N_("For")),
            msg(N_("Forecast")),
            msg(N_("Outcome")),
            msg(N_("Error")),
        ]
        title = msg(
            N_("Errors of our own outlooks, {unit}, as of {date}"),
            unit=msg(N_("USD bn")),
            date=book.as_of,
        )
        note = msg(
            N_(
                "Listed: the last two weeks of the past year whose drain lay outside its seasonal "
                "band, if there were any; the two largest errors among the last six Fridays' "
                "outlooks for the week ahead; and the last two paths of the Treasury's account."
            )
        )
        sources = [
            "marts.drain_seasonality",
            "marts.settlement_outlook_score",
            "marts.tga_trajectory_score",
        ]
        block = table("misses", title, columns, rows, sources, note=note)
    return {"id": "misses", "title": msg(N_("Latest forecast errors")), "blocks": [block]}


def _stale(book: Book) -> list[Block]:
    if not book.holds("meta.freshness"):
        what = msg(N_("Which sources are current"))
        return [statement("stale", book.unknown(what, "meta.freshness"), "unknown")]
    stale = book.records("stale")
    judged = book.figure(
        "freshness.judged", msg(N_("Sources judged")), "count", "sources_judged", date=book.as_of
    )
    if not stale:
        text = msg(
            N_("Nothing that was due by {date} is missing from the {n} sources judged."),
            date=book.as_of,
            n=fig(judged),
        )
        return [statement("stale", text, "calm")]
    columns = [
        msg(N_("Source")),
        msg(N_("Series")),
        msg(N_("Newest stored")),
        msg(N_("Days due since")),
        msg(N_("Days missing")),
    ]
    rows = [_stale_row(book, record) for record in stale[:SHOWN]]
    title = msg(N_("Behind or with gaps, as of {date}"), date=book.as_of)
    blocks: list[Block] = [table("stale", title, columns, rows, ["meta.freshness"])]
    if (more := len(stale) - SHOWN) > 0:
        text = counted(
            "{n} further series has gaps; meta.freshness lists it.",
            "{n} further series have gaps; meta.freshness lists them.",
            more,
        )
        blocks.append(statement("stale_more", text))
    return blocks


def _stale_row(book: Book, record: Record) -> Row:
    name, entity = record["table_name"], record["entity"]
    behind, gaps = (
        book.figure(
            f"freshness.{name}.{entity}.{column}",
            msg(label, source=f"{name} {entity}".strip()),
            "count",
            "freshness",
            date=book.as_of,
            table=name,
            entity=entity,
            column=column,
        )
        for column, label in (
            ("days_behind", N_("{source}: due observations after the newest")),
            ("days_missing", N_("{source}: due observations missing")),
        )
    )
    newest = record["last_day"] or msg(N_("not known"))
    return row({"code": name}, {"code": entity}, newest, fig(behind), fig(gaps))


def _season(book: Book) -> list[Row]:
    return [
        _miss(
            book,
            f"miss.season.{record['week_ending']}",
            (msg(N_("Season of the drain")), None, record["week_ending"]),
            "season",
            ("expected_usd_mn", "actual_usd_mn", "surprise_usd_mn"),
            week=record["week_ending"],
            component="drain_reserves",
        )
        for record in book.records("season_misses")
    ]


def _outlooks(book: Book) -> list[Row]:
    return [
        _miss(
            book,
            f"miss.outlook.{record['week_start']}",
            (
                msg(N_("Net settlement of the week ahead")),
                record["as_of_date"],
                record["week_start"],
            ),
            "outlook_score",
            ("net_public_known_usd_mn", "net_public_usd_mn", "error_usd_mn"),
            made=record["as_of_date"],
            week=record["week_start"],
        )
        for record in book.records("outlook_misses")
    ]


def _paths(book: Book) -> list[Row]:
    return [
        _miss(
            book,
            f"miss.path.{record['statement_date']}",
            (msg(N_("Path of the TGA")), record["statement_date"], record["week_ending"]),
            "path_score",
            ("implied_balance_usd_mn", "actual_balance_usd_mn", "error_usd_mn"),
            style="plain",
            made=record["statement_date"],
            week=record["week_ending"],
        )
        for record in book.records("path_misses")
    ]


def _miss(
    book: Book,
    id: str,  # noqa: A002 - the JSON key
    named: tuple[Any, Any, Any],
    query: str,
    columns: tuple[str, str, str],
    *,
    style: Style = "signed",
    **where: Any,
) -> Row:
    what, made, day = named
    labels = (N_("{what}: forecast"), N_("{what}: outcome"), N_("{what}: error"))
    figures = [
        book.figure(
            f"{id}.{suffix}",
            msg(label, what=what),
            "usd_mn",
            query,
            date=day,
            column=column,
            **where,
        )
        for column, suffix, label in zip(columns, ("said", "came", "error"), labels, strict=True)
    ]
    said, came, error = figures
    made_on = made or msg(N_("the weeks before"))
    return row(what, made_on, day, fig(said, style), fig(came, style), fig(error, "signed"))
