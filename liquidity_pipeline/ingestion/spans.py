"""Spans of days, the first and the last included."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

Span = tuple[date, date]


def joined(spans: Sequence[Span]) -> list[Span]:
    """Join spans that overlap or follow upon each other, oldest first."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1] + timedelta(days=1):
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def is_inside(day: date, spans: Sequence[Span]) -> bool:
    """Tell whether a day lies in one of the spans."""
    return any(start <= day <= end for start, end in spans)
