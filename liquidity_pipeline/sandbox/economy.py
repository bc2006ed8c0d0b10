"""The simulated economy as a whole: who is drawn after whom, and the accounts that come out.

One world per seed, from 2004 to the end of next year; deterministic, and the same day by day
whatever its length. It is independent of wire formats, clocks and servers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from liquidity_pipeline.sandbox import days, episodes, policy
from liquidity_pipeline.sandbox.assets import Markets
from liquidity_pipeline.sandbox.balance_sheet import BalanceSheet, liquidity_before_repos
from liquidity_pipeline.sandbox.cash import CashFlows, cash_flows, trailing_year
from liquidity_pipeline.sandbox.days import FloatArray, IntArray
from liquidity_pipeline.sandbox.debt import DebtDesk, DebtRecord
from liquidity_pipeline.sandbox.debt_calendar import planned_coupons
from liquidity_pipeline.sandbox.episodes import TAX_DATE, TGA_REBUILD, Episode
from liquidity_pipeline.sandbox.fed_operations import Operation, operations
from liquidity_pipeline.sandbox.funding import Funding, fund
from liquidity_pipeline.sandbox.indicators import Indicators, indicators
from liquidity_pipeline.sandbox.schedule import BILLS_OUTSTANDING_BN, Auction, auction_calendar
from liquidity_pipeline.sandbox.yields import AuctionPrices, Curve, auction_prices, par_curve

# At least to here, so that the anchor prices of `assets` lie inside every world.
_SHORTEST_END = days.day(2025, 12, 31)
_ANNOUNCED_AHEAD = 45  # days of auctions that settle after the last day
# A little less than the growth of the economy: SOMA's purchases leave the public fewer bills.
_BILL_SUPPLY_GROWTH = 0.03


@dataclass(frozen=True)
class Economy:
    """One world. Arrays are indexed by `days`, the Fed's business days; amounts are in USD mn."""

    seed: int
    loading_scale: float
    days: IntArray
    auctions: list[Auction]
    prices: AuctionPrices
    curve: Curve
    cash: CashFlows
    debt: DebtRecord
    operations: list[Operation]
    sheet: BalanceSheet
    funding: Funding
    settlement: IntArray
    episodes: list[Episode]
    markets: Markets

    @cached_property
    def indicators(self) -> Indicators:
        """Volatility, credit spreads and the stress index."""
        return indicators(self.seed, self.markets, self.days, self.funding.scarcity)


def simulate(
    seed: int,
    last: int,
    *,
    symbols: int = 0,
    loading_scale: float = 1.0,
    with_episodes: bool = True,
) -> Economy:
    """Draw the world of a seed from `policy.WORLD_START` to a last day (a day number)."""
    last = max(last, _SHORTEST_END)
    fed_days = days.days_between(days.is_fed, policy.WORLD_START, last)
    auctions = auction_calendar(policy.WORLD_START, last + _ANNOUNCED_AHEAD)
    planned = episodes.planned(policy.FIRST_STATEMENT, last) if with_episodes else []
    cash = cash_flows(seed, fed_days, planned, _deficit(auctions, fed_days))
    curve = par_curve(seed, fed_days)
    prices = auction_prices(seed, auctions, curve)
    desk = operations(seed, days.days_between(days.is_sifma, policy.WORLD_START, last))
    debt = DebtDesk(
        seed=seed,
        fed_days=fed_days,
        auctions=auctions,
        prices=prices.price,
        cash=cash,
        target=_cash_target(fed_days, planned),
        operations=desk,
    ).run()
    done = [operation for day in sorted(desk) for operation in desk[day]]
    settlement = _public_settlement(fed_days, debt, done)
    sheet = liquidity_before_repos(seed, fed_days, debt, planned)
    sheet, funding = fund(seed, sheet, settlement)
    impulse = -sheet.drains()["drain_reserves"]
    markets = Markets(seed, fed_days, impulse, symbols, loading_scale)
    return Economy(
        seed, loading_scale, fed_days, auctions, prices, curve, cash, debt, done,
        sheet, funding, settlement, planned, markets,
    )  # fmt: skip


def _deficit(auctions: list[Auction], fed_days: IntArray) -> FloatArray:
    """Return the deficit that planned debt finances on a usual day, USD mn.

    Coupons' net settlement of the past year and the growth of bills, less the interest in bill
    discounts and what the Fed redeems: so bills outstanding keep step with the economy.
    """
    bills = BILLS_OUTSTANDING_BN * 1000 * policy.growth(fed_days)
    caps = np.array([policy.phase_at(day).redemption_cap for day in fed_days.tolist()])
    interest = bills * policy.policy_rate(fed_days) / 100
    yearly = bills * _BILL_SUPPLY_GROWTH - interest - 12 * caps
    return np.asarray(trailing_year(planned_coupons(auctions, fed_days)) + yearly / 250)


def _cash_target(fed_days: IntArray, planned: list[Episode]) -> FloatArray:
    usual = policy.TGA_TARGET_USD_MN * policy.growth(fed_days)
    return np.asarray(usual + episodes.ramp(planned, fed_days, TGA_REBUILD, TAX_DATE))


def _public_settlement(fed_days: IntArray, debt: DebtRecord, done: list[Operation]) -> IntArray:
    """Net issuance at par less what SOMA exchanged, USD mn: what the public pays for."""
    bought = np.zeros(len(fed_days), dtype=np.int64)
    for operation in done:
        row = int(np.searchsorted(fed_days, operation.settles))
        if row < len(fed_days):
            bought[row] += operation.sign * operation.accepted
    soma = debt.soma.sum(axis=1)
    exchanged = np.diff(soma, prepend=soma[:1]) - bought
    return np.asarray(debt.issued.sum(axis=1) - debt.redeemed.sum(axis=1) - exchanged)
