"""Calendars and releases, against the publishers' own calendars and hours."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from liquidity_pipeline import calendars, holidays
from liquidity_pipeline.calendars import CalendarName, Release, days, is_day, shift
from liquidity_pipeline.settings import default_reference_dir


def day(text: str) -> date:
    return date.fromisoformat(text)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def weekdays_without(calendar: CalendarName, year: int) -> list[str]:
    every = days("utc", date(year, 1, 1), date(year, 12, 31))
    have = set(days(calendar, date(year, 1, 1), date(year, 12, 31)))
    return [f"{d:%m-%d}" for d in every if d.weekday() < 5 and d not in have]


# From the Daily Treasury Statements that exist; after October 2026 from the Fed's own schedule.
FED_HOLIDAYS = {
    2025: "01-01 01-20 02-17 05-26 06-19 07-04 09-01 10-13 11-11 11-27 12-25",
    2026: "01-01 01-19 02-16 05-25 06-19 09-07 10-12 11-11 11-26 12-25",
}


@pytest.mark.parametrize("year", FED_HOLIDAYS)
def test_fed_holidays_are_those_of_the_daily_treasury_statement(year: int):
    assert weekdays_without("fed", year) == FED_HOLIDAYS[year].split()


@pytest.mark.parametrize(
    ("text", "fed", "sifma", "nyse"),
    [
        ("2023-04-07", True, False, False),  # Good Friday with an employment report
        ("2024-03-29", True, False, False),  # Good Friday
        ("2025-04-18", True, False, False),  # Good Friday
        ("2026-04-03", True, False, False),  # Good Friday with an employment report
        ("2026-07-03", True, False, False),  # Independence Day falls on a Saturday
        ("2018-12-05", True, False, False),  # mourning for President Bush: no SOFR
        ("2025-01-09", True, True, False),  # mourning for President Carter
        ("2025-10-13", False, False, True),  # Columbus Day: stocks trade
        ("2025-11-11", False, False, True),  # Veterans Day: stocks trade
        ("2025-12-24", True, True, True),
        ("2025-12-26", True, True, True),
        ("2022-06-20", False, False, False),  # Juneteenth of a Sunday
        ("2021-06-18", True, True, True),  # Juneteenth was not yet a holiday
        ("2023-01-02", False, False, False),  # New Year of a Sunday
        ("2022-12-30", True, True, True),
        ("2021-12-24", True, False, False),  # Christmas of a Saturday
        ("2021-12-31", True, True, True),  # New Year of a Saturday is not moved
        ("2026-02-07", False, False, False),  # a Saturday
    ],
)
def test_a_day_exists_for_some_and_not_for_others(text: str, fed: bool, sifma: bool, nyse: bool):
    found = [is_day(name, day(text)) for name in ("fed", "sifma", "nyse")]
    assert found == [fed, sifma, nyse]
    assert is_day("utc", day(text))


def test_table_of_holidays_is_what_its_rules_give():
    with holidays.FILE.open(encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file)
    assert [tuple(row) for row in rows] == holidays.table()


def test_wednesdays_are_wednesdays():
    assert days("wednesday", day("2025-12-20"), day("2026-01-07")) == [
        day("2025-12-24"),
        day("2025-12-31"),
        day("2026-01-07"),
    ]


def test_a_span_has_both_its_ends_and_a_reversed_one_nothing():
    assert days("fed", day("2026-02-06"), day("2026-02-09")) == [
        day("2026-02-06"),
        day("2026-02-09"),
    ]
    assert days("utc", day("2026-02-09"), day("2026-02-06")) == []


@pytest.mark.parametrize(
    ("maturity", "paid"),
    [
        ("2025-11-30", "2025-12-01"),  # Sunday
        ("2026-02-15", "2026-02-17"),  # Sunday before Washington's birthday
        ("2025-05-31", "2025-06-02"),  # Saturday
        ("2025-12-25", "2025-12-26"),  # Thursday holiday
        ("2026-07-04", "2026-07-06"),  # Saturday holiday; Friday 3 July is a business day
        ("2026-04-03", "2026-04-03"),  # Good Friday is a business day of the Fed
        ("2026-02-10", "2026-02-10"),
    ],
)
def test_a_maturity_rolls_forward_to_the_next_fed_day(maturity: str, paid: str):
    assert shift("fed", [day(maturity)], 0, roll="forward") == [day(paid)]


def test_the_next_day_after_a_weekend_day_is_monday():
    assert shift("fed", [day("2026-02-07"), day("2026-02-06")], 1) == [day("2026-02-09")] * 2
    assert shift("utc", [day("2026-02-07")], 1) == [day("2026-02-08")]


@pytest.mark.parametrize(
    ("release", "observed", "known"),
    [
        # The statement of a day is out by 16:00 of the next Fed day: 21:00 UTC, 20:00 in summer.
        (calendars.DTS, "2026-02-05", "2026-02-06 21:00"),
        (calendars.DTS, "2026-08-20", "2026-08-21 20:00"),
        (calendars.DTS, "2026-02-13", "2026-02-17 21:00"),  # over Washington's birthday
        (calendars.DTS, "2026-03-06", "2026-03-09 20:00"),  # over the change to summer time
        (calendars.DTS, "2025-10-31", "2025-11-03 21:00"),  # and back
        (calendars.DTS, "2026-04-02", "2026-04-03 20:00"),  # published on Good Friday
        (calendars.SECURED_RATES, "2026-04-02", "2026-04-06 12:00"),  # there is none to publish
        (calendars.UNSECURED_RATES, "2026-04-02", "2026-04-03 13:00"),
        (calendars.ON_RRP, "2026-02-05", "2026-02-05 18:15"),
        (calendars.NYSE_CLOSE, "2026-02-05", "2026-02-05 21:30"),
        (calendars.UTC_CLOSE, "2026-02-07", "2026-02-08 00:05"),
        # H.4.1: Thursday; Friday after a Thursday holiday; the day after a Wednesday holiday.
        (calendars.H41, "2026-02-04", "2026-02-05 21:30"),
        (calendars.H41, "2025-11-26", "2025-11-28 21:30"),
        (calendars.H41, "2024-12-25", "2024-12-26 21:30"),
        # "Published on Monday, December 29, 2014, because the federal government is closed", and
        # "Release Date: December 29, 2025"; the week of 2020-12-23 appeared on 28 December.
        (calendars.H41, "2014-12-24", "2014-12-29 21:30"),
        (calendars.H41, "2020-12-23", "2020-12-28 21:30"),
        (calendars.H41, "2025-12-24", "2025-12-29 21:30"),
        # H.8 on Friday of the next week; around a holiday on Monday at the latest.
        (calendars.H8, "2026-08-05", "2026-08-14 20:15"),
        (calendars.H8, "2025-12-17", "2025-12-29 21:15"),  # 26 December: government closed
        (calendars.H8, "2021-06-09", "2021-06-21 20:15"),  # Juneteenth fell on a Saturday
        (calendars.H8, "2021-12-22", "2022-01-03 21:15"),  # so did New Year 2022
        # An administered rate stands from the business day before.
        (calendars.ADMINISTERED_RATE, "2026-02-06", "2026-02-05 21:30"),
        (calendars.ADMINISTERED_RATE, "2026-02-07", "2026-02-06 21:30"),
        (calendars.ADMINISTERED_RATE, "2026-02-08", "2026-02-06 21:30"),
        (calendars.ADMINISTERED_RATE, "2026-02-09", "2026-02-06 21:30"),
        (calendars.ADMINISTERED_RATE, "2026-02-16", "2026-02-13 21:30"),
    ],
)
def test_an_observation_is_known_when_its_publisher_publishes(
    release: Release, observed: str, known: str
):
    assert release.known_at([day(observed)]) == [at(known)]


@pytest.mark.parametrize(
    ("release", "observed", "published"),
    [
        (calendars.DTS, "2026-02-05", "2026-02-06 21:00"),
        (calendars.SECURED_RATES, "2026-02-05", "2026-02-06 13:00"),
        (calendars.H41, "2026-02-04", "2026-02-05 21:30"),
        (calendars.UTC_CLOSE, "2026-02-05", "2026-02-06 00:05"),
    ],
)
def test_a_row_is_due_from_the_minute_of_publication(
    release: Release, observed: str, published: str
):
    observation, now = day(observed), at(published)
    assert release.due(observation, observation, now) == [observation]
    assert release.due(observation, observation, now - timedelta(minutes=1)) == []


def test_nothing_is_due_before_the_publisher_began():
    release = Release("fed", lag=1, since=day("2026-02-04"))
    due = release.due(day("2026-02-02"), day("2026-02-05"), at("2026-03-01"))
    assert due == [day("2026-02-04"), day("2026-02-05")]


def test_a_good_friday_is_due_from_treasury_and_not_from_the_repo_market():
    easter, later = (day("2026-04-01"), day("2026-04-07")), at("2026-04-20")
    assert day("2026-04-03") in calendars.DTS.due(*easter, later)
    assert day("2026-04-03") not in calendars.SECURED_RATES.due(*easter, later)


def test_wall_clock_times_become_utc_in_both_halves_of_the_year():
    assert calendars.utc(day("2026-01-15"), time(16, 0)) == at("2026-01-15 21:00")
    assert calendars.utc(day("2026-07-15"), time(16, 0)) == at("2026-07-15 20:00")
    assert calendars.utc(day("2026-07-15"), time(16, 0), UTC) == at("2026-07-15 16:00")


def test_h8_is_never_taken_to_be_public_before_its_recorded_release(payloads: Path):
    with (payloads / "fed_h8" / "h8_total_assets_first_print.excerpt.csv").open() as file:
        recorded = list(csv.DictReader(file))
    assert len(recorded) > 15
    for row in recorded:
        (known_at,) = calendars.H8.known_at([day(row["week_ending"])])
        released = calendars.utc(day(row["release_date"]), time(16, 15))
        # A release on the Thursday before a holiday is taken for the Monday after.
        assert released <= known_at <= released + timedelta(days=4)


def test_meetings_of_the_fomc_are_those_of_the_reference_file():
    path = default_reference_dir() / "fomc.csv"
    with path.open(encoding="utf-8") as lines:
        known = tuple(day(row["event_date"]) for row in csv.DictReader(lines))
    assert known == calendars.FOMC_DECISIONS


@pytest.mark.parametrize(
    ("observed", "known"),
    [
        # The first file: "released today ... include data as of Friday, October 11, 2024".
        ("2024-10-11", "2024-10-17 14:00"),
        ("2009-01-02", "2024-10-17 14:00"),
        ("2024-10-14", "2024-11-21 15:00"),
        # The meetings of 17-18 December 2024 and 17-18 March 2026 hold Thursday; Friday is free.
        ("2024-12-13", "2024-12-20 15:00"),
        ("2026-03-13", "2026-03-20 14:00"),
        # Friday 19 June 2026 is a holiday.
        ("2026-06-12", "2026-06-22 14:00"),
        # The meetings of 2027 are not listed: the latest possible day.
        ("2027-01-15", "2027-01-29 15:00"),
    ],
)
def test_monthly_estimates_are_public_after_blackouts(observed: str, known: str):
    assert calendars.RESERVE_DEMAND.known_at([day(observed)]) == [at(known)]


def test_of_monthly_estimates_the_last_day_of_each_file_is_due():
    rule = calendars.RESERVE_DEMAND
    months = [day("2026-05-15"), day("2026-06-12"), day("2026-07-10")]
    assert rule.due(day("2026-05-01"), day("2026-07-31"), at("2026-07-16 14:00")) == months
    assert rule.due(day("2026-05-01"), day("2026-07-31"), at("2026-07-16 13:59")) == months[:2]
    assert rule.due(day("2020-01-01"), day("2024-10-31"), at("2026-01-01")) == [day("2024-10-11")]
    assert rule.next_after(day("2026-05-14")) == day("2026-05-15")
    assert rule.next_after(day("2026-05-15")) == day("2026-06-12")


@pytest.mark.parametrize("calendar", ["fed", "sifma", "nyse", "utc", "wednesday"])
def test_the_next_observation_is_the_calendars_next_day(calendar: CalendarName):
    for given in days("utc", date(2025, 12, 20), date(2026, 1, 10)):
        ahead = days(calendar, given + timedelta(days=1), date(2026, 1, 31))
        assert Release(calendar).next_after(given) == ahead[0]
