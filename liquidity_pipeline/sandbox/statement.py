"""The accounts behind the Daily Treasury Statement: what its tables add to the debt record.

Nonmarketable debt is here because only the statement knows it: it turns over hugely and moves no
cash, but for savings securities, whose redemptions equal their sales. Labels and rows are in
`publishers.fiscal_dts`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liquidity_pipeline.sandbox import policy
from liquidity_pipeline.sandbox.days import IntArray
from liquidity_pipeline.sandbox.draws import normal
from liquidity_pipeline.sandbox.economy import Economy

# Levels in the base year, USD mn.
_INTRAGOVERNMENTAL = 7_350_000
_GOVERNMENT_ACCOUNT_TURNOVER = 600_000
_SAVINGS_SALES = 60
_SAVINGS_OUTSTANDING = 255_000
_INFLATION_ACCRUAL_PER_SOMA = 4  # the public's TIPS accrue like SOMA's, which are a quarter


@dataclass(frozen=True)
class Statement:
    """Flows and balances of tables IIIA, IIIB and IIIC on business days, USD mn.

    `marketable_issues` and `marketable_redemptions` have the columns of `debt`; `cash_issues` and
    `cash_redemptions` are the debt rows of Table II: `cash_issues` = all issues - adjustments.
    """

    marketable_issues: IntArray
    marketable_redemptions: IntArray
    inflation_increment: IntArray
    savings: IntArray
    government_account_issues: IntArray
    government_account_redemptions: IntArray
    bill_discount: IntArray
    coupon_discount: IntArray
    buyback_discount: IntArray
    held_by_public: IntArray
    intragovernmental: IntArray
    limit: IntArray

    @property
    def issues(self) -> IntArray:
        """All issues of table IIIA, at face value."""
        other = self.inflation_increment + self.savings + self.government_account_issues
        return np.asarray(self.marketable_issues.sum(axis=1) + other)

    @property
    def redemptions(self) -> IntArray:
        """All redemptions of table IIIA, at face value."""
        other = self.savings + self.government_account_redemptions
        return np.asarray(self.marketable_redemptions.sum(axis=1) + other)

    @property
    def cash_issues(self) -> IntArray:
        """Public debt cash issues of Table II."""
        not_cash = self.inflation_increment + self.government_account_issues
        return self.issues - not_cash - self.bill_discount - self.coupon_discount

    @property
    def cash_redemptions(self) -> IntArray:
        """Public debt cash redemptions of Table II."""
        return self.redemptions - self.government_account_redemptions - self.buyback_discount


def statement(economy: Economy) -> Statement:
    """Build the statement's accounts of a world."""
    debt, growth = economy.debt, policy.growth(economy.days)
    count = len(economy.days)
    turnover = np.exp(0.2 * normal(economy.seed, "government account", count))
    issues = _whole(_GOVERNMENT_ACCOUNT_TURNOVER * growth * turnover)
    intragovernmental = _whole(_INTRAGOVERNMENTAL * growth)
    accrued = _INFLATION_ACCRUAL_PER_SOMA * economy.sheet.inflation_compensation
    increment = np.diff(accrued, prepend=accrued[:1])
    marketable = _outstanding_at_start(economy) + np.cumsum(
        debt.issued.sum(axis=1) - debt.redeemed.sum(axis=1)
    )
    held = marketable + accrued + _SAVINGS_OUTSTANDING
    total = held + intragovernmental
    return Statement(
        debt.issued,
        debt.redeemed,
        increment,
        _whole(_SAVINGS_SALES * growth * (1 + turnover)),
        issues,
        issues - np.diff(intragovernmental, prepend=intragovernmental[:1]),
        debt.discount[:, 0],
        debt.discount[:, 1],
        debt.buyback_discount,
        held,
        intragovernmental,
        _limit(economy, total),
    )


def _outstanding_at_start(economy: Economy) -> int:
    first = economy.days[0]
    sold = [i for i, auction in enumerate(economy.auctions) if auction.issued < first]
    return int((economy.debt.offering[sold] + economy.debt.soma_accepted[sold]).sum())


def _limit(economy: Economy, total: IntArray) -> IntArray:
    """Set the statutory limit again each year, well above the debt: it never binds here."""
    year = economy.days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64)
    first = np.searchsorted(year, year)
    return np.asarray((total[first] * 12 // 10 // 100_000 + 1) * 100_000)


def _whole(values: np.typing.NDArray[np.float64]) -> IntArray:
    return np.rint(values).astype(np.int64)
