"""Daily bars of coins against the US dollar from Kraken, which keeps the last 720 days only."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from liquidity_pipeline.sources import bars
from liquidity_pipeline.sources.errors import (
    NotServedError,
    PublisherError,
    RejectedError,
    TransientError,
    UnexpectedPayloadError,
)
from liquidity_pipeline.sources.fetch import Fetch

if TYPE_CHECKING:
    import pyarrow as pa

PUBLISHER = "kraken"
_DAY = 86_400


def daily_bars(fetch: Fetch, symbol: str, start: date, end: date) -> pa.Table:
    """Return the bars of one pair such as XBTUSD: US dollars per coin, volume in coins.

    Days older than 720 days are absent, and the running UTC day may be among the rows. Raises
    NotServedError for an unknown pair, TransientError or RejectedError for Kraken's other errors
    (they come with status 200), UnexpectedPayloadError for rows of another form.
    """
    # `since` is exclusive, so ask from the day before.
    since = int(datetime.combine(start, time(), UTC).timestamp()) - _DAY
    answer = fetch.get(
        PUBLISHER, "/0/public/OHLC", {"pair": symbol, "interval": _DAY // 60, "since": since}
    )
    return bars.between(parse(answer.json(), answer.url), start, end)


def parse(payload: dict[str, Any], url: str = "") -> pa.Table:
    """Return the bars of one answer, or raise the error that it stands for."""
    import numpy as np

    if errors := payload.get("error"):
        raise _refusal(errors, url)
    # Kraken renames pairs (XBTUSD becomes XXBTZUSD): the rows stand under the only other key.
    lists = [rows for key, rows in payload.get("result", {}).items() if key != "last"]
    try:
        (rows,) = lists
        numbers = np.array(rows, dtype=np.float64).reshape(len(rows), 8)
    except (TypeError, ValueError) as error:
        raise UnexpectedPayloadError(
            f"expected one pair of rows [time, open, high, low, close, vwap, volume, count] "
            f"beside 'last', got {str(payload)[:200]}",
            publisher=PUBLISHER,
            url=url,
        ) from error
    days = numbers[:, 0].astype("datetime64[s]").astype("datetime64[D]")
    columns = {name: numbers[:, place] for place, name in enumerate(bars.PRICES, start=1)}
    result = bars.table(days, columns | {"volume": numbers[:, 6]})
    bars.refuse_misplaced_columns(result, publisher=PUBLISHER, url=url)
    return result


def _refusal(errors: list[str], url: str) -> PublisherError:
    text = "; ".join(errors)
    kind: type[PublisherError] = RejectedError
    if "Unknown asset pair" in text:
        kind = NotServedError
    elif "EService" in text or "Rate limit" in text or "Too many requests" in text:
        kind = TransientError
    return kind(text, publisher=PUBLISHER, url=url)
