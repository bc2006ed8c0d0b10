"""Treasury's receipts and outlays by category, with their seasons; no debt, which is in `debt`.

The rows are those of Daily Treasury Statement Table II, fewer of them. Amounts are whole USD mn,
so that sums of rows are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from liquidity_pipeline.sandbox import days, policy
from liquidity_pipeline.sandbox.days import FRIDAY, WEDNESDAY, FloatArray, IntArray
from liquidity_pipeline.sandbox.draws import normal
from liquidity_pipeline.sandbox.episodes import TAX_DATE, Episode, ramp

# Yearly amounts are in USD bn of the base year. A season is a list of (what, share of the year).
_CORPORATE_DATES = [("15 of 4 6 9 12", 0.65), ("daily", 0.35)]
DEPOSITS: dict[str, tuple[float, list[tuple[str, float]]]] = {
    "Taxes - Withheld Individual/FICA": (3450, [("payroll", 0.75), ("15", 0.12), ("end", 0.13)]),
    "Taxes - Non Withheld Ind/SECA Electronic": (
        930, [("15 of 4", 0.26), ("15 of 1 6 9", 0.28), ("daily", 0.46)]
    ),
    "Taxes - Corporate Income": (500, _CORPORATE_DATES),
    "Taxes - Miscellaneous Excise": (110, [("15", 0.4), ("end", 0.4), ("daily", 0.2)]),
    "DHS - Customs Duties, Taxes, and Fees": (290, [("22", 0.7), ("daily", 0.3)]),
    "HHS - Medicare Premiums": (165, [("3", 0.6), ("daily", 0.4)]),
    "Dept of Education (ED)": (60, [("daily", 1.0)]),
    "DOI - Gas and Oil Lease Sales Proceeds": (16, [("end", 0.8), ("daily", 0.2)]),
    "DOL - Unemployment Benefits": (55, [("15", 0.2), ("daily", 0.8)]),
    "Federal Reserve Earnings": (6, [("wednesdays", 1.0)]),
    "United States Postal Service (USPS)": (75, [("daily", 1.0)]),
    "Unclassified - Deposits": (45, [("daily", 1.0)]),
}  # fmt: skip
WITHDRAWALS: dict[str, tuple[float, list[tuple[str, float]]]] = {
    "SSA - Benefits Payments": (1600, [("3 before", 0.34), ("benefits", 0.66)]),
    "SSA - Supplemental Security Income": (66, [("1 before", 1.0)]),
    "HHS - Federal Supple Med Insr Trust Fund": (620, [("1 before", 0.45), ("daily", 0.55)]),
    "HHS - Federal Hospital Insr Trust Fund": (480, [("1 before", 0.35), ("daily", 0.65)]),
    "HHS - Grants to States for Medicaid": (700, [("daily", 1.0)]),
    "Interest on Treasury Securities": (
        980, [("15 of 2 5 8 11", 0.36), ("15", 0.19), ("end", 0.45)]
    ),
    "Dept of Defense (DoD) - misc": (310, [("daily", 1.0)]),
    "DoD - Military Active Duty Pay": (120, [("1 before", 0.5), ("15 before", 0.5)]),
    "Federal Salaries (EFT)": (250, [("fridays", 1.0)]),
    "VA - Benefits": (200, [("1 before", 0.9), ("daily", 0.1)]),
    "Dept of Education (ED)": (210, [("daily", 1.0)]),
    "Taxes - Individual Tax Refunds (EFT)": (340, [("refunds", 0.85), ("daily", 0.15)]),
    "OPM - Civil Serv Retirement & Disability": (110, [("1 before", 1.0)]),
    "USDA - Supplemental Nutrition Assist Program (SNAP)": (105, [("daily", 1.0)]),
    "Dept of Transportation (DOT)": (115, [("daily", 1.0)]),
    "Dept of Homeland Security (DHS) - misc": (110, [("daily", 1.0)]),
    "United States Postal Service (USPS)": (80, [("daily", 1.0)]),
    "Unclassified": (480, [("daily", 1.0)]),
}  # fmt: skip
_EPISODE_DEPOSIT = "Taxes - Corporate Income"
_RESIDUAL = "Unclassified"
_NOISE = 0.09
# Seasons are scaled over these days, whatever the length of the world.
_SCALE_YEARS = 20


@dataclass(frozen=True)
class CashFlows:
    """Treasury's cash apart from its debt, on Federal Reserve business days, USD mn.

    `deposits` and `withdrawals` have one column per name; `expected` is what Treasury's cash
    managers foresee of deposits less withdrawals: the season without the noise and the episodes.
    """

    deposit_names: list[str]
    deposits: IntArray
    withdrawal_names: list[str]
    withdrawals: IntArray
    expected: FloatArray


def cash_flows(
    seed: int, fed_days: IntArray, episodes: list[Episode], deficit: FloatArray
) -> CashFlows:
    """Draw receipts and outlays for every Federal Reserve business day.

    `deficit` is what the budget is short of on a usual day, USD mn: unclassified outlays make up
    the difference to the other categories' average of the past year.
    """
    season = _Season(fed_days)
    growth = policy.growth(fed_days)[:, None]
    means_in = np.column_stack([season.of(*item) for item in DEPOSITS.values()]) * growth
    means_out = np.column_stack([season.of(*item) for item in WITHDRAWALS.values()]) * growth
    other = trailing_year(means_in.sum(axis=1) - means_out.sum(axis=1))
    residual = list(WITHDRAWALS).index(_RESIDUAL)
    means_out[:, residual] = np.maximum(means_out[:, residual] + deficit + other, 0)
    deposits = means_in * _noise(seed, "deposits", means_in)
    withdrawals = means_out * _noise(seed, "withdrawals", means_out)
    extra = np.diff(ramp(episodes, fed_days, TAX_DATE), prepend=0.0)
    deposits[:, list(DEPOSITS).index(_EPISODE_DEPOSIT)] += np.maximum(extra, 0)
    withdrawals[:, residual] -= np.minimum(extra, 0)
    return CashFlows(
        list(DEPOSITS),
        np.rint(deposits).astype(np.int64),
        list(WITHDRAWALS),
        np.rint(withdrawals).astype(np.int64),
        means_in.sum(axis=1) - means_out.sum(axis=1),
    )


def trailing_year(values: FloatArray) -> FloatArray:
    """Return the average of the past 250 business days; of the first 250 while there are fewer."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    out = (sums[250:] - sums[:-250]) / 250
    early = np.full(len(values) - len(out), out[0])
    return np.asarray(np.concatenate([early, out]))


