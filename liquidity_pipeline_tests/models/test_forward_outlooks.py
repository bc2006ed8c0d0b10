"""Forward calendar, quarterly borrowing and the outlook of drains."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pytest

from liquidity_pipeline import calendars
from liquidity_pipeline.calendars import utc
from liquidity_pipeline.models.drains.drain_outlook import (
    COVERAGE,
    MIN_ERRORS,
    PastErrors,
    Week,
    _daily,
    _weekly,
)
from liquidity_pipeline.models.drains.seasonal_regressors import day_regressors
from liquidity_pipeline.models.reconciliations.reconciliation import RECONCILIATIONS, evaluate
from liquidity_pipeline_tests.models.hand_made import build, session
from liquidity_pipeline_tests.models.world import Row, World, leg, tga


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_marked_days_have_the_mean_of_what_moved_on_such_days() -> None:
    # Benefits of the third of the month: 10 in December, 30 in January, moved to a business day.
    flows = [
        {
            "record_date": day, "direction": "withdrawals", "category": "Social Security",
            "line_group": "social_security", "amount_usd_mn": amount,
            "known_at": datetime.combine(day, time(21)),
        }
        for day, amount in ((date(2025, 12, 3), 10.0), (date(2026, 1, 2), 30.0))
    ]  # fmt: skip
    ahead = {
        "as_of": date(2026, 1, 20), "settlement_date": date(2026, 1, 27), "security_class": "bill",
        "auctioned_usd_mn": 5.0, "announced_usd_mn": 0.0, "expected_issues_usd_mn": 0.0,
        "add_ons_usd_mn": 0.0, "add_ons_expected_usd_mn": 0.0, "redeemed_usd_mn": 3.0,
        "public_redeemed_usd_mn": 3.0, "expected_redeemed_usd_mn": 0.0, "soma_basis": "none",
        "known_at": utc(date(2026, 1, 20), time()),
    }  # fmt: skip
    rows = build(
        "forward_calendar", "2026-01-21 04:59", tga_flows=flows, settlement_outlook=[ahead]
    )
    by_day = {(row["date"], row["item"]): row for row in rows}
    # 3 February 2026 is a Tuesday.
    third = by_day[date(2026, 2, 3), "benefits"]
    assert (third["amount_usd_mn"], third["n_obs"], third["certainty"]) == (-20, 2, "usual")
    assert by_day[date(2026, 1, 27), "issues auctioned"]["amount_usd_mn"] == 5
    assert by_day[date(2026, 1, 27), "maturities"]["amount_usd_mn"] == -3
    # Nothing is known of tax dates: they are marked, without a size.
    assert all(row["amount_usd_mn"] is None for row in rows if row["item"] == "tax date")


def settling(kind: str, **amounts: float | None) -> Row:
    """A row of the outlook of which the Fed's part is published; amounts not given are zero."""
    names = ("auctioned", "add_ons", "announced", "expected_issues", "add_ons_expected", "redeemed",
             "public_redeemed", "expected_redeemed")  # fmt: skip
    return {
        **OUTLOOK, "security_class": kind, "soma_basis": "published",
        **{f"{name}_usd_mn": amounts.get(name, 0.0) for name in names},
    }  # fmt: skip


def calendar_of(*outlook: Row) -> dict[tuple[str, str], tuple[float | None, str]]:
    rows = build("forward_calendar", "2026-01-21 04:59", settlement_outlook=list(outlook))
    return {
        (row["part"], row["item"]): (row["amount_usd_mn"], row["certainty"])
        for row in rows if row["date"] == OUTLOOK["settlement_date"]
    }  # fmt: skip


