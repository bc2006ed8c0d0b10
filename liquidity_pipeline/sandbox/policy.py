"""Facts the simulated economy takes from the world: policy rates, the Fed's programme, growth.

All are public facts or plain assumptions, dated; nothing here is drawn at random.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from liquidity_pipeline.sandbox import days
from liquidity_pipeline.sandbox.days import FloatArray, IntArray

# The world begins a year before the first Daily Treasury Statement, so that the first served day
# starts from settled balances; Treasury's debt reaches back as far as its longest bond.
FIRST_STATEMENT = days.day(2005, 10, 3)
WORLD_START = days.day(2004, 10, 1)
LONGEST_BOND_YEARS = 30
GROWTH_PER_YEAR = 0.05  # of nominal debt, cash flows, currency and bank assets
BASE_YEAR = 2026.0
BANK_ASSETS_USD_MN = 24_500_000  # in the base year
TGA_TARGET_USD_MN = 850_000  # in the base year

# Interest on reserve balances (before 2008-10-09 the target rate), % by effective date.
_POLICY_RATE = [
    ((2003, 6, 25), 1.00), ((2004, 12, 14), 2.25), ((2005, 6, 30), 3.25), ((2006, 6, 29), 5.25),
    ((2007, 9, 18), 4.75), ((2008, 1, 30), 3.00), ((2008, 10, 9), 1.00), ((2008, 12, 17), 0.25),
    ((2015, 12, 17), 0.50), ((2016, 12, 15), 0.75), ((2017, 3, 16), 1.00), ((2017, 6, 15), 1.25),
    ((2017, 12, 14), 1.50), ((2018, 3, 22), 1.75), ((2018, 6, 14), 1.95), ((2018, 9, 27), 2.20),
    ((2018, 12, 20), 2.40), ((2019, 5, 2), 2.35), ((2019, 8, 1), 2.10), ((2019, 9, 19), 1.80),
    ((2019, 10, 31), 1.55), ((2020, 1, 30), 1.60), ((2020, 3, 4), 1.10), ((2020, 3, 16), 0.10),
    ((2021, 6, 17), 0.15), ((2022, 3, 17), 0.40), ((2022, 5, 5), 0.90), ((2022, 6, 16), 1.65),
    ((2022, 7, 28), 2.40), ((2022, 9, 22), 3.15), ((2022, 11, 3), 3.90), ((2022, 12, 15), 4.40),
    ((2023, 2, 2), 4.65), ((2023, 3, 23), 4.90), ((2023, 5, 4), 5.15), ((2023, 7, 27), 5.40),
    ((2024, 9, 19), 4.90), ((2024, 11, 8), 4.65), ((2024, 12, 19), 4.40), ((2025, 9, 18), 4.15),
    ((2025, 10, 30), 3.90), ((2025, 12, 11), 3.65), ((2026, 9, 17), 3.90),
]  # fmt: skip
_RATE_DAYS = [days.day(*when) for when, _ in _POLICY_RATE]
_RATE_VALUES = np.array([rate for _, rate in _POLICY_RATE])
INTEREST_ON_EXCESS_RESERVES = days.day(2008, 10, 9)
INTEREST_ON_RESERVE_BALANCES = days.day(2021, 7, 29)


@dataclass(frozen=True)
class Phase:
    """One phase of the Fed's programme; amounts in USD mn a month."""

    start: int
    coupon_purchases: int
    bill_purchases: int
    redemption_cap: int
    mbs_paydown: int


# Reserve management purchases and their sizes from December 2025 are the published ones
# (bill purchases include the reinvested principal of mortgage securities); earlier phases are a
# plain stand-in for purchases, run-off, purchases, run-off.
PROGRAMME = [
    Phase(days.day(1900, 1, 1), 15_500, 2_000, 0, -12_000),
    Phase(days.day(2017, 10, 1), 0, 0, 22_000, 12_000),
    Phase(days.day(2019, 10, 1), 46_000, 6_000, 0, -18_000),
    Phase(days.day(2022, 6, 1), 0, 0, 20_000, 15_000),
    Phase(days.day(2025, 12, 1), 0, 54_000, 0, 15_000),
    Phase(days.day(2026, 4, 1), 0, 40_000, 0, 15_000),
    Phase(days.day(2026, 5, 1), 0, 26_500, 0, 15_000),
]
_PHASE_DAYS = [phase.start for phase in PROGRAMME]


def policy_rate(when: IntArray) -> FloatArray:
    """Return interest on reserve balances in force on each day, %."""
    return np.asarray(_RATE_VALUES[np.searchsorted(_RATE_DAYS, when, side="right") - 1])


def target_range(when: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return both ends of the federal funds target range, %: the quarter point around IORB."""
    lower = np.floor((policy_rate(when) - 0.001) / 0.25) * 0.25
    return lower, lower + 0.25


def reverse_repo_rate(when: IntArray) -> FloatArray:
    """Return the ON RRP offering rate, %: the range's bottom, 5 bp above it from 2021 to 2024."""
    lower, _ = target_range(when)
    lifted = (when >= days.day(2021, 6, 17)) & (when < days.day(2024, 12, 19))
    return np.asarray(lower + np.where(lifted, 0.05, 0.0))


def phase_at(when: int) -> Phase:
    """Return the phase of the Fed's programme on a day."""
    return PROGRAMME[bisect_right(_PHASE_DAYS, when) - 1]


def growth(when: IntArray) -> FloatArray:
    """Return the size of the nominal economy relative to the base year."""
    years = 1970.0 + when / 365.25 - BASE_YEAR
    return np.exp(GROWTH_PER_YEAR * years)
