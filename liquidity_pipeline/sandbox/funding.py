"""Repo and money-market rates, and the Desk's repo and reverse repo operations.

Spreads to IORB answer to scarcity: the same settlement moves them more when reserve balances are
low against bank assets (Afonso and others, NY Fed Staff Report 1019). The coefficients are public
in `truth`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from liquidity_pipeline.sandbox import days, policy
from liquidity_pipeline.sandbox.balance_sheet import (
    BalanceSheet,
    bank_assets,
    quarter_end,
    softplus,
)
from liquidity_pipeline.sandbox.days import BoolArray, FloatArray, IntArray
from liquidity_pipeline.sandbox.draws import mean_reverting, normal

STANDING_REPO_FACILITY = days.day(2021, 7, 29)
FIRST_DAY = {
    "SOFR": days.day(2018, 4, 2),
    "TGCR": days.day(2018, 4, 2),
    "BGCR": days.day(2018, 4, 2),
    "OBFR": days.day(2016, 3, 1),
    "EFFR": days.day(2000, 7, 3),
}
PERCENTILES = (1, 25, 75, 99)
# Basis points: a constant, and per unit of what moves the spread, alone and when scarce.
COEFFICIENTS = {
    "base_bp": -9.0,
    "scarcity_bp": 7.0,
    "settlement_bp_per_100bn": 1.5,
    "settlement_when_scarce_bp_per_100bn": 4.0,
    "quarter_end_bp": 7.0,
    "quarter_end_when_scarce_bp": 8.0,
    "tax_day_bp": 2.5,
    "tax_day_when_scarce_bp": 4.0,
    "noise_bp": 0.9,
}
SCARCE_BELOW = 0.125  # reserve balances over bank assets
# What a unit of scarcity adds to unsecured rates, basis points, and the scarcity that adds most.
_UNSECURED_BP, _MOST_SCARCE = 2.0, 3.0
_SCARCITY_UNIT = 0.01


@dataclass(frozen=True)
class Funding:
    """Reference rates on business days, %, and volumes, USD bn; keyed by rate.

    `percentiles` has the columns `PERCENTILES`; `secured` marks the days with repo rates.
    `repo_morning` and `repo_afternoon` are standing repo take-up, USD mn.
    """

    days: IntArray
    secured: BoolArray
    rate: dict[str, FloatArray]
    percentiles: dict[str, FloatArray]
    volume: dict[str, IntArray]
    scarcity: FloatArray
    repo_morning: IntArray
    repo_afternoon: IntArray


def fund(seed: int, sheet: BalanceSheet, settlement: IntArray) -> tuple[BalanceSheet, Funding]:
    """Price overnight money and lend through the standing repo facility.

    `settlement` is the public's net settlement of Treasuries on each day, USD mn. Returns the
    balance sheet with repos outstanding, and the rates.
    """
    scarcity = softplus((SCARCE_BELOW - sheet.reserves / bank_assets(sheet.days)) / _SCARCITY_UNIT)
    spread = _secured_spread(seed, sheet.days, scarcity, settlement)
    secured = np.array([days.is_sifma(d) for d in sheet.days.tolist()])
    lent = _take_up(seed, sheet.days, spread, secured)
    morning = np.rint(lent * 0.4).astype(np.int64)
    afternoon = lent - morning
    repos = _outstanding(lent, secured)
    sheet = replace(sheet, repos=repos, reserves=sheet.reserves + repos)
    rate, width = _rates(seed, sheet.days, spread, scarcity)
    percentiles = {name: _percentiles(rate[name], width[name]) for name in rate}
    volume = _volumes(seed, sheet.days)
    return sheet, Funding(
        sheet.days, secured, rate, percentiles, volume, scarcity, morning, afternoon
    )


def demand_elasticity(scarcity: FloatArray) -> FloatArray:
    """Return the slope of unsecured rates in reserves, basis points per 1 % of bank assets.

    It follows from `_rates`: scarcity is softplus of the distance to SCARCE_BELOW in units of 1 %,
    whose slope there is exp(-scarcity) - 1, until more scarcity adds nothing.
    """
    slope = _UNSECURED_BP * np.expm1(-scarcity)
    return np.where(scarcity < _MOST_SCARCE, slope, 0.0)


def _secured_spread(
    seed: int, fed_days: IntArray, scarcity: FloatArray, settlement: IntArray
) -> FloatArray:
    """Return SOFR less IORB, bp."""
    c = COEFFICIENTS
    settled = np.clip(settlement / 100_000, -1.5, 2.5)
    ends, taxes = quarter_end(fed_days), _tax_days(fed_days)
    noise = mean_reverting(c["noise_bp"] * normal(seed, "repo spread", len(fed_days)), 0.7)
    return np.asarray(
        c["base_bp"]
        + c["scarcity_bp"] * scarcity
        + (c["settlement_bp_per_100bn"] + c["settlement_when_scarce_bp_per_100bn"] * scarcity)
        * settled
        + (c["quarter_end_bp"] + c["quarter_end_when_scarce_bp"] * scarcity) * ends
        + (c["tax_day_bp"] + c["tax_day_when_scarce_bp"] * scarcity) * taxes
        + noise
    )


def _tax_days(fed_days: IntArray) -> FloatArray:
    """Mark the business days on which quarterly taxes are paid."""
    marks = np.zeros(len(fed_days))
    for row, day in enumerate(fed_days.tolist()):
        when = days.date_of(day)
        if when.month in (4, 6, 9, 12) and when.day in range(15, 19):
            marks[row] = float(days.on_or_after(day - when.day + 15) == day)
    return marks


def _take_up(seed: int, fed_days: IntArray, spread: FloatArray, secured: BoolArray) -> IntArray:
    """Lend when repo trades near the facility's rate, ten basis points above IORB."""
    eager = softplus((spread - 9.0) / 1.5)
    noise = np.exp(0.4 * normal(seed, "standing repo", len(fed_days)))
    lent = np.where((fed_days >= STANDING_REPO_FACILITY) & secured, 1500 * eager * noise, 0.0)
    lent = np.where(lent < 300, 0.0, lent)
    return np.rint(np.minimum(lent, 240_000)).astype(np.int64)


