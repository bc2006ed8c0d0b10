"""The moments of the day at which sources are asked again, as data that needs no library."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

_SATURDAY = 5
# From Friday to Monday, and a day for the zone.
_LONGEST_PAUSE = timedelta(days=4)


@dataclass(frozen=True)
class Timing:
    """A schedule's name and wall-clock time in a zone, on business days or on all days.

    `at` must be a time that no change of clocks skips or repeats.
    """

    name: str
    at: time
    zone: str = "America/New_York"
    on_weekends: bool = False

    @property
    def cron(self) -> str:
        """The same as a cron expression."""
        return f"{self.at.minute} {self.at.hour} * * {'*' if self.on_weekends else '1-5'}"

    def next_after(self, moment: datetime) -> datetime:
        """Return the first moment of the schedule after another one; both are aware, in UTC.

        >>> friday = datetime(2026, 2, 6, 22, tzinfo=UTC)
        >>> Timing("afternoon", time(16, 45)).next_after(friday)
        datetime.datetime(2026, 2, 9, 21, 45, tzinfo=datetime.timezone.utc)
        """
        zone = ZoneInfo(self.zone)
        day = moment.astimezone(zone).date()
        while True:
            tick = datetime.combine(day, self.at, zone).astimezone(UTC)
            if tick > moment and (self.on_weekends or day.weekday() < _SATURDAY):
                return tick
            day += timedelta(days=1)

    def last_before(self, moment: datetime) -> datetime:
        """Return the last moment of the schedule at or before another one; both aware, in UTC.

        >>> monday = datetime(2026, 2, 9, 12, tzinfo=UTC)
        >>> Timing("afternoon", time(16, 45)).last_before(monday)
        datetime.datetime(2026, 2, 6, 21, 45, tzinfo=datetime.timezone.utc)
        """
        day = moment.astimezone(ZoneInfo(self.zone)).date() - _LONGEST_PAUSE
        tick = self.next_after(datetime.combine(day, time(), UTC))
        while (later := self.next_after(tick)) <= moment:
            tick = later
        return tick


MORNING = Timing("morning_rates", time(9, 20))
AFTERNOON = Timing("afternoon_statements", time(16, 45))
EVENING = Timing("evening_statements_and_closes", time(21, 30))
MIDNIGHT = Timing("crypto_every_day", time(0, 20), "UTC", on_weekends=True)
TIMINGS = (MORNING, AFTERNOON, EVENING, MIDNIGHT)
