"""Yahoo's v8 chart: one symbol a request, float32 prices, a moody user-agent filter.

Bars are stamped with the session's open; on the evening itself the newest index bar carries the
time of the last quote. `period2` is exclusive, but inclusive for coins. Only daily, weekly,
monthly and quarterly bars are served.
"""

from __future__ import annotations

import re
from random import Random
from typing import Any, NoReturn

import numpy as np

from liquidity_pipeline.sandbox import days
from liquidity_pipeline.sandbox.assets import COIN, FUND, INDEX, Asset
from liquidity_pipeline.sandbox.days import FloatArray, IntArray
from liquidity_pipeline.sandbox.publishers.bars import Bars, bars, stamps
from liquidity_pipeline.sandbox.publishers.wire import (
    Refusal,
    Reply,
    Request,
    World,
    compact,
    not_found,
)

PREFIX = "yahoo"
JSON = "application/json;charset=utf-8"
_CACHE = {"Cache-Control": "public, max-age=10, stale-while-revalidate=20"}
_PATH = re.compile(r"v8/finance/chart/([^/]+)")
_BLOCKED_AGENTS = ("python-requests", "python-urllib")
_RANGES = {
    "1mo": 31, "3mo": 92, "6mo": 183, "1y": 365, "2y": 731, "5y": 1827, "10y": 3653,
}  # fmt: skip
_VALID_RANGES = ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"]
_COARSE = {"1wk": "W", "1mo": "M", "3mo": "Q"}
_EXCHANGES = {
    "^GSPC": ("SNP", "SNP"), "^IXIC": ("NIM", "Nasdaq GIDS"), "^RUT": ("WCB", "Chicago Options"),
    "^SP400": ("SNP", "SNP"), "^VIX": ("CXI", "Cboe Indices"), "TLT": ("NGM", "NasdaqGM"),
}  # fmt: skip
_VIX = Asset("^VIX", "CBOE Volatility Index", INDEX, 0, 0, 0, 0, 0, 0, days.day(1990, 1, 2))


def answer(world: World, request: Request) -> Reply:
    """Answer one request below `/yahoo`."""
    agent = request.headers.get("user-agent", "").lower()
    if not agent or agent.startswith(_BLOCKED_AGENTS):
        return Reply(429, "Too Many Requests", "text/plain;charset=utf-8")
    found = _PATH.fullmatch(request.path)
    if not found:
        return not_found()
    symbol = found[1].upper()
    asset = _VIX if symbol == "^VIX" else world.economy.markets.asset(symbol)
    if asset is None:
        _fail(404, "Not Found", "No data found, symbol may be delisted")
    history = _volatility(world) if asset is _VIX else bars(world, asset)
    if not len(history.days):
        _fail(404, "Not Found", "No data found, symbol may be delisted")
    result = _result(world, asset, history, request.parameters)
    return Reply(200, compact({"chart": {"result": [result], "error": None}}), JSON, _CACHE)


def _fail(status: int, code: str, description: str) -> NoReturn:
    error = {"code": code, "description": description}
    raise Refusal(Reply(status, compact({"chart": {"result": None, "error": error}}), JSON))


def _volatility(world: World) -> Bars:
    """Give the volatility index as bars, its holiday rows included."""
    found = world.economy.indicators
    last = days.on_or_before(world.today, days.is_weekday)
    if world.now < days.new_york_time(last, 16, 20):
        last -= 1
    shown = (found.vix_days >= world.start) & (found.vix_days <= last)
    on, (opened, high, low, close) = found.vix_days[shown], found.vix[shown].T
    nothing = np.zeros(len(on))
    return Bars(on, opened, high, low, close, close, nothing, nothing.astype(np.int64), False)


