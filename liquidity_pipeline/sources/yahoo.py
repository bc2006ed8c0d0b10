"""Daily bars of indices and funds from Yahoo's chart service.

Prices are split-adjusted but not dividend-adjusted; the dividend-adjusted series is not read,
because every ex-dividend day rewrites its whole history.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from liquidity_pipeline.settings import NEW_YORK
from liquidity_pipeline.sources import bars
from liquidity_pipeline.sources.boundary import Name, declared, nobody, sift
from liquidity_pipeline.sources.errors import NotServedError, UnexpectedPayloadError
from liquidity_pipeline.sources.fetch import Fetch

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

PUBLISHER = "yahoo"
# The last trade of a session may be stamped so many seconds before its end.
_LAST_TRADE = 60


def daily_bars(fetch: Fetch, symbol: str, start: date, end: date) -> pa.Table:
    """Return the bars of one symbol, in US dollars, with the dividends of their day.

    The bar of a session that was running when Yahoo last quoted the symbol is left out, whatever
    the clock says. Tells the fetch of a split inside the range. Raises
    NotServedError for a symbol that Yahoo does not have, UnexpectedPayloadError for an answer
    about something else than was asked for.
    """
    answer = fetch.get(
        PUBLISHER,
        f"/v8/finance/chart/{symbol}",
        {
            # Never `range=max`: it is answered in bars of three months.
            "period1": _midnight(start),
            "period2": _midnight(end + timedelta(days=1)),
            "interval": "1d",
            "includePrePost": "false",
            "events": "div,splits",
        },
    )
    chart = _result(answer.json(), symbol, answer.url)
    rows = parse(chart, symbol, answer.url, fetch.left_out(f"{PUBLISHER}'s {symbol}"), start)
    rows = _closed(rows, chart["meta"])
    for day, ratio in splits(chart):
        fetch.split(PUBLISHER, symbol, day, ratio)
    return bars.between(rows, start, end)


@declared("a chart with timestamps and quotes", publisher=PUBLISHER)
def parse(
    chart: dict[str, Any],
    symbol: str,
    url: str = "",
    name: Name = nobody,
    start: date = date.min,
) -> pa.Table:
    """Return all bars of one chart result, with the dividends since `start`.

    A few bars that cannot be are left out and named. A dividend that cannot be read is refused with
    all bars, because every return across its ex-date would lack it. Raises UnexpectedPayloadError.
    """
    _check_meta(chart["meta"], symbol, url)
    # Without rows there is no `timestamp`, whatever else is there.
    stamps = chart.get("timestamp") or []
    if not stamps:
        return bars.table([], {})
    columns = _columns(chart, len(stamps), symbol, url)
    zone = ZoneInfo(chart["meta"]["exchangeTimezoneName"])

    def read(place: int) -> tuple[date, list[float]]:
        with declared(f"{symbol}: a time and prices in bar {place}", publisher=PUBLISHER, url=url):
            return _day(stamps[place], zone), [_number(columns[n][place]) for n in columns]

    rows = sift(range(len(stamps)), read, name)
    days = [day for day, _ in rows]
    numbers = dict(zip(columns, zip(*(values for _, values in rows), strict=True), strict=True))
    prices = {column: _shortest_decimals(numbers[column]) for column in bars.PRICES}
    found = bars.table(days, {**prices, "volume": numbers["volume"]})
    found = bars.sound(found, name, publisher=PUBLISHER, url=url)
    dividends = _dividends(chart, zone, symbol, url)
    return _with_dividends(found, [each for each in dividends if each[0] >= start])


def _columns(chart: dict[str, Any], rows: int, symbol: str, url: str) -> dict[str, list[Any]]:
    """Return the lists of prices and volumes; raise UnexpectedPayloadError for another length."""
    quote = chart["indicators"]["quote"][0]
    columns = {column: quote.get(column) for column in (*bars.PRICES, "volume")}
    for column, values in columns.items():
        if values is None or len(values) != rows:
            raise UnexpectedPayloadError(
                f"{symbol}: expected {rows} values of '{column}', one per timestamp; "
                f"got {'none' if values is None else len(values)}",
                publisher=PUBLISHER,
                url=url,
            )
    return columns


@declared("the time of the last quote and the session's end", publisher=PUBLISHER)
def _closed(rows: pa.Table, meta: dict[str, Any]) -> pa.Table:
    """Return the bars without that of a session which was not over at the last quote.

    An answer that a cache has kept since the afternoon holds a price, but no close, of a day that
    is over by now.
    """
    import pyarrow.compute as pc

    quoted = meta.get("regularMarketTime")
    end = ((meta.get("currentTradingPeriod") or {}).get("regular") or {}).get("end")
    if quoted is None or end is None or quoted >= end - _LAST_TRADE:
        return rows
    zone = ZoneInfo(meta["exchangeTimezoneName"])
    day = _day(quoted, zone)
    running = pc.equal(rows["trade_date"], day)
    return rows.filter(pc.invert(running)) if day == _day(end, zone) else rows


@declared("splits with a date", publisher=PUBLISHER)
def splits(chart: dict[str, Any]) -> list[tuple[date, str]]:
    """Return (day, ratio such as '4:1') of every split in the range."""
    zone = ZoneInfo(chart["meta"]["exchangeTimezoneName"])
    events = _events(chart, "splits")
    return sorted((_day(event["date"], zone), str(event.get("splitRatio"))) for event in events)


def _dividends(
    chart: dict[str, Any], zone: ZoneInfo, symbol: str, url: str
) -> list[tuple[date, float]]:
    """Return (ex-date, amount per share) of every dividend, oldest first."""
    found = []
    for event in _events(chart, "dividends"):
        expected = f"{symbol}: a day and an amount of each dividend, got {str(event)[:100]}"
        with declared(expected, publisher=PUBLISHER, url=url):
            day, amount = _day(event["date"], zone), _number(event["amount"])
            if not amount >= 0:
                raise ValueError(f"{amount} is no amount")
            found.append((day, amount))
    return sorted(found)


def _with_dividends(rows: pa.Table, dividends: Sequence[tuple[date, float]]) -> pa.Table:
    """Return the bars with what was paid on their day, or before it on a day without a bar.

    Two on one day (special and regular) add up. One that no bar follows yet comes with the next.
    """
    import pyarrow as pa

    days = rows["trade_date"].to_pylist()
    paid: dict[date, float] = {}
    for day, amount in dividends:
        for held in days[bisect_left(days, day) :][:1]:
            paid[held] = paid.get(held, 0.0) + amount
    place = rows.schema.get_field_index("dividend")
    return rows.set_column(place, "dividend", pa.array(map(paid.get, days), pa.float64()))


def _events(chart: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Return the events of a kind; where there are none, any part may be absent or null."""
    return list(((chart.get("events") or {}).get(kind) or {}).values())


