"""Yields of Treasury securities and what an auction pays: par curve, discount rates, prices.

Yields follow the policy rate and a slow noise; none of it answers to liquidity, so that the
loadings of `assets` stay the only channel there is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liquidity_pipeline.sandbox import policy
from liquidity_pipeline.sandbox.days import FloatArray, IntArray
from liquidity_pipeline.sandbox.draws import mean_reverting, normal
from liquidity_pipeline.sandbox.schedule import Auction

_TENORS = np.array([2.0, 10.0, 30.0])
_BREAKEVEN_INFLATION_PCT = 2.3


@dataclass(frozen=True)
class Curve:
    """Par yields in % on Federal Reserve business days: columns 2, 10 and 30 years."""

    days: IntArray
    yields: FloatArray

    def at(self, when: IntArray, years: FloatArray) -> FloatArray:
        """Interpolate the par yield (%) of each maturity on or before each day."""
        row = np.clip(np.searchsorted(self.days, when, side="right") - 1, 0, None)
        low, mid, high = self.yields[row].T
        short = low + (mid - low) * (np.clip(years, 2, 10) - 2) / 8
        return np.asarray(np.where(years <= 10, short, mid + (high - mid) * (years - 10) / 20))


@dataclass(frozen=True)
class AuctionPrices:
    """What each auction cleared at; NaN where a column does not apply.

    Rates in %, `price` per 100 of face value.
    """

    price: FloatArray
    discount_rate: FloatArray
    investment_rate: FloatArray
    high_yield: FloatArray
    coupon: FloatArray


def par_curve(seed: int, fed_days: IntArray) -> Curve:
    """Draw the par curve: the longer the maturity, the less it follows the policy rate."""
    rate = policy.policy_rate(fed_days)
    smooth = np.convolve(rate, np.full(60, 1 / 60), mode="full")[: len(rate)]
    smooth[:60] = rate[:60]
    columns = []
    for tenor, follow, anchor in zip(_TENORS, (0.75, 0.4, 0.3), (0.9, 2.4, 3.1), strict=True):
        shocks = 0.035 * normal(seed, f"curve {tenor:.0f}", len(rate))
        columns.append(np.maximum(anchor + follow * smooth + mean_reverting(shocks, 0.995), 0.05))
    return Curve(fed_days, np.round(np.column_stack(columns), 2))


def auction_prices(seed: int, auctions: list[Auction], curve: Curve) -> AuctionPrices:
    """Price every auction from the curve of its auction day.

    Bills at a discount on 360 days, coupons by the standard price of a semi-annual bond with the
    coupon at the eighth below the yield, both as Treasury's Uniform Offering Circular has them.
    """
    auctioned = np.array([a.auctioned for a in auctions])
    issued = np.array([a.issued for a in auctions])
    term = np.array([a.matures for a in auctions]) - issued
    is_bill = np.array([a.is_bill for a in auctions])
    noise = normal(seed, "auction tails", int(auctioned.max()) + 1)[auctioned]
    discount = _bill_discount(auctioned, term, noise)
    bill_price = np.round(100 * (1 - discount / 100 * term / 360), 6)
    investment = np.round((100 / bill_price - 1) * 365 / term * 100, 3)
    market = curve.at(auctioned, term / 365.25) + 0.01 * noise
    real = np.array([a.security_class == "tips" for a in auctions])
    market = np.round(np.maximum(market - np.where(real, _BREAKEVEN_INFLATION_PCT, 0), 0.125), 3)
    coupon = _coupons(auctions, market)
    floating = np.array([a.security_class == "frn" for a in auctions])
    price = _bond_price(coupon, market, term / 365.25)
    price = np.where(floating, 100.0, price)
    return AuctionPrices(
        price=np.where(is_bill, bill_price, price),
        discount_rate=np.where(is_bill, discount, np.nan),
        investment_rate=np.where(is_bill, investment, np.nan),
        high_yield=np.where(is_bill | floating, np.nan, market),
        coupon=np.where(is_bill | floating, np.nan, coupon),
    )


def _bill_discount(auctioned: IntArray, term: IntArray, noise: FloatArray) -> FloatArray:
    rate = policy.policy_rate(auctioned) + 0.02 - 0.0003 * term + 0.012 * noise
    return np.asarray(np.maximum(np.round(rate / 0.005) * 0.005, 0.005))


def _coupons(auctions: list[Auction], market: FloatArray) -> FloatArray:
    """Set a coupon at the first auction of a security; reopenings inherit it."""
    fixed: dict[str, float] = {}
    eighths = np.maximum(np.floor(market / 0.125) * 0.125, 0.125).tolist()
    return np.array(
        [fixed.setdefault(a.cusip, eighth) for a, eighth in zip(auctions, eighths, strict=True)]
    )


def _bond_price(coupon: FloatArray, market: FloatArray, years: FloatArray) -> FloatArray:
    discount = (1 + market / 200) ** (-2 * years)
    return np.asarray(np.round(coupon / market * 100 * (1 - discount) + 100 * discount, 6))
