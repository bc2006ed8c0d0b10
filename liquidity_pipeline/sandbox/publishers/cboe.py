"""Cboe's daily price files: whole history, six decimals, conditional requests, 403 for others."""

from __future__ import annotations

import re
from email.utils import formatdate, parsedate_to_datetime
from hashlib import md5

import numpy as np

from liquidity_pipeline.sandbox import clock, days
from liquidity_pipeline.sandbox.days import FloatArray, IntArray
from liquidity_pipeline.sandbox.publishers.wire import Reply, Request, World

PREFIX = "cboe"
_PATH = re.compile(r"api/global/us_indices/daily_prices/([A-Z0-9]+)_History\.csv")
_DENIED = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    "<Error><Code>AccessDenied</Code><Message>Access Denied</Message>"
    "<RequestId>SANDBOX000000000</RequestId><HostId>sandbox</HostId></Error>"
)
_SINCE = {"SPX": days.day(1975, 1, 2), "RUT": days.day(2020, 1, 2), "VIX": days.day(1990, 1, 2)}
_YAHOO = {"SPX": "^GSPC", "RUT": "^RUT"}


def answer(world: World, request: Request) -> Reply:
    """Answer one request below `/cboe`."""
    found = _PATH.fullmatch(request.path)
    if not found or found[1] not in _SINCE:
        return Reply(403, _DENIED, "application/xml")
    last = world.last_public(clock.CBOE_FILE)
    body, modified = world.once(f"cboe {found[1]} {last}", lambda: _file(world, found[1], last))
    tag = f'"{md5(body.encode(), usedforsecurity=False).hexdigest()}"'
    headers = {
        "Last-Modified": formatdate(modified, usegmt=True),
        "ETag": tag,
        "Accept-Ranges": "bytes",
    }
    if _unchanged(request, tag, modified):
        return Reply(304, "", None, headers)
    return Reply(200, body, "text/csv", headers)


def _file(world: World, name: str, last: int) -> tuple[str, int]:
    on, values = _history(world, name)
    shown = (on >= max(world.start, _SINCE[name])) & (on <= last)
    header = "DATE,OPEN,HIGH,LOW,CLOSE" if name == "VIX" else f"DATE,{name}"
    lines = [header]
    for day, row in zip(on[shown].tolist(), values[shown].tolist(), strict=True):
        prices = ",".join(f"{value:.6f}" for value in row)
        lines.append(f"{days.date_of(day):%m/%d/%Y},{prices}")
    newest = int(on[shown][-1]) if shown.any() else world.start
    return "\n".join(lines) + "\n", days.new_york_time(newest, 20, 10)


def _history(world: World, name: str) -> tuple[IntArray, FloatArray]:
    if name == "VIX":
        return world.economy.indicators.vix_days, world.economy.indicators.vix
    prices = world.economy.markets.prices(_YAHOO[name])
    return prices.days, np.column_stack([prices.close])


def _unchanged(request: Request, tag: str, modified: int) -> bool:
    given = request.headers.get("if-none-match")
    if given:
        return tag in {item.strip().removeprefix("W/") for item in given.split(",")}
    since = request.headers.get("if-modified-since")
    if not since:
        return False
    try:
        return parsedate_to_datetime(since).timestamp() >= modified
    except ValueError:
        return False
