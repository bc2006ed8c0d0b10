"""The Federal Reserve's balance sheet, on every business day: reserve balances are the residual.

Whole USD mn throughout, so that assets equal liabilities to the dollar in each table that reports
them. SOMA's Treasuries and the TGA come from `debt`; the rest is a trend, a season and a noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liquidity_pipeline.sandbox import days, policy
from liquidity_pipeline.sandbox.days import FloatArray, IntArray
from liquidity_pipeline.sandbox.debt import DebtRecord
from liquidity_pipeline.sandbox.draws import mean_reverting, normal
from liquidity_pipeline.sandbox.episodes import FOREIGN_REPO, Episode, ramp

REVERSE_REPO_FACILITY = days.day(2013, 9, 23)
# Reserve balances plus ON RRP beyond this share of bank assets flow to the reverse repo facility.
_SATIATION, _SATIATION_WIDTH = 0.150, 0.004
_SHARE_TO_FACILITY = 0.75
_MBS_START = 620_000
# Levels in the base year, USD mn.
_CURRENCY, _OTHER_ASSETS, _FOREIGN_REPO, _OTHER_LIABILITIES = 2_450_000, 330_000, 330_000, 400_000
_INFLATION_COMPENSATION = 109_000
_LOANS_OF_BANK_ASSETS = 0.53


@dataclass(frozen=True)
class BalanceSheet:
    """Close-of-day balances on Federal Reserve business days, USD mn.

    Assets: `treasuries` (inflation compensation included), `mbs`, `repos`, `swaps`,
    `other_assets`. Liabilities: `currency`, `on_rrp`, `foreign_rrp`, `tga`, `other_liabilities`,
    `reserves`. Capital is among the other liabilities, which H.4.1 takes apart.
    """

    days: IntArray
    treasuries: IntArray
    inflation_compensation: IntArray
    mbs: IntArray
    repos: IntArray
    swaps: IntArray
    other_assets: IntArray
    currency: IntArray
    on_rrp: IntArray
    foreign_rrp: IntArray
    tga: IntArray
    other_liabilities: IntArray
    reserves: IntArray

    @property
    def total_assets(self) -> IntArray:
        """Sum the assets."""
        return self.treasuries + self.mbs + self.repos + self.swaps + self.other_assets

    @property
    def foreign_official(self) -> IntArray:
        """Deposits of foreign official accounts, a part of the other liabilities."""
        return self.other_liabilities // 40

    @property
    def deposits(self) -> IntArray:
        """All deposits: reserve balances, Treasury's, foreign official, and those of others."""
        others = self.other_liabilities * 45 // 100
        return self.reserves + self.tga + self.foreign_official + others

    @property
    def total_liabilities(self) -> IntArray:
        """All liabilities: total assets less capital."""
        return self.total_assets - self.other_liabilities * 11 // 100

    @property
    def primary_credit(self) -> IntArray:
        """Discount window loans, a part of the other assets."""
        return self.other_assets // 60

    def drains(self) -> dict[str, IntArray]:
        """Split the fall of reserve balances on each day by component, USD mn.

        A rise of a liability drains, a rise of an asset adds; the components sum to
        `drain_reserves` exactly. The first day has no change.
        """
        change = {
            "d_tga": _change(self.tga),
            "d_rrp": _change(self.on_rrp + self.foreign_rrp),
            "d_currency": _change(self.currency),
            "d_other": _change(self.other_liabilities),
            "d_fed_assets": -_change(self.total_assets),
        }
        return change | {"drain_reserves": -_change(self.reserves)}


@dataclass(frozen=True)
class Weekly:
    """A balance in the weeks of H.4.1: Wednesdays, their levels and their Thursday averages."""

    wednesdays: IntArray
    level: IntArray
    average: IntArray


def liquidity_before_repos(
    seed: int, fed_days: IntArray, debt: DebtRecord, episodes: list[Episode]
) -> BalanceSheet:
    """Build the balance sheet with no repo outstanding: `funding` then lends against scarcity."""
    growth = policy.growth(fed_days)
    inflation = _whole(_INFLATION_COMPENSATION * growth)
    treasuries = debt.soma.sum(axis=1) + inflation
    mbs = _mortgage_securities(fed_days)
    swaps = _whole(150 + 60 * np.abs(normal(seed, "swaps", len(fed_days))))
    other_assets = _whole(_OTHER_ASSETS * growth)
    currency = _whole(_CURRENCY * growth * (1 + _currency_season(seed, fed_days)))
    foreign = _FOREIGN_REPO * growth * (1 + 0.012 * _slow_noise(seed, "foreign repo", fed_days))
    foreign_rrp = _whole(foreign + ramp(episodes, fed_days, FOREIGN_REPO))
    other = _OTHER_LIABILITIES * growth * (1 + 0.01 * _slow_noise(seed, "other", fed_days))
    other_liabilities = _whole(other) + inflation
    assets = treasuries + mbs + swaps + other_assets
    free = assets - currency - foreign_rrp - other_liabilities - debt.tga_close
    on_rrp = _reverse_repo(seed, fed_days, _whole(free + ramp(episodes, fed_days)))
    return BalanceSheet(
        fed_days, treasuries, inflation, mbs, np.zeros_like(mbs), swaps, other_assets, currency,
        on_rrp, foreign_rrp, debt.tga_close, other_liabilities, free - on_rrp,
    )  # fmt: skip


