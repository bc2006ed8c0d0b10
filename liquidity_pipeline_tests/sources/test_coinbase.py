"""Coinbase's candles: column order, paging, and what is missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from liquidity_pipeline.sources import coinbase
from liquidity_pipeline.sources.errors import (
    NotRecordedError,
    NotServedError,
    UnexpectedPayloadError,
)
from liquidity_pipeline.sources.fetch import Fetch
from liquidity_pipeline_tests.sources.canned import DOWN, Canned

PATH = "coinbase/products/BTC-USD/candles"
ONE_DAY = timedelta(days=1)
DAY = 86_400
FEB_28, FEB_29 = 1582848000, 1582934400  # 2020-02-28 and 2020-02-29, 00:00 UTC


def test_the_columns_are_time_low_high_open_close_volume():
    (row,) = coinbase.parse([[FEB_29, 8400.5, 8800.0, 8700.25, 8525.0, 12.5]]).to_pylist()
    assert row == {
        "trade_date": date(2020, 2, 29),
        "open": 8700.25,
        "high": 8800.0,
        "low": 8400.5,
        "close": 8525.0,
        "dividend": None,
        "volume": 12.5,
    }


def test_another_order_of_columns_is_caught():
    # The usual order: time, open, high, low, close, volume.
    with pytest.raises(UnexpectedPayloadError, match="order of its columns"):
        coinbase.parse([[FEB_29, 8700.25, 8800.0, 8400.5, 8525.0, 12.5]])


def test_newest_first_becomes_oldest_first():
    rows = coinbase.parse([[FEB_29, 1, 3, 2, 2.5, 1], [FEB_28, 1, 3, 2, 2.25, 1]])
    assert rows["close"].to_pylist() == [2.25, 2.5]


def test_candles_of_nulls_or_zeros_are_missing():
    payload = [[FEB_29, None, None, None, None, None], [FEB_28, 0, 0, 0, 0, 0]]
    assert coinbase.parse(payload).num_rows == 0


@pytest.mark.parametrize(
    "payload",
    [{"message": "maintenance"}, [[FEB_29, 1, 2, 3]], [1, 2], [[FEB_29] + ["x"] * 5], "no"],
)
def test_what_is_no_list_of_candles_is_refused(payload: Any):
    with pytest.raises(UnexpectedPayloadError, match=r"expected candles \[time, low, high"):
        coinbase.parse(payload)


def test_candles_of_an_hour_are_no_days():
    # 2020-02-29 in hours: three closes, none of which may become the day's.
    hours = [[FEB_29 + hour * 3600, 1, 3, 2, 2 + hour / 8, 1] for hour in (2, 1, 0)]
    with pytest.raises(UnexpectedPayloadError, match="two bars of one day"):
        coinbase.parse(hours)


def test_of_two_different_candles_of_a_day_neither_is_believed():
    named: list[str] = []
    first, second = [FEB_29, 1, 3, 2, 2, 1], [FEB_29, 1, 3, 2, 2.5, 1]
    others = [[FEB_28, 1, 3, 2, 2, None], [FEB_28 - DAY, 1, 3, 2, 2, 1]]
    rows = coinbase.parse([first, second, *others, others[0]], name=named.append)
    assert rows["trade_date"].to_pylist() == [date(2020, 2, 27), date(2020, 2, 28)]
    assert len(named) == 1
    assert "two bars of one day" in named[0]


def candles(params: dict[str, Any]) -> list[list[float]]:
    """Answer as Coinbase does: both ends included, one row before the start, newest first."""
    start, end = (
        int(datetime.fromisoformat(params[name]).timestamp()) for name in ("start", "end")
    )
    assert (end - start) // DAY + 1 <= 300, "Coinbase refuses more than 300 candles"
    return [[time, 1, 3, 2, 2, time / DAY] for time in range(end, start - 2 * DAY, -DAY)]


@pytest.mark.parametrize("length", [1, 299, 300, 301, 900])
def test_pages_cover_the_range_without_a_missing_or_repeated_day(
    length: int, make_fetch: Callable[..., Fetch]
):
    first = date(2022, 1, 1)
    last = date.fromordinal(first.toordinal() + length - 1)
    canned = Canned({PATH: candles})
    fetch = make_fetch(canned, first, last, datetime.combine(last, time()) + 20 * ONE_DAY)
    rows = coinbase.daily_bars(fetch, "BTC-USD", first, last)
    assert rows["trade_date"].to_pylist() == [
        date.fromordinal(first.toordinal() + n) for n in range(length)
    ]
    assert len(canned.asked) == -(-length // 300)


def test_a_day_that_has_just_ended_is_asked_for_with_the_one_that_runs(
    make_fetch: Callable[..., Fetch],
):
    first, last = date(2026, 2, 1), date(2026, 2, 6)
    now = datetime.fromisoformat("2026-02-07 00:05")
    for moment, newest in ((now, date(2026, 2, 7)), (now + 20 * ONE_DAY, last)):
        fetch = make_fetch(Canned({PATH: candles}), first, last, moment)
        rows = coinbase.daily_bars(fetch, "BTC-USD", first, last)
        assert rows["trade_date"].to_pylist()[-1] == newest


def test_a_full_page_is_asked_for_without_the_running_day(make_fetch: Callable[..., Fetch]):
    first, last = date(2026, 2, 6) - 299 * ONE_DAY, date(2026, 2, 6)
    canned = Canned({PATH: candles})
    fetch = make_fetch(canned, first, last, datetime.fromisoformat("2026-02-07 00:05"))
    assert coinbase.daily_bars(fetch, "BTC-USD", first, last).num_rows == 300
    assert len(canned.asked) == 1


def test_a_record_of_a_fetch_that_did_not_ask_for_the_running_day_is_read(
    make_fetch: Callable[..., Fetch],
):
    first, last = date(2026, 2, 1), date(2026, 2, 6)

    def recorded(params: dict[str, Any]) -> list[list[float]]:
        if not params["end"].startswith("2026-02-06"):
            raise NotRecordedError("the archive has no such answer")
        return candles(params)

    moment = datetime.fromisoformat("2026-02-07 00:05")
    fetch = make_fetch(Canned({PATH: recorded}), first, last, moment)
    rows = coinbase.daily_bars(fetch, "BTC-USD", first, last)
    assert rows["trade_date"].to_pylist() == [first + n * ONE_DAY for n in range(6)]


@pytest.mark.parametrize(
    "odd",
    [{"message": "try again"}, (401, {"message": "Unauthorized"}), DOWN, [[FEB_29, 1, 2, 3]]],
)
def test_a_page_that_cannot_be_had_costs_no_other(make_fetch: Callable[..., Fetch], odd: Any):
    # Pages of 300 days: they begin on 2024-01-01, 2024-10-27 and 2025-08-23.
    def reply(params: dict[str, Any]) -> Any:
        if not params["start"].startswith("2024-10-27"):
            return candles(params)
        if isinstance(odd, Exception):
            raise odd
        return odd

    end = date(2025, 12, 31)
    fetch = make_fetch(Canned({PATH: reply}), date(2024, 1, 1), end)
    days = coinbase.daily_bars(fetch, "BTC-USD", date(2024, 1, 1), end)["trade_date"].to_pylist()
    assert (min(days), max(days)) == (date(2024, 1, 1), end)
    assert not [day for day in days if date(2024, 10, 27) <= day <= date(2025, 8, 22)]
    (gap,) = fetch.gaps
    assert gap.startswith("coinbase's BTC-USD: the 300 days from 2024-10-27 did not come: ")


def test_an_unknown_product_is_not_served(make_fetch: Callable[..., Fetch]):
    fetch = make_fetch(
        Canned({PATH: (404, '{"message":"NotFound"}')}), date(2020, 2, 1), date(2020, 2, 29)
    )
    with pytest.raises(NotServedError):
        coinbase.daily_bars(fetch, "BTC-USD", date(2020, 2, 1), date(2020, 2, 29))


def test_a_recorded_candle_is_read(payloads: Path):
    name = "candles_BTC-USD_1h_first_row_2026-09-18.json"
    (row,) = coinbase.parse(json.loads((payloads / "coinbase" / name).read_text())).to_pylist()
    assert (row["low"], row["high"], row["open"], row["close"]) == (
        77963.95,
        78015.59,
        77977.65,
        77976.68,
    )
