"""The axis of time of a chart: what its ticks say, how far it reaches, and where a line breaks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

from liquidity_pipeline.brief.language import Words

Rows = list[dict[str, Any]]

# Longer than any holiday of daily values, and than one missing week of weekly ones.
_LONGEST_DAYS, _LONGEST_STEPS = 7, 1.5

_MONTHS = {"en": "%b %y", "zh": "%y年%-m月"}
_DAYS = {"en": "%-d %b", "zh": "%-m月%-d日"}
_NINE_MONTHS = timedelta(days=270)


def axis(rows: Rows, words: Words, *, ticks: int = 6) -> Any:
    """Return the encoding of the rows' days, on an axis on which no two ticks read the same."""
    import altair as alt

    dates = [date.fromisoformat(row["date"]) for row in rows]
    span = max(dates) - min(dates)
    shape = (_DAYS if span < _NINE_MONTHS else _MONTHS)[words.language]
    ticks = max(1, min(ticks, span.days))
    # Without the zone of the machine: a date is the same day everywhere.
    axis = alt.Axis(format=shape, tickCount=ticks, grid=False, title=None, labelOverlap=True)
    return alt.X("date:T", axis=axis, scale=alt.Scale(type="utc"))


def reach(specification: dict[str, Any], first: str, last: str) -> None:
    """Give every axis of time in a specification the same ends, two ISO days.

    An axis that ended with its data would show a record that stopped as one that goes on.
    """
    days = (date.fromisoformat(first), date.fromisoformat(last))
    ends = [{"year": d.year, "month": d.month, "date": d.day, "utc": True} for d in days]
    for x in _axes(specification):
        x["scale"] = {**x.get("scale", {}), "domain": ends}


def _axes(part: Any) -> Iterator[dict[str, Any]]:
    """Yield the encodings of time within a part of a specification."""
    if isinstance(part, list):
        for each in part:
            yield from _axes(each)
    elif isinstance(part, dict):
        x = part.get("x")
        if isinstance(x, dict) and x.get("field") == "date":
            yield x
        for name, each in part.items():
            if name != "data":
                yield from _axes(each)


def gaps_shown(rows: Rows) -> Rows:
    """Return rows with an empty one in each hole, so that a line breaks there.

    A hole is longer than a holiday, and than the usual step from one value to the next.
    """
    series: dict[tuple[str, ...], Rows] = {}
    for row in rows:
        name = tuple(v for k, v in row.items() if isinstance(v, str) and k != "date")
        series.setdefault(name, []).append(row)
    return [row for one in series.values() for row in _with_holes(one)]


def _with_holes(rows: Rows) -> Iterator[dict[str, Any]]:
    days = [date.fromisoformat(row["date"]) for row in rows]
    steps = [(after - before).days for before, after in pairwise(days)]
    longest = max(_LONGEST_DAYS, _LONGEST_STEPS * median(steps)) if steps else 0
    for row, day, step in zip(rows, days, [*steps, 0], strict=True):
        yield row
        if step > longest:
            empty = {k: v if isinstance(v, str) else None for k, v in row.items()}
            yield {**empty, "date": (day + timedelta(days=1)).isoformat()}


def monday(day: str) -> str:
    """Return the Monday of an ISO day's week."""
    moment = date.fromisoformat(day)
    return (moment - timedelta(days=moment.weekday())).isoformat()
