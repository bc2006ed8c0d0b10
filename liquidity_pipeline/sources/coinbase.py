"""Daily candles of coins against the US dollar from Coinbase Exchange."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from liquidity_pipeline.sources import bars
from liquidity_pipeline.sources.boundary import Name, declared, nobody
from liquidity_pipeline.sources.errors import NotRecordedError, PublisherError
from liquidity_pipeline.sources.fetch import Fetch

if TYPE_CHECKING:
    import pyarrow as pa

PUBLISHER = "coinbase"
_DAY = 86_400
# More candles in one request are refused; both ends of the range are included.
_PAGE = 300
_COLUMNS = ("time", "low", "high", "open", "close", "volume")
_EXPECTED = f"candles [{', '.join(_COLUMNS)}]"


def daily_bars(fetch: Fetch, symbol: str, start: date, end: date) -> pa.Table:
    """Return the bars of one product such as BTC-USD: US dollars per coin, volume in coins.

    The day after a recent `end` is among them once it has begun; a day without trades is absent,
    and so are those of a page that could not be had, which is named. Raises where that is every
    page: NotServedError for an unknown product, UnexpectedPayloadError for candles of another form.
    """
    following = end + timedelta(days=1)
    is_recent = following <= fetch.now.date() <= end + bars.YOUNG

    def candles(first: date, last: date) -> pa.Table:
        answer = fetch.get(
            PUBLISHER,
            f"/products/{symbol}/candles",
            {"granularity": _DAY, "start": _iso(first), "end": _iso(last)},
        )
        # A page may begin before its start.
        name = fetch.left_out(f"{PUBLISHER}'s {symbol}")
        return bars.between(parse(answer.json(), answer.url, name), first, last)

    def page(first: date) -> pa.Table:
        last = min(end, first + timedelta(days=_PAGE - 1))
        if last == end and is_recent and (following - first).days < _PAGE:
            # Fetches of earlier versions, which archives hold, asked for `end` alone.
            with suppress(NotRecordedError):
                return candles(first, following)
        return candles(first, last)

    firsts = [start + timedelta(days=n) for n in range(0, (end - start).days + 1, _PAGE)]
    return _joined(fetch, symbol, firsts, page)


def _joined(
    fetch: Fetch, symbol: str, firsts: list[date], page: Callable[[date], pa.Table]
) -> pa.Table:
    """Return the pages as one; those that could not be had are named, and raised if all are."""
    import pyarrow as pa

    def attempt(first: date) -> pa.Table | PublisherError:
        try:
            return fetch.understood(_EXPECTED, lambda: page(first))
        except PublisherError as error:
            return error

    answers = fetch.each(firsts, attempt)
    found = [each for each in answers if not isinstance(each, PublisherError)]
    failures = [each for each in answers if isinstance(each, PublisherError)]
    if not found:
        raise failures[-1]
    for first, answer in zip(firsts, answers, strict=True):
        if isinstance(answer, PublisherError):
            fetch.gap(
                f"{PUBLISHER}'s {symbol}: the {_PAGE} days from {first} did not come: "
                f"{answer.as_gap}"
            )
    return pa.concat_tables(found)


@declared(_EXPECTED, publisher=PUBLISHER)
def parse(payload: Any, url: str = "", name: Name = nobody) -> pa.Table:
    """Return the bars of one page, oldest first, or raise UnexpectedPayloadError.

    A few candles that cannot be are left out and named.
    """
    return bars.of_lists(payload, _COLUMNS, name, expected=_EXPECTED, publisher=PUBLISHER, url=url)


def _iso(day: date) -> str:
    return f"{datetime.combine(day, time()).isoformat()}Z"
