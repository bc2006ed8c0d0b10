"""Flags and episodes with their reasons."""

from __future__ import annotations

from collections.abc import Set
from datetime import date
from typing import Any

from liquidity_pipeline.brief.book import Book, Record
from liquidity_pipeline.brief.inputs import RESERVES
from liquidity_pipeline.brief.model import (
    N_,
    Block,
    Message,
    Row,
    Section,
    Tone,
    Unit,
    counted,
    fig,
    msg,
    row,
    statement,
    table,
)
from liquidity_pipeline.brief.terms import (
    INDICATORS,
    LEVELS,
    SEGMENTS,
    TONES,
    term,
)
from liquidity_pipeline.models.stress.indicators import INDEX_INPUTS, Indicator
from liquidity_pipeline.models.stress.indicators import INDICATORS as ALL_GAUGES

# What ended longer ago than this many days is not today's stress.
FORTNIGHT = 14

_SUFFIX_UNITS: dict[str, Unit] = {"_bp": "bp", "_pct": "pct", "_usd_mn": "usd_mn"}
UNIT_WORDS: dict[Unit, str] = {"bp": N_("bp"), "pct": N_("%"), "usd_mn": N_("USD bn")}
_INDEX: tuple[tuple[str, Unit, str], ...] = (
    ("index_value", "index", N_("Stress index")),
    ("rank * 100", "percentile", N_("Stress index, percentile among the sessions before")),
    ("n_history", "count", N_("Sessions that the stress index is ranked among")),
)
_INDEX_TEXT = N_(
    "Stress index on {date}: {value} on a scale from 0 to 1 ({level}), percentile {rank} of "
    "the {n} sessions before; segments counted: {segments}."
)
_EPISODE: tuple[tuple[str, str, Unit, str], ...] = (
    ("depth", "depth_usd_mn", "usd_mn", N_("Depth of the episode")),
    ("share", "depth_pct", "pct", N_("Depth of the episode, share of reserves at its start")),
    ("tga", "tga_share_pct", "pct", N_("Share of the Treasury's account in the episode")),
)


def stress(book: Book) -> Section:
    """Return the flags, the index, the episodes and the segments' course."""
    return {
        "id": "stress",
        "title": msg(N_("Flags and episodes")),
        "blocks": [
            *_flags(book),
            _index(book),
            *_episodes(book),
            book.chart(
                "stress",
                msg(N_("Stress by segment, 0 to 1")),
                "ratio",
                "chart_stress",
            ),
        ],
    }


def _flags(book: Book) -> list[Block]:
    gauges = book.records("flags")
    current = [gauge for gauge in gauges if not gauge["is_old"]]
    old = [gauge for gauge in gauges if gauge["is_old"]]
    if not current:
        what = msg(N_("Whether any stress indicator is active"))
        if gauges:
            newest = max(gauge["date"] for gauge in gauges)
            text = _ended(book, what, newest, "marts.stress_flags")
        else:
            pattern = N_("{what}: not known, because {why}.")
            text = msg(pattern, what=what, why=why_none_is_evaluated(book))
        return [statement("flags", text, "unknown")]
    blocks = [_tally(book, current)]
    raised = [gauge for gauge in current if gauge["level"] != "normal"]
    if raised:
        columns = [
            msg(N_("Gauge")),
            msg(N_("Level")),
            msg(N_("Describes")),
            msg(N_("Value")),
            msg(N_("Threshold")),
            msg(N_("Unit")),
            msg(N_("Reason")),
        ]
        rows = [_raised(book, gauge) for gauge in raised]
        title = msg(N_("Active gauges, as of {date}"), date=book.as_of)
        blocks.append(table("raised", title, columns, rows, ["marts.stress_flags"]))
    if old:
        blocks.append(_not_known_now(book, old))
    return blocks + _never_evaluated(book, {gauge["indicator"] for gauge in gauges})


def why_none_is_evaluated(book: Book, most: int = 3) -> Message:
    """Say why no gauge could be evaluated; an input that some do not rest on is not the cause."""
    inputs = {each for gauge in ALL_GAUGES for each in gauge.rests_on}
    behind = book.behind(["marts.stress_flags"], inputs)
    if behind and not all(behind.intersection(gauge.rests_on) for gauge in ALL_GAUGES):
        return msg(N_("no gauge has three years of known inputs"))
    return book.why_unknown(["marts.stress_flags"], inputs, only=True, most=most)


