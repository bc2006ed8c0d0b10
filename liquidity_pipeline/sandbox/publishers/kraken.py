"""Kraken OHLC: strings, oldest first, 721 rows at most, a renamed key, errors with status 200."""

from __future__ import annotations

from liquidity_pipeline.sandbox.assets import ASSETS
from liquidity_pipeline.sandbox.publishers.bars import bars
from liquidity_pipeline.sandbox.publishers.wire import Reply, Request, World, compact

PREFIX = "kraken"
JSON = "application/json; charset=utf-8"
_INTERVALS = ("1", "5", "15", "30", "60", "240", "1440", "10080", "21600")
_PAIRS = {
    "XBTUSD": ("XXBTZUSD", "BTC-USD", 1),
    "XXBTZUSD": ("XXBTZUSD", "BTC-USD", 1),
    "BTCUSD": ("XXBTZUSD", "BTC-USD", 1),
    "ETHUSD": ("XETHZUSD", "ETH-USD", 2),
    "XETHZUSD": ("XETHZUSD", "ETH-USD", 2),
    "SOLUSD": ("SOLUSD", "SOL-USD", 2),
}
_DAY = 86400
_MOST = 721


def answer(world: World, request: Request) -> Reply:
    """Answer one request below `/kraken`; only daily rows exist, other intervals are empty."""
    if request.path != "0/public/OHLC":
        return _error("EGeneral:Unknown method")
    given = request.parameters
    pair, interval = given.get("pair", "").upper(), given.get("interval", "1")
    if pair not in _PAIRS:
        return _error("EQuery:Unknown asset pair")
    if interval not in _INTERVALS:
        return _error("EGeneral:Invalid arguments")
    key, symbol, decimals = _PAIRS[pair]
    rows = _rows(world, symbol, decimals) if interval == "1440" else []
    last = rows[-2][0] if len(rows) > 1 else 0  # the newest row is still running
    since = given.get("since", "")
    first = int(since) if since.isdigit() else 0
    rows = [row for row in rows if int(row[0]) >= first] or rows[-1:]
    return Reply(200, compact({"error": [], "result": {key: rows, "last": last}}), JSON)


def _rows(world: World, symbol: str, decimals: int) -> list[list[int | str]]:
    history = bars(world, ASSETS[symbol])
    out: list[list[int | str]] = []
    for i in range(max(len(history.days) - _MOST, 0), len(history.days)):
        prices = [history.open[i], history.high[i], history.low[i], history.close[i]]
        average = sum(float(price) for price in prices) / 4
        texts = [f"{price:.{decimals}f}" for price in (*prices, average)]
        # A twentieth of all trading in dollars happens here.
        volume = f"{history.volume[i] / history.close[i] / 20:.8f}"
        trades = int(history.volume[i]) % 90_000 + 20_000
        out.append([int(history.days[i]) * _DAY, *texts, volume, trades])
    return out


def _error(text: str) -> Reply:
    return Reply(200, compact({"error": [text]}), JSON)
