"""What is stale or missing and since when, and the latest errors of our own outlooks."""

from __future__ import annotations

from typing import Any

from liquidity_pipeline.brief.book import Book
from liquidity_pipeline.brief.inputs import Behind, grouped
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

# The rest is in meta.coverage; the page has room for as many.
SHOWN = 12


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
    if book.holds("meta.freshness"):
        name = msg(N_("Sources judged"))
        book.figure("freshness.judged", name, "count", "sources_judged", date=book.as_of)
    for record in ("meta.freshness", "meta.coverage"):
        if not book.holds(record):
            what = msg(N_("Which sources are current"))
            return [statement("stale", book.unknown(what, record), "unknown")]
    behind = grouped(book.records("behind"))
    ended = [each for each in behind if not each.never_served]
    blocks = [_ended(book, ended), *_never(behind), *_gaps(book)]
    if len(blocks) > 1 or ended:
        return blocks
    text = msg(
        N_("Nothing that was due by {date} is missing from the {n} sources judged."),
        date=book.as_of,
        n=fig(book.figures["freshness.judged"]),
    )
    return [statement("stale", text, "calm")]


def _ended(book: Book, ended: list[Behind]) -> Block:
    """Return the inputs that are not known to the end though they are served: the news first."""
    if not ended:
        text = N_("No input that is served ends before it is due, as of {date}.")
        return statement("stale", msg(text, date=book.as_of))
    columns = [
        msg(N_("Input")),
        msg(N_("Known through")),
        msg(N_("Due through")),
        msg(N_("Why no further")),
    ]
    rows = [
        row(
            each.name,
            each.through or msg(N_("not known")),
            each.due or "",
            each.cause,
            tone="unknown",
        )
        for each in ended[:SHOWN]
    ]
    title = msg(N_("Not known to the end, as of {date}"), date=book.as_of)
    note = msg(
        N_(
            "What rests on one of these is given for the days that are known, and is not known "
            "after them."
        )
    )
    return table("stale", title, columns, rows, ["meta.coverage"], note=note)


def _never(behind: list[Behind]) -> list[Block]:
    """Name what was never served: it is no news, and must not hide what is."""
    never = [each for each in behind if each.never_served]
    if not never:
        return []
    text = N_("Never served in this record: {inputs}.")
    named = [each.name for each in never]
    return [statement("never", msg(text, inputs={"list": named, "by": "; "}), "unknown")]


def _gaps(book: Book) -> list[Block]:
    """Say how many series lack days within what is held."""
    gaps = book.figure(
        "freshness.gaps", msg(N_("Series with gaps")), "count", "series_with_gaps", date=book.as_of
    )
    if not gaps["value"]:
        return []
    text = counted(
        "{gaps} series lacks days that were due; meta.freshness has it.",
        "{gaps} series lack days that were due; meta.freshness has them.",
        int(gaps["value"]),
        gaps=fig(gaps),
    )
    return [statement("stale_more", text)]


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
