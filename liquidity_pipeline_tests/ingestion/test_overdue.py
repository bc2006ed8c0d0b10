"""Overdue: what the publisher's calendar asks for, on its business days only, after the refresh.

Expected days are those of the publishers: the Daily Treasury Statement of a day comes on the next
business day at 16:00, H.4.1 on Thursdays at 16:30 or, around Thanksgiving, on Friday.
"""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from liquidity_pipeline.ingestion.health import Gap
from liquidity_pipeline.ingestion.overdue import last_chance, reaches, stale_tables
from liquidity_pipeline.universe import Universe

ROOT = Path(__file__).resolve().parents[2]
UNIVERSE = Universe.load(ROOT / "data" / "reference")
# The series of H.4.1 that the tests hold.
LEVELS = ("WALCL", "WRBWFRBL")


def new_york(text: str) -> datetime:
    """Return a wall-clock time of New York as naive UTC."""
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York"))
    return moment.astimezone(UTC).replace(tzinfo=None)


def row(table: str, entity: str, last_day: date | None, *, stale: bool = False) -> dict:
    problem = "HTTP 503" if stale else None
    return {
        "table_name": table,
        "entity": entity,
        "last_day": last_day,
        "is_stale": stale,
        "problem": problem,
    }


def behind(table: str, entity: str, last_day: date | None, now: str) -> int:
    (reach,) = reaches([row(table, entity, last_day)], UNIVERSE, [], new_york(now))
    return reach.behind


@pytest.mark.parametrize(
    ("now", "count"),
    [
        # Thursday's statement is held. Friday's comes on Monday at 16:00.
        ("2026-02-07 12:00", 0),  # Saturday
        ("2026-02-08 23:00", 0),  # Sunday
        ("2026-02-09 15:59", 0),  # Monday, before the release
        ("2026-02-09 17:00", 0),  # released, and the refresh of 16:45 is not over
        ("2026-02-09 17:30", 1),
        ("2026-02-10 12:00", 1),
        ("2026-02-10 17:30", 2),
    ],
)
def test_a_statement_is_overdue_after_the_refresh_that_should_have_brought_it(now, count):
    assert behind("tga_balance", "", date(2026, 2, 5), now) == count


@pytest.mark.parametrize(
    ("now", "count"),
    [
        # Monday 16 February was Presidents' Day: Friday's statement came on Tuesday.
        ("2026-02-16 20:00", 0),
        ("2026-02-17 12:00", 0),
        ("2026-02-17 17:30", 1),
    ],
)
def test_nothing_is_overdue_on_a_publishers_holiday(now, count):
    assert behind("tga_balance", "", date(2026, 2, 12), now) == count


@pytest.mark.parametrize(
    ("now", "count"),
    [
        ("2026-11-26 23:00", 0),  # Thanksgiving: no H.4.1 on this Thursday
        ("2026-11-27 12:00", 0),
        ("2026-11-27 17:30", 1),
        ("2026-12-03 17:30", 2),
    ],
)
def test_a_weekly_release_that_a_holiday_moves_is_not_overdue_before_it_comes(now, count):
    assert behind("fed_balance_sheet", "WALCL", date(2026, 11, 18), now) == count


def test_coins_are_due_on_sundays_too():
    assert behind("crypto_prices", "BTC", date(2026, 2, 7), "2026-02-08 18:00") == 0
    assert behind("crypto_prices", "BTC", date(2026, 2, 7), "2026-02-08 21:00") == 1


def test_a_table_is_stale_when_every_series_is_two_observations_behind():
    now = new_york("2026-02-19 17:30")
    old, late = date(2026, 2, 4), date(2026, 2, 11)
    one_held = reaches(
        [row("fed_balance_sheet", s, d) for s, d in zip(LEVELS, (old, late), strict=True)],
        UNIVERSE,
        [],
        now,
    )
    assert [reach.behind for reach in one_held] == [2, 1]
    assert stale_tables(one_held) == set()
    both = reaches([row("fed_balance_sheet", series, old) for series in LEVELS], UNIVERSE, [], now)
    assert stale_tables(both) == {"fed_balance_sheet"}


def test_what_has_no_calendar_is_behind_when_its_fetch_failed():
    rows = [row("debt_settlements", "", date(2026, 2, 2), stale=failed) for failed in (True, False)]
    failed, well = reaches(rows, UNIVERSE, [], new_york("2026-02-09 12:00"))
    assert (failed.behind, well.behind) == (1, 0)
    said = "debt_settlements: not asked for since it was due, or not answered in full (HTTP 503)"
    assert str(failed) == said


def test_a_series_known_as_never_served_is_left_out():
    gap = Gap("index_prices", "MID", None, "no provider")
    rows = [row("index_prices", "MID", None), row("index_prices", "SPX", date(2026, 2, 6))]
    (held,) = reaches(rows, UNIVERSE, [gap], new_york("2026-02-08 12:00"))
    assert (held.entity, held.behind) == ("SPX", 0)


def test_the_last_chance_is_the_refresh_that_is_over():
    # Monday 17:29: the refresh of 16:45 may still run, so that of Friday evening counts.
    assert last_chance("tga_balance", new_york("2026-02-09 17:29")) == new_york("2026-02-06 21:30")
    assert last_chance("tga_balance", new_york("2026-02-09 17:30")) == new_york("2026-02-09 16:45")