def _outstanding(lent: IntArray, secured: BoolArray) -> IntArray:
    """Carry the last operation over a day that has none."""
    last = np.maximum.accumulate(np.where(secured, np.arange(len(lent)), 0))
    return lent[last]


def _rates(
    seed: int, fed_days: IntArray, spread: FloatArray, scarcity: FloatArray
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Return each rate in % and half the width of its distribution in bp."""
    base = policy.policy_rate(fed_days)
    floor = policy.reverse_repo_rate(fed_days) - 0.02
    tight = normal(seed, "unsecured", len(fed_days))
    unsecured = -7.0 + _UNSECURED_BP * np.clip(scarcity, 0, _MOST_SCARCE) + 0.3 * tight
    gaps = {
        "SOFR": spread,
        "TGCR": spread - 2.0 - 0.5 * np.abs(normal(seed, "TGCR", len(fed_days))),
        "BGCR": spread - 1.6 - 0.4 * np.abs(normal(seed, "BGCR", len(fed_days))),
        "EFFR": unsecured,
        "OBFR": unsecured - 0.4,
    }
    rate = {
        name: np.asarray(np.round(np.maximum(base + gap / 100, floor), 2), dtype=np.float64)
        for name, gap in gaps.items()
    }
    stress = np.maximum(spread - COEFFICIENTS["base_bp"], 0)
    width = dict.fromkeys(("SOFR", "TGCR", "BGCR"), 2.0 + 0.25 * stress)
    return rate, width | {name: np.full(len(fed_days), 1.5) for name in ("EFFR", "OBFR")}


def _percentiles(rate: FloatArray, half_width_bp: FloatArray) -> FloatArray:
    """Spread the volume around the rate; the 99th percentile reaches furthest."""
    steps = np.array([-2.2, -0.6, 0.9, 3.0])
    return np.asarray(np.round(rate[:, None] + half_width_bp[:, None] / 100 * steps, 2))


def _volumes(seed: int, fed_days: IntArray) -> dict[str, IntArray]:
    growth = policy.growth(fed_days)
    levels = {"SOFR": 2950, "BGCR": 1240, "TGCR": 1190, "EFFR": 108, "OBFR": 220}
    return {
        name: np.rint(
            level * growth * np.exp(0.03 * normal(seed, f"{name} volume", len(fed_days)))
        ).astype(np.int64)
        for name, level in levels.items()
    }
