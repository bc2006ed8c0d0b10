"""Indices, funds and coins: which there are, and how much each one answers to liquidity.

`Markets` draws their prices one symbol at a time, when asked, so that thousands of extra symbols
cost nothing until they are read. Rates and spreads are in `indicators`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from liquidity_pipeline.sandbox import days, policy
from liquidity_pipeline.sandbox.days import BoolArray, FloatArray, IntArray
from liquidity_pipeline.sandbox.draws import fat_tailed, normal, stream

INDEX, FUND, COIN = "INDEX", "ETF", "CRYPTOCURRENCY"
EXTRA_PREFIX = "SBX"
# All price paths go through their anchor price on this day, so that levels look familiar.
_ANCHOR_DAY = days.day(2024, 1, 2)
_EARLY = policy.WORLD_START  # there from the first day of every world
_TURBULENT = 2.3  # volatility of the bad regime against the good one
_STAY_CALM, _STAY_TURBULENT = 0.992, 0.96
_MARKET_VOL_PCT, _COIN_VOL_PCT = 0.75, 2.2


@dataclass(frozen=True)
class Asset:
    """One symbol and how its price moves.

    Its daily log return in % is the sum of drift, `loading` x the rise of reserve balances (in
    USD 100 bn) `lag` sessions before, `market_beta` x equity factor, `coin_beta` x coin factor,
    and noise of `noise_pct`; factors and noise are fat-tailed and share two volatility regimes.
    """

    symbol: str
    name: str
    kind: str
    loading: float
    market_beta: float
    coin_beta: float
    noise_pct: float
    drift_pct: float
    anchor: float
    since: int
    lag: int = 0
    tracks: str = ""
    dividend_pct: float = 0.0


# symbol, name, kind, loading, market beta, coin beta, noise, drift, anchor, first day, and more
ASSETS = {
    asset.symbol: asset
    for asset in (
        Asset("^GSPC", "S&P 500", INDEX, 0.5, 1.0, 0, 0.25, 8, 4742.83, _EARLY),
        Asset("^IXIC", "NASDAQ Composite", INDEX, 0.7, 1.2, 0, 0.45, 10, 14765.94, _EARLY),
        Asset("^RUT", "Russell 2000 Index", INDEX, 2.0, 1.15, 0, 0.6, 7, 2012.75, _EARLY),
        Asset("^SP400", "S&P 400", INDEX, 1.2, 1.1, 0, 0.45, 8, 2757.69, _EARLY),
        Asset(
            "SPY", "SPDR S&P 500 ETF", FUND, 0.5, 1.0, 0, 0.25, 8, 472.65, _EARLY,
            tracks="^GSPC", dividend_pct=1.3,
        ),
        Asset(
            "IWM", "iShares Russell 2000 ETF", FUND, 2.0, 1.15, 0, 0.6, 7, 199.92, _EARLY,
            tracks="^RUT", dividend_pct=1.2,
        ),
        Asset(
            "MDY", "SPDR S&P MidCap 400 ETF Trust", FUND, 1.2, 1.1, 0, 0.45, 8, 503.66, _EARLY,
            tracks="^SP400", dividend_pct=1.2,
        ),
        Asset(
            "QUAL", "iShares MSCI USA Quality Factor ETF", FUND, 0.4, 0.95, 0, 0.3, 9, 146.5,
            days.day(2013, 7, 18), dividend_pct=1.1,
        ),
        Asset(
            "TLT", "iShares 20+ Year Treasury Bond ETF", FUND, -0.2, -0.15, 0, 0.8, 2, 98.1,
            _EARLY, dividend_pct=4.0,
        ),
        Asset(
            "LQD", "iShares iBoxx $ Investment Grade Corporate Bond ETF", FUND, 0.2, 0.15, 0, 0.35,
            3, 110.2, _EARLY, lag=1, dividend_pct=4.3,
        ),
        Asset(
            "HYG", "iShares iBoxx $ High Yield Corporate Bond ETF", FUND, 0.6, 0.4, 0, 0.25,
            4, 77.1, days.day(2007, 4, 11), lag=1, dividend_pct=5.8,
        ),
        Asset(
            "BTC-USD", "Bitcoin USD", COIN, 6.0, 0.9, 1.0, 0.9, 25, 44957.97,
            days.day(2015, 7, 20),
        ),
        Asset(
            "ETH-USD", "Ethereum USD", COIN, 7.2, 1.2, 1.2, 1.6, 20, 2355.84,
            days.day(2016, 5, 18),
        ),
        Asset(
            "SOL-USD", "Solana USD", COIN, 8.4, 1.4, 1.4, 2.6, 25, 109.52,
            days.day(2021, 6, 17),
        ),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Prices:
    """Daily bars of one symbol: prices at two decimals; `dividend` is the share paid on the day."""

    days: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: IntArray
    dividend: FloatArray

    def adjusted_close(self, count: int) -> FloatArray:
        """Return closes less the dividends after them, as seen when `count` bars are public."""
        kept = np.cumprod(1 - self.dividend[:count])
        return np.asarray(self.close[:count] * kept[-1] / kept) if count else self.close[:0]


class Markets:
    """Prices of all symbols of one world; `impulse` is the daily rise of reserves, USD mn."""

    def __init__(
        self,
        seed: int,
        fed_days: IntArray,
        impulse: IntArray,
        extra_symbols: int,
        loading_scale: float,
    ) -> None:
        self.seed, self.loading_scale = seed, loading_scale
        self.extra_symbols = extra_symbols
        first, last = int(fed_days[0]), int(fed_days[-1])
        self.every_day = np.arange(first, last + 1)
        self.sessions = days.days_between(days.is_nyse, first, last)
        cumulative = np.concatenate([[0], np.cumsum(impulse)])
        self._cumulative_by_day = cumulative[np.searchsorted(fed_days, self.every_day, "right")]
        self._known: dict[str, Prices] = {}

    def asset(self, symbol: str) -> Asset | None:
        """Look a symbol up; None for one that no publisher serves."""
        if symbol in ASSETS:
            return ASSETS[symbol]
        number = symbol.removeprefix(EXTRA_PREFIX)
        if symbol == number or not number.isdigit() or len(number) != 4:
            return None
        return self._extra(symbol) if 1 <= int(number) <= self.extra_symbols else None

    def symbols(self) -> list[str]:
        """Return all symbols, the extra ones last."""
        return list(ASSETS) + [f"{EXTRA_PREFIX}{n:04d}" for n in range(1, self.extra_symbols + 1)]

    def prices(self, symbol: str) -> Prices:
        """Return the bars of a known symbol, drawn at the first call."""
        if symbol not in self._known:
            asset = self.asset(symbol)
            if asset is None:
                raise KeyError(f"The sandbox has no symbol '{symbol}'.")
            self._known[symbol] = self._draw(asset)
        return self._known[symbol]

    @cached_property
    def turbulent(self) -> BoolArray:
        """Mark the calendar days of the bad volatility regime."""
        draws = stream(self.seed, "regime").random(len(self.every_day)).tolist()
        bad, out = False, []
        for draw in draws:
            bad = draw < (_STAY_TURBULENT if bad else 1 - _STAY_CALM)
            out.append(bad)
        return np.array(out)

    @cached_property
    def market_factor(self) -> FloatArray:
        """Draw the equity factor, % a day, on every calendar day; zero without a session."""
        factor = self._regime() * _MARKET_VOL_PCT * self._draws("equity factor")
        is_session = np.isin(self.every_day, self.sessions)
        return np.asarray(np.where(is_session, factor, 0.0))

    def _draw(self, asset: Asset) -> Prices:
        log_return = self._log_returns(asset)
        on = self.every_day if asset.kind == COIN else self.sessions
        rows = on - self.every_day[0]
        path = np.cumsum(log_return)
        anchor = min(_ANCHOR_DAY - int(self.every_day[0]), len(path) - 1)
        level = asset.anchor * np.exp((path - path[anchor])[rows] / 100)
        shown = on >= asset.since
        on, rows, level = on[shown], rows[shown], level[shown]
        dividend = _dividends(on, asset.dividend_pct)
        kept = np.cumprod(1 - dividend)
        anchored = min(int(np.searchsorted(on, _ANCHOR_DAY)), len(on) - 1)
        level = level * kept / kept[anchored]
        swing = np.abs(normal(self.seed, f"{asset.symbol} range", 3 * len(self.every_day)))
        swing = swing.reshape(-1, 3)[rows] * (0.3 * asset.noise_pct + 0.2 * asset.coin_beta) / 100
        close = np.round(level, 2)
        previous = np.concatenate([close[:1], close[:-1]])
        gap = swing[:, 2] * np.where(on % 2 == 0, 1, -1) * 0.3
        opened = np.round(previous * (1 + (0 if asset.kind == COIN else gap)), 2)
        high = np.round(np.maximum(opened, close) * (1 + swing[:, 0]), 2)
        low = np.round(np.minimum(opened, close) * (1 - swing[:, 1]), 2)
        return Prices(on, opened, high, low, close, self._volume(asset, rows), dividend)

    def _log_returns(self, asset: Asset) -> FloatArray:
        """Return the log return in % of every calendar day (zero without a session)."""
        name = asset.tracks or asset.symbol
        noise = asset.noise_pct * self._regime() * self._draws(f"{name} noise")
        coin = asset.coin_beta * self._coin_factor if asset.coin_beta else 0.0
        drift = asset.drift_pct / (365.25 if asset.kind == COIN else 252)
        total = drift + noise + coin
        if asset.kind != COIN:
            total = np.where(np.isin(self.every_day, self.sessions), total, 0.0)
        effect = asset.loading * self.loading_scale * self._impulse(asset) / 100_000
        return np.asarray(total + asset.market_beta * self.market_factor + effect)

    def _impulse(self, asset: Asset) -> FloatArray:
        """Rise of reserve balances since the last session, USD mn, on the day it is priced."""
        on = self.every_day if asset.kind == COIN else self.sessions
        rows = on - self.every_day[0]
        rise = np.diff(self._cumulative_by_day[rows], prepend=self._cumulative_by_day[rows[:1]])
        out = np.zeros(len(self.every_day))
        out[rows[asset.lag :]] = rise[: len(rise) - asset.lag]
        return out

    @cached_property
    def _coin_factor(self) -> FloatArray:
        return self._regime() * _COIN_VOL_PCT * self._draws("coin factor")

    def _regime(self) -> FloatArray:
        return np.asarray(np.where(self.turbulent, _TURBULENT, 1.0))

    def _draws(self, name: str) -> FloatArray:
        return fat_tailed(self.seed, name, len(self.every_day))

    def _volume(self, asset: Asset, rows: IntArray) -> IntArray:
        noise = np.exp(0.25 * normal(self.seed, f"{asset.symbol} volume", len(self.every_day)))
        level = {INDEX: 4.5e9, FUND: 4.0e7, COIN: 3.0e10}[asset.kind]
        return np.rint(level * noise[rows] * self._regime()[rows]).astype(np.int64)

    def _extra(self, symbol: str) -> Asset:
        draws = stream(self.seed, f"asset {symbol}")
        loading = round(float(draws.normal(0.8, 0.8)), 2)
        beta = round(float(draws.uniform(0.5, 1.5)), 2)
        anchor = round(float(draws.uniform(20, 300)), 2)
        name = f"Sandbox Fund {symbol.removeprefix(EXTRA_PREFIX)}"
        return Asset(symbol, name, FUND, loading, beta, 0, 0.8, 7, anchor, _EARLY)


def _dividends(on: IntArray, yearly_pct: float) -> FloatArray:
    """Pay a quarter of the yearly dividend on the third Friday of each quarter's last month."""
    paid = np.zeros(len(on))
    if not yearly_pct or not len(on):
        return paid
    for year in range(days.date_of(int(on[0])).year, days.date_of(int(on[-1])).year + 1):
        for month in (3, 6, 9, 12):
            row = int(np.searchsorted(on, days.nth_weekday(year, month, days.FRIDAY, 3)))
            if 0 < row < len(on):
                paid[row] = yearly_pct / 400
    return paid
