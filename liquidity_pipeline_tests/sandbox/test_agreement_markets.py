"""The sandbox speaks as FRED, Yahoo, Cboe, the coin venues and the OFR do; see its sister file.

The days with and without a row are compared as well: they are the publishers' calendars.
"""

from __future__ import annotations

import io
import zipfile

import pytest

from liquidity_pipeline_tests.sandbox.client import (
    form,
    get,
    headers_of,
    keys_in_order,
    series,
    skeleton,
    text_form,
)

pytestmark = pytest.mark.replay


@pytest.mark.parametrize(
    "name",
    [
        "WALCL", "WDTGAL", "WTREGEN", "WRBWFRBL", "WRESBAL", "TREAST", "WSHOMCB", "SWPT",
        "RRPONTSYD", "SOFR", "EFFR", "OBFR", "IORB", "DGS2", "DGS10", "DGS30", "VIXCLS",
        "BAMLC0A0CM", "BAMLH0A0HYM2", "SP500", "NASDAQCOM",
    ],
)  # fmt: skip
def test_fred_series_have_values_on_the_same_days(both, name):
    """Trading and publication calendars, empty cells, decimals, and how far the series reaches."""
    ours, theirs = (series(root, name, cosd="2025-09-02", coed="2026-12-31") for root in both)
    forms = [{day: text_form(value) for day, value in found.items()} for found in (ours, theirs)]
    assert forms[0] == forms[1]


@pytest.mark.parametrize("name", ["SP500", "BAMLC0A0CM"])
def test_fred_cuts_licensed_series_to_the_same_window(both, replay, name):
    ours, theirs = (series(root, name) for root in both)
    if name != "SP500":  # the sandbox of these tests begins later than ten years ago
        assert min(ours) == min(theirs)
    assert max(ours) == max(theirs)


@pytest.mark.parametrize(
    "query",
    [
        "id=NOTHING",
        "id=SOFR,NOTHING",
        "id=",
        "id=SOFR&cosd=2026-08-10",
        "id=WALCL,WDTGAL&cosd=2026-08-01",
    ],
)
def test_fred_answers_have_the_same_status_and_headers(both, query):
    ours, theirs = (get(root, f"/fred/graph/fredgraph.csv?{query}") for root in both)
    assert (ours.status_code, headers_of(ours)) == (theirs.status_code, headers_of(theirs))
    assert ours.text.splitlines()[0] == theirs.text.splitlines()[0]


def test_fred_zips_mixed_frequencies(both):
    query = "id=SOFR,WALCL&cosd=2026-08-03"
    ours, theirs = (get(root, f"/fred/graph/fredgraph.csv?{query}") for root in both)
    assert headers_of(ours) == headers_of(theirs)
    packed = [zipfile.ZipFile(io.BytesIO(a.content)) for a in (ours, theirs)]
    assert packed[0].namelist() == packed[1].namelist()
    for name in packed[0].namelist():
        first, second = (skeleton(p.read(name).decode()) for p in packed)
        assert first == second


@pytest.mark.parametrize("symbol", ["^GSPC", "^IXIC", "^RUT", "^VIX", "SPY", "TLT", "BTC-USD"])
def test_yahoo_charts_have_the_same_form_and_stamps(both, symbol):
    path = "/yahoo/v8/finance/chart/" + symbol.replace("^", "%5E")
    span = {"period1": "1772323200", "period2": "1787702400", "interval": "1d"}
    ours, theirs = (get(root, path, **span) for root in both)
    assert headers_of(ours) == headers_of(theirs)
    first, second = (a.json()["chart"]["result"][0] for a in (ours, theirs))
    stamps = [r["timestamp"] for r in (first, second)]
    if symbol == "BTC-USD":  # the replay's coins end on this day, the sandbox has the running bar
        stamps[0] = stamps[0][: len(stamps[1]) - 1] + stamps[1][-1:]
    assert stamps[0] == stamps[1]
    assert keys_in_order(ours.text)[:3] == keys_in_order(theirs.text)[:3]
    assert list(first) == list(second)
    assert list(first["meta"]) == list(second["meta"])
    for key in first["meta"]:
        assert type(first["meta"][key]) is type(second["meta"][key]), key
    for key in ("currency", "symbol", "exchangeName", "instrumentType", "gmtoffset", "timezone",
                "exchangeTimezoneName", "dataGranularity", "range", "validRanges", "priceHint",
                "fullExchangeName", "hasPrePostMarketData", "regularMarketTime"):  # fmt: skip
        if not (key == "regularMarketTime" and symbol == "BTC-USD"):
            assert first["meta"][key] == second["meta"][key], key
    quotes = [r["indicators"]["quote"][0] for r in (first, second)]
    assert set(quotes[0]) == set(quotes[1])
    assert {k: {type(v) for v in q} for k, q in quotes[0].items()} == {
        k: {type(v) for v in q if v is not None} for k, q in quotes[1].items()
    }
    assert list(first["indicators"]) == list(second["indicators"])


@pytest.mark.parametrize(
    ("path", "agent"),
    [
        ("/v8/finance/chart/NOTHING?range=5d&interval=1d", "x"),
        ("/v8/finance/chart/SPY?range=7y&interval=1d", "x"),
        ("/v8/finance/chart/SPY?period1=a&period2=b&interval=1d", "x"),
        ("/v8/finance/chart/SPY", "python-requests/2.34"),
        ("/v8/finance/chart/SPY", ""),
    ],
)
def test_yahoo_refuses_alike(both, path, agent):
    ours, theirs = (get(root, f"/yahoo{path}", {"User-Agent": agent}) for root in both)
    assert (ours.status_code, ours.text) == (theirs.status_code, theirs.text)
    assert headers_of(ours) == headers_of(theirs)


