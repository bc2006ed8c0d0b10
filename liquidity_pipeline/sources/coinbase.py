"""Daily candles of coins against the US dollar from Coinbase Exchange."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from liquidity_pipeline.sources import bars
from liquidity_pipeline.sources.errors import UnexpectedPayloadError
from liquidity_pipeline.sources.fetch import Fetch

if TYPE_CHECKING:
    import pyarrow as pa

PUBLISHER = "coinbase"
_DAY = 86_400
# More candles in one request are refused; both ends of the range are included.
_PAGE = 300


def daily_bars(fetch: Fetch, symbol: str, start: date, end: date) -> pa.Table:
    """Return the bars of one product such as BTC-USD: US dollars per coin, volume in coins.

    The running UTC day may be among them; a day without trades is absent. Raises NotServedError
    for an unknown product, UnexpectedPayloadError for candles of another form.
    """
    import pyarrow as pa

    def page(first: date) -> pa.Table:
        last = min(end, first + timedelta(days=_PAGE - 1))
        answer = fetch.get(
            PUBLISHER,
            f"/products/{symbol}/candles",
            {"granularity": _DAY, "start": _iso(first), "end": _iso(last)},
        )
        # A page may begin before its start.
        return bars.between(parse(answer.json(), answer.url), first, last)

    firsts = [start + timedelta(days=n) for n in range(0, (end - start).days + 1, _PAGE)]
    return pa.concat_tables(fetch.each(firsts, page))


def parse(payload: Any, url: str = "") -> pa.Table:
    """Return the bars of one page, oldest first, or raise UnexpectedPayloadError."""
    import numpy as np

    try:
        candles = np.array(payload, dtype=np.float64).reshape(len(payload), 6)
    except (TypeError, ValueError) as error:
        raise UnexpectedPayloadError(
            f"expected candles [time, low, high, open, close, volume], got {str(payload)[:200]}",
            publisher=PUBLISHER,
            url=url,
        ) from error
    days = candles[:, 0].astype("datetime64[s]").astype("datetime64[D]")
    names = ("low", "high", "open", "close", "volume")
    rows = bars.table(days, {name: candles[:, n] for n, name in enumerate(names, start=1)})
    bars.refuse_misplaced_columns(rows, publisher=PUBLISHER, url=url)
    return rows


def _iso(day: date) -> str:
    return f"{datetime.combine(day, time()).isoformat()}Z"
