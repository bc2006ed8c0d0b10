"""Flags: ranked against the past only, floored, slow to come down, blind to scheduled turns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import pytest

from liquidity_pipeline.models.stress.indicators import INDICATORS, WEEKLY_HISTORY, Indicator
from liquidity_pipeline.models.stress.stress_flags import Observation, flag_rows

GAUGE = Indicator("spread_bp", "funding", 10, 25, "bp", "", "a spread", minimum=100)
START = date(2019, 1, 1)
# The hundred values that make the yardstick: 0, 0.01 ... 0.99.
YARDSTICK = [n / 100 for n in range(100)]


def observed(values: Iterable[float], turns: Iterable[int] = ()) -> list[Observation]:
    turns = set(turns)
    return [
        Observation(day := START + timedelta(n), value, datetime.combine(day, time(16)), n in turns)
        for n, value in enumerate(values)
    ]


def after(values: list[float], turns: Iterable[int] = (), gauge: Indicator = GAUGE) -> list[Any]:
    """Return the rows of values that follow the yardstick; `turns` are positions among them."""
    return flag_rows(gauge, observed([*YARDSTICK, *values], [100 + n for n in turns]))


def test_a_rank_is_the_share_of_earlier_values_below() -> None:
    row = after([0.745])[0]
    assert row["rank"] == 0.75
    assert row["n_history"] == 100


def test_rows_do_not_change_when_history_grows() -> None:
    values = np.random.default_rng(4).gamma(1, 8, 400).tolist()
    full = flag_rows(GAUGE, observed(values, range(0, 400, 21)))
    for length in (101, 150, 399):
        then = flag_rows(GAUGE, observed(values[:length], range(0, 400, 21)))
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
    # A hundred values up to 99; 93 ranks 0.93: too low to raise a flag, too high to lower it.
    gauge = replace(GAUGE, floor=1, severe_floor=1000)
    rows = flag_rows(gauge, observed([*range(100), 98.5, 92.5, 98.5, 10, 10]))
    assert [row["state"] for row in rows] == ["raised", "held", "raised", "leaving", "quiet"]
    assert rows[1]["level"] == "stress"
    assert rows[1]["rank"] < 0.95


def test_one_quiet_day_between_two_spikes_does_not_lower_a_flag() -> None:
    rows = after([30, 0, 30])
    assert [row["state"] for row in rows] == ["raised", "leaving", "raised"]


def test_a_turn_of_the_month_raises_no_flag_and_is_marked() -> None:
    turn, next_day = after([60, 0.5], turns=[0])
    assert (turn["level"], turn["calendar_explained"]) == ("watch", True)
    assert "turn of the month explains it" in turn["reason"]
    assert (next_day["level"], next_day["state"]) == ("normal", "quiet")


def test_a_turn_of_the_month_leaves_a_raised_flag_as_it_was() -> None:
    rows = after([12, 300, 0.5], turns=[1])
    assert [row["level"] for row in rows] == ["stress", "stress", "watch"]
    assert not rows[1]["calendar_explained"]


def test_turns_are_no_part_of_the_yardstick() -> None:
    rows = after([60, 60, 60, 11], turns=[0, 1, 2])
    assert rows[3]["n_history"] == 100
    assert (rows[3]["rank"], rows[3]["level"]) == (1.0, "stress")


def test_no_row_before_the_minimum_of_history() -> None:
    assert flag_rows(GAUGE, observed(YARDSTICK)) == []
    assert len(after([1])) == 1


def test_weekly_gauges_need_three_years_of_weeks() -> None:
    weekly = {i.name: i.minimum for i in INDICATORS if i.minimum == WEEKLY_HISTORY}
    assert weekly == {"reserve_scarcity_pct": 156, "weekly_drain_pct": 156}


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda i: i.name)
def test_every_severe_floor_lies_above_its_floor(indicator: Indicator) -> None:
    assert 0 < indicator.floor < indicator.severe_floor