def _noise(seed: int, name: str, means: FloatArray) -> FloatArray:
    draws = normal(seed, name, len(means), means.shape[1])
    return np.asarray(np.exp(_NOISE * draws - _NOISE**2 / 2))


class _Season:
    """Weights of the business days: what is paid on the 15th, at month-end, on Wednesdays."""

    def __init__(self, fed_days: IntArray) -> None:
        self.days = fed_days
        dates = [days.date_of(d) for d in fed_days.tolist()]
        self.month = np.array([d.month for d in dates])
        self.year_months = sorted({(d.year, d.month) for d in dates})
        self.weekday = (fed_days + 3) % 7
        self.scale_days = int(np.searchsorted(fed_days, fed_days[0] + 365.25 * _SCALE_YEARS))

    def of(self, yearly_usd_bn: float, parts: list[tuple[str, float]]) -> FloatArray:
        """Spread a yearly amount over the business days; USD mn."""
        total = np.zeros(len(self.days))
        for what, share in parts:
            weights = self._weights(what)
            per_year = weights[: self.scale_days].sum() / _SCALE_YEARS
            total += yearly_usd_bn * 1000 * share * weights / per_year
        return total

    def _weights(self, what: str) -> FloatArray:
        simple = {
            "daily": np.ones(len(self.days)),
            "payroll": np.array([1.25, 0.7, 1.2, 0.8, 1.05, 0, 0])[self.weekday],
            "wednesdays": (self.weekday == WEDNESDAY).astype(float),
            "fridays": ((self.weekday == FRIDAY) & (self.days // 7 % 2 == 0)).astype(float),
            "refunds": self._refunds(),
        }
        if what in simple:
            return np.asarray(simple[what])
        weights = np.zeros(len(self.days))
        for nominal, before in self._nominal_days(what):
            side: Literal["left", "right"] = "right" if before else "left"
            row = int(np.searchsorted(self.days, np.int64(nominal), side=side)) - before
            if 0 <= row < len(weights):
                weights[row] += 1
        return weights

    def _refunds(self) -> FloatArray:
        """Tax refunds: Wednesdays and Fridays from mid-February to the end of April."""
        by_month = np.array([0, 0.1, 1.1, 1.0, 0.8, 0.2] + [0.05] * 7)[self.month]
        paid = (self.weekday == WEDNESDAY) | (self.weekday == FRIDAY)
        return np.asarray(by_month * paid)

    def _nominal_days(self, what: str) -> list[tuple[int, int]]:
        """Return (calendar day, 1 if it moves to the business day before, else 0)."""
        which, *rest = what.split()
        months = {int(m) for m in rest[1:]} if rest[:1] == ["of"] else set(range(1, 13))
        before = int(rest[:1] == ["before"])
        out = []
        for year, month in self.year_months:
            if month not in months:
                continue
            if which == "end":
                out.append((days.month_end(days.day(year, month, 1)), 0))
            elif which == "benefits":
                out += [(days.nth_weekday(year, month, WEDNESDAY, n), 0) for n in (2, 3, 4)]
            else:
                out.append((days.day(year, month, int(which)), before))
        return out