def test_the_items_of_a_day_add_up_to_what_the_public_is_expected_to_pay() -> None:
    # Bills: 110 of this week's 4-week bill are expected, and as many of a later one mature. The
    # public pays 195 + 110 and gets 190 - 10 that the Fed holds and rolls over: net 195 + 110 - 180
    # - 110 = 15. Notes: of 100 auctioned the Fed takes 20. Of 70 that mature the public has 45 and
    # gets 1 of inflation compensation: net 100 - 20 - 46 = 34.
    items = calendar_of(
        settling("bill", announced=195, expected_issues=110, add_ons_expected=10, redeemed=190,
                 public_redeemed=180, expected_redeemed=110),
        settling("tips", auctioned=100, add_ons=20, redeemed=70, public_redeemed=46),
    )  # fmt: skip
    bills = [amount for (part, _), (amount, _) in items.items() if part == "bills"]
    coupons = [amount for (part, _), (amount, _) in items.items() if part == "coupons"]
    assert (sum(filter(None, bills)), sum(filter(None, coupons))) == (15, 34)
    assert items["bills", "maturities expected"] == (-110, "expected")
    assert items["coupons", "redemptions not paid to the public"] == (4, "known")


def test_an_item_that_is_not_known_of_one_class_is_not_known_of_its_group() -> None:
    known = settling("note", announced=50, add_ons_expected=5, redeemed=5, public_redeemed=0)
    unknown = known | {
        "security_class": "tips", "add_ons_expected_usd_mn": None, "public_redeemed_usd_mn": None,
    }  # fmt: skip
    items = calendar_of(known, unknown)
    assert items["coupons", "add-ons expected"] == (None, "expected")
    assert items["coupons", "issues announced"] == (100, "announced")


@pytest.mark.parametrize(("maturing", "misses"), [(-100.0, 0), (-90.0, 1), (None, 0)])
def test_a_calendar_that_does_not_add_up_to_the_outlook_is_reported(
    maturing: float | None, misses: int
) -> None:
    (check,) = (each for each in RECONCILIATIONS if each.name == "forward_calendar_equals_outlook")
    day = OUTLOOK["settlement_date"]
    items = [("issues expected", 110.0), ("maturities", maturing), ("coupon interest", -7.0)]
    calendar = [
        {"date": day, "item": item, "part": "bills", "amount_usd_mn": amount}
        for item, amount in items
    ]  # fmt: skip
    outlook = [OUTLOOK | {"net_public_expected_usd_mn": 10.0}]
    tables = {"forward_calendar": calendar, "settlement_outlook": outlook}
    with session("2026-01-21 04:59", tables) as connection:
        found = evaluate(check, connection)
    # An item that is not known leaves nothing to compare.
    assert (found.compared, found.misses) == (int(maturing is not None), misses)


def test_interest_whose_amount_is_not_known_is_not_called_known() -> None:
    interest = {
        "payment_date": date(2026, 2, 17), "interest_usd_mn": None,
        "interest_at_most_usd_mn": 20.0, "known_at": KNOWN,
    }  # fmt: skip
    told = interest | {
        "payment_date": date(2026, 3, 2), "interest_usd_mn": 7.0, "interest_at_most_usd_mn": 8.0,
    }  # fmt: skip
    rows = build("forward_calendar", "2026-01-21 04:59", settlement_outlook=[OUTLOOK],
                 coupon_interest=[interest, told])  # fmt: skip
    found = [
        (row["date"].day, row["amount_usd_mn"], row["maximum_usd_mn"], row["certainty"])
        for row in rows if row["item"] == "coupon interest"
    ]  # fmt: skip
    assert found == [(17, None, 20, None), (2, -7, 8, "known")]


def test_an_announced_buyback_is_expected_at_the_usual_take_up() -> None:
    known = utc(date(2026, 1, 20), time(14, 5))
    done = {
        "operation_date": date(2026, 1, 13), "start_time": "13:40", "maximum_usd_mn": 4.0,
        "settlement_date": date(2026, 1, 14), "accepted_usd_mn": 1.0, "known_at": known,
    }  # fmt: skip
    ahead = done | {
        "operation_date": date(2026, 1, 22), "settlement_date": date(2026, 1, 23),
        "maximum_usd_mn": 8.0, "accepted_usd_mn": None,
    }  # fmt: skip
    outlook = {"settlement_date": date(2026, 1, 27), "security_class": "bill", "known_at": known}
    rows = build(
        "forward_calendar", "2026-01-21 04:59", buybacks=[done, ahead], settlement_outlook=[outlook]
    )
    (row,) = (row for row in rows if row["item"] == "buybacks")
    assert (row["amount_usd_mn"], row["certainty"], row["n_obs"]) == (-2, "announced", 1)