def _result(world: World, asset: Asset, history: Bars, given: dict[str, str]) -> dict[str, Any]:
    interval = given.get("interval", "1d")
    if interval not in {"1d", *_COARSE}:
        _fail(422, "Unprocessable Entity", f"interval={interval} is not served by the sandbox")
    opens = stamps(history, asset)
    rows, shown_range = _selected(world, asset, history, opens, given)
    # A range of all days in daily bars is silently answered in quarterly ones.
    granularity = "3mo" if shown_range == "max" and interval == "1d" else interval
    meta = _meta(world, asset, history, opens)
    if len(rows):
        meta["chartPreviousClose"] = _short(history.close[max(rows[0] - 1, 0)])
    meta |= {
        "priceHint": 2,
        "currentTradingPeriod": _trading_periods(world, asset, int(history.days[-1])),
        "dataGranularity": granularity,
        "range": shown_range,
        "validRanges": _VALID_RANGES,
    }
    if not len(rows):
        return {"meta": meta, "indicators": {"quote": [{}], "adjclose": [{}]}}
    times = opens[rows]
    if rows[-1] == len(opens) - 1 and _is_live(world, asset, history):
        times = np.append(times[:-1], meta["regularMarketTime"])
    if granularity != "1d":
        return {"meta": meta} | _coarse(history, rows, asset, _COARSE[granularity])
    return {"meta": meta} | _series(asset, history, rows, times, given)


def _selected(
    world: World, asset: Asset, history: Bars, opens: IntArray, given: dict[str, str]
) -> tuple[IntArray, str]:
    """Return the rows asked for, and the range that `meta` names."""
    count = len(opens)
    if "period1" in given or "period2" in given:
        try:
            first = int(given.get("period1", "0"))
            last = int(given.get("period2", str(world.now)))
        except ValueError:
            _fail(400, "Bad Request", "invalid period")
        before = opens <= last if asset.kind == COIN else opens < last
        return np.flatnonzero((opens >= first) & before), ""
    shown = given.get("range") or "1d"
    if shown in {"1d", "5d"}:
        return np.arange(max(count - int(shown[0]), 0), count), shown
    if shown == "max":
        return np.arange(count), shown
    if shown == "ytd":
        new_year = days.day(days.date_of(world.today).year, 1, 1)
        return np.flatnonzero(history.days >= new_year), shown
    if shown not in _RANGES:
        _fail(422, "Unprocessable Entity", "Invalid range")
    return np.flatnonzero(history.days > world.today - _RANGES[shown]), shown


def _is_live(world: World, asset: Asset, history: Bars) -> bool:
    """Tell whether the newest bar still carries the time of the last quote."""
    if asset.kind == COIN:
        return history.running
    return asset.kind == INDEX and int(history.days[-1]) == world.today


def _meta(world: World, asset: Asset, history: Bars, opens: IntArray) -> dict[str, Any]:
    newest = int(history.days[-1])
    coin = asset.kind == COIN
    offset = 0 if coin else days.new_york_offset(world.today)
    exchange, full = _EXCHANGES.get(asset.symbol, ("CCC", "CCC") if coin else ("PCX", "NYSEArca"))
    year = history.days > newest - 365
    return {
        "currency": "USD",
        "symbol": asset.symbol,
        "exchangeName": exchange,
        "fullExchangeName": full,
        "instrumentType": asset.kind,
        "firstTradeDate": int(opens[0]),
        "regularMarketTime": _last_quote(world, asset, newest),
        "hasPrePostMarketData": asset.kind == FUND,
        "gmtoffset": offset,
        "timezone": _zone(asset, offset),
        "exchangeTimezoneName": "UTC" if coin else "America/New_York",
        "regularMarketPrice": _short(history.close[-1]),
        "fiftyTwoWeekHigh": _short(history.high[year].max()),
        "fiftyTwoWeekLow": _short(history.low[year].min()),
        "regularMarketDayHigh": _short(history.high[-1]),
        "regularMarketDayLow": _short(history.low[-1]),
        "regularMarketVolume": int(history.volume[-1]),
        "longName": asset.name,
        "shortName": asset.name[:31],
    }


def _zone(asset: Asset, offset: int) -> str:
    if asset.kind == COIN:
        return "UTC"
    return "EDT" if offset == -4 * 3600 else "EST"


