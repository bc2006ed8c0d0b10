"""Each fault does to an answer what its name says, to the same requests in every run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
import requests

from liquidity_pipeline.sandbox import faults
from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.server import start
from liquidity_pipeline_tests.sandbox.client import AGENT, FISCAL, get
from liquidity_pipeline_tests.sandbox.conftest import OPTIONS

pytestmark = pytest.mark.slow

TABLE = f"{FISCAL}/dts/operating_cash_balance"
QUERY = {"filter": "record_date:gte:2026-08-12", "page_size": "8"}


@pytest.fixture(scope="module")
def troubled() -> Iterator[Callable[..., str]]:
    """Give `troubled(faults, **options)`: the URL of a sandbox of its own."""
    running: dict[Options, str] = {}
    with ExitStack() as stack:

        def begin(text: str, **more: float) -> str:
            options = replace(OPTIONS, faults=text, **more)
            if options not in running:
                running[options] = stack.enter_context(start(options)).url
            return running[options]

        yield begin


@pytest.mark.parametrize(("name", "status"), [("429", 429), ("500", 500), ("503", 503)])
def test_status_faults(troubled, name, status):
    answer = get(troubled(name), TABLE, **QUERY)
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == ("1" if status == 429 else None)


def test_maintenance_page_arrives_as_success(troubled):
    answer = get(troubled("html200"), TABLE, **QUERY)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("name", ["reset", "truncate"])
def test_broken_connections(troubled, name):
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        get(troubled(name), TABLE, **QUERY)


def test_truncated_body_promises_more_than_it_sends(troubled):
    url = troubled("truncate") + TABLE
    answer = requests.get(
        url, headers=AGENT | {"Accept-Encoding": "identity"}, stream=True, timeout=9
    )
    promised = int(answer.headers["Content-Length"])
    received = b"".join(_until_broken(answer))
    assert 0 < len(received) < promised


def _until_broken(answer: requests.Response) -> Iterator[bytes]:
    try:
        yield from answer.iter_content(1000)
    except requests.exceptions.ChunkedEncodingError:
        return


def test_time_out_never_answers(troubled):
    url = troubled("timeout", timeout_seconds=30.0) + TABLE
    with pytest.raises(requests.ReadTimeout):
        requests.get(url, headers=AGENT, timeout=0.3)
    short = troubled("timeout", timeout_seconds=0.2) + TABLE
    with pytest.raises(requests.ConnectionError):
        requests.get(short, headers=AGENT, timeout=9)


def test_slow_answers_are_right(troubled, sandbox):
    began = time.monotonic()
    answer = get(troubled("slow", slow_seconds=0.4), TABLE, **QUERY)
    assert time.monotonic() - began > 0.4
    assert answer.text == get(sandbox, TABLE, **QUERY).text


def test_page_is_superseded_under_the_next_number(troubled, sandbox):
    root = troubled("duplicate_page")
    first = get(sandbox, TABLE, **QUERY).json()
    second = get(root, TABLE, page_number="2", **QUERY).json()
    assert second["data"] == first["data"]
    assert second["links"] == get(sandbox, TABLE, page_number="2", **QUERY).json()["links"]
    assert get(root, TABLE, page_number="1", **QUERY).json() == first


def test_late_publication_lacks_the_newest_day(troubled):
    query = {"sort": "-record_date", "page_size": "1"}
    assert get(troubled("late"), TABLE, **query).json()["data"][0]["record_date"] == "2026-08-19"


def test_corrected_rows_differ_in_a_few_amounts_once(troubled, sandbox):
    query = {"filter": "record_date:gte:2026-07-01", "page_size": "1000"}
    right = get(sandbox, TABLE, **query).json()["data"]
    first_print = get(troubled("corrected_rows"), TABLE, **query).json()["data"]
    changed = sum(a != b for a, b in zip(right, first_print, strict=True))
    assert changed == round(0.05 * len(right))
    assert [list(row) for row in right] == [list(row) for row in first_print]


def test_changed_unit_multiplies_all_amounts(troubled, sandbox):
    root = troubled("changed_unit")
    right, wrong = (get(r, TABLE, **QUERY).json()["data"] for r in (sandbox, root))
    assert [int(r["open_today_bal"]) * 1000 for r in right] == [
        int(r["open_today_bal"]) for r in wrong
    ]
    path = "/fred/graph/fredgraph.csv?id=WALCL&cosd=2026-08-01"
    lines = [get(r, path).text.splitlines() for r in (sandbox, root)]
    assert int(lines[1][1].split(",")[1]) == 1000 * int(lines[0][1].split(",")[1])
    path = "/yahoo/v8/finance/chart/SPY?range=5d&interval=1d"
    closes = [
        get(r, path).json()["chart"]["result"][0]["indicators"]["quote"][0]["close"]
        for r in (sandbox, root)
    ]
    assert closes[1] == pytest.approx([1000 * close for close in closes[0]])


@pytest.mark.parametrize(
    ("path", "label"),
    [
        (TABLE + "?sort=-record_date", "Account (TGA) Closing Balance"),
        ("/nyfed/api/rates/secured/sofr/last/3.json", '"percentRate"'),
        ("/fred/graph/fredgraph.csv?id=SOFR", "observation_date,SOFR"),
        ("/yahoo/v8/finance/chart/SPY", '"close"'),
        ("/cboe/api/global/us_indices/daily_prices/VIX_History.csv", "CLOSE"),
        ("/kraken/0/public/OHLC?pair=XBTUSD&interval=1440", "XXBTZUSD"),
        ("/ofr/financial-stress-index/data/fsi.csv", "OFR FSI"),
    ],
)
def test_renamed_label_is_gone(troubled, sandbox, path, label):
    assert label in get(sandbox, path).text
    assert label not in get(troubled("renamed_label"), path).text


@pytest.mark.parametrize(
    ("path", "column"),
    [
        (TABLE, "open_today_bal"),
        (f"{FISCAL}/od/auctions_query", "total_accepted"),
        ("/nyfed/api/rates/secured/sofr/last/3.json", "percentRate"),
        ("/nyfed/api/tsy/all/results/summary/last/3.json", "totalParAmtAccepted"),
        ("/yahoo/v8/finance/chart/SPY?range=5d&interval=1d", "close"),
    ],
)
def test_missing_column_is_missing_from_every_row(troubled, sandbox, path, column):
    wrong = json.loads(get(troubled("missing_column"), path).text)
    rows = wrong.get("data", wrong)
    assert f'"{column}":' not in json.dumps(rows)
    assert column in get(sandbox, path).text


def test_missing_column_of_files_and_candles(troubled, sandbox):
    root = troubled("missing_column")
    path = "/cboe/api/global/us_indices/daily_prices/VIX_History.csv"
    assert get(root, path).text.splitlines()[0] == "DATE,OPEN,HIGH,LOW"
    candles = get(root, "/coinbase/products/BTC-USD/candles?granularity=86400").json()
    assert {len(candle) for candle in candles} == {5}


def test_same_seed_hits_the_same_requests():
    chosen = faults.parse("500:0.2,slow:0.1")
    first, second = ([faults.draw(chosen, 4, n) for n in range(2000)] for _ in range(2))
    assert first == second
    assert first.count("500") == pytest.approx(400, abs=60)
    assert first.count("slow") == pytest.approx(200, abs=45)
    assert first != [faults.draw(chosen, 5, n) for n in range(2000)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing:0.1", "Fault 'nothing' does not exist"),
        ("500:x", "not a number"),
        ("500:1.5", "between 0 and 1"),
        ("500:0.7,503:0.7", "add up to 1"),
    ],
)
def test_wrong_faults_are_named(text, message):
    with pytest.raises(faults.FaultError, match=message):
        faults.parse(text)


def test_health_is_never_hit(troubled):
    assert get(troubled("500"), "/__health").json() == {
        "ok": True,
        "today": "2026-08-21",
        "synthetic": True,
    }