KNOWN = utc(date(2026, 1, 20), time(14, 5))
OUTLOOK = {"settlement_date": date(2026, 1, 27), "security_class": "bill", "known_at": KNOWN}


def held(day: date, accepted: float | None = 1.0, **changes: object) -> dict[str, object]:
    """Return an operation that was announced, and held if it has results; USD mn."""
    return {
        "operation_date": day, "start_time": "13:40", "settlement_date": day + timedelta(days=1),
        "operation_type": "Liquidity Support", "security_type": "Nominal Coupons",
        "maturity_bucket": "20Y to 30Y", "maximum_usd_mn": 4.0, "accepted_usd_mn": accepted,
        "known_at": KNOWN,
    } | changes  # fmt: skip


def planned(day: date, **changes: object) -> dict[str, object]:
    return {name: value for name, value in held(day, **changes).items() if name[:3] != "acc"}


def buybacks_ahead(
    operations: list[dict[str, object]], schedule: list[dict[str, object]]
) -> dict[tuple[object, ...], tuple[object, ...]]:
    rows = build(
        "forward_calendar", "2026-01-21 04:59", buybacks=operations, buyback_schedule=schedule,
        settlement_outlook=[OUTLOOK],
    )  # fmt: skip
    return {
        (row["date"].day, row["item"], row["part"]):
        (row["amount_usd_mn"], row["maximum_usd_mn"], row["certainty"], row["n_obs"])
        for row in rows if "buybacks" in row["item"]
    }  # fmt: skip


def test_a_planned_buyback_is_expected_at_the_take_up_of_its_own_type() -> None:
    # Of liquidity support a quarter was taken (1 + 1 of 4 + 4), of cash management all.
    past = [
        held(date(2026, 1, 7)),
        held(date(2026, 1, 14)),
        held(date(2026, 1, 15), 12.5, operation_type="Cash Management", maximum_usd_mn=12.5),
    ]
    cash = planned(
        date(2026, 1, 29), operation_type="Cash Management", maximum_usd_mn=12.5,
        maturity_bucket="1Mo to 2Y", start_time="11:00",
    )  # fmt: skip
    small = planned(date(2026, 2, 4), operation_type="Small Value", maximum_usd_mn=0.5)
    open_ended = planned(date(2026, 2, 11), maximum_usd_mn=None)
    plan = [planned(date(2026, 1, 29), maximum_usd_mn=8.0), cash, small, open_ended]
    assert buybacks_ahead(past, plan) == {
        (30, "tentative buybacks", "Liquidity Support"): (-2.0, 8.0, "tentative", 2),
        (30, "tentative buybacks", "Cash Management"): (-12.5, 12.5, "tentative", 1),
        # There never was one of its type; and the schedule leaves the maximum open.
        (5, "tentative buybacks", "Small Value"): (None, 0.5, "tentative", None),
        (12, "tentative buybacks", "Liquidity Support"): (None, None, "tentative", 2),
    }


def test_what_treasury_has_announced_is_not_tentative_any_more() -> None:
    by_hour = held(date(2026, 1, 22), None, maturity_bucket="10Y to 20Y", maximum_usd_mn=6.0)
    by_bucket = held(date(2026, 1, 28), None, start_time="10:30")
    plan = [planned(date(2026, 1, day)) for day in (20, 22, 28)]
    other = planned(date(2026, 1, 28), start_time="11:00", maturity_bucket="1Mo to 2Y")
    past = held(date(2026, 1, 7))
    assert buybacks_ahead([past, by_hour, by_bucket], [*plan, other]) == {
        (23, "buybacks", "coupons"): (-1.5, 6.0, "announced", 1),
        (29, "buybacks", "coupons"): (-1.0, 4.0, "announced", 1),
        (29, "tentative buybacks", "Liquidity Support"): (-1.0, 4.0, "tentative", 1),
    }


