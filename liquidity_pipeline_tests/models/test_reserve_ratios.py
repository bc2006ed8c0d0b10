"""reserve_ratios: reserve balances over the bank assets that were public beside them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from liquidity_pipeline.calendars import H8, H41, RESERVE_DEMAND
from liquidity_pipeline_tests.models.hand_made import build


def reserves(day: date, value: float = 3_000_000) -> dict[str, Any]:
    known_at = H41.known_at([day])[0]
    return {
        "observation_date": day, "series": "WRBWFRBL", "value_usd_mn": value, "known_at": known_at,
    }  # fmt: skip


def banks(day: date, value: float = 25_000, known_at: datetime | None = None) -> dict[str, Any]:
    return {
        "observation_date": day,
        "series": "TLAACBW027SBOG",
        "value": value,
        "unit": "USD billions",
        "known_at": known_at or H8.known_at([day])[0],
    }


def by_hand(day: date, value: float) -> dict[str, Any]:
    return {
        "event_date": day,
        "kind": "bank_assets",
        "value": value,
        "known_at": datetime(day.year, day.month, day.day, 21, 15),  # noqa: DTZ001 - naive UTC
    }


def test_a_week_is_measured_by_h8_of_two_wednesdays_before() -> None:
    # H.8 of 5 August is published on Friday the 14th, reserves of the 19th on Thursday the 20th.
    found = build(
        "reserve_ratios", "2026-08-21 20:00",
        fed_balance_sheet=[reserves(date(2026, 8, 19), 2_930_814)],
        market_series=[banks(date(2026, 8, 5), 25_663.9), banks(date(2026, 8, 12), 99_999.0)],
    )  # fmt: skip
    (row,) = found
    assert row["reserves_of_bank_assets_pct"] == pytest.approx(100 * 2.930814 / 25.6639)
    assert (row["bank_assets_date"], row["bank_assets_basis"]) == (date(2026, 8, 5), "H.8")
    assert row["known_at"] == datetime.fromisoformat("2026-08-20 20:30")


def test_h8_is_public_beside_the_reserves_in_every_week_since_2018() -> None:
    weeks = [date(2018, 1, 10) + timedelta(days=7 * n) for n in range(460)]
    for week in weeks:
        assert H8.known_at([week - timedelta(days=14)]) < H41.known_at([week])


def test_a_week_without_its_h8_has_no_ratio_and_no_substitute() -> None:
    found = build(
        "reserve_ratios", "2026-08-31 20:00",
        fed_balance_sheet=[reserves(date(2026, 8, 19))],
        market_series=[banks(date(2026, 7, 29)), banks(date(2026, 8, 12))],
        policy_events=[by_hand(date(2018, 1, 12), 16.7), by_hand(date(2026, 1, 16), 24.9)],
    )  # fmt: skip
    assert found == []


def test_before_2018_the_year_end_known_in_the_week_counts_even_beside_h8() -> None:
    found = build(
        "reserve_ratios", "2026-08-31 20:00",
        fed_balance_sheet=[reserves(date(2016, 1, 13)), reserves(date(2016, 1, 20))],
        market_series=[banks(date(2016, 1, 6)), banks(date(2015, 12, 30))],
        policy_events=[by_hand(date(2015, 1, 16), 15.0), by_hand(date(2016, 1, 15), 16.0)],
    )  # fmt: skip
    assert [row["reserves_of_bank_assets_pct"] for row in found] == [20.0, 18.75]
    assert [row["bank_assets_date"] for row in found] == [date(2014, 12, 31), date(2015, 12, 31)]
    assert {row["bank_assets_basis"] for row in found} == {"year-end by hand"}


def estimate(day: date, median: float) -> dict[str, Any]:
    return {
        "date": day, "p50_bp": median, "p2_5_bp": median - 1, "p97_5_bp": median + 1,
        "known_at": RESERVE_DEMAND.known_at([day])[0],
    }  # fmt: skip


def test_beside_the_ratio_is_what_had_been_published_of_the_elasticity() -> None:
    # The file of 21 May 2026 reaches 15 May; H.4.1 of that Thursday comes six hours later. The
    # file of June comes on Monday the 22nd: the 18th is in a blackout, the 19th a holiday.
    weeks = [date(2024, 10, 9), *(date(2026, 5, 13) + timedelta(days=7 * n) for n in range(7))]
    found = build(
        "reserve_ratios", "2026-07-01 20:00",
        fed_balance_sheet=[reserves(week) for week in weeks],
        market_series=[banks(week - timedelta(days=14)) for week in weeks],
        reserve_demand_elasticity=[
            estimate(day, value)
            for day, value in (
                (date(2024, 9, 3), 0.0), (date(2026, 5, 14), -0.1), (date(2026, 5, 15), -0.2),
                (date(2026, 6, 11), -0.3), (date(2026, 6, 12), -0.4),
            )
        ],
    )  # fmt: skip
    shown = {f"{row['week_ending']:%m-%d}": row["elasticity_p50_bp"] for row in found}
    # Nobody knew an estimate before the first file, of 2024-10-17.
    assert shown == {
        "10-09": None, "05-13": 0.0, "05-20": -0.2, "05-27": -0.2, "06-03": -0.2, "06-10": -0.2,
        "06-17": -0.2, "06-24": -0.4,
    }  # fmt: skip
    last = found[-1]
    assert last["elasticity_date"] == date(2026, 6, 12)
    assert (last["elasticity_p2_5_bp"], last["elasticity_p97_5_bp"]) == (-1.4, 0.6)
    # The row is as old as its ratio.
    assert last["known_at"] == H41.known_at([date(2026, 6, 24)])[0]


def test_without_the_elasticity_the_ratio_is_there() -> None:
    week = date(2026, 8, 19)
    (row,) = build(
        "reserve_ratios", "2026-08-31 20:00",
        fed_balance_sheet=[reserves(week)], market_series=[banks(week - timedelta(days=14))],
    )  # fmt: skip
    assert row["reserves_of_bank_assets_pct"] == pytest.approx(12)
    assert row["elasticity_p50_bp"] is row["elasticity_date"] is None
