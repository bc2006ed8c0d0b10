"""Kraken's bars, and its errors that come with status 200."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from liquidity_pipeline.sources import kraken
from liquidity_pipeline.sources.errors import (
    NotServedError,
    PublisherError,
    RejectedError,
    TransientError,
    UnexpectedPayloadError,
)
from liquidity_pipeline.sources.fetch import Fetch
from liquidity_pipeline_tests.sources.canned import Canned

FEB_28, FEB_29 = 1582848000, 1582934400  # 2020-02-28 and 2020-02-29, 00:00 UTC


def bar(time: int, close: str = "8525.0") -> list[Any]:
    return [time, "8700.2", "8800.0", "8400.5", close, "8600.0", "12.50000000", 4711]


def answer(*rows: list[Any], key: str = "XXBTZUSD") -> dict[str, Any]:
    return {"error": [], "result": {key: list(rows), "last": FEB_28}}


def test_the_volume_stands_behind_the_average_price():
    (row,) = kraken.parse(answer(bar(FEB_29))).to_pylist()
    assert row == {
        "trade_date": date(2020, 2, 29),
        "open": 8700.2,
        "high": 8800.0,
        "low": 8400.5,
        "close": 8525.0,
        "dividend": None,
        "volume": 12.5,
    }


@pytest.mark.parametrize("key", ["XXBTZUSD", "XBTUSD", "SOLUSD"])
def test_the_pair_may_come_back_under_another_name(key: str):
    assert kraken.parse(answer(bar(FEB_29), key=key)).num_rows == 1


def test_a_close_of_zero_is_missing():
    rows = kraken.parse(answer([FEB_28, *["0.0"] * 5, "0.0", 0], bar(FEB_29)))
    assert rows["trade_date"].to_pylist() == [date(2020, 2, 29)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("EQuery:Unknown asset pair", NotServedError),
        ("EService:Unavailable", TransientError),
        ("EAPI:Rate limit exceeded", TransientError),
        ("EGeneral:Too many requests", TransientError),
        ("EGeneral:Invalid arguments", RejectedError),
    ],
)
def test_an_error_list_is_the_error_that_it_stands_for(text: str, kind: type[PublisherError]):
    with pytest.raises(kind, match=text):
        kraken.parse({"error": [text]})


@pytest.mark.parametrize(
    "payload",
    [
        {"error": [], "result": {"last": 1}},
        {"error": [], "result": {"A": [], "B": [], "last": 1}},
        answer([FEB_29, "1", "2"]),
        answer(bar(FEB_29, close="n/a")),
        {},
    ],
)
def test_rows_of_another_form_are_refused(payload: dict[str, Any]):
    with pytest.raises(UnexpectedPayloadError, match="expected one pair of rows"):
        kraken.parse(payload)


def test_the_first_day_is_asked_for_too(make_fetch: Callable[..., Fetch]):
    # `since` excludes its own stamp; days around the range are dropped.
    def reply(params: dict[str, Any]) -> dict[str, Any]:
        days = range(FEB_28 - 3 * 86_400, FEB_29 + 2 * 86_400, 86_400)
        return answer(*(bar(time) for time in days if time > params["since"]))

    canned = Canned({"kraken/0/public/OHLC": reply})
    fetch = make_fetch(canned, date(2020, 2, 1), date(2020, 2, 29))
    rows = kraken.daily_bars(fetch, "XBTUSD", date(2020, 2, 28), date(2020, 2, 29))
    # The day after tells that the last one was over.
    days = [date(2020, 2, 28), date(2020, 2, 29), date(2020, 3, 1)]
    assert rows["trade_date"].to_pylist() == days


def test_recorded_bars_are_read(payloads: Path):
    name = "OHLC_XBTUSD_1440_2026-09-28.excerpt.json"
    (row,) = kraken.parse(json.loads((payloads / "kraken" / name).read_text())).to_pylist()
    # 1790208000 is 2026-09-24.
    assert row["trade_date"] == date(2026, 9, 24)
    assert (row["close"], row["volume"]) == (84380.0, 3362.85864323)
