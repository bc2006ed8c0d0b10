"""stress_flags and stress_index: ranks of the past, floors, hysteresis, the composite by hand."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liquidity_pipeline import calendars
from liquidity_pipeline.models.history import History, expanding_ranks
from liquidity_pipeline.models.stress import (
    DECAY,
    Indicator,
    Observation,
    composite,
    flag_rows,
)
from liquidity_pipeline_tests.models.world import Row, World, series

GAUGE = Indicator("gauge", "funding", 10, "bp", "", "a gauge")
# 0 to 251: a value v has the rank v / 252, and 240 is the first at or above 0.95.
PAST = [float(n) for n in range(252)]


def observations(
    values: list[float], month_ends: frozenset[int] = frozenset()
) -> list[Observation]:
    first = date(2024, 1, 1)
    return [
        Observation(
            first + timedelta(days=n),
            value,
            datetime(2024, 1, 2) + timedelta(days=n),  # noqa: DTZ001 - naive UTC
            n in month_ends,
        )
        for n, value in enumerate(values)
    ]


def levels(values: list[float], month_ends: frozenset[int] = frozenset()) -> list[str]:
    ends = frozenset(252 + n for n in month_ends)
    return [row["level"] for row in flag_rows(GAUGE, observations(PAST + values, ends))]


# --- ranks -----------------------------------------------------------------------------------


def test_a_rank_is_the_share_of_the_past_below() -> None:
    assert list(expanding_ranks([5, 1, 9, 5, 5], minimum=2)) == [None, None, 1.0, 1 / 3, 0.25]


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=60),
    st.integers(-1, 31),
    st.sampled_from([0.05, 0.5, 0.85, 0.95, 1.0]),
)
def test_above_the_quantile_are_just_the_values_of_that_rank(
    past: list[int], value: int, share: float
) -> None:
    history = History()
    for each in past:
        history.add(each)
    assert (value > history.quantile(share)) == (history.rank(value) >= share)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-50, 400), max_size=40), st.lists(st.floats(-1e4, 1e4), max_size=40))
def test_the_future_changes_no_row(now: list[float], future: list[float]) -> None:
    rows = flag_rows(GAUGE, observations(PAST + now))
    assert flag_rows(GAUGE, observations(PAST + now + future))[: len(rows)] == rows


def test_no_row_before_a_year_of_history() -> None:
    assert flag_rows(GAUGE, observations(PAST)) == []
    (row,) = flag_rows(GAUGE, observations([*PAST, 126.0]))
    assert (row["n_history"], row["rank"]) == (252, 0.5)


# --- flags -----------------------------------------------------------------------------------


def test_levels_follow_the_rank() -> None:
    # One value each, in its own world: 226/252 = 0.897, 227 = 0.901, 240 = 0.952, 250 = 0.992.
    found = [levels([value])[0] for value in (226, 227, 239, 240, 249, 250)]
    assert found == ["normal", "watch", "watch", "stress", "stress", "severe"]


def test_the_threshold_is_where_flags_begin() -> None:
    (row,) = flag_rows(GAUGE, observations([*PAST, 100.0]))
    assert row["threshold"] == 239
    assert levels([239.5]) == ["stress"]


def test_below_the_floor_nothing_is_flagged() -> None:
    quiet = [value / 100 for value in PAST]  # at most 2.51, under the floor of 10
    rows = flag_rows(GAUGE, observations([*quiet, 9.9, 10.0]))
    assert [(row["rank"], row["level"]) for row in rows] == [(1.0, "normal"), (1.0, "severe")]
    assert [row["threshold"] for row in rows] == [10, 10]


def test_a_flag_ends_after_two_days_below_085() -> None:
    assert levels([245, 200, 200, 200]) == ["stress", "stress", "normal", "normal"]


def test_one_quiet_day_or_one_at_085_does_not_end_a_flag() -> None:
    # 230 of 253 to 256 earlier values is about 0.9.
    assert levels([245, 200, 230, 200, 230]) == ["stress"] * 5


def test_a_flag_that_fell_below_the_floor_ends_too() -> None:
    quiet = [value / 100 for value in PAST]
    rows = flag_rows(GAUGE, observations([*quiet, 12.0, 9.0, 9.0]))
    assert [row["level"] for row in rows] == ["severe", "stress", "normal"]


def test_a_month_end_raises_no_flag() -> None:
    rows = flag_rows(GAUGE, observations([*PAST, 251.0, 100.0], frozenset({252})))
    assert [row["level"] for row in rows] == ["watch", "normal"]
    assert [row["calendar_explained"] for row in rows] == [True, False]
    assert "turn of the month" in rows[0]["reason"]


def test_a_month_end_ends_no_flag() -> None:
    # The second quiet day is a month-end and does not count.
    assert levels([245, 200, 200, 200], frozenset({2})) == ["stress"] * 3 + ["normal"]


# --- composite -------------------------------------------------------------------------------


def test_the_composite_by_hand() -> None:
    # Ranks (0.9, 0.8, 0.6): around one half (0.4, 0.3, 0.1), C after one step of the decay 0.93.
    assert DECAY == 0.93
    start = 0.93 / 12
    v1, v2, v3 = start + 0.07 * 0.16, start + 0.07 * 0.09, start + 0.07 * 0.01
    r12, r13, r23 = 0.0084 / sqrt(v1 * v2), 0.0028 / sqrt(v1 * v3), 0.0021 / sqrt(v2 * v3)
    squares = 0.81 + 0.64 + 0.36
    crossed = 2 * (0.72 * r12 + 0.54 * r13 + 0.48 * r23)
    (value,) = composite(np.array([[0.9, 0.8, 0.6]]))
    assert value == pytest.approx((squares + crossed) / 9)


def test_stress_together_weighs_more_than_stress_apart() -> None:
    together = np.tile([[0.95, 0.95, 0.95], [0.05, 0.05, 0.05]], (40, 1))
    apart = np.tile([[0.95, 0.05, 0.95], [0.05, 0.95, 0.05]], (40, 1))
    last = np.array([[0.95, 0.95, 0.95]])
    *_, high = composite(np.vstack([together, last]))
    *_, low = composite(np.vstack([apart, last]))
    assert high is not None
    assert low is not None
    assert high > low + 0.3


def test_two_segments_are_not_enough() -> None:
    unknown, known = composite(np.array([[0.9, 0.9, np.nan], [0.9, 0.9, 0.9]]))
    assert unknown is None
    assert known is not None


def test_all_at_their_worst_for_long_gives_one() -> None:
    *_, value = composite(np.ones((2_000, 6)))
    assert value == pytest.approx(1)
    assert value is not None
    assert value <= 1


_ranks = st.one_of(st.floats(0, 1), st.just(float("nan")))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(*[_ranks] * 4), min_size=1, max_size=60))
def test_the_composite_is_at_most_the_squared_mean_of_the_ranks(
    days: list[tuple[float, ...]],
) -> None:
    # Correlations are at most 1, whatever was unknown in between.
    panel = np.array(days)
    for ranks, value in zip(panel, composite(panel), strict=True):
        if value is not None:
            assert 0 <= value <= np.nanmean(ranks) ** 2 + 1e-9


def test_an_unknown_segment_keeps_its_variance_and_its_correlation() -> None:
    # The third is unknown on a day on which the others rest: all variances but its own decay, its
    # covariances by the root.
    third = [(0.9, 0.8, 0.6), (0.5, 0.5, np.nan), (0.9, 0.8, 0.6)]
    start = 0.93 / 12
    v1, v2 = ((start + 0.07 * c) * 0.93**2 + 0.07 * c for c in (0.16, 0.09))
    v3 = (start + 0.07 * 0.01) * 0.93 + 0.07 * 0.01
    r12 = 0.0084 * (0.93**2 + 1) / sqrt(v1 * v2)
    r13, r23 = (c * (0.93**1.5 + 1) / sqrt(v * v3) for c, v in ((0.0028, v1), (0.0021, v2)))
    *_, value = composite(np.array(third))
    crossed = 2 * (0.72 * r12 + 0.54 * r13 + 0.48 * r23)
    assert value == pytest.approx((0.81 + 0.64 + 0.36 + crossed) / 9)


# --- the marts -------------------------------------------------------------------------------


def test_indicators_are_measured_as_they_say(tmp_path: Path) -> None:
    # 253 weeks; in the last, 50 of 3,000 drained, and 2,950 of 6,600 of the assets are reserves.
    wednesdays = calendars.days("wednesday", date(2021, 4, 1), date(2026, 2, 26))[-253:]
    weeks = [
        {
            "week_ending": day,
            "drain_reserves_usd_mn": 50_000.0 if day == wednesdays[-1] else 0.0,
            "reserves_usd_mn": 2_950_000.0,
            "fed_assets_usd_mn": 6_600_000.0,
            "known_at": calendars.utc(day + timedelta(days=1), time(16, 30)),
        }
        for day in wednesdays
    ]
    world = World(tmp_path).put("reserve_drains", weeks)
    world.put("funding_conditions", []).put("asset_returns", [])
    days = calendars.days("nyse", date(2024, 12, 2), date(2026, 2, 20))
    world.add("market_series", *(series(day, "BAMLH0A0HYM2", 5.2) for day in days))
    rows = {row["indicator"]: row for row in world.build("stress_flags")}
    assert rows["weekly_drain_pct"]["value"] == pytest.approx(50 / 3_000 * 100)
    assert rows["weekly_drain_pct"]["date"] == wednesdays[-1]
    assert rows["weekly_drain_pct"]["rank"] == 1
    assert rows["reserve_scarcity_pct"]["value"] == pytest.approx((1 - 2_950 / 6_600) * 100)
    assert rows["high_yield_spread_bp"]["value"] == pytest.approx(520)


def flags(day: date, indicator: str, segment: str, rank: float, **others: object) -> Row:
    return {
        "date": day,
        "indicator": indicator,
        "segment": segment,
        "rank": rank,
        "is_calendar_day": False,
        "known_at": calendars.utc(day, time(16, 30)),
        **others,
    }


@pytest.fixture
def three_segments() -> list[Row]:
    days = calendars.days("nyse", date(2026, 2, 2), date(2026, 2, 6))
    segments = (("large_cap_vol_pct", "equity"), ("bitcoin_vol_pct", "crypto"))
    return [flags(day, name, segment, 0.5) for day in days for name, segment in segments]


def test_the_index_needs_three_segments(tmp_path: Path, three_segments: list[Row]) -> None:
    world = World(tmp_path).put("stress_flags", three_segments)
    assert world.build("stress_index") == []
    wednesday = flags(date(2026, 2, 4), "weekly_drain_pct", "drain", 0.8)
    wednesday["known_at"] = calendars.utc(date(2026, 2, 5), time(16, 30))
    world.put("stress_flags", [*three_segments, wednesday])
    rows = world.build("stress_index")
    # Wednesday's level comes out with the last of Wednesday's records, and lasts ten days.
    assert [row["date"].day for row in rows] == [4, 5, 6, 9, 10, 11, 12, 13]
    assert rows[0]["drain"] == 0.8
    assert rows[0]["n_segments"] == 3
    assert (rows[0]["rank"], rows[0]["level"], rows[0]["funding"]) == (None, None, None)
    assert rows[0]["known_at"] == calendars.utc(date(2026, 2, 5), time(16, 30))


def test_the_index_passes_over_month_ends(tmp_path: Path, three_segments: list[Row]) -> None:
    spike = flags(date(2026, 2, 3), "sofr_iorb_bp", "funding", 1.0, is_calendar_day=True)
    before = flags(date(2026, 2, 2), "sofr_iorb_bp", "funding", 0.6)
    world = World(tmp_path).put("stress_flags", [*three_segments, before, spike])
    assert {row["funding"] for row in world.build("stress_index")} == {0.6}


def test_a_segment_is_the_mean_of_its_indicators(tmp_path: Path, three_segments: list[Row]) -> None:
    day = date(2026, 2, 2)
    funding = [
        flags(day, name, "funding", rank)
        for name, rank in (("sofr_iorb_bp", 0.9), ("tgcr_iorb_bp", 0.6))
    ]
    world = World(tmp_path).put("stress_flags", [*three_segments, *funding])
    assert world.build("stress_index")[0]["funding"] == pytest.approx(0.75)