def test_a_day_with_an_operation_of_unknown_size_has_no_size() -> None:
    # Of the second type nothing was ever held: half of the day's sum would be taken for all of it.
    ahead = [
        held(date(2026, 1, 22), None),
        held(date(2026, 1, 22), None, start_time="11:00", operation_type="Cash Management"),
    ]
    found = buybacks_ahead([held(date(2026, 1, 7)), *ahead], [])
    assert found == {(23, "buybacks", "coupons"): (None, 8.0, "announced", 1)}


def test_a_quarter_is_its_settlements_less_buybacks(world: World) -> None:
    world.add(
        "debt_settlements",
        leg("issue", date(2025, 10, 2), 100, soma_usd_mn=0),
        leg("issue", date(2025, 12, 30), 60, soma_usd_mn=10, cusip="B"),
        leg("redemption", date(2025, 12, 30), 50, soma_usd_mn=10, cusip="D"),
        leg("buyback", date(2025, 12, 30), 5, kind="bond", cusip="operation"),
        leg("issue", date(2026, 1, 6), 1, cusip="E"),
    )
    world.add("tga_balance", tga(date(2025, 12, 31), 872_853))
    row = world.one("quarterly_borrowing", quarter="2025Q4")
    # 100, and 50 paid for the second less 40 that the public held.
    assert (row["net_public_usd_mn"], row["privately_held_net_usd_mn"]) == (110, 105)
    assert (row["quarter_end_cash_usd_mn"], row["is_open"]) == (872_853, False)
    assert world.one("quarterly_borrowing", quarter="2026Q1")["is_open"]


def test_a_day_is_regressed_on_what_falls_due_on_it_or_on_a_holiday_before_it() -> None:
    # 15 June 2025 is a Sunday: the tax date falls on Monday, and clears into Tuesday.
    days = calendars.days("fed", date(2025, 6, 11), date(2025, 6, 20))
    plain = [date(2025, 6, 11), date(2025, 6, 12), date(2025, 6, 13)]
    marked = day_regressors(days)
    assert marked.shape[0] == len(days)
    june_tax = [
        column
        for column in range(marked.shape[1])
        if marked[days.index(date(2025, 6, 16)), column] == 1
        and not marked[[days.index(day) for day in plain], column].any()
        and marked[:, column].sum() == 1
    ]
    assert june_tax


def test_a_band_holds_nine_in_ten_of_the_errors_before_it() -> None:
    errors = PastErrors()
    for size in range(1, MIN_ERRORS):
        errors.add("tga", 1, float(size))
    assert errors.reach("tga", 1) is None
    errors.add("tga", 1, -float(MIN_ERRORS))
    # The 48th of 52, because (52 + 1) x 0.9 is 47.7.
    assert errors.reach("tga", 1) == 48
    assert errors.reach("tga", 2) is None


def test_a_band_covers_what_comes_next_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    errors, inside = PastErrors(), []
    for error in rng.standard_t(4, size=4_000):
        reach = errors.reach("tga", 1)
        if reach is not None:
            inside.append(abs(error) <= reach)
        errors.add("tga", 1, float(error))
    assert np.mean(inside) == pytest.approx(COVERAGE, abs=0.02)


def test_the_outlook_needs_three_years_of_the_account(world: World) -> None:
    world.add("tga_balance", tga(date(2026, 2, 2), 1.0), tga(date(2026, 2, 3), 2.0))
    assert world.mart("drain_outlook") == []