def _not_known_now(book: Book, old: list[Record]) -> Block:
    """Name the gauges of which a newer value is due, with the level and the day of their last."""
    last = [
        msg(
            N_("{gauge} ({level} on {date})"),
            gauge=term(INDICATORS, gauge["indicator"]),
            level=term(LEVELS, gauge["level"]),
            date=gauge["date"],
        )
        for gauge in old
    ]
    text = counted(
        "{n} gauge is not known now, because a newer value was due by {date}. Last level: {names}. "
        "Cause: {why}.",
        "{n} gauges are not known now, because newer values were due by {date}. Last levels: "
        "{names}. Cause: {why}.",
        len(old),
        date=book.as_of,
        names={"list": last, "by": "; "},
        why=book.why_unknown(["marts.stress_flags"], _rests_on(old)),
    )
    return statement("flags_old", text, "unknown")


def _rests_on(gauges: list[Record]) -> set[str]:
    """Return the inputs that gauges rest on, as `meta.coverage` names them."""
    names = {gauge["indicator"] for gauge in gauges}
    return {each for one in ALL_GAUGES if one.name in names for each in one.rests_on}


def _never_evaluated(book: Book, evaluated: set[str]) -> list[Block]:
    """Name the gauges that have no row at all: the tally must not pass over them in silence."""
    never = [gauge for gauge in ALL_GAUGES if gauge.name not in evaluated]
    inputs = {each for gauge in never for each in gauge.rests_on}
    behind = book.behind(["marts.stress_flags"], inputs)
    short = [gauge for gauge in never if not behind.intersection(gauge.rests_on)]
    blocks = []
    if cut_off := [gauge for gauge in never if gauge not in short]:
        text = counted(
            "{n} gauge has never been evaluated here: {names}. Cause: {why}.",
            "{n} gauges have never been evaluated here: {names}. Cause: {why}.",
            len(cut_off),
            names=_named(cut_off),
            why=book.why_unknown(["marts.stress_flags"], inputs, only=True),
        )
        blocks.append(statement("flags_cut_off", text, "unknown"))
    if short:
        text = counted(
            "{n} gauge has never been evaluated here, because three years of its inputs are not "
            "known: {names}.",
            "{n} gauges have never been evaluated here, because three years of their inputs are "
            "not known: {names}.",
            len(short),
            names=_named(short),
        )
        blocks.append(statement("flags_never", text, "unknown"))
    return blocks


def _named(gauges: list[Indicator]) -> dict[str, Any]:
    return {"list": [term(INDICATORS, gauge.name) for gauge in gauges], "by": "; "}


def _ended(
    book: Book, what: Message, newest: date, table_name: str, about: Set[str] = frozenset()
) -> Message:
    """Say of something that its record ended too long ago to describe the present, and why."""
    text = N_("{what}: not known, because the newest evaluation is of {date}. Cause: {why}.")
    return msg(text, what=what, date=newest, why=book.why_unknown([table_name], about))


def _tally(book: Book, current: list[Record]) -> Block:
    first, last = (pick(gauge["date"] for gauge in current) for pick in (min, max))
    raised = book.figure(
        "flags.raised", msg(N_("Active stress indicators")), "count", "flags_raised", date=last
    )
    evaluated = book.figure(
        "flags.evaluated", msg(N_("Gauges evaluated")), "count", "flags_evaluated", date=last
    )
    places = {"raised": fig(raised), "evaluated": fig(evaluated), "first": first, "last": last}
    if raised["value"]:
        text = N_(
            "Active: {raised} of {evaluated} stress indicators evaluated between {first} and "
            "{last}."
        )
    else:
        text = N_(
            "None of the {evaluated} stress indicators evaluated between {first} and {last} is "
            "active."
        )
        places.pop("raised")
    # What is not active is calm only where all are known.
    quiet: Tone = "calm" if len(current) == len(ALL_GAUGES) else "unknown"
    return statement("flags", msg(text, **places), "watch" if raised["value"] else quiet)


def gauge_unit(indicator: str) -> Unit:
    """Return the unit of a gauge, which its name ends with."""
    return next((u for suffix, u in _SUFFIX_UNITS.items() if indicator.endswith(suffix)), "ratio")


def reading(book: Book, gauge: Record, column: str, label: str, unit: Unit | None = None) -> Any:
    """Return one number of a gauge on its newest day."""
    indicator = gauge["indicator"]
    return book.figure(
        f"flag.{indicator}.{column.split(' ', maxsplit=1)[0]}",
        msg(label, gauge=term(INDICATORS, indicator)),
        unit or gauge_unit(indicator),
        "flag",
        date=gauge["date"],
        indicator=indicator,
        column=column,
    )


