"""Yahoo's chart answers: what each quirk of them becomes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from liquidity_pipeline.sources import yahoo
from liquidity_pipeline.sources.errors import NotServedError, UnexpectedPayloadError
from liquidity_pipeline.sources.fetch import Fetch
from liquidity_pipeline_tests.sources.canned import Canned, yahoo_chart


def stamp(*moment: int) -> int:
    """Return the epoch seconds of a New York time."""
    return int(datetime(*moment, tzinfo=ZoneInfo("America/New_York")).timestamp())


OPEN = [stamp(2026, 1, day, 9, 30) for day in (28, 29, 30)]


def parse(answer: dict) -> list[dict]:
    return yahoo.parse(answer["chart"]["result"][0], "^GSPC").to_pylist()


def closes(answer: dict) -> list[tuple[date, float]]:
    return [(row["trade_date"], row["close"]) for row in parse(answer)]


def test_a_widened_float_becomes_the_price_that_was_quoted():
    # 6939.03 as a 32-bit float is 6939.02978515625, 75.0875 is 75.0875015258789.
    answer = yahoo_chart("^GSPC", OPEN[:2], [6939.02978515625, 75.0875015258789])
    assert [close for _, close in closes(answer)] == [6939.03, 75.0875]


def test_null_and_zero_closes_are_missing_bars_and_zero_prices_are_null():
    answer = yahoo_chart(
        "^GSPC", OPEN, [None, 0.0, 7.5], quote={"open": [1.0, 1.0, 0.0], "volume": [5, 6, 7]}
    )
    (row,) = parse(answer)
    assert (row["trade_date"], row["close"], row["open"]) == (date(2026, 1, 30), 7.5, None)
    assert row["volume"] == 7


def test_the_day_is_the_exchanges_in_winter_and_summer():
    winter, summer = stamp(2026, 1, 30, 9, 30), stamp(2026, 7, 1, 9, 30)
    late = stamp(2026, 7, 1, 22, 15)  # already the next day in UTC
    answer = yahoo_chart("^GSPC", [winter, summer], [1.0, 2.0], meta={"gmtoffset": -18000})
    assert [day for day, _ in closes(answer)] == [date(2026, 1, 30), date(2026, 7, 1)]
    assert closes(yahoo_chart("^GSPC", [late], [1.0]))[0][0] == date(2026, 7, 1)


def test_of_two_bars_of_one_day_the_last_holds():
    live = stamp(2026, 1, 30, 17, 15)
    answer = yahoo_chart("^GSPC", [*OPEN, live], [1.0, 2.0, 3.0, 4.0])
    assert closes(answer)[-1] == (date(2026, 1, 30), 4.0)
    assert len(closes(answer)) == 3


def test_a_live_bar_without_a_price_does_not_hide_the_closed_one():
    answer = yahoo_chart("^GSPC", [OPEN[2], stamp(2026, 1, 30, 17, 15)], [3.0, None])
    assert closes(answer) == [(date(2026, 1, 30), 3.0)]


@pytest.mark.parametrize(
    ("quoted", "end", "last"),
    [
        ((2026, 1, 30, 15, 30), (2026, 1, 30, 16, 0), 29),  # an afternoon's answer, kept by a cache
        ((2026, 1, 30, 16, 0, 1), (2026, 1, 30, 16, 0), 30),
        ((2026, 1, 30, 15, 59, 59), (2026, 1, 30, 16, 0), 30),  # a fund's last trade
        ((2026, 1, 30, 13, 0, 1), (2026, 1, 30, 13, 0), 30),  # a session that ends early
        ((2026, 1, 30, 16, 0, 1), (2026, 2, 2, 16, 0), 30),  # asked before the next one begins
    ],
)
def test_the_bar_of_a_session_that_was_running_is_no_close(
    quoted: tuple[int, ...], end: tuple[int, ...], last: int, make_fetch: Callable[..., Fetch]
):
    period = {"regular": {"end": stamp(*end)}}
    meta = {"regularMarketTime": stamp(*quoted), "currentTradingPeriod": period}
    first, evening = date(2026, 1, 28), datetime.fromisoformat("2026-01-31 03:00")
    canned = Canned(
        {"yahoo/v8/finance/chart/^GSPC": yahoo_chart("^GSPC", OPEN, [1.0, 2.0, 3.0], meta=meta)}
    )
    fetch = make_fetch(canned, first, date(2026, 1, 30), evening)
    rows = yahoo.daily_bars(fetch, "^GSPC", first, date(2026, 1, 30))
    assert rows["trade_date"].to_pylist()[-1] == date(2026, 1, last)


def test_an_answer_without_timestamps_is_empty_whatever_else_it_holds():
    answer = yahoo_chart("^GSPC", [], [75.0])
    del answer["chart"]["result"][0]["timestamp"]
    assert parse(answer) == []


def test_lists_of_unequal_length_are_refused():
    answer = yahoo_chart("^GSPC", OPEN, [1.0, 2.0, 3.0], quote={"low": [1.0, 2.0]})
    with pytest.raises(UnexpectedPayloadError, match=r"expected 3 values of 'low'.*got 2"):
        parse(answer)


@pytest.mark.parametrize(
    ("field", "value"),
    [("dataGranularity", "3mo"), ("symbol", "^DJI"), ("currency", "EUR")],
)
def test_an_answer_about_something_else_is_refused(field: str, value: str):
    answer = yahoo_chart("^GSPC", OPEN, [1.0, 2.0, 3.0], meta={field: value})
    with pytest.raises(UnexpectedPayloadError, match=re.escape(value)):
        parse(answer)


def test_a_dividend_stands_on_its_ex_date_beside_the_unadjusted_close():
    events = {"dividends": {str(OPEN[1]): {"amount": 0.205, "date": OPEN[1]}}}
    rows = parse(yahoo_chart("^GSPC", OPEN, [1.0, 2.0, 3.0], events=events))
    assert [row["dividend"] for row in rows] == [None, 0.205, None]


@pytest.mark.parametrize("closes", [[1.0, None, 3.0], [None, None, 3.0]])
def test_a_dividend_of_a_day_without_a_bar_comes_with_the_next_bar(closes: list[float | None]):
    """Else every return over that day would lack it."""
    events = {
        "dividends": {
            "1": {"amount": 0.205, "date": OPEN[1]},
            "2": {"amount": 0.5, "date": OPEN[2]},
        }
    }
    rows = parse(yahoo_chart("^GSPC", OPEN, closes, events=events))
    assert rows[-1]["trade_date"] == date(2026, 1, 30)
    assert rows[-1]["dividend"] == pytest.approx(0.705)
    assert [row["dividend"] for row in rows[:-1]] == [None] * (len(rows) - 1)


def test_dividends_before_the_window_and_after_the_last_bar_belong_to_other_answers():
    dates = (OPEN[0] - 864_000, OPEN[-1] + 86_400)
    events = {"dividends": {str(at): {"amount": 0.205, "date": at} for at in dates}}
    chart = yahoo_chart("TLT", OPEN, [1.0, 2.0, 3.0], events=events)["chart"]["result"][0]
    rows = yahoo.parse(chart, "TLT", start=date(2026, 1, 28))
    assert rows["dividend"].null_count == rows.num_rows == 3


@pytest.mark.parametrize(
    "event", [{"amount": None}, {"amount": "0.205"}, {"amount": -0.205}, {"date": None}]
)
def test_a_dividend_that_cannot_be_read_is_refused_with_its_bars(event: dict[str, Any]):
    events = {"dividends": {"1": {"amount": 0.205, "date": OPEN[1]} | event}}
    with pytest.raises(UnexpectedPayloadError, match="a day and an amount of each dividend"):
        parse(yahoo_chart("^GSPC", OPEN, [1.0, 2.0, 3.0], events=events))


def test_a_split_is_taken_down_with_its_day(
    make_fetch: Callable[..., Fetch],
):
    events = {"splits": {str(OPEN[1]): {"date": OPEN[1], "splitRatio": "4:1"}}}
    canned = Canned(
        {"yahoo/v8/finance/chart/TLT": yahoo_chart("TLT", OPEN, [1.0, 2.0, 3.0], events=events)}
    )
    fetch = make_fetch(canned, date(2026, 1, 1), date(2026, 1, 31))
    yahoo.daily_bars(fetch, "TLT", date(2026, 1, 2), date(2026, 1, 30))
    assert fetch.splits == {("yahoo", "TLT", date(2026, 1, 29), "4:1")}


def test_a_range_is_asked_for_explicitly_and_days_outside_it_are_dropped(
    make_fetch: Callable[..., Fetch],
):
    canned = Canned({"yahoo/v8/finance/chart/^RUT": yahoo_chart("^RUT", OPEN, [1.0, 2.0, 3.0])})
    fetch = make_fetch(canned, date(2026, 1, 1), date(2026, 1, 31))
    rows = yahoo.daily_bars(fetch, "^RUT", date(2026, 1, 28), date(2026, 1, 29))
    assert rows["close"].to_pylist() == [1.0, 2.0]
    ((_, params),) = canned.asked
    assert "range" not in params
    # Midnight in New York, the end being exclusive.
    assert datetime.fromtimestamp(params["period1"], UTC) == datetime(2026, 1, 28, 5, tzinfo=UTC)
    assert datetime.fromtimestamp(params["period2"], UTC) == datetime(2026, 1, 30, 5, tzinfo=UTC)


def test_an_unknown_symbol_is_not_served(make_fetch: Callable[..., Fetch]):
    body = {"chart": {"result": None, "error": {"code": "Not Found", "description": "delisted"}}}
    for status in (404, 200):
        canned = Canned({"yahoo/v8/finance/chart/XX": (status, body)})
        fetch = make_fetch(canned, date(2026, 1, 1), date(2026, 1, 31))
        with pytest.raises(NotServedError):
            yahoo.daily_bars(fetch, "XX", date(2026, 1, 2), date(2026, 1, 30))


def test_an_answer_that_is_no_chart_names_what_was_expected(make_fetch: Callable[..., Fetch]):
    for body in ([], {"finance": {}}, {"chart": {"result": [{}], "error": None}}):
        canned = Canned({"yahoo/v8/finance/chart/XX": body})
        fetch = make_fetch(canned, date(2026, 1, 1), date(2026, 1, 31))
        with pytest.raises(UnexpectedPayloadError, match=r"expected chart\.result"):
            yahoo.daily_bars(fetch, "XX", date(2026, 1, 2), date(2026, 1, 30))


def test_recorded_answers_are_read(payloads: Path):
    def rows(name: str, symbol: str) -> list[dict]:
        recorded = json.loads((payloads / "yahoo" / name).read_text())
        chart = (
            recorded["response"]["bodyJson"]["chart"]
            if "response" in recorded
            else recorded["chart"]
        )
        return yahoo.parse(chart["result"][0], symbol).to_pylist()

    assert rows("http-chart-AAPL-2020-01-01-to-2020-01-03.json", "AAPL") == [
        {
            "trade_date": date(2020, 1, 2),
            "open": 74.06,
            "high": 75.15,
            "low": 73.7975,
            "close": 75.0875,
            "dividend": None,
            "volume": 135480400.0,
        }
    ]
    # 1740176159 is 17:15:59 in New York: the newest bar carries the time of the last quote.
    newest = rows("chart_IXIC_ytd_1d_2025-02-21.json", "^IXIC")[-1]
    assert (newest["trade_date"], newest["close"]) == (date(2025, 2, 21), 19524.006)
    # The session of 2026-10-02 has a volume and no prices.
    days = [row["trade_date"] for row in rows("yahoo_null_ohlc_with_volume.json", "^SOX")]
    assert days[-2:] == [date(2026, 10, 1), date(2026, 10, 5)]
    autumn = rows("http-chart-AAPL-2020-08-31-to-2020-11-07.json", "AAPL")
    assert {r["trade_date"]: r["dividend"] for r in autumn if r["dividend"]} == {
        date(2020, 11, 6): 0.205
    }


def test_a_recorded_split_is_seen(payloads: Path):
    name = "http-chart-AAPL-2020-08-31-to-2020-11-07.json"
    body = json.loads((payloads / "yahoo" / name).read_text())["response"]["bodyJson"]
    assert yahoo.splits(body["chart"]["result"][0]) == [(date(2020, 8, 31), "4:1")]


def test_a_recorded_answer_in_another_currency_is_refused(payloads: Path):
    body = json.loads((payloads / "yahoo" / "chart_KOSPI-25_zero_ohl_2026-10-05.json").read_text())
    with pytest.raises(UnexpectedPayloadError, match="KRW"):
        yahoo.parse(body["chart"]["result"][0], "KOSPI-25.KS")


@pytest.mark.replay
def test_the_clients_user_agent_is_one_that_yahoo_answers(
    replay: Callable[..., str], make_fetch: Callable[..., Fetch]
):
    import requests

    root = replay("2026-02-06")
    refused = requests.get(f"{root}/yahoo/v8/finance/chart/^GSPC", timeout=10)
    assert refused.status_code == 429
    fetch = make_fetch(root, date(2026, 1, 1), date(2026, 1, 31))
    rows = yahoo.daily_bars(fetch, "^GSPC", date(2026, 1, 26), date(2026, 1, 30))
    assert rows["close"].to_pylist()[0] == 6950.23
    assert rows.num_rows == 5
