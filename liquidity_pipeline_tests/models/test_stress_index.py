"""The index: scores by hand, all of a row or none, and the same wherever a lake begins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

import numpy as np
import pytest

from liquidity_pipeline import calendars
from liquidity_pipeline.contracts.stress import INDEX_SEGMENTS, SEGMENTS
from liquidity_pipeline.models.stress import stress_index
from liquidity_pipeline.models.stress.in_force import Session, Sessions
from liquidity_pipeline.models.stress.indicators import INDICATORS, Indicator, Observation
from liquidity_pipeline.models.stress.stress_index import (
    Score,
    in_sixths,
    index_level,
    index_rows,
    segment_scores,
)
from liquidity_pipeline_tests.models import hand_made

pytestmark = pytest.mark.slow

ANY = INDICATORS[0]


def scores(**shares: float) -> dict[str, Score]:
    """Give the scores of segments; those of the index that are not named are zero."""
    shares = dict.fromkeys(INDEX_SEGMENTS, 0.0) | shares
    return {name: Score(share, ANY, share) for name, share in shares.items()}


def sessions(count: int, first: date = date(2015, 1, 2)) -> list[Session]:
    days = [first + timedelta(n) for n in range(count)]
    return [Session(day, datetime.combine(day, time(22))) for day in days]


@pytest.mark.parametrize(
    ("shares", "sixths"),
    [
        ({}, 0),
        ({"funding": 1}, 2),
        ({"reserves": 0.5, "credit": 0.25}, 0.75),
        ({"funding": 1, "reserves": 1, "drain": 1, "equity": 1, "credit": 1}, 6),
        ({"crypto": 1}, 0),
    ],
)
def test_three_questions_count_a_third_each_and_crypto_nothing(
    shares: Mapping[str, float], sixths: float
) -> None:
    assert in_sixths(scores(**shares)) == sixths


@pytest.mark.parametrize(
    ("shares", "level"),
    [
        ({"funding": 0.49}, "normal"),
        ({"funding": 0.5}, "watch"),
        ({"reserves": 1}, "watch"),
        # One question alone is not stress of the system, however severe.
        ({"funding": 1}, "watch"),
        ({"equity": 1, "credit": 1}, "watch"),
        ({"reserves": 1, "drain": 1}, "watch"),
        ({"funding": 0.9, "reserves": 0.2}, "stress"),
        ({"funding": 1, "drain": 0.99}, "stress"),
        ({"funding": 1, "reserves": 1}, "severe"),
        ({"reserves": 1, "equity": 1, "credit": 1}, "severe"),
    ],
)
def test_stress_needs_two_of_the_three_questions(shares: Mapping[str, float], level: str) -> None:
    found = scores(**shares)
    assert index_level(in_sixths(found), found) == level


def test_a_row_has_value_rank_number_and_segments_or_does_not_exist() -> None:
    days = sessions(400, first=stress_index.SINCE)
    known = [scores(funding=n % 5 / 10) for n in range(400)]
    partly = [{k: v for k, v in row.items() if k != "drain"} for row in known]
    rows = index_rows(days, known)
    assert [row["date"] for row in rows] == [session.date for session in days[252:]]
    assert all(row["n_history"] >= 252 and row["segments"] for row in rows)
    assert index_rows(days, [*known[:300], *partly[300:]]) == rows[:48]


def test_the_rank_counts_ties_half() -> None:
    # 252 sessions: 200 at zero, 52 at a third. The next zero: 200 / 2 of 252.
    days = sessions(253, first=stress_index.SINCE)
    values = [scores()] * 200 + [scores(funding=1)] * 52 + [scores()]
    (row,) = index_rows(days, values)
    assert row["rank"] == pytest.approx(100 / 252)


@pytest.mark.parametrize("cut", [1, 200, 600])
def test_a_row_is_the_same_wherever_the_lake_begins(cut: int) -> None:
    days = sessions(2200, first=stress_index.SINCE)
    draws = np.random.default_rng(5).random((2200, 5)).round(1)
    known = [scores(**dict(zip(INDEX_SEGMENTS, row, strict=True))) for row in draws.tolist()]
    full = {row["date"]: row for row in index_rows(days, known)}
    later = index_rows(days[cut:], known[cut:])
    assert later[0]["date"] == days[cut].date.replace(year=days[cut].date.year + 3)
    assert [full[row["date"]] for row in later] == later


def test_taking_crypto_away_leaves_value_and_explanation() -> None:
    days = sessions(300, first=stress_index.SINCE)
    with_coins = index_rows(days, [scores(crypto=0.7)] * 300)
    without = index_rows(days, [scores()] * 300)
    assert [row | {"crypto": None} for row in with_coins] == without


# --- which observation is in force -----------------------------------------------------------


def observation(day: date, value: float = 1, *, is_calendar: bool = False) -> Observation:
    return Observation(day, value, calendars.utc(day, time(16)), is_calendar)


def in_force_values(gauge: Indicator, rows: list[Observation], first: date, last: date) -> list:
    with hand_made.session("2026-03-31 22:00", {}) as connection:
        calendar = Sessions(connection)
        found = calendar.in_force(gauge.calendar, {row.date: row for row in rows})
    return [
        row.value if row else None
        for session, row in zip(calendar.all, found, strict=True)
        if first <= session.date <= last
    ]


def gauge(name: str) -> Indicator:
    return next(i for i in INDICATORS if i.name == name)


def test_a_gauge_that_has_stopped_has_no_value_any_more() -> None:
    rows = [observation(date(2026, 3, day), day) for day in (9, 10, 11)]
    found = in_force_values(gauge("sofr_iorb_bp"), rows, date(2026, 3, 9), date(2026, 3, 13))
    assert found == [9, 10, 11, None, None]


def test_on_a_bond_holiday_the_day_before_is_in_force() -> None:
    # Columbus Day 2025-10-13: shares trade, bonds do not.
    rows = [observation(date(2025, 10, day), day) for day in (10, 14)]
    found = in_force_values(gauge("sofr_iorb_bp"), rows, date(2025, 10, 10), date(2025, 10, 14))
    assert found == [10, 10, 14]


def test_at_month_end_the_value_before_is_in_force_if_it_is_known() -> None:
    turn = [observation(date(2026, 1, 30), 60, is_calendar=True)]
    turn.append(observation(date(2026, 2, 2), 50, is_calendar=True))
    span = (date(2026, 1, 29), date(2026, 2, 3))
    rows = [observation(date(2026, 1, 29), 5), *turn, observation(date(2026, 2, 3), 6)]
    assert in_force_values(gauge("sofr_iorb_bp"), rows, *span) == [5, 5, 5, 6]
    # Without the 29th nothing older stands in.
    rows = [observation(date(2026, 1, 28), 4), *turn]
    assert in_force_values(gauge("sofr_iorb_bp"), rows, *span) == [None, None, None, None]


def test_a_week_is_in_force_from_its_wednesday_until_the_next_one_is_due() -> None:
    weeks = [
        Observation(day, value, calendars.H41.known_at([day])[0], False)
        for day, value in ((date(2026, 3, 4), 4), (date(2026, 3, 11), 11))
    ]
    found = in_force_values(
        gauge("reserve_scarcity_pct"), weeks, date(2026, 3, 9), date(2026, 3, 18)
    )
    # The balance sheet of the 18th was due and did not come.
    assert found == [4, 4, 11, 11, 11, 11, 11, None]


def test_a_coin_is_due_on_the_day_of_the_session() -> None:
    rows = [observation(date(2026, 3, day), day) for day in (9, 10)]
    found = in_force_values(gauge("bitcoin_vol_pct"), rows, date(2026, 3, 9), date(2026, 3, 11))
    assert found == [9, 10, None]


# --- segments --------------------------------------------------------------------------------


def funding_day(day: date, **values: float | None) -> dict:
    spreads = dict.fromkeys(
        ("sofr_iorb_bp", "tgcr_iorb_bp", "effr_iorb_bp", "sofr_p99_p25_bp", "srf_usd_mn"), 0.0
    )
    known = calendars.utc(day + timedelta(days=1), time(16))
    return {"date": day, "is_month_end": False, "known_at": known, **spreads, **values}


def funding_on(day: date, **values: float | None) -> Score | None:
    with hand_made.session(
        "2026-03-31 22:00", {"funding_conditions": [funding_day(day, **values)]}
    ) as connection:
        calendar = Sessions(connection)
        found = segment_scores(connection, calendar)
    at = [session.date for session in calendar.all].index(day)
    return found[at].get("funding")


def test_a_segment_has_the_highest_score_of_its_gauges() -> None:
    score = funding_on(date(2026, 3, 11), sofr_iorb_bp=17.5, sofr_p99_p25_bp=40)
    assert score is not None
    assert (score.share, score.gauge.name, score.value) == (0.5, "sofr_iorb_bp", 17.5)


def test_a_segment_without_one_of_its_gauges_is_unknown() -> None:
    assert funding_on(date(2026, 3, 11), effr_iorb_bp=None, sofr_iorb_bp=30) is None
    # The standing facility did not exist in 2020, the secured rates not in 2015.
    assert funding_on(date(2020, 3, 17), srf_usd_mn=None) is not None
    later = dict.fromkeys(("sofr_iorb_bp", "tgcr_iorb_bp", "sofr_p99_p25_bp", "srf_usd_mn"))
    assert funding_on(date(2015, 3, 17), **later) is not None


def test_every_segment_has_gauges_and_every_gauge_of_the_index_a_beginning() -> None:
    counted = [i for i in INDICATORS if i.in_index]
    assert {i.segment for i in counted} == set(SEGMENTS)
    assert all(i.since and i.since <= date(2021, 7, 29) for i in counted)
    early = {i.segment for i in counted if i.since and i.since <= stress_index.SINCE}
    assert early == set(INDEX_SEGMENTS)
