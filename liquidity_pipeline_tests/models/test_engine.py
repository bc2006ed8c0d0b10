"""The engine: what a session sees at its moment, in which order marts are built, and its SQL."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from pathlib import Path

import duckdb
import pytest
import sqlglot

from liquidity_pipeline.calendars import utc
from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.models import engine, reference
from liquidity_pipeline_tests.models.world import World, leg, tga

pytestmark = pytest.mark.slow

SQL_MARTS = sorted(name for name in MART_TABLES if engine.sql_file(name).exists())


@pytest.mark.parametrize("name", SQL_MARTS)
def test_the_sql_can_be_carried_to_spark(name: str) -> None:
    refuse = sqlglot.ErrorLevel.RAISE
    (spark,) = sqlglot.transpile(
        engine.sql(name), read="duckdb", write="spark", unsupported_level=refuse
    )
    assert sqlglot.parse_one(spark, read="spark")


@pytest.mark.parametrize("name", SQL_MARTS)
def test_the_sql_uses_nothing_that_is_nan_or_duckdb_only(name: str) -> None:
    text = re.sub(r"--.*", "", engine.sql(name)).lower()
    assert not re.search(r"\bcorr\s*\(|\basof\b|\bquantile_cont\b", text)


def test_every_mart_has_a_contract_and_a_way_to_be_built() -> None:
    assert sorted(engine.build_order()) == sorted(MART_TABLES)
    assert set(SQL_MARTS) <= set(MART_TABLES)


def test_marts_are_built_after_those_that_they_read() -> None:
    order = engine.build_order()
    for place, name in enumerate(order):
        read = {table[6:] for table in engine.upstream(name) if table.startswith("marts.")}
        assert read <= set(order[:place])


def test_marts_that_need_each_other_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "upstream", lambda name: frozenset({"marts.drains"}))
    with pytest.raises(ValueError, match="circle"):
        engine.build_order()


def test_what_a_mart_reads_is_read_from_its_sql() -> None:
    assert engine.upstream("weekly_settlements") == {
        "marts.settlement_calendar",
        "meta.calendar_days",
        "meta.clock",
    }


def test_a_session_sees_no_row_before_it_is_public(tmp_path: Path) -> None:
    # A statement is public on the next Federal Reserve day at 16:00.
    world = World(tmp_path).add("tga_balance", tga(date(2026, 2, 5), 1), tga(date(2026, 2, 6), 2))
    query = "select max(record_date) as newest from sources.tga_balance"
    assert world.at(date(2026, 2, 8)).query(query) == [{"newest": date(2026, 2, 5)}]
    assert world.at(date(2026, 2, 9)).query(query) == [{"newest": date(2026, 2, 6)}]


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        pytest.param(date(2026, 1, 28), [], id="before the announcement"),
        pytest.param(date(2026, 1, 30), [("announced", 90_000, None)], id="announced"),
        pytest.param(date(2026, 2, 2), [("auctioned", 94_100, 4_100)], id="auctioned"),
        pytest.param(date(2026, 2, 5), [("settled", 94_100, 4_100)], id="settled"),
    ],
)
def test_an_auction_is_seen_as_it_stood_on_the_day(
    tmp_path: Path, today: date, expected: list[tuple[str, float, float | None]]
) -> None:
    world = World(tmp_path).add(
        "debt_settlements",
        leg(
            "issue",
            date(2026, 2, 5),
            94_100,
            auction_date=date(2026, 2, 2),
            announced_at=utc(date(2026, 1, 29), time(11)),
            offering_usd_mn=90_000,
            soma_usd_mn=4_100,
            public_usd_mn=90_000,
            price_per100=98.2,
        ),
    )
    seen = world.at(today).query("select * from sources.debt_settlements")
    assert [(row["status"], row["par_usd_mn"], row["soma_usd_mn"]) for row in seen] == expected
    if today < date(2026, 2, 2) and seen:
        assert (seen[0]["results_at"], seen[0]["price_per100"]) == (None, None)
        assert seen[0]["known_at"] == utc(date(2026, 1, 29), time(11))


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        pytest.param(date(2026, 2, 1), [], id="before the announcement"),
        pytest.param(date(2026, 2, 2), [(3_000, None, None)], id="announced"),
        pytest.param(date(2026, 2, 3), [(3_000, 19_868, 2_000)], id="results are out"),
    ],
)
def test_a_buyback_is_seen_as_it_was_on_the_day(
    tmp_path: Path, today: date, expected: list[tuple[float, float | None, float | None]]
) -> None:
    results = utc(date(2026, 2, 3), time(14, 5))
    operation = {
        "operation_date": date(2026, 2, 3),
        "start_time": "13:40",
        "settlement_date": date(2026, 2, 4),
        "operation_type": "Liquidity Support",
        "security_type": "Nominal Coupons",
        "maturity_bucket": "20Y to 30Y",
        "security_class": "bond",
        "maximum_usd_mn": 3_000.0,
        "offered_usd_mn": 19_868.0,
        "accepted_usd_mn": 2_000.0,
        "announced_at": utc(date(2026, 2, 2), time(11)),
        "results_at": results,
        "known_at": results,
    }
    world = World(tmp_path).add("buybacks", operation)
    seen = world.at(today).query("select * from sources.buybacks")
    names = ("maximum_usd_mn", "offered_usd_mn", "accepted_usd_mn")
    assert [tuple(row[name] for name in names) for row in seen] == expected
    for row in seen:
        known_at = operation["results_at" if row["accepted_usd_mn"] else "announced_at"]
        assert row["known_at"] == known_at


def test_a_redemption_ahead_is_scheduled_at_what_was_auctioned(tmp_path: Path) -> None:
    ahead = leg("redemption", date(2026, 3, 10), 50, auction_date=date(2025, 9, 9))
    (row,) = World(tmp_path).add("debt_settlements", ahead).query("from sources.debt_settlements")
    assert (row["status"], row["par_usd_mn"]) == ("scheduled", 50)


def test_tables_that_were_never_fetched_are_empty_and_marts_still_build(tmp_path: Path) -> None:
    world = World(tmp_path)
    # The last first: each is built with those that it reads, in one session.
    for name in reversed(engine.build_order()):
        assert world.mart(name) == []


def test_an_error_names_the_mart(tmp_path: Path) -> None:
    world = World(tmp_path)
    with world.session() as connection:
        for name in ("weekly_drains", "stress_flags"):
            with pytest.raises(duckdb.Error, match=rf"^marts\.{name}: "):
                engine.build(name, connection)


def test_a_folder_may_have_a_quote_in_its_name(tmp_path: Path) -> None:
    world = World(tmp_path / "Treasury's data").add("tga_balance", tga(date(2026, 2, 5), 1))
    assert world.one("tga_daily")["closing_usd_mn"] == 1


@pytest.mark.parametrize(
    ("day", "known_by"),
    [
        pytest.param(date(2026, 2, 5), "2026-02-06 21:30", id="next day, 16:30 in New York"),
        pytest.param(date(2026, 2, 7), "2026-02-09 21:30", id="Saturday"),
        # The Fed is open on Good Friday, when no secured rate is published, and on 2026-07-03.
        pytest.param(date(2026, 4, 2), "2026-04-06 12:00", id="eve of Good Friday"),
        pytest.param(date(2026, 7, 2), "2026-07-06 12:00", id="eve of the day for 4 July"),
    ],
)
def test_a_day_is_known_when_its_last_record_is(day: date, known_by: str) -> None:
    days = reference.calendar_days(date(2026, 2, 27)).to_pylist()
    (row,) = [row for row in days if row["date"] == day]
    assert row["known_by"] == datetime.fromisoformat(known_by)


def test_the_calendar_marks_turns_of_months_and_weeks() -> None:
    days = {row["date"]: row for row in reference.calendar_days(date(2026, 2, 27)).to_pylist()}
    turns = [day for day, row in days.items() if row["is_month_end"] and day.year == 2025]
    assert turns[:4] == [date(2025, 1, 2), date(2025, 1, 31), date(2025, 2, 3), date(2025, 2, 28)]
    quarter_ends = [day for day, row in days.items() if row["is_quarter_end"] and day.year == 2025]
    assert quarter_ends[:3] == [date(2025, 1, 2), date(2025, 3, 31), date(2025, 4, 1)]
    thursday = days[date(2026, 2, 5)]
    assert thursday["week_ending"] == date(2026, 2, 11)
    assert thursday["week_start"] == date(2026, 2, 2)
    good_friday = days[date(2026, 4, 3)]
    assert (good_friday["is_fed"], good_friday["is_sifma"], good_friday["is_nyse"]) == (
        True,
        False,
        False,
    )


def test_sql_that_cannot_be_read_names_the_mart_its_file_and_the_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "sql", lambda name: "select 1 as one,\nfrom where")
    engine.upstream.cache_clear()
    with pytest.raises(ValueError, match=r"marts\.tga_daily: .*tga_daily\.sql .*line 2") as error:
        engine.upstream("tga_daily")
    assert "\x1b" not in str(error.value), "no colours in a log"
    engine.upstream.cache_clear()
