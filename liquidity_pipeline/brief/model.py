"""What a brief is: a JSON document without a language, from which every form is rendered.

`docs/brief.md` describes it for readers, `schema.json` for programs. A sentence is a message: an
English text with named places, and what fills them (a figure by its id, a date, another
message). Only rendering turns it into words of a language, so all languages and formats state the
same figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal, NotRequired, TypedDict

# The first number changes when a reader of the JSON would break.
SCHEMA = "liquidity-brief/1.0"

Unit = Literal[
    "usd_mn", "pct", "bp", "ratio", "sd", "percentile", "count", "days", "pct_per_100bn", "index"
]
Style = Literal["plain", "signed", "size", "full", "full_signed", "full_size"]
Tone = Literal["", "calm", "watch", "stress", "severe", "unknown"]


class Message(TypedDict):
    """A sentence or phrase: `message` with `{places}`, filled from `args`.

    With `plural` and `n` it is counted: `message` is used for one, `plural` for others.
    """

    message: str
    args: NotRequired[dict[str, Any]]
    plural: NotRequired[str]
    n: NotRequired[int]


class Figure(TypedDict):
    """One number of the brief, with everything needed to find it again.

    `value` is None where it is not known, and `reason` then says why. `date` is the day that the
    number describes. `query` run on the published file gives `value`.
    """

    id: str
    label: Message
    value: float | None
    unit: Unit
    date: str | None
    sources: list[str]
    query: str
    reason: NotRequired[Message]


class Row(TypedDict):
    """One row of a table; `total` rows are set off by a rule."""

    cells: list[dict[str, Any]]
    tone: Tone
    total: bool


class Block(TypedDict):
    """A statement, a table or a chart; `kind` says which keys are there."""

    kind: Literal["statement", "table", "chart"]
    id: str
    title: NotRequired[Message]
    message: NotRequired[Message]
    tone: NotRequired[Tone]
    columns: NotRequired[list[Message]]
    rows: NotRequired[list[Row]]
    note: NotRequired[Message]
    unknown: NotRequired[Message]
    sources: NotRequired[list[str]]
    through: NotRequired[str | None]
    as_of: NotRequired[str]
    query: NotRequired[str]
    unit: NotRequired[Unit]
    data: NotRequired[list[dict[str, Any]]]


class Section(TypedDict):
    """A headed part of the brief."""

    id: str
    title: Message
    blocks: list[Block]


class Verdict(TypedDict):
    """The one line at the top, its confidence, and the day it describes."""

    statement: Message
    tone: Tone
    confidence: Literal["high", "medium", "low"]
    confidence_reason: Message
    date: str


class Brief(TypedDict):
    """The whole document."""

    schema: str
    publication: dict[str, Any]
    previous_as_of: str | None
    verdict: Verdict
    sections: list[Section]
    figures: dict[str, Figure]


def N_(text: str) -> str:  # noqa: N802 - gettext's name for "to be translated later"
    """Mark a text for the catalogue."""
    return text


def msg(text: str, **args: Any) -> Message:
    """Return a message; arguments are figures, dates, messages or plain text."""
    return {"message": text, "args": {name: as_cell(value) for name, value in args.items()}}


def counted(one: str, other: str, n: int, **args: Any) -> Message:
    """Return a message that depends on a count, which its text names as `{n}`."""
    return {**msg(one, n={"count": n}, **args), "plural": other, "n": n}


def fig(figure: Figure, style: Style = "plain") -> dict[str, Any]:
    """Return a reference to a figure, and how it is to be written.

    plain: only a minus sign is shown; signed: always a sign; size: never one; full…: with unit.
    """
    return {"figure": figure["id"], "style": style}


def interval(low: Figure, high: Figure) -> Any:
    """Return a cell with both ends; where one is not known, neither says anything."""
    if low["value"] is None or high["value"] is None:
        return fig(low)
    return msg(N_("[{low}, {high}]"), low=fig(low, "signed"), high=fig(high, "signed"))


def as_cell(value: Any) -> dict[str, Any]:
    """Return what may fill a cell or a place: a tagged object."""
    if value is None:
        return {"text": ""}
    if isinstance(value, dict):
        return value
    if isinstance(value, date):
        return {"date": value.isoformat()}
    return {"text": str(value)}


def row(*cells: Any, tone: Tone = "", total: bool = False) -> Row:
    """Return a table row."""
    return {"cells": [as_cell(cell) for cell in cells], "tone": tone, "total": total}


def statement(id: str, message: Message, tone: Tone = "") -> Block:  # noqa: A002 - the JSON key
    """Return a sentence of its own."""
    return {"kind": "statement", "id": id, "message": message, "tone": tone}


def table(
    id: str,  # noqa: A002 - the JSON key
    title: Message,
    columns: Sequence[Message],
    rows: Sequence[Row],
    sources: Sequence[str],
    *,
    note: Message | None = None,
) -> Block:
    """Return a table; a title that has no date in it is the caller's mistake, and a test's find."""
    made: Block = {
        "kind": "table",
        "id": id,
        "title": title,
        "columns": list(columns),
        "rows": list(rows),
        "sources": list(sources),
    }
    if note:
        made["note"] = note
    return made
