"""What the calendars ask of one entity in the current month, and how current it is at a moment.

Working this out reads the lake and the calendars. What comes of it is small and stays true until
the month ends or the lake changes, so that it can be noted and read back; see `status_note`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from liquidity_pipeline.calendars import new_york_day
from liquidity_pipeline.settings import NEW_YORK


@dataclass(frozen=True)
class DueDay:
    """A day of observation and the moment (naive UTC) from which on it is due."""

    day: date
    since: datetime


@dataclass(frozen=True)
class Expectation:
    """What is held of one entity of a source table, and what is due until the month ends.

    `due` are the days from the newest one that is held onwards, `absent` those that are not held;
    both also have days that will be due later in the month. `has_calendar` is false for what is
    due on no day. `rolling_years` is how far back the publisher serves anything. `failed` is a last
    fetch that ended with an error, that left a part without an answer, or that never was;
    `fetched_at` is the last good one. `unasked` are the days of events since that one, each due
    from the moment at which a scheduled refresh should have asked for it.
    """

    table_name: str
    entity: str
    last_day: date | None
    due: tuple[DueDay, ...]
    absent: tuple[DueDay, ...]
    has_calendar: bool
    rolling_years: int | None
    failed: bool
    problem: str | None
    fetched_at: datetime | None
    unasked: tuple[DueDay, ...] = ()

    def row(self, now: datetime) -> dict[str, object]:
        """Return the row of `meta.freshness` at a moment (naive UTC) within the month.

        What is due on no day is stale when its fetch failed, or when a day has passed that was not
        asked for; what never came and has a problem is stale also before its first due day.
        """
        today = new_york_day(now)
        due = [day for day in self._public(self.due, now) if day <= today]
        absent = sum(1 for _ in self._public(self.absent, now))
        never_came = self.last_day is None and self.problem is not None
        not_asked = self.failed or any(day.since <= now for day in self.unasked)
        return {
            "table_name": self.table_name,
            "entity": self.entity,
            "last_day": self.last_day,
            "due_day": due[-1] if due else None,
            "days_behind": sum(self.last_day is None or day > self.last_day for day in due),
            "days_missing": absent,
            "is_stale": absent > 0 or never_came if self.has_calendar else not_asked,
            "fetched_at": self.fetched_at,
            "problem": self.problem,
        }

    def _public(self, days: tuple[DueDay, ...], now: datetime) -> Iterator[date]:
        first = date.min
        if self.rolling_years:
            first = (now - timedelta(days=365 * self.rolling_years)).date()
        return (due.day for due in days if due.since <= now and due.day >= first)

    def to_json(self) -> dict[str, Any]:
        """Return content for a JSON file, with days and moments as ISO texts."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Expectation:
        """Return what `to_json` was made of; raise KeyError, TypeError or ValueError."""
        last, fetched = content["last_day"], content["fetched_at"]
        return cls(
            **content
            | {
                "last_day": date.fromisoformat(last) if last else None,
                "due": _days(content["due"]),
                "absent": _days(content["absent"]),
                "unasked": _days(content["unasked"]),
                "fetched_at": datetime.fromisoformat(fetched) if fetched else None,
            }
        )


def _days(content: list[dict[str, str]]) -> tuple[DueDay, ...]:
    return tuple(
        DueDay(date.fromisoformat(due["day"]), datetime.fromisoformat(due["since"]))
        for due in content
    )


def end_of_month(now: datetime) -> datetime:
    """Return the moment at which New York's next month begins; both are naive UTC."""
    today = now.replace(tzinfo=UTC).astimezone(NEW_YORK)
    first = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.astimezone(UTC).replace(tzinfo=None)
