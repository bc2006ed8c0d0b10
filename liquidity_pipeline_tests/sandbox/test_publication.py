"""Nothing is visible before its publisher makes it public, and nothing changes afterwards."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from liquidity_pipeline.contracts.sources.federal_reserve import FED_BALANCE_SHEET
from liquidity_pipeline.contracts.sources.markets import MARKET_SERIES_IDS
from liquidity_pipeline.sandbox import clock, days
from liquidity_pipeline.sandbox.publishers import coinbase, fiscal_data, fred, ny_fed, yahoo
from liquidity_pipeline.sandbox.publishers.wire import Request, World

AGENT = {"user-agent": "x"}
STATEMENT = "services/api/fiscal_service/v1/accounting/dts/operating_cash_balance"
AUCTIONS = "services/api/fiscal_service/v1/accounting/od/auctions_query"


def at(world: World, day: str, hour: int, minute: int = 0) -> World:
    """Set the clock to a time in New York."""
    moment = days.new_york_time(days.number(date.fromisoformat(day)), hour, minute)
    return replace(world, moment=lambda: moment)


def newest_statement(world: World) -> str:
    query = [("sort", "-record_date"), ("page[size]", "1")]
    reply = fiscal_data.answer(world, Request(STATEMENT, query, AGENT))
    return str(json.loads(reply.body)["data"][0]["record_date"])


def newest(world: World, name: str) -> str:
    query = [("id", name), ("cosd", "2026-06-01")]
    lines = fred.answer(world, Request("graph/fredgraph.csv", query, AGENT)).body.splitlines()
    return str(lines[-1].split(",")[0])


def test_statement_appears_at_four_on_the_next_business_day(world):
    assert newest_statement(at(world, "2026-08-21", 15, 59)) == "2026-08-19"
    assert newest_statement(at(world, "2026-08-21", 16)) == "2026-08-20"
    # The statement of a Friday comes on Monday, that of 2 September after Labor Day.
    assert newest_statement(at(world, "2026-08-16", 22)) == "2026-08-13"
    assert newest_statement(at(world, "2025-09-01", 22)) == "2025-08-28"


def test_balance_sheet_appears_on_thursday_or_after_thanksgiving_on_friday(world):
    assert newest(at(world, "2026-08-20", 16, 29), "WALCL") == "2026-08-12"
    assert newest(at(world, "2026-08-20", 16, 30), "WALCL") == "2026-08-19"
    thanksgiving = at(world, "2025-11-27", 22)
    friday = at(world, "2025-11-28", 17)
    assert thanksgiving.last_public(clock.BALANCE_SHEET) < days.day(2025, 11, 26)
    assert friday.last_public(clock.BALANCE_SHEET) >= days.day(2025, 11, 26)


def test_repo_rates_appear_at_eight_and_federal_funds_at_nine(world):
    def rates(moment: World) -> dict[str, str]:
        reply = ny_fed.answer(moment, Request("api/rates/all/latest.json", [], AGENT))
        return {r["type"]: r["effectiveDate"] for r in json.loads(reply.body)["refRates"]}

    assert rates(at(world, "2026-08-21", 7, 59))["SOFR"] == "2026-08-19"
    morning = rates(at(world, "2026-08-21", 8, 30))
    assert (morning["SOFR"], morning["EFFR"]) == ("2026-08-20", "2026-08-19")
    assert rates(at(world, "2026-08-21", 9))["EFFR"] == "2026-08-20"
    # Good Friday has no repo rate, yet federal funds were traded.
    easter_monday = rates(at(world, "2026-04-06", 22))
    assert (easter_monday["SOFR"], easter_monday["EFFR"]) == ("2026-04-02", "2026-04-03")


def test_reverse_repos_appear_on_the_same_day(world):
    assert newest(at(world, "2026-08-20", 13, 0), "RRPONTSYD") == "2026-08-19"
    assert newest(at(world, "2026-08-20", 13, 30), "RRPONTSYD") == "2026-08-20"


def test_interest_on_reserves_is_dated_ahead(world):
    assert newest(at(world, "2026-08-21", 22), "IORB") == "2026-08-24"


def test_auction_is_announced_then_held(world):
    """The 26-week bill of 2026-08-17: announced on the 13th, closed at 11:30 on the 17th."""

    def row(moment: World) -> dict[str, str] | None:
        query = [("filter", "issue_date:eq:2026-08-20,security_term:eq:26-Week")]
        found = json.loads(fiscal_data.answer(moment, Request(AUCTIONS, query, AGENT)).body)["data"]
        return found[0] if found else None

    assert row(at(world, "2026-08-13", 10, 59)) is None
    announced = row(at(world, "2026-08-13", 11))
    assert announced is not None
    assert (announced["total_accepted"], announced["high_price"]) == ("null", "null")
    assert row(at(world, "2026-08-17", 11, 29)) == announced
    held = row(at(world, "2026-08-17", 11, 40))
    assert held is not None
    assert held["total_accepted"] != "null"
    assert {k: v for k, v in held.items() if announced[k] != "null"} == {
        k: v for k, v in announced.items() if v != "null"
    }


def test_session_is_public_after_its_close(world):
    def last(moment: World) -> int:
        query = [("range", "5d"), ("interval", "1d")]
        reply = yahoo.answer(moment, Request("v8/finance/chart/SPY", query, AGENT))
        return int(json.loads(reply.body)["chart"]["result"][0]["timestamp"][-1])

    assert last(at(world, "2026-08-20", 12)) == days.new_york_time(days.day(2026, 8, 19), 9, 30)
    assert last(at(world, "2026-08-20", 17)) == days.new_york_time(days.day(2026, 8, 20), 9, 30)


def test_running_coin_bar_is_provisional_and_closes_at_midnight_utc(world):
    def candle(moment: World) -> list[float]:
        query = [("granularity", "86400")]
        path = "products/BTC-USD/candles"
        newest: list[float] = json.loads(coinbase.answer(moment, Request(path, query, AGENT)).body)[
            0
        ]
        return newest

    noon, evening = (candle(at(world, "2026-08-20", hour)) for hour in (12, 19))
    assert noon[0] == evening[0] == days.utc_midnight(days.day(2026, 8, 20))
    assert noon[4] != evening[4]
    assert candle(at(world, "2026-08-20", 20, 1))[0] == noon[0] + 86400


@pytest.mark.parametrize("earlier", ["2026-02-01", "2025-10-31"])
def test_what_was_public_stays_as_it_was(world, earlier):
    """Point in time: an earlier clock shows a prefix of the later answer."""
    before, now = at(world, earlier, 22), at(world, "2026-08-21", 22)
    for name in ("WRBWFRBL", "SOFR", "SP500", "VIXCLS"):
        query = [("id", name), ("cosd", "2025-01-01")]
        texts = [
            fred.answer(moment, Request("graph/fredgraph.csv", query, AGENT)).body
            for moment in (before, now)
        ]
        assert texts[1].startswith(texts[0])


RELEASES = {
    **{name: release for name, (_, _, release) in MARKET_SERIES_IDS.items()},
    **FED_BALANCE_SHEET.releases,
}


@pytest.mark.parametrize("name", sorted(set(RELEASES) - {"IOER"}))
def test_whatever_the_pipeline_expects_is_there_at_every_hour(world, name: str):
    """A first run at noon must not find data missing that only the evening brings."""
    for day in ("2026-08-17", "2026-08-20", "2026-08-21", "2025-11-28", "2026-01-02"):
        for hour in range(24):
            moment = at(world, day, hour)
            now = datetime.fromtimestamp(moment.now, UTC).replace(tzinfo=None)
            end = date.fromisoformat(day)
            due = RELEASES[name].due(end - timedelta(days=30), end, now)
            query = [("id", name), ("cosd", f"{end - timedelta(days=30)}")]
            body = fred.answer(moment, Request("graph/fredgraph.csv", query, AGENT)).body
            rows = [line.split(",") for line in body.splitlines()[1:]]
            served = {row[0] for row in rows if row[1]}
            assert not due or str(due[-1]) in served, (name, day, hour)