def _raised(book: Book, gauge: Record) -> Row:
    value = reading(book, gauge, "value", N_("{gauge}: value"))
    threshold = reading(book, gauge, "threshold", N_("{gauge}: threshold"))
    return row(
        term(INDICATORS, gauge["indicator"]),
        term(LEVELS, gauge["level"]),
        gauge["date"],
        fig(value),
        fig(threshold),
        msg(UNIT_WORDS.get(gauge_unit(gauge["indicator"]), "")),
        _why_raised(book, gauge),
        tone=TONES.get(gauge["level"], ""),
    )


# By the state of the flag; `stress_flags` has the same in its reason, in English only.
_RAISED = {
    "held": N_(
        "above {rank} of the {n} values of the three years before; the flag stays up, because "
        "the rank is not yet below 0.85"
    ),
    "leaving": N_(
        "above {rank} of the {n} values of the three years before; the flag is coming down: one "
        "more such observation lowers it"
    ),
    "calendar": N_(
        "above {rank} of the {n} values of the three years before; a month-end or month-start day "
        "leaves the flag as it was"
    ),
}
_RANKED = N_("above {rank} of the {n} values of the three years before")


def _why_raised(book: Book, gauge: Record) -> Message:
    """Return why a flag is up."""
    label = N_("{gauge}: percentile among earlier values")
    rank = reading(book, gauge, "rank * 100", label, "pct")
    n = reading(book, gauge, "n_history", N_("{gauge}: earlier values"), "count")
    text = _RAISED.get(gauge["state"], _RANKED)
    return msg(text, rank=fig(rank, "full"), n=fig(n))


def _index(book: Book) -> Block:
    day = book.one("stress_day")
    if day is None:
        what = msg(N_("The stress index"))
        told = book.unknown(what, "marts.stress_index", rests_on=INDEX_INPUTS)
        return statement("index", told, "unknown")
    if (book.as_of - day).days >= FORTNIGHT:
        what = msg(N_("The stress index"))
        told = _ended(book, what, day, "marts.stress_index", INDEX_INPUTS)
        return statement("index", told, "unknown")
    (words,) = book.records("stress_words", date=day)
    value, rank, n = (
        book.figure(
            f"index.{column.split(' ')[0]}", msg(label), unit, "stress", date=day, column=column
        )
        for column, unit, label in _INDEX
    )
    segments = [
        term(SEGMENTS, name.strip())
        for name in (words["segments"] or "").split(",")
        if name.strip()
    ]
    message = msg(
        _INDEX_TEXT,
        date=day,
        value=fig(value),
        level=term(LEVELS, words["level"]),
        rank=fig(rank),
        n=fig(n),
        segments={"list": segments},
    )
    if book.one("stress_is_current", date=day):
        return statement("index", message, TONES.get(words["level"], ""))
    why = book.why_unknown(["marts.stress_index"], INDEX_INPUTS, only=True)
    text = N_("{known} Not known after that day. Cause: {why}.")
    return statement("index", msg(text, known=message, why=why), "unknown")


_OPEN_EPISODE = N_(
    "An episode of drain that began on {start} was open in the week ending {end}: {depth}, "
    "{share} of reserves at its start; the rise of the Treasury's account makes up {tga} "
    "of it."
)
_LAST_EPISODE = N_(
    "No drain episode was open in the week ending {through}. The last ran from {start} to "
    "{end}: {depth}, {share} of reserves at its start; the rise of the Treasury's account "
    "made up {tga} of it."
)


def _episodes(book: Book) -> list[Block]:
    through = book.one("episode_through")
    if through is None:
        what = msg(N_("Whether a drain episode is open"))
        told = book.unknown(what, "marts.drain_episode_weeks", rests_on={RESERVES})
        return [statement("episode", told, "unknown")]
    if (book.as_of - through).days >= FORTNIGHT:
        what = msg(N_("Whether a drain episode is open"))
        told = _ended(book, what, through, "marts.drain_episode_weeks")
        return [statement("episode", told, "unknown")]
    is_open = book.records("open_episodes")
    episodes = is_open or book.records("last_closed_episode")
    if not episodes:
        text = N_("No drain episode has been found in the weeks through {through}.")
        return [statement("episode", msg(text, through=through))]
    episode = episodes[0]
    end = through if is_open else episode["end_date"]
    figures = {
        name: book.figure(
            f"episode.{name}",
            msg(label),
            unit,
            "episode",
            date=end,
            episode=episode["episode_id"],
            column=column,
        )
        for name, column, unit, label in _EPISODE
    }
    text = _OPEN_EPISODE if is_open else _LAST_EPISODE
    places = {name: fig(figures[name], "full") for name in ("depth", "share", "tga")}
    tone: Tone = "watch" if is_open else ""
    return [
        statement(
            "episode",
            msg(text, start=episode["start_date"], end=end, through=through, **places),
            tone,
        )
    ]