def planted() -> dict[str, list[Row]]:
    """Four years in which the account rises by what settles and by 100 on every 3rd of a month."""
    days = calendars.days("fed", date(2022, 1, 5), date(2026, 2, 27))
    closes, change = [1_000_000.0], []
    for day in days[1:]:
        change.append(7.0 if day.weekday() == 1 else 0.0)
        closes.append(closes[-1] + change[-1])
    known = [datetime.combine(day + timedelta(days=1), time(21)) for day in days]
    account = [
        {"record_date": day, "closing_usd_mn": close, "change_1d_usd_mn": move, "known_at": at}
        for day, close, move, at in zip(days[1:], closes[1:], change, known[1:], strict=True)
    ]
    by_day = dict(zip(days, closes, strict=True))
    weeks = [day for day in days if day.weekday() == 2]
    sheet = [
        {
            "week_ending": day, "known_at": datetime.combine(day + timedelta(days=1), time(21, 30)),
            "tga_usd_mn": by_day[day], "reserves_usd_mn": 3_000_000.0, "d_tga_usd_mn": 7.0,
            "drain_reserves_usd_mn": 0.0,
        }
        for day in weeks
    ]  # fmt: skip
    settled = [
        {"settlement_date": day, "security_class": "bill", "net_public_usd_mn": 7.0,
         "is_settled": True}
        for day in days if day.weekday() == 1
    ]  # fmt: skip
    friday = date(2026, 1, 16)
    moment = datetime.combine(friday + timedelta(days=1), time(4))
    ahead = [
        {"as_of_date": friday, "is_open": False, "settlement_date": day,
         "net_public_expected_usd_mn": 70.0}
        for day in days if friday < day and day.weekday() == 1
    ]  # fmt: skip
    moments = [{"as_of_date": friday, "is_open": False, "moment": moment}]
    return {
        "tga_daily": account, "reserve_drains": sheet, "settlement_calendar": settled,
        "settlement_vintages": ahead, "outlook_moments": moments,
    }  # fmt: skip


def test_the_account_is_expected_to_rise_by_what_is_expected_to_settle_not_by_what_did() -> None:
    rows = build("drain_outlook", "2026-02-28 00:00", **planted())
    expected = {
        row["weeks_ahead"]: row["expected_usd_mn"] for row in rows if row["component"] == "tga"
    }
    # From Wednesday 14 January: 70 on each Tuesday ahead, though only 7 came.
    assert expected == pytest.approx({n: 70.0 * n for n in range(1, 7)}, abs=0.5)


def test_a_day_whose_flow_never_became_known_was_expected_like_any_other():
    """What was expected before a gap in the record does not depend on the gap."""
    days = calendars.days("fed", date(2025, 1, 2), date(2025, 6, 30))
    gap, friday = date(2025, 5, 14), date(2025, 5, 9)
    rows = [(day, utc(day, time(20)), 800_000.0, 1_000.0, 0.0) for day in days]
    whole, broken = _daily(rows), _daily([row for row in rows if row[0] != gap])
    seen = whole.known(utc(friday, time(21)))
    assert broken.known(utc(friday, time(21))) == seen
    expected = whole.expected(seen, friday, date(2025, 5, 16))
    found = broken.expected(seen, friday, date(2025, 5, 16))
    assert (
        list(found[0])
        == list(expected[0])
        == calendars.days("fed", date(2025, 5, 12), date(2025, 5, 16))
    )
    assert found[1] == pytest.approx(expected[1])


def test_a_week_of_h41_that_never_became_known_was_expected_like_any_other():
    wednesdays = [date(2024, 1, 3) + timedelta(weeks=number) for number in range(60)]
    sheet = {day: Week(utc(day, time(21)), 800_000, 3_000_000, 5_000) for day in wednesdays}
    gap = wednesdays[52]
    broken = _weekly({day: week for day, week in sheet.items() if day != gap})
    found = broken.expected(50, wednesdays[49], wednesdays[53])
    expected = _weekly(sheet).expected(50, wednesdays[49], wednesdays[53])
    assert list(found[0]) == list(expected[0]) == wednesdays[50:54]
    assert found[1] == pytest.approx(expected[1])
