"""Episodes: opened and closed by the rule of the method, from the past only, and they add up."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import numpy as np
import pytest

from liquidity_pipeline.models.drains.drain_episodes import MIN_WEEKS, Episode, detect
from liquidity_pipeline_tests.models.hand_made import build

pytestmark = pytest.mark.slow

# Three years with a median of zero and a 90th percentile of 4-week sums of 40: sixteen lone weeks
# of 40, at least four apart, lie in 63 of the 153 sums.
YARDSTICK = [40.0 if n % 9 == 4 and n < 144 else 0.0 for n in range(MIN_WEEKS)]


def after(*drains: float) -> tuple[list, list[Episode]]:
    return detect([*YARDSTICK, *drains])


def test_the_yardstick_is_what_the_other_tests_assume() -> None:
    states, _ = after(0.0)
    assert (states[0].week, states[0].allowance, states[0].threshold) == (156, 0.0, 40.0)


def test_an_episode_opens_above_the_threshold_and_closes_below_its_half() -> None:
    states, episodes = after(30, 30, 10, -55, 0)
    assert [state.cusum for state in states] == [30, 60, 70, 15, 0]
    assert [state.episode for state in states] == [None, 0, 0, 0, None]
    assert episodes == [Episode(onset=156, flagged=157, closed=159, closed_by="cusum")]


def test_two_weeks_of_negative_drain_close_it_and_the_sum_starts_again() -> None:
    states, episodes = after(100, -5, -5, 10, 35)
    assert [state.cusum for state in states] == [100, 95, 90, 10, 45]
    assert episodes[0] == Episode(156, 156, closed=158, closed_by="negative weeks")
    assert episodes[1] == Episode(onset=159, flagged=160)


def test_one_week_of_negative_drain_does_not_close_it() -> None:
    _, episodes = after(100, -5, 5, -5, 5)
    assert episodes == [Episode(156, 156)]


def test_the_sum_never_falls_below_zero() -> None:
    states, episodes = after(-500, 30, 5)
    assert [state.cusum for state in states] == [0, 30, 35]
    assert episodes == []


def test_median_and_threshold_are_those_of_earlier_weeks() -> None:
    drains = np.random.default_rng(5).standard_t(4, 400) * 30
    states, _ = detect(drains.tolist())
    for state in states[::61]:
        past = drains[: state.week]
        sums = past[3:] + past[2:-1] + past[1:-2] + past[:-3]
        assert state.allowance == pytest.approx(np.median(past))
        assert state.threshold == pytest.approx(np.percentile(sums, 90))


def test_no_state_changes_when_history_grows() -> None:
    drains = (np.random.default_rng(6).standard_normal(500) * 20).tolist()
    full, episodes = detect(drains)
    for length in (157, 300, 451):
        then, found = detect(drains[:length])
        assert then == full[: length - MIN_WEEKS]
        closed = [episode for episode in found if episode.closed is not None]
        assert closed == episodes[: len(closed)]


def test_a_drain_of_known_size_is_found_in_noise() -> None:
    for seed in range(20):
        drains = np.random.default_rng(seed).standard_normal(300) * 10
        drains[250:256] += 60
        _, episodes = detect(drains.tolist())
        # By its second week it is in an episode, which lasts as long as the drain does.
        assert any(e.flagged <= 251 and (e.closed or 300) > 255 for e in episodes)


WEEKS = [date(2015, 1, 7) + timedelta(days=7 * n) for n in range(MIN_WEEKS + 5)]


def balance_sheet(*last: tuple[float, float, float | None, float]) -> list[dict[str, object]]:
    """Return weeks of `reserve_drains`: the yardstick, then (drain, d_tga, d_rrp, d_fed_assets)."""
    rows: list[dict[str, object]] = []
    reserves, assets = 3000.0 + sum(YARDSTICK), 6000.0
    changes = [*((drain, 0.0, None, 0.0) for drain in YARDSTICK), *last]
    for day, (drain, d_tga, d_rrp, d_fed_assets) in zip(WEEKS, changes, strict=False):
        reserves, assets = reserves - drain, assets + d_fed_assets
        rows.append(
            {
                "week_ending": day,
                "drain_reserves_usd_mn": drain,
                "d_tga_usd_mn": d_tga,
                "d_rrp_usd_mn": d_rrp,
                "d_fed_assets_usd_mn": d_fed_assets,
                "reserves_usd_mn": reserves,
                "fed_assets_usd_mn": assets,
                "known_at": datetime.combine(day + timedelta(days=1), time(21, 30)),
            }
        )
    return rows


LAST = ((30.0, 50.0, -5.0, 10.0), (30.0, 10.0, None, -20.0), (10.0, 0.0, 4.0, 0.0),
        (-55.0, -60.0, 0.0, 0.0))  # fmt: skip
RATIOS = [
    {"week_ending": day, "reserves_usd_mn": 3000, "bank_assets_usd_mn": 20_000} for day in WEEKS
]


def test_depth_is_measured_to_the_trough_and_its_parts_add_up() -> None:
    (row,) = build(
        "drain_episodes",
        "2019-01-01 00:00",
        reserve_drains=balance_sheet(*LAST),
        reserve_ratios=RATIOS,
    )
    # Reserves stood at 3,000 on the Wednesday before, and 70 lower after three weeks.
    assert row["start_date"] == WEEKS[155]
    assert row["episode_id"] == f"drain-{WEEKS[155]}"
    assert (row["flagged_date"], row["trough_date"], row["end_date"]) == (
        WEEKS[157], WEEKS[158], WEEKS[159],
    )  # fmt: skip
    assert (row["duration_days"], row["is_open"], row["closed_by"]) == (28, False, "cusum")
    assert (row["depth_usd_mn"], row["reserves_start_usd_mn"]) == (70, 3000)
    assert row["depth_pct"] == pytest.approx(70 / 30)
    # Of one of the weeks the reverse repos are unknown: so is their sum, and what they leave.
    parts = ("tga", "on_rrp", "fed_assets", "other")
    assert [row[f"{part}_usd_mn"] for part in parts] == [60, None, 10, None]
    shares = [row[f"{part}_share_pct"] for part in parts]
    assert shares == [pytest.approx(600 / 7), None, pytest.approx(100 / 7), None]
    assert row["reserves_of_fed_assets_pct"] == 50
    assert row["reserves_of_bank_assets_pct"] == 15
    assert row["known_at"] == datetime.combine(WEEKS[159] + timedelta(days=1), time(21, 30))


@pytest.mark.parametrize(
    ("last", "alarm"),
    [
        # Of 3,000: 70 at the trough; 299; 150, 250 and 300 after one, two and three weeks.
        (LAST, None),
        ([(drain, 0.0, 0.0, 0.0) for drain in (150.0, 149.0, -60.0, -150.0)], None),
        ([(drain, 0.0, 0.0, 0.0) for drain in (150.0, 100.0, 50.0, 20.0)], WEEKS[158]),
    ],
)
def test_an_episode_that_takes_a_tenth_of_the_reserves_is_an_alarm(last, alarm) -> None:
    (row,) = build("drain_episodes", "2019-01-01 00:00", reserve_drains=balance_sheet(*last))
    assert (row["is_alarm"], row["alarm_date"]) == (alarm is not None, alarm)


def test_the_open_episode_is_there_without_an_end() -> None:
    drains = balance_sheet(*LAST[:3])
    (row,) = build("drain_episodes", "2019-01-01 00:00", reserve_drains=drains)
    weeks = build("drain_episode_weeks", "2019-01-01 00:00", reserve_drains=drains)
    assert (row["is_open"], row["end_date"], row["closed_by"]) == (True, None, None)
    assert (row["duration_days"], row["depth_usd_mn"]) == (21, 70)
    assert row["reserves_of_bank_assets_pct"] is None
    assert [week["episode_id"] for week in weeks] == [None, row["episode_id"], row["episode_id"]]
    assert [week["cusum_usd_mn"] for week in weeks] == [30, 60, 70]
    assert [week["is_open_at_end"] for week in weeks] == [False, True, True]


def test_the_week_that_closes_an_episode_is_its_last_and_not_open_at_its_end() -> None:
    drains = balance_sheet(*LAST)
    weeks = build("drain_episode_weeks", "2019-01-01 00:00", reserve_drains=drains)
    assert weeks[-1]["episode_id"] == f"drain-{WEEKS[155]}"
    assert [week["is_open_at_end"] for week in weeks] == [False, True, True, False]


def test_weeks_before_2009_are_no_yardstick() -> None:
    early = [row | {"week_ending": row["week_ending"] - timedelta(weeks=522)} for row in
             balance_sheet(*LAST)]  # fmt: skip
    assert early[-1]["week_ending"] < date(2009, 1, 7)
    assert build("drain_episode_weeks", "2019-01-01 00:00", reserve_drains=early) == []


def test_three_years_are_needed_and_nothing_is_said_before() -> None:
    for mart in ("drain_episodes", "drain_episode_weeks"):
        assert build(mart, "2019-01-01 00:00") == []
        assert build(mart, "2019-01-01 00:00", reserve_drains=balance_sheet()) == []
