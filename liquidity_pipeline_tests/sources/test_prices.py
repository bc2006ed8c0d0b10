"""Which provider is believed for which day, and what becomes of the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.validation import validate
from liquidity_pipeline.sources import prices
from liquidity_pipeline.sources.errors import EmptyAnswerError, NotServedError, TransientError
from liquidity_pipeline.sources.fetch import Fetch
from liquidity_pipeline.universe import Universe
from liquidity_pipeline_tests.sources.canned import DOWN, Canned, yahoo_chart

NEW_YORK = ZoneInfo("America/New_York")
JANUARY = (date(2026, 1, 1), date(2026, 1, 31))


def at(moment: str) -> datetime:
    """Return a naive UTC moment, as the sources have them."""
    return datetime.fromisoformat(moment)


EVENING = at("2026-01-31 03:00")  # UTC: 22:00 in New York on Friday 2026-01-30
WEEK = [date(2026, 1, day) for day in (26, 27, 28, 29, 30)]
SPX = "yahoo/v8/finance/chart/^GSPC"
CBOE_SPX = "cboe/api/global/us_indices/daily_prices/SPX_History.csv"
FRED = "fred/graph/fredgraph.csv"


def chart(symbol: str, closes: Mapping[date, float | None]) -> dict[str, Any]:
    stamps = [
        int(datetime(day.year, day.month, day.day, 9, 30, tzinfo=NEW_YORK).timestamp())
        for day in closes
    ]
    return yahoo_chart(symbol, stamps, list(closes.values()))


def cboe_file(closes: Mapping[date, float]) -> str:
    return "DATE,SPX\n" + "".join(f"{day:%m/%d/%Y},{close}\n" for day, close in closes.items())


def fred_file(closes: Mapping[date, float]) -> str:
    rows = "".join(f"{day},{close}\n" for day, close in closes.items())
    return f"observation_date,SP500\n{rows}"


def only(*symbols: str) -> Universe:
    """Return a universe of the symbols, listed from the last week of January 2026."""
    every = {
        "SPX": ["yahoo:^GSPC", "cboe:SPX", "fred:SP500"],
        "MID": ["yahoo:^SP400"],
        "BTC": ["coinbase:BTC-USD", "kraken:XBTUSD"],
    }
    entries = [
        {
            "symbol": symbol,
            "name": symbol,
            "asset_class": "crypto" if symbol == "BTC" else "large_cap",
            "since": WEEK[0],
            "providers": every[symbol],
        }
        for symbol in symbols
    ]
    coins = [entry for entry in entries if entry["symbol"] == "BTC"]
    return Universe.from_dict(
        {"index": [entry for entry in entries if entry not in coins], "crypto": coins}
    )


@pytest.fixture
def fetch_of(make_fetch: Callable[..., Fetch]) -> Callable[..., Fetch]:
    def make(replies: Mapping[str, Any], *symbols: str, now: datetime = EVENING) -> Fetch:
        return replace(make_fetch(Canned(replies), *JANUARY, now), universe=only(*symbols))

    return make


def asked(fetch: Fetch) -> list[str]:
    assert isinstance(fetch.transport, Canned)
    return [what.split("/", 1)[0] for what, _ in fetch.transport.asked]


def collect(fetch: Fetch) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    tables = prices.collect_index_prices(fetch)
    for name, rows in tables.items():
        validate(SOURCE_TABLES[name], rows)
    return tables["index_prices"].to_pylist(), tables["price_disagreements"].to_pylist()


def test_the_second_provider_fills_only_the_missing_sessions_and_signs_them(fetch_of):
    yahoo = dict.fromkeys(WEEK, 100.0) | {WEEK[2]: None}
    # Cboe's other closes agree within 1e-4, and are not taken.
    cboe = dict.fromkeys(WEEK, 100.005)
    fetch = fetch_of({SPX: chart("^GSPC", yahoo), CBOE_SPX: cboe_file(cboe)}, "SPX")
    rows, disputed = collect(fetch)
    found = {row["trade_date"]: (row["source"], row["close"]) for row in rows}
    assert found == dict.fromkeys(WEEK, ("yahoo", 100.0)) | {WEEK[2]: ("cboe", 100.005)}
    assert disputed == []
    assert fetch.gaps == ["yahoo has no bar of SPX on 1 of 5 days (2026-01-28), taken from cboe"]
    assert asked(fetch) == ["yahoo", "cboe"]


def test_a_third_provider_is_asked_only_while_sessions_are_missing(fetch_of):
    some = dict.fromkeys(WEEK[:4], 100.0)
    replies = {
        SPX: chart("^GSPC", some),
        CBOE_SPX: cboe_file(some),
        FRED: fred_file(dict.fromkeys(WEEK, 101.0)),
    }
    fetch = fetch_of(replies, "SPX")
    rows, disputed = collect(fetch)
    assert asked(fetch) == ["yahoo", "cboe", "fred"]
    assert [(row["source"], row["close"]) for row in rows if row["trade_date"] == WEEK[4]] == [
        ("fred", 101.0)
    ]
    # It fills, it does not judge: its other closes differ by a percent.
    assert disputed == []


def test_a_close_on_which_two_providers_disagree_goes_into_quarantine(fetch_of):
    # The tolerance of an index is 1e-4 of the close.
    yahoo = dict.fromkeys(WEEK, 1000.0)
    cboe = yahoo | {WEEK[1]: 1000.09, WEEK[3]: 1000.11}
    fetch = fetch_of({SPX: chart("^GSPC", yahoo), CBOE_SPX: cboe_file(cboe)}, "SPX")
    rows, (dispute,) = collect(fetch)
    assert [row["trade_date"] for row in rows] == [*WEEK[:3], WEEK[4]]
    assert dispute["trade_date"] == WEEK[3]
    assert (dispute["source"], dispute["close"]) == ("yahoo", 1000.0)
    assert (dispute["other_source"], dispute["other_close"]) == ("cboe", 1000.11)
    assert dispute["relative_difference"] == pytest.approx(0.00011)
    assert dispute["known_at"] == at("2026-01-29 21:30")


def test_a_provider_that_is_down_is_a_gap_and_the_next_one_is_taken(fetch_of):
    cboe = dict.fromkeys(WEEK, 100.0)
    fetch = fetch_of({SPX: DOWN, CBOE_SPX: cboe_file(cboe), FRED: fred_file(cboe)}, "SPX")
    rows, _ = collect(fetch)
    assert {row["source"] for row in rows} == {"cboe"}
    (gap,) = fetch.gaps
    assert gap.startswith("SPX: ")
    assert "no answer in time" in gap


def test_a_provider_whose_answer_is_not_understood_does_not_stop_the_others(fetch_of):
    cboe = dict.fromkeys(WEEK, 100.0)
    fetch = fetch_of({SPX: {"chart": {}}, CBOE_SPX: cboe_file(cboe), FRED: (404, "")}, "SPX")
    rows, _ = collect(fetch)
    assert [row["source"] for row in rows] == ["cboe"] * 5
    assert [": ".join(gap.split(": ")[:2]) for gap in fetch.gaps] == ["SPX: yahoo", "SPX: fred"]


def test_a_symbol_that_nobody_serves_is_a_gap_beside_the_others(fetch_of):
    week = dict.fromkeys(WEEK, 100.0)
    fetch = fetch_of({SPX: chart("^GSPC", week), CBOE_SPX: cboe_file(week)}, "MID", "SPX")
    rows, _ = collect(fetch)
    assert {row["symbol"] for row in rows} == {"SPX"}
    (gap,) = fetch.gaps
    assert gap.startswith("MID: no provider has it: yahoo: HTTP 404")


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        ((404, "no"), NotServedError),
        (DOWN, TransientError),
        (chart("^SP400", {}), EmptyAnswerError),
    ],
)
def test_nothing_at_all_is_an_error(fetch_of, reply: Any, error: type[Exception]):
    fetch = fetch_of({"yahoo/v8/finance/chart/^SP400": reply}, "MID")
    with pytest.raises(error):
        prices.collect_index_prices(fetch)


def test_a_session_counts_from_half_an_hour_after_the_close(fetch_of):
    week = dict.fromkeys(WEEK, 100.0)
    replies = {SPX: chart("^GSPC", week), CBOE_SPX: cboe_file(week)}
    # 16:30 in New York is 21:30 UTC in winter.
    before, _ = collect(fetch_of(replies, "SPX", now=at("2026-01-30 21:29")))
    after, _ = collect(fetch_of(replies, "SPX", now=at("2026-01-30 21:30")))
    assert [row["trade_date"] for row in before] == WEEK[:4]
    assert [row["trade_date"] for row in after] == WEEK
    assert after[-1]["known_at"] == at("2026-01-30 21:30")


def test_days_that_are_no_sessions_are_dropped(fetch_of):
    # Saturday, and Martin Luther King's day, 2026-01-19, which lies before the first day.
    saturday = date(2026, 1, 31)
    closes = dict.fromkeys([date(2026, 1, 19), *WEEK, saturday], 100.0)
    now = at("2026-02-01 03:00")
    fetch = fetch_of({SPX: chart("^GSPC", closes), CBOE_SPX: cboe_file(closes)}, "SPX", now=now)
    rows, _ = collect(fetch)
    assert [row["trade_date"] for row in rows] == WEEK


def test_a_window_before_the_first_day_of_every_symbol_is_empty(make_fetch):
    window = (date(2025, 12, 1), date(2025, 12, 31))
    fetch = replace(make_fetch(Canned({}), *window, EVENING), universe=only("SPX", "BTC"))
    tables = {**prices.collect_index_prices(fetch), **prices.collect_crypto_prices(fetch)}
    assert {name: rows.num_rows for name, rows in tables.items()} == {
        "index_prices": 0,
        "price_disagreements": 0,
        "crypto_prices": 0,
        "crypto_disagreements": 0,
    }
    assert asked(fetch) == []


def candles(days: list[date], close: float) -> list[list[float]]:
    return [[_epoch(day), close - 1, close + 1, close, close, 5.0] for day in reversed(days)]


def ohlc(days: list[date], close: float) -> dict[str, Any]:
    prices_ = [str(close), str(close + 1), str(close - 1), str(close), str(close)]
    rows = [[_epoch(day), *prices_, "5.0", 7] for day in days]
    return {"error": [], "result": {"XXBTZUSD": rows, "last": 1}}


def _epoch(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


CANDLES, OHLC = "coinbase/products/BTC-USD/candles", "kraken/0/public/OHLC"
SIX_DAYS = [*WEEK, date(2026, 1, 31)]


def test_only_utc_days_that_are_over_are_crypto_bars(fetch_of):
    replies = {CANDLES: candles(SIX_DAYS, 100.0), OHLC: ohlc(SIX_DAYS, 100.0)}
    for now, last in ((EVENING, WEEK[4]), (at("2026-01-31 00:04"), WEEK[3])):
        tables = prices.collect_crypto_prices(fetch_of(replies, "BTC", now=now))
        assert max(tables["crypto_prices"]["trade_date"].to_pylist()) == last
    known = tables["crypto_prices"]["known_at"].to_pylist()
    assert known[0] == at("2026-01-27 00:05")


def test_a_missing_day_comes_from_kraken_and_names_its_venue(fetch_of):
    without = [day for day in SIX_DAYS if day != WEEK[1]]
    replies = {CANDLES: candles(without, 100.0), OHLC: ohlc(SIX_DAYS, 101.9)}
    tables = prices.collect_crypto_prices(fetch_of(replies, "BTC"))
    rows = validate(SOURCE_TABLES["crypto_prices"], tables["crypto_prices"]).to_pylist()
    assert [row["venue"] for row in rows] == ["coinbase", "kraken", *["coinbase"] * 3]
    # Venues may differ by 2 %.
    assert tables["crypto_disagreements"].num_rows == 0


@pytest.mark.parametrize("busy", ["EService:Unavailable", "EGeneral:Too many requests", "EAPI:Bad"])
def test_a_venue_that_says_that_it_is_busy_has_answered_nothing(fetch_of, busy: str):
    # Kraken says so with status 200: two such answers are no proof that a day has no bar.
    without = [day for day in SIX_DAYS if day != WEEK[1]]
    replies = {CANDLES: candles(without, 100.0), OHLC: {"error": [busy]}}
    fetch = fetch_of(replies, "BTC")
    assert prices.collect_crypto_prices(fetch)["crypto_prices"].num_rows == 4
    assert [answer.publisher for answer in fetch.useless] == ["kraken"]
    assert busy in fetch.gaps[0]
    unknown = fetch_of(replies | {OHLC: {"error": ["EQuery:Unknown asset pair"]}}, "BTC")
    prices.collect_crypto_prices(unknown)
    assert unknown.useless == []


def test_a_bar_that_no_later_one_follows_is_no_close(fetch_of):
    """A venue whose answer is of the evening before shows a few hours of a day that is over."""
    stale = {CANDLES: candles(WEEK, 100.0), OHLC: ohlc(SIX_DAYS, 101.9)}
    fetch = fetch_of(stale, "BTC")
    rows = prices.collect_crypto_prices(fetch)["crypto_prices"]
    assert rows["venue"].to_pylist() == [*["coinbase"] * 4, "kraken"]
    assert "coinbase has no bar of BTC on 1 of 5 days (2026-01-30)" in fetch.gaps[0]
    both = {CANDLES: candles(WEEK, 100.0), OHLC: ohlc(WEEK, 101.9)}
    rows = prices.collect_crypto_prices(fetch_of(both, "BTC"))["crypto_prices"]
    assert rows["trade_date"].to_pylist() == WEEK[:-1]


def test_two_venues_with_the_same_close_are_believed_without_a_later_bar(fetch_of):
    """They agree to 0.05 %, as two venues do at midnight and not at different hours."""
    ended = {CANDLES: candles(WEEK, 100.0), OHLC: ohlc(WEEK, 100.05)}
    rows = prices.collect_crypto_prices(fetch_of(ended, "BTC"))["crypto_prices"]
    assert rows["trade_date"].to_pylist() == WEEK
    assert set(rows["venue"].to_pylist()) == {"coinbase"}


def test_the_last_bar_of_a_coin_that_is_traded_no_more_is_believed_after_a_week(fetch_of):
    ended = {CANDLES: candles(WEEK, 100.0), OHLC: ohlc(WEEK, 101.9)}
    fetch = fetch_of(ended, "BTC", now=at("2026-02-10 00:00"))
    rows = prices.collect_crypto_prices(fetch)["crypto_prices"]
    assert rows["trade_date"].to_pylist()[-1] == WEEK[-1]


def test_venues_that_differ_by_more_than_two_percent_are_quarantined(fetch_of):
    replies = {CANDLES: candles(SIX_DAYS, 100.0), OHLC: ohlc(SIX_DAYS, 102.1)}
    tables = prices.collect_crypto_prices(fetch_of(replies, "BTC"))
    validate(SOURCE_TABLES["crypto_disagreements"], tables["crypto_disagreements"])
    assert tables["crypto_prices"].num_rows == 0
    assert tables["crypto_disagreements"]["trade_date"].to_pylist() == WEEK


def test_what_kraken_no_longer_keeps_is_not_a_gap(fetch_of):
    fetch = fetch_of(
        {CANDLES: candles(SIX_DAYS, 100.0), OHLC: ohlc([date(2026, 6, 1)], 100.0)}, "BTC"
    )
    assert prices.collect_crypto_prices(fetch)["crypto_prices"].num_rows == 5
    assert fetch.gaps == []


@pytest.mark.replay
def test_the_closes_of_late_january_2026_are_those_on_record(replay, make_fetch):
    fetch = make_fetch(
        replay("2026-02-06"), date(2026, 1, 1), date(2026, 2, 28), _at_22("2026-02-06")
    )
    tables = prices.collect_index_prices(fetch)
    rows = validate(SOURCE_TABLES["index_prices"], tables["index_prices"])
    close = {(row["symbol"], str(row["trade_date"])): row["close"] for row in rows.to_pylist()}
    recorded = {
        "SPX": {"2026-01-23": 6915.61, "2026-01-26": 6950.23, "2026-01-30": 6939.03},
        "IXIC": {"2026-01-23": 23501.24, "2026-01-26": 23601.36, "2026-01-30": 23461.82},
        "RUT": {"2026-01-23": 2669.16, "2026-01-26": 2659.67, "2026-01-30": 2613.74},
    }
    for symbol, days in recorded.items():
        assert {day: close[symbol, day] for day in days} == pytest.approx(days, abs=0.005)
    # January 2026 has 20 sessions (01-01 and 01-19 are holidays), February five by the 6th.
    assert len([1 for symbol, _ in close if symbol == "SPX"]) == 25


@pytest.mark.replay
def test_symbols_that_the_server_lacks_are_gaps_and_not_errors(replay, make_fetch):
    fetch = make_fetch(replay("2026-02-06"), date(2026, 1, 1), date(2026, 1, 31))
    rows = prices.collect_index_prices(fetch)["index_prices"]
    assert set(rows["symbol"].to_pylist()) == {"SPX", "IXIC", "RUT", "TLT", "LQD", "HYG"}
    assert sorted(gap.split(":")[0] for gap in fetch.gaps) == ["MID", "QUAL"]


@pytest.mark.replay
def test_every_day_of_a_leap_february_is_a_crypto_day(replay, make_fetch):
    fetch = make_fetch(replay("2026-02-06"), date(2020, 2, 1), date(2020, 2, 29))
    fetch = replace(fetch, now=at("2026-02-07 03:00"))
    rows = validate(
        SOURCE_TABLES["crypto_prices"], prices.collect_crypto_prices(fetch)["crypto_prices"]
    )
    bitcoin = rows.filter(pa.compute.equal(rows["symbol"], "BTC"))
    assert bitcoin["trade_date"].to_pylist() == [
        date(2020, 2, 1) + timedelta(days=n) for n in range(29)
    ]


@pytest.mark.replay
def test_the_running_utc_day_of_the_exchanges_is_not_stored(replay, make_fetch):
    # At 22:00 in New York both exchanges already show the next UTC day's unfinished bar.
    fetch = make_fetch(
        replay("2026-02-06"), date(2026, 2, 1), date(2026, 2, 28), _at_22("2026-02-06")
    )
    rows = prices.collect_crypto_prices(fetch)["crypto_prices"]
    assert max(rows["trade_date"].to_pylist()) == date(2026, 2, 6)


def _at_22(day: str) -> datetime:
    """Return 22:00 in New York, which in winter is 03:00 UTC of the next day."""
    return at(day) + timedelta(days=1, hours=3)


def test_the_error_names_every_provider_and_asks_again_if_one_may_come_back(fetch_of):
    fetch = fetch_of({SPX: DOWN, CBOE_SPX: (404, "no"), FRED: (404, "no")}, "SPX")
    with pytest.raises(TransientError) as caught:
        prices.collect_index_prices(fetch)
    told = str(caught.value)
    assert "SPX: no provider has it: test: no answer in time" in told
    assert "; cboe: HTTP 404" in told
    assert "; fred: HTTP 404" in told
    assert (caught.value.publisher, caught.value.url) == ("test", "http://test")
