"""Daily bars of indices and funds from Yahoo's chart service.

Prices are split-adjusted but not dividend-adjusted; the dividend-adjusted series is not read,
because every ex-dividend day rewrites its whole history.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from liquidity_pipeline.settings import NEW_YORK
from liquidity_pipeline.sources import bars
from liquidity_pipeline.sources.errors import NotServedError, UnexpectedPayloadError
from liquidity_pipeline.sources.fetch import Fetch

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

PUBLISHER = "yahoo"


def daily_bars(fetch: Fetch, symbol: str, start: date, end: date) -> pa.Table:
    """Return the bars of one symbol, in US dollars, with the dividend on its ex-date.

    The newest bar may be a running session's. Names a gap where the shares were split inside the
    range. Raises NotServedError for a symbol that Yahoo does not have, UnexpectedPayloadError for
    an answer about something else than was asked for.
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
    rows = parse(chart, symbol, answer.url)
    for day, ratio in splits(chart):
        fetch.gap(
            f"{symbol}: yahoo has a {ratio} split on {day}; months before {start:%Y-%m} that are "
            f"already stored are on the old basis until `liquidity backfill --force` fetches them"
        )
    return bars.between(rows, start, end)


def parse(chart: dict[str, Any], symbol: str, url: str = "") -> pa.Table:
    """Return all bars of one chart result, or raise UnexpectedPayloadError."""
    _check_meta(chart["meta"], symbol, url)
    # Without rows there is no `timestamp`, whatever else is there.
    stamps = chart.get("timestamp") or []
    if not stamps:
        return bars.table([], {})
    quote = chart["indicators"]["quote"][0]
    columns = {name: quote.get(name) for name in (*bars.PRICES, "volume")}
    for name, values in columns.items():
        if values is None or len(values) != len(stamps):
            raise UnexpectedPayloadError(
                f"{symbol}: expected {len(stamps)} values of '{name}', one per timestamp; "
                f"got {'none' if values is None else len(values)}",
                publisher=PUBLISHER,
                url=url,
            )
    prices = {name: _shortest_decimals(columns[name]) for name in bars.PRICES}
    days = [_day(stamp, chart) for stamp in stamps]
    dividends = _dividends(chart)
    return bars.table(
        days,
        {
            **prices,
            "volume": columns["volume"],
            "dividend": [dividends.get(day) for day in days],
        },
    )


def splits(chart: dict[str, Any]) -> list[tuple[date, str]]:
    """Return (day, ratio such as '4:1') of every split in the range."""
    events = chart.get("events", {}).get("splits", {}).values()
    return sorted((_day(event["date"], chart), str(event.get("splitRatio"))) for event in events)


def _dividends(chart: dict[str, Any]) -> dict[date, float]:
    """Return the dividend per share by ex-date; two on one day (special and regular) add up."""
    by_day: dict[date, float] = {}
    for event in chart.get("events", {}).get("dividends", {}).values():
        day = _day(event["date"], chart)
        by_day[day] = by_day.get(day, 0.0) + float(event["amount"])
    return by_day


def _result(payload: Any, symbol: str, url: str) -> dict[str, Any]:
    chart = payload.get("chart") if isinstance(payload, dict) else None
    chart = chart or {}
    if error := chart.get("error"):
        kind = NotServedError if error.get("code") == "Not Found" else UnexpectedPayloadError
        raise kind(f"{symbol}: {error.get('description')}", publisher=PUBLISHER, url=url)
    results = chart.get("result")
    if not results or "meta" not in results[0] or "indicators" not in results[0]:
        raise UnexpectedPayloadError(
            f"{symbol}: expected chart.result[0] with meta and indicators; "
            f"got {str(payload)[:200]}",
            publisher=PUBLISHER,
            url=url,
        )
    first: dict[str, Any] = results[0]
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


def _day(stamp: int, chart: dict[str, Any]) -> date:
    """Return the exchange's day of a stamp; `gmtoffset` is today's and wrong across the year."""
    zone = ZoneInfo(chart["meta"]["exchangeTimezoneName"])
    return datetime.fromtimestamp(stamp, UTC).astimezone(zone).date()


def _shortest_decimals(values: list[float | None]) -> npt.NDArray[np.float64]:
    """Return the prices as quoted, at most four decimals; a missing one is 0.

    Yahoo widens 32-bit floats, so 6939.03 arrives as 6939.02978515625. The shortest decimal that
    names the same 32-bit float is the quoted one.
    """
    import numpy as np

    narrow = np.array([value or 0.0 for value in values], dtype=np.float32)
    quoted: npt.NDArray[np.float64] = np.array(narrow.astype(str), dtype=np.float64)
    return quoted.round(4)
