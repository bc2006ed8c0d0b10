"""Cboe's history files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from liquidity_pipeline.sources import cboe
from liquidity_pipeline.sources.errors import NotServedError, UnexpectedPayloadError
from liquidity_pipeline.sources.fetch import Fetch
from liquidity_pipeline_tests.sources.canned import Canned

PATH = "cboe/api/global/us_indices/daily_prices/SPX_History.csv"


def test_a_file_with_the_symbols_own_column_gives_closes_only():
    (row,) = cboe.parse(b"DATE,SPX\n08/25/2026,7677.280000\n", "SPX").to_pylist()
    assert row == {
        "trade_date": date(2026, 8, 25),
        "open": None,
        "high": None,
        "low": None,
        "close": 7677.28,
        "dividend": None,
        "volume": None,
    }


def test_a_file_of_whole_bars_keeps_its_order_of_columns():
    body = b"DATE,OPEN,HIGH,LOW,CLOSE\r\n05/26/2026,16.920000,17.230000,16.560000,17.010000\r\n"
    (row,) = cboe.parse(body, "VIX").to_pylist()
    assert [row[name] for name in ("open", "high", "low", "close")] == [16.92, 17.23, 16.56, 17.01]


def test_the_month_comes_before_the_day():
    assert cboe.parse(b"DATE,RUT\n07/08/2026,2956.3887\n", "RUT")["trade_date"].to_pylist() == [
        date(2026, 7, 8)
    ]


def test_empty_cells_are_missing_bars():
    body = b"DATE,RUT\n07/08/2026,2956.388700\n07/09/2026,\n07/10/2026,2977.805200\n"
    days = cboe.parse(body, "RUT")["trade_date"].to_pylist()
    assert days == [date(2026, 7, 8), date(2026, 7, 10)]


@pytest.mark.parametrize(
    "body",
    [b"DATE,RUT\n07/08/2026,1\n", b"Date,SPX\n07/08/2026,1\n", b"DATE,CLOSE\n07/08/2026,1\n", b""],
)
def test_another_header_is_refused(body: bytes):
    with pytest.raises(UnexpectedPayloadError, match="expected the header 'DATE,SPX'"):
        cboe.parse(body, "SPX")


@pytest.mark.parametrize(
    "line", [b"2026-07-08,1", b"07/08/2026,n/a", b"07/08/2026", b"13/32/2026,1"]
)
def test_a_line_of_another_form_is_refused(line: bytes):
    with pytest.raises(UnexpectedPayloadError, match="expected rows MM/DD/YYYY,number"):
        cboe.parse(b"DATE,SPX\n" + line + b"\n", "SPX")


@pytest.mark.parametrize(
    "day", ["02/30/2026", "02/29/2026", "06/31/2026", "02/11/26", "02/11/0000"]
)
def test_a_day_that_does_not_exist_is_left_out_and_named(day: str):
    # February 2026 has 28 days: the 30th must not become 2 March.
    named: list[str] = []
    body = f"DATE,SPX\n01/29/2026,1\n{day},2\n02/02/2026,3\n"
    rows = cboe.parse(body.encode(), "SPX", name=named.append)
    assert rows["trade_date"].to_pylist() == [date(2026, 1, 29), date(2026, 2, 2)]
    assert day in named[0]


def test_a_day_without_leading_zeros_is_read():
    body = b"DATE,SPX\n2/9/2026,1\n3/1/2026,2\n02/29/2024,3\n"
    days = cboe.parse(body, "SPX")["trade_date"].to_pylist()
    assert days == [date(2024, 2, 29), date(2026, 2, 9), date(2026, 3, 1)]


def test_only_the_range_is_taken_from_the_whole_history(make_fetch: Callable[..., Fetch]):
    body = "DATE,SPX\n01/28/2026,1\n01/29/2026,2\n01/30/2026,3\n02/02/2026,4\n"
    fetch = make_fetch(Canned({PATH: body}), date(2026, 1, 1), date(2026, 1, 31))
    rows = cboe.daily_bars(fetch, "SPX", date(2026, 1, 29), date(2026, 1, 30))
    assert rows["close"].to_pylist() == [2.0, 3.0]


def test_an_index_without_a_file_is_not_served(make_fetch: Callable[..., Fetch]):
    fetch = make_fetch(
        Canned({PATH: (403, "<Error><Code>AccessDenied</Code></Error>")}),
        date(2026, 1, 1),
        date(2026, 1, 31),
    )
    with pytest.raises(NotServedError, match="403"):
        cboe.daily_bars(fetch, "SPX", date(2026, 1, 29), date(2026, 1, 30))


def test_recorded_files_are_read(payloads: Path):
    folder = payloads / "cboe"
    vix = cboe.parse((folder / "VIX_History.tail_2026-07-07.csv").read_bytes(), "VIX")
    assert vix["close"].to_pylist()[0] == 17.01
    assert vix["high"].to_pylist()[0] == 17.23
    rut = cboe.parse((folder / "RUT_History.head_excerpt_2026-07-13.csv").read_bytes(), "RUT")
    assert rut["close"].to_pylist() == [2956.3887, 2992.5414, 2977.8052]