def _last_quote(world: World, asset: Asset, newest: int) -> int:
    if asset.kind == COIN:
        return min(world.now, days.utc_midnight(newest) + 86340)
    if asset.kind == INDEX:
        return days.new_york_time(newest, 17, 15, 59)
    return days.new_york_time(newest, 16, 0, 1)


def _trading_periods(world: World, asset: Asset, newest: int) -> dict[str, dict[str, Any]]:
    if asset.kind == COIN:
        start, end = days.utc_midnight(newest), days.utc_midnight(newest) + 86340
        edges, offset = (start, start, end, end), 0
    else:
        start, end = days.new_york_time(newest, 9, 30), days.new_york_time(newest, 16)
        edges, offset = (start - 19800, start, end, end + 14400), days.new_york_offset(world.today)
    zone = _zone(asset, offset)
    return {
        name: {"timezone": zone, "start": edges[i], "end": edges[i + 1], "gmtoffset": offset}
        for i, name in enumerate(("pre", "regular", "post"))
    }


def _series(
    asset: Asset, history: Bars, rows: IntArray, times: IntArray, given: dict[str, str]
) -> dict[str, Any]:
    quote: list[tuple[str, list[float] | list[int]]] = [
        ("open", _wide(history.open[rows])),
        ("high", _wide(history.high[rows])),
        ("low", _wide(history.low[rows])),
        ("close", _wide(history.close[rows])),
        ("volume", history.volume[rows].tolist()),
    ]
    Random(f"{asset.symbol} {len(rows)}").shuffle(quote)  # noqa: S311 - the key order varies
    out: dict[str, Any] = {"timestamp": times.tolist()}
    paid = _dividends(history, rows, times) if "div" in given.get("events", "") else {}
    if paid:
        out["events"] = {"dividends": paid}
    adjusted = {"adjclose": _wide(history.adjusted[rows])}
    return out | {"indicators": {"quote": [dict(quote)], "adjclose": [adjusted]}}


def _dividends(history: Bars, rows: IntArray, times: IntArray) -> dict[str, dict[str, Any]]:
    out = {}
    for row, stamp in zip(rows.tolist(), times.tolist(), strict=True):
        share = float(history.dividend[row])
        if share and row:
            amount = round(share * float(history.close[row - 1]), 3)
            out[str(stamp)] = {"amount": amount, "date": stamp}
    return out


def _coarse(history: Bars, rows: IntArray, asset: Asset, unit: str) -> dict[str, Any]:
    """Merge daily bars into weeks (from Monday), months or quarters, stamped at their start."""
    starts = [_period_start(day, unit) for day in history.days[rows].tolist()]
    found = np.unique(starts, return_index=True)[1].tolist()
    groups = [rows[a:b] for a, b in zip(found, [*found[1:], len(rows)], strict=True)]
    begins = [starts[i] for i in found]
    stamp = days.utc_midnight if asset.kind == COIN else _new_york_midnight
    quote = {
        "open": _wide(np.array([history.open[g[0]] for g in groups])),
        "high": _wide(np.array([history.high[g].max() for g in groups])),
        "low": _wide(np.array([history.low[g].min() for g in groups])),
        "close": _wide(np.array([history.close[g[-1]] for g in groups])),
        "volume": [int(history.volume[g].sum()) for g in groups],
    }
    adjusted = _wide(np.array([history.adjusted[g[-1]] for g in groups]))
    return {
        "timestamp": [stamp(begin) for begin in begins],
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": adjusted}]},
    }


def _new_york_midnight(day: int) -> int:
    return days.new_york_time(day, 0)


def _period_start(day: int, unit: str) -> int:
    if unit == "W":
        return day - days.weekday(day)
    when = days.date_of(day)
    month = when.month if unit == "M" else (when.month - 1) // 3 * 3 + 1
    return days.day(when.year, month, 1)


def _wide(values: FloatArray) -> list[float]:
    """Widen float32 prices to double, which leaves their familiar tails of digits."""
    wide: list[float] = values.astype(np.float32).astype(float).tolist()
    return wide


def _short(value: float | np.floating[Any]) -> float:
    """Write a price of `meta`: the shortest decimal that names the same float32."""
    return float(str(np.float32(value)))