@pytest.mark.parametrize(
    "query", ["range=max&interval=1d", "range=1y&interval=1mo", "range=5d&interval=1d"]
)
def test_yahoo_ranges_choose_the_same_granularity(both, query):
    ours, theirs = (
        get(root, f"/yahoo/v8/finance/chart/%5EGSPC?{query}").json()["chart"]["result"][0]
        for root in both
    )
    for key in ("dataGranularity", "range"):
        assert ours["meta"][key] == theirs["meta"][key]
    assert ours["timestamp"][-3:] == theirs["timestamp"][-3:]


def test_yahoo_answers_an_empty_window_without_stamps(both):
    path = "/yahoo/v8/finance/chart/SPY?period1=1787356800&period2=1787360400&interval=1d"
    for root in both:
        result = get(root, path).json()["chart"]["result"][0]
        assert "timestamp" not in result
        assert result["indicators"] == {"quote": [{}], "adjclose": [{}]}


@pytest.mark.parametrize("name", ["SPX", "RUT", "VIX"])
def test_cboe_files_have_the_same_days_and_decimals(both, name):
    path = f"/cboe/api/global/us_indices/daily_prices/{name}_History.csv"
    ours, theirs = (get(root, path) for root in both)
    assert headers_of(ours) == headers_of(theirs)
    assert ours.headers["Last-Modified"] == theirs.headers["Last-Modified"]
    first, second = (a.text.splitlines() for a in (ours, theirs))
    assert first[0] == second[0]
    recent = [[line for line in lines if line[6:10] == "2026"] for lines in (first, second)]
    assert [line[:10] for line in recent[0]] == [line[:10] for line in recent[1]]
    assert {skeleton(line) for line in recent[0]} == {skeleton(line) for line in recent[1]}
    for root, whole in zip(both, (ours, theirs), strict=True):
        again = get(root, path, {"If-None-Match": whole.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        since = get(root, path, {"If-Modified-Since": whole.headers["Last-Modified"]})
        assert since.status_code == 304


def test_cboe_denies_what_it_does_not_have(both):
    path = "/cboe/api/global/us_indices/daily_prices/NDX_History.csv"
    ours, theirs = (get(root, path) for root in both)
    assert ours.status_code == theirs.status_code == 403
    assert headers_of(ours) == headers_of(theirs)
    assert ours.text[:90] == theirs.text[:90]


@pytest.mark.parametrize(
    "path",
    [
        "/coinbase/products/NOPE-USD/candles?granularity=86400",
        "/coinbase/products/BTC-USD/candles?granularity=7",
        "/coinbase/products/BTC-USD/candles?granularity=86400&start=2026-01-01",
        "/coinbase/products/BTC-USD/candles?granularity=86400&start=x&end=y",
        "/coinbase/products/BTC-USD/candles?granularity=86400&start=2026-02-01&end=2026-01-01",
        "/coinbase/products/BTC-USD/candles?granularity=86400&start=2025-01-01&end=2026-01-01",
        "/kraken/0/public/OHLC?pair=NOPE&interval=1440",
        "/kraken/0/public/OHLC?pair=XBTUSD&interval=7",
        "/kraken/0/public/Nothing",
        "/ofr/nothing.csv",
        "/fred/nothing",
    ],
)
def test_other_refusals_agree(both, path):
    ours, theirs = (get(root, path) for root in both)
    assert (ours.status_code, headers_of(ours)) == (theirs.status_code, headers_of(theirs))
    if "html" not in ours.headers["Content-Type"]:
        assert ours.text == theirs.text


def test_coinbase_candles_have_the_same_times_and_order(both):
    path = "/coinbase/products/BTC-USD/candles?granularity=86400"
    window = "&start=2026-06-01T00:00:00Z&end=2026-08-20T00:00:00Z"
    ours, theirs = (get(root, path + window) for root in both)
    assert [c[0] for c in ours.json()] == [c[0] for c in theirs.json()]
    assert {tuple(type(v) for v in c) for c in ours.json()} == {(int, *[float] * 5)}
    for _, low, high, opened, close, _ in ours.json():
        assert low <= min(opened, close) <= max(opened, close) <= high
    assert headers_of(ours) == headers_of(theirs)
    assert len(get(both[0], path).json()) == 300


@pytest.mark.parametrize(("pair", "key"), [("XBTUSD", "XXBTZUSD"), ("ETHUSD", "XETHZUSD")])
def test_kraken_rows_have_the_same_form(both, pair, key):
    path = f"/kraken/0/public/OHLC?pair={pair}&interval=1440&since=1780000000"
    ours, theirs = (get(root, path) for root in both)
    first, second = (a.json()["result"] for a in (ours, theirs))
    assert list(first) == list(second) == [key, "last"]
    common = min(len(first[key]), len(second[key]))
    assert [r[0] for r in first[key][:common]] == [r[0] for r in second[key][:common]]
    assert form(first[key][0]) == form(second[key][0])
    assert first["last"] == first[key][-2][0]
    assert headers_of(ours) == headers_of(theirs)


def test_stress_index_file_has_the_same_days(both):
    ours, theirs = (get(root, "/ofr/financial-stress-index/data/fsi.csv") for root in both)
    assert headers_of(ours) == headers_of(theirs)
    first, second = (a.text.splitlines() for a in (ours, theirs))
    assert first[0] == second[0]
    recent = [[line[:10] for line in lines if line > "2026"] for lines in (first, second)]
    assert recent[0] == recent[1]
