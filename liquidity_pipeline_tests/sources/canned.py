"""A transport that answers from hand-written bodies, for the tests of the price sources."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from liquidity_pipeline.sources.answers import Answer
from liquidity_pipeline.sources.errors import TransientError
from liquidity_pipeline.sources.publishers import Form, Params

DOWN = TransientError("no answer in time, after 5 attempts", publisher="test", url="http://test")

Reply = Any  # JSON, text, (status, body), an exception, or a function of the parameters

_FETCHED = datetime.fromisoformat("2026-01-31 03:00")


class Canned:
    """Answers by `publisher/path`; what is not listed is 404. `asked` holds every request."""

    def __init__(self, replies: Mapping[str, Reply]) -> None:
        self.replies = replies
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def get(
        self, publisher: str, path: str, params: Params | None = None, *, form: Form = "json"
    ) -> Answer:
        self.asked.append((f"{publisher}{path}", dict(params or {})))
        reply = self.replies.get(f"{publisher}{path}", (404, "Not Found"))
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, Callable):
            reply = reply(dict(params or {}))
        status, body = reply if isinstance(reply, tuple) else (200, reply)
        text = body if isinstance(body, str) else json.dumps(body)
        url = f"http://test/{publisher}{path}"
        return Answer(publisher, path, url, status, {}, text.encode(), _FETCHED)


def yahoo_chart(
    symbol: str, stamps: list[int], close: list[float | None], **changes: Any
) -> dict[str, Any]:
    """Return a chart answer whose open, high and low equal its close."""
    meta = {
        "currency": "USD",
        "symbol": symbol,
        "exchangeTimezoneName": "America/New_York",
        "dataGranularity": "1d",
    }
    quote = {name: list(close) for name in ("low", "close", "open", "high")}
    result: dict[str, Any] = {
        "meta": meta | changes.pop("meta", {}),
        "timestamp": stamps,
        "indicators": {"quote": [quote | {"volume": [0] * len(close)} | changes.pop("quote", {})]},
    }
    return {"chart": {"result": [result | changes], "error": None}}
