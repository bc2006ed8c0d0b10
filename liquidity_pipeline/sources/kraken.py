"""Daily bars of coins against the US dollar from Kraken, which keeps the last 720 days only."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from liquidity_pipeline.sources import bars
from liquidity_pipeline.sources.boundary import Name, declared, nobody
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
_COLUMNS = ("time", "open", "high", "low", "close", "vwap", "volume", "count")
_EXPECTED = f"one pair of rows [{', '.join(_COLUMNS)}] beside 'last'"


def daily_bars(fetch: Fetch, symbol: str, start: date, end: date) -> pa.Table:
    """Return the bars of one pair such as XBTUSD: US dollars per coin, volume in coins.

    Days older than 720 days are absent; a day beyond `end` is among the rows where there is one,
    at last the running UTC day. Raises NotServedError for an unknown pair, TransientError or
    RejectedError for Kraken's other errors (they come with status 200), UnexpectedPayloadError for
    rows of another form.
    """
    # `since` is exclusive, so ask from the day before.
    since = int(datetime.combine(start, time(), UTC).timestamp()) - _DAY
    answer = fetch.get(
        PUBLISHER, "/0/public/OHLC", {"pair": symbol, "interval": _DAY // 60, "since": since}
    )
    name = fetch.left_out(f"{PUBLISHER}'s {symbol}")
    rows = parse(answer.json(), answer.url, name)
    return bars.between(rows, start, end + timedelta(days=1))


@declared(_EXPECTED, publisher=PUBLISHER)
def parse(payload: Any, url: str = "", name: Name = nobody) -> pa.Table:
    """Return the bars of one answer, or raise the error that it means.

    A few rows that cannot be are left out and named.
    """
    if not isinstance(payload, dict):
        raise _unexpected(payload, url)
    if errors := payload.get("error"):
        raise _refusal(errors, url)
    # Kraken renames pairs (XBTUSD becomes XXBTZUSD): the rows are under the only other key.
    result = payload.get("result")
    lists = [v for k, v in result.items() if k != "last"] if isinstance(result, dict) else []
    if len(lists) != 1:
        raise _unexpected(payload, url)
    return bars.of_lists(lists[0], _COLUMNS, name, expected=_EXPECTED, publisher=PUBLISHER, url=url)


def _unexpected(payload: Any, url: str) -> PublisherError:
    return UnexpectedPayloadError(
        f"expected {_EXPECTED}, got {str(payload)[:200]}", publisher=PUBLISHER, url=url
    )


def _refusal(errors: Any, url: str) -> PublisherError:
    text = "; ".join(map(str, errors)) if isinstance(errors, list) else str(errors)
    kind: type[PublisherError] = RejectedError
    if "Unknown asset pair" in text:
        kind = NotServedError
    elif "EService" in text or "Rate limit" in text or "Too many requests" in text:
        kind = TransientError
    return kind(text, publisher=PUBLISHER, url=url)
