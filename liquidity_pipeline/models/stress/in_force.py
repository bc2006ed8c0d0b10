"""Which observation of a gauge is in force on a session, and whether there is one at all.

Nothing is carried forward over a day on which a value was due and is not known: a gauge whose
source has stopped has no value any more, instead of the last one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Protocol, TypeVar

import duckdb

from liquidity_pipeline import calendars
from liquidity_pipeline.models.stress.indicators import Calendar


class Dated(Protocol):
    """A row of a gauge, of values or of flags."""

    @property
    def known_at(self) -> datetime:
        """When the row was public."""

    @property
    def is_calendar(self) -> bool:
        """Whether the day is a month-end or month-start day, which leaves the value as it was."""


Row = TypeVar("Row", bound=Dated)


@dataclass(frozen=True)
class Session:
    """A New York session, and when all records of the day are public."""

    date: date
    known_by: datetime


class Sessions:
    """The sessions that are public at the clock, and the days on which a gauge is due."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Read the calendar."""
        self._days = connection.execute(
            "select date, is_sifma, is_nyse, is_fed, date = week_ending, known_by "
            "from meta.calendar_days, meta.clock where known_by <= clock.now order by date"
        ).fetchall()
        self._due: dict[Calendar, list[tuple[date, datetime]]] = {}

    @cached_property
    def all(self) -> list[Session]:
        """The sessions, oldest first."""
        return [Session(row[0], row[5]) for row in self._days if row[2]]

    def due(self, calendar: Calendar) -> list[tuple[date, datetime]]:
        """Return the days on which a gauge has a value, each with when it is public."""
        if calendar not in self._due:
            self._due[calendar] = self._read_due(calendar)
        return self._due[calendar]

    def _read_due(self, calendar: Calendar) -> list[tuple[date, datetime]]:
        if calendar == "wednesday":
            weeks = [row[0] for row in self._days if row[4]]
            return list(zip(weeks, calendars.H41.known_at(weeks), strict=True))
        column = {"sifma": 1, "nyse": 2, "fed": 3, "utc": None}[calendar]
        return [(row[0], row[5]) for row in self._days if column is None or row[column]]

    def in_force(self, calendar: Calendar, rows: Mapping[date, Row]) -> list[Row | None]:
        """Return for each session the gauge's row in force, None where it is not known."""
        return list(_in_force(self.due(calendar), rows, self.all))


def _in_force(
    due: Sequence[tuple[date, datetime]], rows: Mapping[date, Row], sessions: Sequence[Session]
) -> Iterator[Row | None]:
    newest, n = None, 0
    for session in sessions:
        while n < len(due) and due[n][0] <= session.date and due[n][1] <= session.known_by:
            row = rows.get(due[n][0])
            newest = newest if row is not None and row.is_calendar else row
            n += 1
        yield newest if newest is None or newest.known_at <= session.known_by else None
