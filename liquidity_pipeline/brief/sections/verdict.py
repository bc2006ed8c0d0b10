"""The verdict in one line, how complete the evidence is, and what changed since the last brief."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from liquidity_pipeline.brief.book import Book
from liquidity_pipeline.brief.model import (
    N_,
    Block,
    Figure,
    Message,
    Row,
    Tone,
    Verdict,
    counted,
    fig,
    msg,
    row,
    statement,
    table,
)
from liquidity_pipeline.brief.sections.stress import why_none_is_evaluated
from liquidity_pipeline.brief.sections.vitals import GAUGES, UNITS, Gauge
from liquidity_pipeline.brief.terms import INDICATORS, LEVELS, TONES, term

# H.4.1 of a Wednesday is public the next evening and stays the newest for a week; holidays add one.
_DRAIN_AGE = 9

_DRAINS = {
    ("fell", "above"): N_(
        "Reserves fell by {drain} in the week ending {week}, more than the season explains"
    ),
    ("fell", "within"): N_(
        "Reserves fell by {drain} in the week ending {week}, within the range of the season"
    ),
    ("fell", "below"): N_(
        "Reserves fell by {drain} in the week ending {week}, less than the season explains"
    ),
    ("fell", ""): N_(
        "Reserves fell by {drain} in the week ending {week}; whether that is usual for the season "
        "is not known"
    ),
    ("rose", "above"): N_(
        "Reserves rose by {drain} in the week ending {week}, less than the season explains"
    ),
    ("rose", "within"): N_(
        "Reserves rose by {drain} in the week ending {week}, within the range of the season"
    ),
    ("rose", "below"): N_(
        "Reserves rose by {drain} in the week ending {week}, more than the season explains"
    ),
    ("rose", ""): N_(
        "Reserves rose by {drain} in the week ending {week}; whether that is usual for the season "
        "is not known"
    ),
}


def verdict(book: Book) -> Verdict:
    """Return the one line; read after the sections, whose figures it quotes."""
    strain, tone = _strain(book)
    statement_ = msg(N_("{drain}; {strain}."), drain=_drain(book), strain=strain)
    confidence, reason = _confidence(book)
    return {
        "statement": statement_,
        "tone": tone,
        "confidence": confidence,
        "confidence_reason": reason,
        "date": book.as_of.isoformat(),
    }


def _drain(book: Book) -> Message:
    drain = book.figures["reserve_drain"]
    if drain["value"] is None:
        why = drain.get("reason", msg(""))
        return msg(N_("Whether reserves fell or rose is not known, because {why}"), why=why)
    week = date.fromisoformat(str(drain["date"]))
    place = _place(book, drain)
    direction = "fell" if drain["value"] >= 0 else "rose"
    return msg(_DRAINS[direction, place], drain=fig(drain, "full_size"), week=week)


def _place(book: Book, drain: Figure) -> str:
    """Return where the drain lies against the band of its season; empty if that is not known."""
    low, high = (
        book.figures.get(f"season.drain_reserves.expected_{end}") for end in ("low", "high")
    )
    if not low or not high or low["date"] != drain["date"]:
        return ""
    value, bottom, top = drain["value"], low["value"], high["value"]
    if value is None or bottom is None or top is None:
        return ""
    return "above" if value > top else "below" if value < bottom else "within"


def _strain(book: Book) -> tuple[Message, Tone]:
    evaluated, raised = book.figures.get("flags.evaluated"), book.figures.get("flags.raised")
    known = book.records("flags")
    if known and not evaluated:
        text = N_("whether any gauge is under stress is not known: the newest value is of {date}")
        return msg(text, date=max(flag["date"] for flag in known)), "unknown"
    if not evaluated or not raised:
        why = why_none_is_evaluated(book, most=1)
        return msg(
            N_("whether any gauge is under stress is not known, because {why}"), why=why
        ), "unknown"
    current = [flag for flag in known if not flag["is_old"]]
    through = date.fromisoformat(str(evaluated["date"]))
    unseen = len(INDICATORS) - len(current)
    last = max((flag["level"] for flag in known if flag["is_old"]), key=_severity, default="normal")
    if not raised["value"]:
        text = N_("none of the {evaluated} stress indicators evaluated through {date} is active")
        message = msg(text, evaluated=fig(evaluated), date=through)
        return _with_unseen(message, unseen, last), "unknown" if unseen else "calm"
    worst = max((flag["level"] for flag in current), key=_severity)
    message = counted(
        "{raised} of {evaluated} stress indicators evaluated through {date} is active, at {level}",
        "{raised} of {evaluated} stress indicators evaluated through {date} are active, "
        "the highest at {level}",
        int(raised["value"]),
        raised=fig(raised),
        evaluated=fig(evaluated),
        date=through,
        level=term(LEVELS, worst),
    )
    return _with_unseen(message, unseen, last), TONES[worst]


def _severity(level: str) -> int:
    return list(LEVELS).index(level)


def _with_unseen(message: Message, unseen: int, last: str) -> Message:
    """Add how many indicators are not known, and the highest level that they last had, if any."""
    if not unseen:
        return message
    if last != "normal":
        return counted(
            "{known}; {n} other is not known and was last at {level}",
            "{known}; {n} others are not known, the highest of which was last at {level}",
            unseen,
            known=message,
            level=term(LEVELS, last),
        )
    return counted(
        "{known}; {n} other is not known",
        "{known}; {n} others are not known",
        unseen,
        known=message,
    )


def _confidence(book: Book) -> tuple[Literal["high", "medium", "low"], Message]:
    """Return how complete the evidence is: no probability, and it says of what it is made."""
    age = book.figures["reserve_drain.age"]["value"]
    if book.figures["reserve_drain"]["value"] is None or "flags.evaluated" not in book.figures:
        return "low", msg(N_("the drain or the gauges of stress are not known"))
    if age is not None and age > _DRAIN_AGE:
        return "low", msg(
            N_("the drain is {age} days old"), age=fig(book.figures["reserve_drain.age"])
        )
    if not book.holds("meta.freshness"):
        return "low", msg(N_("it is not known which sources are current"))
    judged = book.figures["freshness.judged"]
    behind = book.figure(
        "freshness.behind", msg(N_("Sources behind")), "count", "sources_behind", date=book.as_of
    )
    if behind["value"]:
        return "medium", counted(
            "{behind} of {judged} source tables is behind",
            "{behind} of {judged} source tables are behind",
            int(behind["value"]),
            behind=fig(behind),
            judged=fig(judged),
        )
    if not _place(book, book.figures["reserve_drain"]):
        return "medium", msg(N_("whether the drain is usual for the season is not known"))
    text = N_("none of {judged} source tables is behind, and drain, season and gauges are known")
    return "high", msg(text, judged=fig(judged))


def changes(book: Book, previous: Mapping[str, Any] | None) -> list[Block]:
    """Return what changed since the last brief, as that one was published.

    `previous` is that brief: its `publication.as_of` and its `figures`.
    """
    if previous is None:
        text = N_("There is no earlier brief to compare with: this is the first that was kept.")
        return [statement("changes", msg(text))]
    day = date.fromisoformat(previous["publication"]["as_of"])
    rows = [
        made
        for gauge in GAUGES
        if (made := _change(book, gauge, previous["figures"].get(gauge.id)))
    ]
    if not rows:
        text = N_("No gauge has changed between the brief of {then} and {now}.")
        return [statement("changes", msg(text, then=day, now=book.as_of))]
    columns = [
        msg(N_("Gauge")),
        msg(N_("Unit")),
        msg(N_("Then")),
        msg(N_("described")),
        msg(N_("Now")),
        msg(N_("describes")),
        msg(N_("What happened")),
    ]
    title = msg(N_("Changed since the brief of {then}, as published then"), then=day)
    return [table("changes", title, columns, rows, ["meta.brief_figures"])]


def _change(book: Book, gauge: Gauge, before: Figure | None) -> Row | None:
    now = book.figures[gauge.id]
    happened = _happened(before, now)
    if happened is None:
        return None
    then: Any = msg("")
    described: Any = msg("")
    if before is not None:
        then = fig(book.quote_previous(gauge.id, before), gauge.style)
        described = date.fromisoformat(before["date"]) if before["date"] else msg("")
    day = date.fromisoformat(now["date"]) if now["date"] else msg(N_("not known"))
    tone: Tone = "watch" if happened in _NOTABLE else ""
    return row(
        msg(gauge.label),
        msg(UNITS[gauge.unit]),
        then,
        described,
        fig(now, gauge.style),
        day,
        msg(happened),
        tone=tone,
    )


_REVISED, _NEW = N_("revision of the same value"), N_("newer value")
_LOST, _FOUND = N_("no longer known"), N_("now known")
_WITHDRAWN = N_("the newer value is no longer known")
_NOTABLE = (_REVISED, _LOST, _WITHDRAWN)


def _happened(before: Figure | None, now: Figure) -> str | None:
    """Return what happened to a figure between two briefs; None where nothing did."""
    if before is None or before["value"] is None:
        return None if now["value"] is None else _FOUND
    if now["value"] is None:
        return _LOST
    if before["date"] == now["date"]:
        same = math.isclose(before["value"], now["value"], rel_tol=1e-9, abs_tol=1e-9)
        return None if same else _REVISED
    return _NEW if str(now["date"]) > str(before["date"]) else _WITHDRAWN
