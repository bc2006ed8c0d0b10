"""Daily bars as three publishers show them: what is closed, and the coin bar still running."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from liquidity_pipeline.sandbox import clock, days
from liquidity_pipeline.sandbox.assets import COIN, Asset
from liquidity_pipeline.sandbox.days import FloatArray, IntArray
from liquidity_pipeline.sandbox.publishers.wire import World

_DAY_SECONDS = 86400


@dataclass(frozen=True)
class Bars:
    """The public bars of a symbol, oldest first; `running` when the last one is not closed."""

    days: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    adjusted: FloatArray
    dividend: FloatArray
    volume: IntArray
    running: bool


def bars(world: World, asset: Asset) -> Bars:
    """Return the bars that are public at the clock, the running UTC day of a coin included."""
    prices = world.economy.markets.prices(asset.symbol)
    now = world.now
    coin = asset.kind == COIN
    last = now // _DAY_SECONDS if coin else world.last_public(clock.SESSION_CLOSE)
    count = int(np.searchsorted(prices.days, last, side="right"))
    first = int(np.searchsorted(prices.days, world.start))
    shown = slice(first, max(count, first))
    adjusted = prices.adjusted_close(max(count, first))[first:]
    running = coin and count > first and int(prices.days[count - 1]) == last
    found = Bars(
        prices.days[shown], prices.open[shown], prices.high[shown], prices.low[shown],
        prices.close[shown], adjusted, prices.dividend[shown], prices.volume[shown], running,
    )  # fmt: skip
    return _so_far(found, (now % _DAY_SECONDS) / _DAY_SECONDS) if running else found


def _so_far(found: Bars, elapsed: float) -> Bars:
    """Show the running bar as far as the day has gone, on a straight way from open to close."""
    opened = float(found.open[-1])
    close = round(opened + elapsed * (float(found.close[-1]) - opened), 2)
    return replace(
        found,
        high=np.append(found.high[:-1], max(opened, close)),
        low=np.append(found.low[:-1], min(opened, close)),
        close=np.append(found.close[:-1], close),
        adjusted=np.append(found.adjusted[:-1], close),
        volume=np.append(found.volume[:-1], int(found.volume[-1] * elapsed)),
    )


def stamps(found: Bars, asset: Asset) -> IntArray:
    """Return the epoch seconds of each bar: UTC midnight for coins, the session's open else."""
    if asset.kind == COIN:
        return found.days * _DAY_SECONDS
    return np.array([days.new_york_time(day, 9, 30) for day in found.days.tolist()], dtype=np.int64)
