"""Which observation of a gauge is in force on a session, and whether there is one at all.

Nothing is carried forward over a day on which a value was due and is not known: a gauge whose
source has stopped has no value any more, instead of the last one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from liquidity_pipeline import calendars
from liquidity_pipeline.models.stress.indicators import Calendar

if TYPE_CHECKING:
    import duckdb


class Dated(Protocol):
    """A row of a gauge, of values or of flags."""

    @property
    def known_at(self) -> datetime:
        """When the row was public."""

    @property
    def is_calendar(self) -> bool:
        """Whether the day is a month-end or month-start day, which leaves the value as it was."""


Row = TypeVar("Row", bound=Dated)
# Day; whether the bond market, the stock exchange and the Fed are open, and whether an H.4.1 week
# ends; when all records of the day are public.
CalendarDay = tuple[date, bool, bool, bool, bool, datetime]


@dataclass(frozen=True)
class Session:
    """A New York session, and when all records of the day are public."""

    date: date
    known_by: datetime


class DueDays:
    """The days on which a gauge has a value, past and to come, each with when it is public."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Read the calendar."""
        self._days = connection.execute(
            "select date, is_sifma, is_nyse, is_fed, date = week_ending, known_by "
            "from meta.calendar_days order by date"
        ).fetchall()
        self._due: dict[Calendar, list[tuple[date, datetime]]] = {}

    def next_after(self, calendar: Calendar, day: date) -> datetime:
        """Return when the first value after a day is due to be public."""
        if calendar not in self._due:
            self._due[calendar] = due_days(calendar, self._days)
        due = self._due[calendar]
        return due[bisect_right(due, day, key=itemgetter(0))][1]


def due_days(calendar: Calendar, days: Sequence[CalendarDay]) -> list[tuple[date, datetime]]:
    """Return the days on which a gauge has a value, each with when it is public."""
    if calendar == "wednesday":
        weeks = [row[0] for row in days if row[4]]
        return list(zip(weeks, calendars.H41.known_at(weeks), strict=True))
    column = {"sifma": 1, "nyse": 2, "fed": 3, "utc": None}[calendar]
    return [(row[0], row[5]) for row in days if column is None or row[column]]


class Sessions:
    """The sessions that are public at the clock, and the days on which a gauge is due."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Read the calendar."""
        self._days = connection.execute(
            "select date, is_sifma, is_nyse, is_fed, date = week_ending, known_by "
            "from meta.calendar_days, meta.clock where known_by <= clock.now order by date"
        ).fetchall()
        self._due: dict[Calendar, list[tuple[date, datetime]]] = {}
        self._n_due: dict[Calendar, list[int]] = {}

    @cached_property
    def all(self) -> list[Session]:
        """The sessions, oldest first."""
        return [Session(row[0], row[5]) for row in self._days if row[2]]

    def due(self, calendar: Calendar) -> list[tuple[date, datetime]]:
        """Return the days on which a gauge has a value, each with when it is public."""
        if calendar not in self._due:
            self._due[calendar] = due_days(calendar, self._days)
        return self._due[calendar]

    def in_force(self, calendar: Calendar, rows: Mapping[date, Row]) -> list[Row | None]:
        """Return for each session the gauge's row in force, None where it is not known."""
        due = self.due(calendar)
        if not due:
            return [None] * len(self.all)
        held = [rows.get(day) for day, _ in due]
        # What is in force from a due day on: its own row or none; on a calendar day the one before.
        moves = np.array([row is None or not row.is_calendar for row in held])
        source = np.maximum.accumulate(np.where(moves, np.arange(len(held)), -1))
        reached = self._reached(calendar)
        in_force = [held[i] if i >= 0 else None for i in source]
        return [
            row if row is not None and row.known_at <= session.known_by else None
            for session, row in zip(
                self.all, (in_force[n - 1] if n else None for n in reached), strict=True
            )
        ]

    def _reached(self, calendar: Calendar) -> list[int]:
        """Return for each session how many due days have come and are public."""
        if calendar not in self._n_due:
            days, known_by = (np.array(each) for each in zip(*self.due(calendar), strict=True))
            dates = np.array([session.date for session in self.all])
            moments = np.array([session.known_by for session in self.all])
            come = np.searchsorted(
                days.astype("datetime64[D]"), dates.astype("datetime64[D]"), "right"
            )
            # A day that is not public yet holds back all that follow.
            public = np.searchsorted(
                np.maximum.accumulate(known_by.astype("datetime64[us]")),
                moments.astype("datetime64[us]"),
                "right",
            )
            self._n_due[calendar] = np.maximum.accumulate(np.minimum(come, public)).tolist()
        return self._n_due[calendar]