@declared("a chart", publisher=PUBLISHER)
def _result(payload: Any, symbol: str, url: str) -> dict[str, Any]:
    chart = payload.get("chart") if isinstance(payload, dict) else None
    chart = chart if isinstance(chart, dict) else {}
    if error := chart.get("error"):
        said = error if isinstance(error, dict) else {"description": error}
        kind = NotServedError if said.get("code") == "Not Found" else UnexpectedPayloadError
        raise kind(f"{symbol}: {said.get('description')}", publisher=PUBLISHER, url=url)
    results = chart.get("result")
    first: dict[str, Any] = results[0] if isinstance(results, list) and results else {}
    if not {"meta", "indicators"} <= set(first):
        raise UnexpectedPayloadError(
            f"{symbol}: expected chart.result[0] with meta and indicators; "
            f"got {str(payload)[:200]}",
            publisher=PUBLISHER,
            url=url,
        )
    return first


def _check_meta(meta: dict[str, Any], symbol: str, url: str) -> None:
    expected = {"symbol": symbol.upper(), "currency": "USD", "dataGranularity": "1d"}
    got = {name: meta.get(name) for name in expected}
    if got != expected or "exchangeTimezoneName" not in meta:
        raise UnexpectedPayloadError(
            f"{symbol}: expected {expected} and an exchangeTimezoneName; got {got}",
            publisher=PUBLISHER,
            url=url,
        )


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), NEW_YORK).timestamp())


def _day(stamp: int, zone: ZoneInfo) -> date:
    """Return the exchange's day of a stamp; `gmtoffset` is today's and wrong across the year."""
    if isinstance(stamp, bool) or not isinstance(stamp, int):
        raise TypeError(f"{stamp!r} is no time in seconds")
    return datetime.fromtimestamp(stamp, UTC).astimezone(zone).date()


def _number(value: Any) -> float:
    """Return a number of the answer, NaN where it is null."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return float(value)


def _shortest_decimals(values: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return the prices as quoted, at most four decimals; NaN stays NaN.

    Yahoo widens 32-bit floats, so 6939.03 arrives as 6939.02978515625. The shortest decimal that
    names the same 32-bit float is the quoted one.
    """
    import numpy as np

    narrow = np.array(values, dtype=np.float64).astype(np.float32)
    quoted: npt.NDArray[np.float64] = np.array(narrow.astype(str), dtype=np.float64)
    return quoted.round(4)
