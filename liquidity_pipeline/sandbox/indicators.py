"""Market indicators that are not prices of anything: volatility, credit spreads, stress index.

They answer to the same regimes as the assets and to repo spreads, never to liquidity itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liquidity_pipeline.sandbox import days
from liquidity_pipeline.sandbox.assets import Markets
from liquidity_pipeline.sandbox.days import FloatArray, IntArray
from liquidity_pipeline.sandbox.draws import mean_reverting, normal

# Since 2022 the volatility index has rows on US holidays on which London trades.
_VIX_HOLIDAY_ROWS_SINCE = days.day(2022, 3, 1)
# Since then the stress index has a row on every weekday.
_FSI_WEEKDAYS_SINCE = days.day(2022, 3, 1)
FSI_PARTS = ("Credit", "Equity valuation", "Safe assets", "Funding", "Volatility")
FSI_REGIONS = ("United States", "Other advanced economies", "Emerging markets")


@dataclass(frozen=True)
class Indicators:
    """Daily indicators: `vix` columns open, high, low, close; spreads in %; stress index in parts.

    `fsi` has one column for each of `FSI_PARTS`, in thousandths, so that its sum is exact.
    """

    vix_days: IntArray
    vix: FloatArray
    weekdays: IntArray
    investment_grade: FloatArray
    high_yield: FloatArray
    fsi_days: IntArray
    fsi: IntArray


def indicators(seed: int, markets: Markets, fed_days: IntArray, scarcity: FloatArray) -> Indicators:
    """Derive all indicators of one world."""
    every_day = markets.every_day
    realised = np.sqrt(_decaying(markets.market_factor**2, 0.97))
    vix_days = days.days_between(_has_vix, int(every_day[0]), int(every_day[-1]))
    vix = _volatility_index(seed, realised, vix_days - every_day[0], len(every_day))
    weekdays = every_day[(every_day + 3) % 7 < days.SATURDAY]
    rows = weekdays - every_day[0]
    fsi_days = days.days_between(_has_stress_index, int(fed_days[0]), int(fed_days[-1]))
    at_fed_day = np.searchsorted(fed_days, fsi_days, side="right") - 1
    noise = mean_reverting(0.012 * normal(seed, "credit", len(every_day)), 0.99)
    stress = realised[rows]
    return Indicators(
        vix_days,
        vix,
        weekdays,
        np.round(np.maximum(0.55 + 0.55 * stress + noise[rows], 0.4), 2),
        np.round(np.maximum(1.9 + 1.7 * stress + 3 * noise[rows], 1.5), 2),
        fsi_days,
        _stress_index(seed, realised[fsi_days - every_day[0]], scarcity[at_fed_day]),
    )


def _has_vix(day: int) -> bool:
    if days.is_nyse(day):
        return True
    when = days.date_of(day)
    closed = (when.month, when.day) in {(1, 1), (1, 2), (12, 25), (12, 26), (12, 24)}
    good_friday = day == days.easter(when.year) - 2
    return (
        day >= _VIX_HOLIDAY_ROWS_SINCE and days.is_weekday(day) and not closed and not good_friday
    )


def _has_stress_index(day: int) -> bool:
    return days.is_weekday(day) if day >= _FSI_WEEKDAYS_SINCE else days.is_nyse(day)


def _decaying(values: FloatArray, keep: float) -> FloatArray:
    """Average the past with exponential weights."""
    shocks = (1 - keep) * values
    shocks[0] = values[:365].mean()
    return mean_reverting(shocks, keep)


def _volatility_index(seed: int, realised: FloatArray, rows: IntArray, span: int) -> FloatArray:
    noise = mean_reverting(0.035 * normal(seed, "volatility index", span), 0.85)
    close = (4.0 + 14.5 * realised[rows] * np.sqrt(365 / 252)) * np.exp(noise[rows])
    close = np.round(np.maximum(close, 9.0), 2)
    swing = np.abs(normal(seed, "volatility range", span, 2))[rows] * 0.025
    opened = np.round((close + np.concatenate([close[:1], close[:-1]])) / 2, 2)
    high = np.round(np.maximum(opened, close) * (1 + swing[:, 0]), 2)
    low = np.round(np.minimum(opened, close) * (1 - swing[:, 1]), 2)
    return np.column_stack([opened, high, low, close])


def _stress_index(seed: int, realised: FloatArray, scarcity: FloatArray) -> IntArray:
    noise = 0.04 * normal(seed, "stress index", len(realised), len(FSI_PARTS))
    excess = realised - 0.75
    parts = np.column_stack(
        [
            -0.5 + 1.6 * excess,
            -0.3 + 0.9 * excess,
            -0.2 + 0.4 * excess,
            -0.1 + 0.25 * np.minimum(scarcity, 4),
            -0.4 + 2.2 * excess,
        ]
    )
    return np.rint((parts + noise) * 1000).astype(np.int64)
