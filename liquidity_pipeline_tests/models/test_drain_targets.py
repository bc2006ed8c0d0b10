"""What the account is heading for, what the Fed buys, and the levels that people name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest

from liquidity_pipeline import calendars
from liquidity_pipeline.settings import default_reference_dir
from liquidity_pipeline.sources import ny_fed
from liquidity_pipeline.sources.reference import read_policy_events
from liquidity_pipeline_tests.models.hand_made import build

pytestmark = pytest.mark.slow


def statement(day: str, closing: float) -> dict[str, object]:
    record = date.fromisoformat(day)
    known = calendars.DTS.known_at([record])[0]
    return {"record_date": record, "closing_usd_mn": closing, "known_at": known}


def event(kind: str, day: str, subject: str, value: float | None, **more: object) -> dict:
    known = datetime.combine(date.fromisoformat(day), time(20))
    row = {"event_date": date.fromisoformat(day), "kind": kind, "subject": subject}
    return row | {"value": value, "known_at": known} | more


def assumed(day: str, quarter_end: str, billions: float) -> dict:
    end = date.fromisoformat(quarter_end)
    return event("refunding_cash_balance", day, quarter_end, billions, effective_date=end)


# 18 June 2026 is a Thursday, the 19th a holiday; the quarter ends on a Tuesday.
BALANCES = [statement("2026-06-18", 892_000), statement("2026-06-22", 910_000)]
TARGETS = [assumed("2026-05-04", "2026-06-30", 900), assumed("2026-05-04", "2026-09-30", 950)]


def path(as_of: str, balances: list = BALANCES, targets: list = TARGETS) -> dict[date, dict]:
    rows = build("tga_trajectory", "2026-07-20 00:00", tga_balance=balances, policy_events=targets)
    return {r["week_ending"]: r for r in rows if r["as_of_date"] == date.fromisoformat(as_of)}


def test_the_path_goes_in_equal_steps_per_business_day_to_the_quarter_end() -> None:
    # 22 to 26, 29 and 30 June are seven business days from 892 to 900 bn; the 24th is the third.
    first = path("2026-06-18")[date(2026, 6, 24)]
    assert first["implied_balance_usd_mn"] == pytest.approx(892_000 + 8_000 * 3 / 7)
    assert first["implied_change_usd_mn"] == pytest.approx(8_000 * 3 / 7)
    assert (first["weeks_ahead"], first["quarter_end"]) == (1, date(2026, 6, 30))


def test_beyond_the_quarter_end_it_goes_on_to_the_next_one() -> None:
    weeks = path("2026-06-18")
    # 1 July is the first of 65 business days of the third quarter: 66 weekdays without 7 September;
    # 4 July is a Saturday and not moved.
    first = weeks[date(2026, 7, 1)]["implied_balance_usd_mn"]
    assert first == pytest.approx(900_000 + 50_000 / 65)
    assert weeks[date(2026, 9, 30)]["implied_balance_usd_mn"] == pytest.approx(950_000)
    changes = sum(row["implied_change_usd_mn"] for row in weeks.values())
    assert changes == pytest.approx(950_000 - 892_000)


def test_only_statements_that_were_public_with_the_close_count() -> None:
    later = [*TARGETS, assumed("2026-06-23", "2026-06-30", 700)]
    before = path("2026-06-18", targets=later)[date(2026, 6, 24)]
    after = path("2026-06-22", targets=later)[date(2026, 6, 24)]
    assert (before["target_usd_mn"], after["target_usd_mn"]) == (900_000, 700_000)
    assert after["statement_date"] == date(2026, 6, 23)


def test_without_a_target_there_is_no_path() -> None:
    assert path("2026-06-18", targets=[]) == {}
    # On the quarter's last day its own target is past.
    assert path("2026-06-30", [statement("2026-06-30", 919_000)], TARGETS[:1]) == {}


def test_a_statement_is_scored_on_its_first_path_against_what_happened() -> None:
    trajectory = build(
        "tga_trajectory", "2026-06-26 00:00", tga_balance=BALANCES, policy_events=TARGETS
    )
    closes = [*BALANCES, statement("2026-06-24", 875_000), statement("2026-07-01", 1)]
    (score,) = build(
        "tga_trajectory_score", "2026-06-26 00:00", tga_trajectory=trajectory, tga_balance=closes
    )
    assert (score["as_of_date"], score["week_ending"]) == (date(2026, 6, 18), date(2026, 6, 24))
    assert score["error_usd_mn"] == pytest.approx(875_000 - (892_000 + 8_000 * 3 / 7))
    assert score["no_change_error_usd_mn"] == 875_000 - 892_000
    assert score["known_at"] == datetime.fromisoformat("2026-06-25 20:30")


def purchase(day: str, amount: float, direction: str = "purchase", **more: object) -> dict:
    operation = date.fromisoformat(day)
    row = {
        "operation_id": f"{day}{direction}",
        "operation_date": operation,
        "settlement_date": calendars.shift("fed", [operation], 1)[0],
        "security_class": "bill",
        "direction": direction,
        "accepted_usd_mn": amount,
        "is_small_value": False,
        "known_at": datetime.combine(operation, time(21)),
    }
    return row | more


AGENCY = [
    event("agency_reinvestment_range", "2025-10-29", name, value, effective_date=date(2025, 12, 1))
    for name, value in (("low", 13.0), ("high", 17.0))
]


def purchases(*operations: dict, events: list = AGENCY) -> list[dict]:
    rows = build(
        "fed_bill_purchases", "2026-12-31 00:00", fed_operations=operations, policy_events=events
    )
    return sorted(rows, key=lambda row: row["operation_date"])


def test_reinvestment_counts_first_and_the_rest_is_an_estimate_with_both_ends() -> None:
    rows = purchases(purchase("2026-02-17", 10_000), purchase("2026-02-19", 20_000))
    assert [row["cumulative_usd_mn"] for row in rows] == [10_000, 30_000]
    low, high = ([r[f"beyond_reinvestment_{end}_usd_mn"] for r in rows] for end in ("low", "high"))
    assert (low, high) == ([0, 13_000], [0, 17_000])
    assert all(row["is_estimate"] for row in rows)


def test_a_published_reinvestment_replaces_the_range() -> None:
    published = event(
        "bill_purchase_programme", "2026-06-16", "agency reinvestment", 16.5,
        effective_date=date(2026, 6, 16), end_date=date(2026, 7, 13),
    )  # fmt: skip
    (row,) = purchases(purchase("2026-06-16", 20_000), events=[*AGENCY, published])
    assert row["beyond_reinvestment_low_usd_mn"] == row["beyond_reinvestment_high_usd_mn"] == 3_500
    assert not row["is_estimate"]


def test_the_conventions_differ_in_sign_and_sales_are_the_reverse() -> None:
    rows = purchases(purchase("2008-03-12", 500, "sale"), purchase("2026-02-17", 700), events=[])
    assert [row["drain_reserves_usd_mn"] for row in rows] == [500, -700]
    assert [row["drain_headline_usd_mn"] for row in rows] == [-500, 700]
    assert {row["beyond_reinvestment_low_usd_mn"] for row in rows} == {None}


def test_a_window_starts_on_the_ninth_business_day_and_tests_of_systems_do_not_count() -> None:
    # February 2026: 2 to 6 and 9 to 12 are nine business days.
    rows = purchases(
        purchase("2026-02-11", 1_000),
        purchase("2026-02-12", 2_000),
        purchase("2026-02-13", 75, is_small_value=True),
    )
    assert [row["window_start"] for row in rows] == [date(2026, 1, 14), date(2026, 2, 12)]
    assert [row["cumulative_usd_mn"] for row in rows] == [1_000, 2_000]
    assert rows[0]["window_end"] == date(2026, 2, 11)


@pytest.mark.replay
def test_the_windows_of_the_recorded_operations_are_those_of_the_reference(
    replay: Callable[..., str], make_fetch: Callable
) -> None:
    fetch = make_fetch(replay(), date(2025, 12, 1), date(2026, 8, 31))
    operations = ny_fed.collect_fed_operations(fetch)["fed_operations"].to_pylist()
    events = read_policy_events(default_reference_dir()).to_pylist()
    rows = purchases(*operations, events=events)
    stated = {
        e["effective_date"]: e["value"]
        for e in events
        if e["kind"] == "bill_purchase_window_bought"
    }
    bought = {
        min(r["operation_date"] for r in rows if r["window_start"] == row["window_start"]):
        row["cumulative_usd_mn"] / 1000
        for row in rows
    }  # fmt: skip
    assert len(stated) == 8
    assert {day: bought[day] for day in stated} == pytest.approx(stated, abs=0.0051)


def level(subject: str, value: float, unit: str, day: str = "2020-05-04") -> dict:
    return event("reference_level", day, subject, value, unit=unit)


def test_each_crossing_is_one_row_with_its_direction() -> None:
    closes = [statement(f"2026-03-{day:02}", value) for day, value in
              ((2, 790_000), (3, 800_000), (4, 810_000), (5, 799_999))]  # fmt: skip
    rows = build(
        "reference_levels",
        "2026-04-01 00:00",
        tga_balance=closes,
        policy_events=[level("TGA after 2020", 800, "USD billions")],
    )
    rows.sort(key=lambda row: row["observation_date"])
    assert [row["crossed"] for row in rows] == [None, "up", None, "down"]
    assert [row["distance"] for row in rows] == [-10_000, 0, 10_000, -1]
    assert [row["last_crossed_on"] for row in rows][1:] == [date(2026, 3, d) for d in (3, 3, 5)]


def test_a_level_is_not_known_before_it_is_named() -> None:
    (row,) = build(
        "reference_levels",
        "2026-04-01 00:00",
        tga_balance=[statement("2019-03-04", 300_000)],
        policy_events=[level("TGA after 2020", 800, "USD billions")],
    )
    assert row["known_at"] == datetime.fromisoformat("2020-05-04 20:00")


def test_a_level_in_percent_is_compared_with_the_ratio_of_the_week() -> None:
    ratios = [
        {
            "week_ending": day,
            "reserves_of_bank_assets_pct": value,
            "known_at": datetime.combine(day + timedelta(days=1), time(21, 30)),
        }
        for day, value in ((date(2026, 1, 7), 12.45), (date(2026, 1, 14), 11.99))
    ]
    ample = level("ample reserves, lower end", 12, "percent of bank assets")
    rows = build(
        "reference_levels", "2026-02-01 00:00", reserve_ratios=ratios, policy_events=[ample]
    )
    assert [(row["value"], row["crossed"]) for row in rows] == [(12.45, None), (11.99, "down")]
    assert {row["unit"] for row in rows} == {"percent"}
    assert all(a["known_at"] < b["known_at"] for a, b in pairwise(rows))


@pytest.mark.parametrize(
    "mart",
    [
        "drain_seasonality",
        "tga_trajectory",
        "tga_trajectory_score",
        "fed_bill_purchases",
        "reference_levels",
        "reserve_ratios",
        "settlement_outlook",
        "settlement_outlook_score",
    ],
)
def test_without_data_a_mart_is_empty_and_not_wrong(mart: str) -> None:
    assert build(mart, "2026-01-01 00:00") == []
