"""Seasonality: the calendar's dates in the right week, estimated on the past, honest bands."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import numpy as np
import pytest

from liquidity_pipeline.models.drains.drain_seasonality import (
    MIN_ERRORS,
    MIN_WEEKS,
    Week,
    season_rows,
)
from liquidity_pipeline.models.drains.seasonal_regressors import (
    calendar_events,
    forecasts,
    week_regressors,
)
from liquidity_pipeline_tests.models.hand_made import build

NAMES = ["intercept", *calendar_events(2020, 2020)]


def events_of(week_ending: str) -> set[str]:
    """Return the effects in the week to a day, the intercept left out."""
    row = week_regressors([date.fromisoformat(week_ending)])[0]
    return {name for name, value in zip(NAMES, row, strict=True) if value} - {"intercept"}


def weeks(values: np.ndarray, first: str = "2010-01-06") -> list[Week]:
    start = date.fromisoformat(first)
    endings = [start + timedelta(days=7 * n) for n in range(len(values))]
    return [
        Week(day, float(value), datetime.combine(day, time(21)), False)
        for day, value in zip(endings, values, strict=True)
    ]


def test_what_falls_due_on_a_weekend_moves_as_its_payer_moves_it() -> None:
    # 31 January 2026 is a Saturday: coupons settle on Monday, 2 February. 1 February is a Sunday:
    # pensions are paid on Friday, 30 January. All in the week of Thursday 29 January to 4 February.
    assert events_of("2026-02-04") == {"month_end_coupons", "benefits_first", "benefits_third"}
    # 15 April 2023 was a Saturday: taxes on Monday the 17th, in the week to the 19th.
    assert {"tax_april", "mid_month_coupons"} <= events_of("2023-04-19")
    assert "after_tax_april" in events_of("2023-04-26")
    assert not {name for name in events_of("2023-04-12") if name.startswith("tax")}


def test_quarter_and_year_ends_are_undone_a_week_later() -> None:
    assert {"quarter_end", "year_end"} <= events_of("2025-12-31")
    assert {"after_quarter_end", "after_year_end"} <= events_of("2026-01-07")
    assert "year_end" not in events_of("2026-04-01")
    assert "quarter_end" in events_of("2026-04-01")


def test_only_the_second_to_fourth_wednesday_pay_benefits() -> None:
    paid = [f"2026-07-{day:02}" for day in (1, 8, 15, 22, 29)]
    assert [day for day in paid if "benefits_wednesday" in events_of(day)] == paid[1:4]


def test_refunding_coupons_settle_in_four_months_of_the_year() -> None:
    events = calendar_events(2025, 2025)
    assert [day.month for day in events["refunding_coupons"]] == [2, 5, 8, 11]
    assert len(events["mid_month_coupons"]) == len(events["month_end_coupons"]) == 12


def test_each_expectation_is_weighted_ridge_least_squares_on_earlier_rows() -> None:
    random = np.random.default_rng(1)
    x = np.column_stack([np.ones(60), random.integers(0, 2, (60, 3))])
    y = random.standard_normal(60)
    found, mean = forecasts(x, y, minimum=20, half_life=10, ridge=1.0)
    assert np.isnan(found[:20]).all()
    for row in (20, 41, 59):
        weight = np.sqrt(0.5 ** (np.arange(row)[::-1] / 10))
        # A ridge is least squares on one more row per coefficient, which says zero.
        design = np.vstack([x[:row] * weight[:, None], np.eye(4)[1:]])
        target = np.concatenate([y[:row] * weight, np.zeros(3)])
        coefficients = np.linalg.lstsq(design, target, rcond=None)[0]
        assert found[row] == pytest.approx(x[row] @ coefficients)
        assert mean[row] == pytest.approx(np.average(y[:row], weights=weight**2))


def test_an_effect_that_was_never_seen_is_taken_to_be_zero() -> None:
    x = np.column_stack([np.ones(30), np.zeros(30)])
    x[29, 1] = 1
    found, _ = forecasts(x, np.full(30, 5.0), minimum=10, half_life=260, ridge=1.0)
    assert found[29] == pytest.approx(5.0)


def test_rows_do_not_change_when_history_grows() -> None:
    values = np.random.default_rng(2).standard_normal(400) * 1000
    full = list(season_rows("tga", weeks(values)))
    for length in (157, 250, 399):
        assert list(season_rows("tga", weeks(values[:length]))) == full[: length - MIN_WEEKS]


def test_a_known_season_is_recovered_and_the_band_covers() -> None:
    noise = np.random.default_rng(3).standard_normal(1000) * 10_000
    plain = weeks(noise)
    april = week_regressors([week.ending for week in plain])[:, NAMES.index("tax_april")]
    rows = list(season_rows("tga", weeks(noise + 200_000 * april + 5_000)))
    taxes = [row for row, due in zip(rows, april[MIN_WEEKS:], strict=True) if due]
    # After n Aprils the penalty of one week leaves n / (n + 1) of the effect; ten are left by then.
    assert taxes[-1]["expected_usd_mn"] == pytest.approx(205_000, abs=45_000)
    assert abs(taxes[-1]["surprise_usd_mn"]) < 60_000
    assert taxes[-1]["drain_sa_usd_mn"] < taxes[-1]["actual_usd_mn"] / 2
    judged = rows[MIN_ERRORS:]
    inside = np.mean(
        [r["expected_low_usd_mn"] < r["actual_usd_mn"] < r["expected_high_usd_mn"] for r in judged]
    )
    assert len(judged) == 1000 - MIN_WEEKS - MIN_ERRORS
    assert 0.92 < inside < 0.98


def test_no_deviation_before_a_year_of_errors() -> None:
    rows = list(season_rows("tga", weeks(np.arange(260.0))))
    assert [row["n_errors"] for row in rows] == list(range(104))
    undefined = [row["n_errors"] for row in rows if row["surprise_sd"] is None]
    assert undefined == list(range(MIN_ERRORS))
    assert all(row["expected_low_usd_mn"] is None for row in rows[:MIN_ERRORS])


def wednesdays(count: int) -> list[date]:
    return [date(2015, 1, 7) + timedelta(days=7 * n) for n in range(count)]


def drained(count: int) -> list[dict[str, object]]:
    return [
        {"week_ending": day, "drain_reserves_usd_mn": 10.0 * n, "d_tga_usd_mn": None}
        for n, day in enumerate(wednesdays(count))
    ]


def test_a_week_counts_from_the_day_after_it() -> None:
    # Week 159 ends on 2018-01-17 and is published on Thursday, 16:30 in New York: 21:30 UTC.
    for now, expected in (("2018-01-18 21:29", 2), ("2018-01-18 21:30", 3)):
        rows = build("drain_seasonality", now, reserve_drains=drained(160))
        assert len(rows) == expected


def test_settlements_count_in_both_weeks_and_never_in_the_broken_first_one() -> None:
    # Tuesday and Thursday of each week, 3 and 4 mn: both lie in the same Monday week, while the
    # H.4.1 week to Wednesday holds Thursday and the next Tuesday.
    tuesdays = [day - timedelta(days=1) for day in wednesdays(165)]
    settled = [
        {
            "settlement_date": day + timedelta(days=later),
            "net_public_usd_mn": amount,
            "security_class": kind,
            "is_settled": True,
        }
        for day in tuesdays
        for later, amount, kind in ((0, 3.0, "bill"), (2, 4.0, "note"))
    ]
    weekly = [
        {
            "week_start": day - timedelta(days=1),
            "net_public_usd_mn": amount,
            "security_class": kind,
            "is_settled": True,
        }
        for day in tuesdays
        for amount, kind in ((7.0, "all"), (3.0, "bills"))
    ]
    rows = build(
        "drain_seasonality",
        "2019-01-01 00:00",
        settlement_calendar=settled,
        weekly_settlements=weekly,
    )
    by_name: dict[str, list] = {}
    for row in rows:
        by_name.setdefault(row["component"], []).append(row)
    assert {row["actual_usd_mn"] for row in by_name["net_settlement"][:-1]} == {7.0}
    assert {row["actual_usd_mn"] for row in by_name["net_settlement_calendar_week"]} == {7.0}
    assert {row["actual_usd_mn"] for row in by_name["net_bills_calendar_week"]} == {3.0}
    assert by_name["net_settlement_calendar_week"][0]["week_ending"].weekday() == 6
    # 165 weeks, less the first of each kind, which the records may not hold whole.
    assert len(by_name["net_settlement_calendar_week"]) == 164 - MIN_WEEKS


def test_the_state_of_the_debt_limit_is_what_was_on_record() -> None:
    # The drain is 100 while the limit binds and 0 else; the second spell is known to bind only
    # from its fifth week on, so four surprises of 100 come before.
    days = wednesdays(260)
    binds = [52 <= n < 104 or n >= 240 for n in range(260)]
    drains = [
        {"week_ending": day, "drain_reserves_usd_mn": 100.0 * bound}
        for day, bound in zip(days, binds, strict=True)
    ]

    def state(first: int, subject: str, known: int) -> dict[str, object]:
        at = datetime.combine(days[known], time(12))
        return {
            "event_date": days[first],
            "kind": "debt_limit_state",
            "subject": subject,
            "effective_date": days[first],
            "known_at": at,
        }

    states = [state(52, "binding", 52), state(104, "not binding", 104), state(240, "binding", 244)]
    rows = build(
        "drain_seasonality", "2020-06-01 00:00", reserve_drains=drains, policy_events=states
    )
    last = {row["week_ending"]: row["surprise_usd_mn"] for row in rows}
    assert all(last[days[n]] > 85 for n in range(240, 244))
    assert all(abs(last[days[n]]) < 40 for n in range(244, 250))
