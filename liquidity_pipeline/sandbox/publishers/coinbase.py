"""Coinbase candles: `[time, low, high, open, close, volume]`, newest first, at most 300."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NoReturn

from liquidity_pipeline.sandbox.assets import COIN
from liquidity_pipeline.sandbox.publishers.bars import bars
from liquidity_pipeline.sandbox.publishers.wire import Refusal, Reply, Request, World, compact

PREFIX = "coinbase"
JSON = "application/json; charset=utf-8"
_PATH = re.compile(r"products/([^/]+)/candles")
_GRANULARITIES = ("60", "300", "900", "3600", "21600", "86400")
_DAY = 86400
_MOST = 300


def answer(world: World, request: Request) -> Reply:
    """Answer one request below `/coinbase`; only daily candles exist, others are empty."""
    if not request.headers.get("user-agent"):
        _fail(400, "User-Agent header is required.")
    found = _PATH.fullmatch(request.path)
    asset = world.economy.markets.asset(found[1].upper()) if found else None
    if asset is None or asset.kind != COIN:
        _fail(404, "NotFound")
    given = request.parameters
    text = given.get("granularity", "60")
    if text not in _GRANULARITIES:
        _fail(400, "Unsupported granularity")
    first, last = _window(world, given, int(text))
    if int(text) != _DAY:
        return Reply(200, "[]", JSON)
    history = bars(world, asset)
    candles = []
    for i in reversed(range(len(history.days))):
        time = int(history.days[i]) * _DAY
        if first <= time <= last:
            prices = [history.low[i], history.high[i], history.open[i], history.close[i]]
            volume = round(float(history.volume[i] / history.close[i]), 8)
            candles.append([time, *(float(price) for price in prices), volume])
    return Reply(200, compact(candles), JSON)


def _window(world: World, given: dict[str, str], granularity: int) -> tuple[int, int]:
    """Return the first and last candle asked for, both included."""
    start, end = given.get("start"), given.get("end")
    if bool(start) != bool(end):
        _fail(400, "start and end must be supplied together")
    if not start or not end:
        last = world.now // granularity * granularity
        return last - (_MOST - 1) * granularity, last
    try:
        first, last = (int(_moment(text) // granularity) * granularity for text in (start, end))
    except ValueError:
        _fail(400, "Invalid start or end")
    if last < first:
        _fail(400, "end must be after start")
    if (last - first) // granularity + 1 > _MOST:
        _fail(
            400,
            "granularity too small for the requested time range. "
            "Count of aggregations requested exceeds 300",
        )
    return first, last


def _moment(text: str) -> float:
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
        return float(text)
    # A plus sign that was not percent-encoded arrives as a blank.
    moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _fail(status: int, message: str) -> NoReturn:
    raise Refusal(Reply(status, compact({"message": message}), JSON))