def bank_assets(fed_days: IntArray) -> FloatArray:
    """Return the banks' total assets that reserve balances are measured against, USD mn."""
    return policy.BANK_ASSETS_USD_MN * policy.growth(fed_days)


def bank_loans(seed: int, fed_days: IntArray) -> FloatArray:
    """Return the banks' loans and leases, USD mn: a share of their assets that moves by itself.

    It does not answer to drains: an estimate that says it does has found chance.
    """
    share = _LOANS_OF_BANK_ASSETS * (1 + 0.004 * _slow_noise(seed, "bank loans", fed_days))
    return np.asarray(share * bank_assets(fed_days))


def softplus(x: FloatArray) -> FloatArray:
    """Return a smooth maximum of zero and x."""
    return np.logaddexp(0.0, x)


def weekly(fed_days: IntArray, balance: IntArray) -> Weekly:
    """Report a daily balance as H.4.1 does: Wednesday level, average of Thursday to Wednesday.

    Days without business carry the last balance; averages are rounded to whole USD mn.
    """
    calendar = np.arange(fed_days[0], fed_days[-1] + 1)
    carried = balance[np.searchsorted(fed_days, calendar, side="right") - 1]
    first = int(np.argmax((calendar + 3) % 7 == days.WEDNESDAY))
    ends = np.arange(first if first >= 6 else first + 7, len(calendar), 7)
    totals = np.concatenate([[0], np.cumsum(carried)])
    average = np.rint((totals[ends + 1] - totals[ends - 6]) / 7).astype(np.int64)
    return Weekly(calendar[ends], carried[ends], average)


def _reverse_repo(seed: int, fed_days: IntArray, free: IntArray) -> IntArray:
    """Take-up of the facility: what the banks do not want, and window dressing at quarter-end."""
    banks = bank_assets(fed_days)
    beyond = _SATIATION_WIDTH * softplus((free / banks - _SATIATION) / _SATIATION_WIDTH)
    noise = np.exp(0.25 * normal(seed, "reverse repo", len(fed_days)))
    start_up = np.clip((fed_days - REVERSE_REPO_FACILITY) / 900, 0, 1)
    take_up = start_up * _SHARE_TO_FACILITY * beyond * banks
    take_up = take_up + (1500 + 45_000 * quarter_end(fed_days)) * noise
    open_days = (fed_days >= REVERSE_REPO_FACILITY) & np.array(
        [days.is_sifma(d) for d in fed_days.tolist()]
    )
    # On a day without an operation the last one is still outstanding.
    last = np.maximum.accumulate(np.where(open_days, np.arange(len(fed_days)), 0))
    return np.asarray(np.where(fed_days >= REVERSE_REPO_FACILITY, _whole(take_up)[last], 0))


def quarter_end(fed_days: IntArray) -> FloatArray:
    """Mark the last business day of each quarter with one, all others with zero."""
    month = fed_days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    last = np.append(month[1:] != month[:-1], False)
    return np.asarray((last & (month % 3 == 2)).astype(float))


def _mortgage_securities(fed_days: IntArray) -> IntArray:
    """Agency principal is paid once a month, on the first business day from the 20th on."""
    holding, out, month = _MBS_START, [], -1
    for day in fed_days.tolist():
        when = days.date_of(day)
        if when.month != month and when.day >= 20:
            holding -= policy.phase_at(day).mbs_paydown
            month = when.month
        out.append(holding)
    return np.array(out)


def _currency_season(seed: int, fed_days: IntArray) -> FloatArray:
    year_part = (fed_days % 365.25) / 365.25
    season = 0.004 * np.cos(2 * np.pi * (year_part - 0.98))
    return np.asarray(season + 0.0006 * _slow_noise(seed, "currency", fed_days))


def _slow_noise(seed: int, name: str, fed_days: IntArray) -> FloatArray:
    """Draw a mean-reverting noise of about three standard units' width."""
    return mean_reverting(normal(seed, name, len(fed_days)), 0.95)


def _whole(values: FloatArray) -> IntArray:
    return np.rint(values).astype(np.int64)


def _change(values: IntArray) -> IntArray:
    return np.diff(values, prepend=values[:1])
