"""Flags: ranked against three years, floored, slow to come down, blind to scheduled spikes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import pytest

from liquidity_pipeline.models.stress import indicators
from liquidity_pipeline.models.stress.in_force import DueDays
from liquidity_pipeline.models.stress.indicators import (
    DAILY_HISTORY,
    INDICATORS,
    Indicator,
    Observation,
)
from liquidity_pipeline.models.stress.stress_flags import flag_rows
from liquidity_pipeline_tests.models import hand_made
from liquidity_pipeline_tests.models.world import World, repo

START = date(2015, 1, 1)
GAUGE = Indicator("spread_bp", "funding", 10, 25, "bp", "", "a spread", "utc", START)
# The yardstick: 0, 0.01 ... 2.99. Its last values are below the floor, so the flag is down.
YARDSTICK = [n / 100 for n in range(300)]


def observed(values: Iterable[float], turns: Iterable[int] = ()) -> list[Observation]:
    turns = set(turns)
    return [
        Observation(day := START + timedelta(n), value, datetime.combine(day, time(16)), n in turns)
        for n, value in enumerate(values)
    ]


def after(values: list[float], turns: Iterable[int] = (), gauge: Indicator = GAUGE) -> list[Any]:
    """Return the rows of values that follow the yardstick; `turns` are positions among them."""
    seen = observed([*YARDSTICK, *values], [len(YARDSTICK) + n for n in turns])
    return flag_rows(gauge, seen)[-len(values) :]


def test_a_rank_is_the_share_of_earlier_values_below() -> None:
    row = after([0.745])[0]
    assert row["rank"] == 75 / 300
    assert row["n_history"] == 300


def test_equal_values_share_the_middle_of_their_ranks() -> None:
    # Ninety zeros and ten tens: a zero has none below and 90 equal, so (0 + 90 / 2) / 100.
    zeros = [0.0] * 270 + [10.0] * 30
    rows = flag_rows(GAUGE, observed([*zeros, 0.0, 0.0, 0.0]))
    assert rows[-1]["rank"] == pytest.approx((272 / 2) / 302)
    # A ten has the 272 zeros below and half of the 30 tens.
    rows = flag_rows(GAUGE, observed([*zeros, 0.0, 0.0, 10.0]))
    assert rows[-1]["rank"] == pytest.approx((272 + 15) / 302)


def test_only_the_last_three_years_are_the_yardstick() -> None:
    # Four years of days: 400 large values first, then small ones.
    values = [100.0] * 400 + [float(n % 7) for n in range(1100)]
    last = flag_rows(GAUGE, observed([*values, 8.0]))[-1]
    assert last["n_history"] == 1096  # 2016-02-10 to 2019-02-09, with one 29 February
    assert last["rank"] == 1.0


@pytest.mark.parametrize("cut", [1, 100, 401, 500])
def test_a_row_is_the_same_wherever_the_lake_begins(cut: int) -> None:
    values = np.random.default_rng(4).gamma(1, 8, 2500).tolist()
    seen = observed(values, range(0, 2500, 21))
    full = {row["date"]: row for row in flag_rows(GAUGE, seen)}
    later = flag_rows(GAUGE, seen[cut:])
    assert len(later) > 800
    assert [full[row["date"]] for row in later] == later
    # Three years after the first value, as soon as the flag's state is settled.
    assert (
        timedelta(0)
        <= later[0]["date"] - seen[cut].date.replace(year=seen[cut].date.year + 3)
        < timedelta(days=30)
    )


def test_a_gauge_that_began_later_is_complete_from_its_own_first_day() -> None:
    # Without three years, because there is no more; a lake that begins a day later does not know.
    assert flag_rows(GAUGE, observed(YARDSTICK)) != []
    assert flag_rows(GAUGE, observed(YARDSTICK)[1:]) == []
    unbounded = replace(GAUGE, since=None)
    assert flag_rows(unbounded, observed(YARDSTICK)) == []


def test_after_a_long_gap_the_record_begins_again() -> None:
    # Two gauges that differ only before a gap of 60 days are ranked alike after it, three years on.
    values = np.random.default_rng(6).gamma(1, 8, 2000).tolist()
    seen = observed(values)
    gap = [row for n, row in enumerate(seen) if not 400 <= n < 460]
    after_gap = [row for row in flag_rows(GAUGE, gap) if row["date"] >= seen[460].date]
    assert after_gap == flag_rows(GAUGE, seen[460:])
    assert after_gap[0]["date"] >= date(2019, 4, 5)
    # A gap of 40 days, as a month without a price leaves in a volatility, does not.
    short = [row for n, row in enumerate(seen) if not 400 <= n < 440]
    assert flag_rows(GAUGE, short)[-1]["n_history"] == 1096


def test_no_row_before_the_state_of_the_flag_is_settled() -> None:
    # 230 ranks between the marks and above the floor: the past decides whether the flag is up.
    gauge = replace(GAUGE, floor=1, severe_floor=1000)
    between = [float(n) for n in range(300)]
    rows = flag_rows(gauge, observed([*between[:252], 230.0, 230.0, 230.0, 235.0]))
    assert rows == []
    rows = flag_rows(gauge, observed([*between[:252], 230.0, 0.0, 0.0, 230.0]))
    assert [row["state"] for row in rows] == ["quiet", "quiet"]
    rows = flag_rows(gauge, observed([*between[:252], 230.0, 260.0, 230.0]))
    assert [row["state"] for row in rows] == ["raised", "held"]


def test_rows_do_not_change_when_history_grows() -> None:
    values = np.random.default_rng(4).gamma(1, 8, 700).tolist()
    full = flag_rows(GAUGE, observed(values, range(0, 700, 21)))
    for length in (300, 450, 699):
        then = flag_rows(GAUGE, observed(values[:length], range(0, 700, 21)))
        assert then
        assert then == full[: len(then)]


def test_a_quiet_decade_cannot_flag_two_basis_points() -> None:
    assert [row["level"] for row in after([2, 9.9, 10])] == ["normal", "normal", "stress"]


def test_severe_needs_its_own_floor() -> None:
    assert [row["level"] for row in after([24, 26])] == ["stress", "severe"]


def test_a_flag_that_comes_down_says_so_and_is_no_stress_any_more() -> None:
    rows = after([30, 0, 0, 0])
    assert [row["level"] for row in rows] == ["severe", "watch", "normal", "normal"]
    assert [row["state"] for row in rows] == ["raised", "leaving", "quiet", "quiet"]
    assert "coming down" in rows[1]["reason"]


def test_a_flag_holds_between_its_marks() -> None:
    # Three hundred values up to 299; 277.5 ranks 0.927: too low to raise, too high to lower.
    gauge = replace(GAUGE, floor=1, severe_floor=1000)
    rows = flag_rows(gauge, observed([*range(300), 298.5, 277.5, 298.5, 10, 10]))[-5:]
    assert [row["state"] for row in rows] == ["raised", "held", "raised", "leaving", "quiet"]
    assert rows[1]["level"] == "stress"
    assert rows[1]["rank"] < 0.95


def test_one_quiet_day_between_two_spikes_does_not_lower_a_flag() -> None:
    rows = after([30, 0, 30])
    assert [row["state"] for row in rows] == ["raised", "leaving", "raised"]


def test_a_month_end_raises_no_flag_and_is_marked() -> None:
    turn, next_day = after([60, 0.5], turns=[0])
    assert (turn["level"], turn["calendar_explained"]) == ("watch", True)
    assert "expected at month-end and month-start" in turn["reason"]
    assert (next_day["level"], next_day["state"]) == ("normal", "quiet")


def test_a_month_end_leaves_a_raised_flag_as_it_was() -> None:
    rows = after([12, 300, 0.5], turns=[1])
    assert [row["level"] for row in rows] == ["stress", "stress", "watch"]
    assert not rows[1]["calendar_explained"]


def test_month_ends_are_no_part_of_the_yardstick() -> None:
    rows = after([60, 60, 60, 11], turns=[0, 1, 2])
    assert rows[3]["n_history"] == 300
    assert (rows[3]["rank"], rows[3]["level"]) == (1.0, "stress")


def test_no_row_before_the_minimum_of_history() -> None:
    assert flag_rows(GAUGE, observed(YARDSTICK[:DAILY_HISTORY])) == []
    assert flag_rows(GAUGE, observed([*YARDSTICK[:DAILY_HISTORY], 0.0, 0.0])) != []


def test_weekly_gauges_need_two_years_of_weeks() -> None:
    weekly = {i.name: i.minimum for i in INDICATORS if i.minimum == indicators.WEEKLY_HISTORY}
    assert weekly == {
        "reserve_scarcity_pct": 104,
        "weekly_drain_pct": 104,
        "reserve_drain_4w_pct": 104,
    }


def test_a_take_up_below_half_a_billion_is_none(tmp_path: Any) -> None:
    world = World(tmp_path)
    days = [date(2026, 2, day) for day in (3, 4, 5, 6, 9)]
    for day, amount in zip(days, (1, 100, 499, 500, 6_000), strict=True):
        world.add("repo_operations", repo(day, "srf", amount), repo(day, "on_rrp", 1_000))
    world.mart("funding_conditions")
    (gauge,) = (i for i in INDICATORS if i.name == "srf_usd_mn")
    with world.session() as connection:
        found = gauge.observations(connection)
    assert [seen.value for seen in found] == [0, 0, 0, 500, 6_000]


def test_the_next_observation_is_due_when_its_publisher_publishes() -> None:
    """Days around Labor Day 2026: Monday 7 September has neither a session nor a statement."""
    friday, wednesday = date(2026, 9, 4), date(2026, 9, 2)
    with hand_made.session("2026-09-04 21:00", {}) as connection:
        due = DueDays(connection)
        found = [due.next_after(calendar, friday) for calendar in ("sifma", "nyse", "fed")]
        week = due.next_after("wednesday", wednesday)
        coin = due.next_after("utc", friday)
    # The records of Tuesday are all public once its statement is, on Wednesday at 16:30 New York.
    assert found == [datetime.fromisoformat("2026-09-09 20:30")] * 3
    # H.4.1 of Wednesday the 9th comes on Thursday at 16:30.
    assert week == datetime.fromisoformat("2026-09-10 20:30")
    # Saturday has a bar; the statement that comes last for it is Tuesday's at 16:30.
    assert coin == datetime.fromisoformat("2026-09-08 20:30")


def test_a_score_runs_from_the_floor_to_the_severe_floor() -> None:
    values = (-3, 10, 11.5, 17.5, 25, 315)
    assert [GAUGE.score(value) for value in values] == [0, 0, 0.1, 0.5, 1, 1]


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda i: i.name)
def test_every_severe_floor_lies_above_its_floor(indicator: Indicator) -> None:
    assert 0 < indicator.floor < indicator.severe_floor
