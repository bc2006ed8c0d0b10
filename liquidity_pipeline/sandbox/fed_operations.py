"""The Desk's outright operations: the monthly programme, and which securities each one buys.

Purchases move reserve balances on their settlement day (T+1), not on the operation day. Reverse
repos and repos are in `funding`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import chain

from liquidity_pipeline.sandbox import days, policy
from liquidity_pipeline.sandbox.days import IntArray
from liquidity_pipeline.sandbox.draws import stream

BILL_PURCHASE = "Outright Bill Purchase"
COUPON_PURCHASE = "Outright Coupon Purchase"
COUPON_SALE = "Outright Coupon Sale"
_SMALL_VALUE_USD_MN = 50  # the Desk's exercises, twice a year, a sale
_BILL_SECTORS = ((32, 120), (121, 364))  # days to maturity: the near one takes the larger lots
_COUPON_SECTOR = (730, 3650)


@dataclass(slots=True)
class Operation:
    """One outright operation; amounts in USD mn, `fills` are (auction row of the CUSIP, par)."""

    kind: str
    traded: int
    settles: int
    amount: int
    submitted: int
    maturity_from: int
    maturity_to: int
    fills: list[tuple[int, int]] = field(default_factory=list)

    @property
    def sign(self) -> int:
        """Tell a purchase (+1) from a sale (-1)."""
        return -1 if self.kind == COUPON_SALE else 1

    @property
    def accepted(self) -> int:
        """Sum of the fills, USD mn."""
        return sum(par for _, par in self.fills)


def operations(seed: int, bond_days: IntArray) -> dict[int, list[Operation]]:
    """Plan all operations by operation day; the securities are filled in as time passes.

    Bills are bought on eight days of a month in two maturity sectors, coupons on four.
    """
    draws = stream(seed, "operations")
    out: dict[int, list[Operation]] = {}
    month, in_month = 0, 0
    for day in bond_days.tolist():
        this_month = days.date_of(day).month
        in_month = in_month + 1 if this_month == month else 1
        month = this_month
        phase = policy.phase_at(day)
        cover = 3.0 + 6.0 * draws.random()
        planned = _planned(phase, in_month)
        if in_month == 6 and month in (3, 9):
            planned = [*planned, (COUPON_SALE, _SMALL_VALUE_USD_MN, _COUPON_SECTOR)]
        for kind, amount, (low, high) in planned:
            settles = days.shift(day, 1, days.is_sifma)
            operation = Operation(
                kind, day, settles, amount, int(amount * cover), settles + low, settles + high
            )
            out.setdefault(day, []).append(operation)
    return out


def by_settlement(planned: dict[int, list[Operation]]) -> dict[int, list[Operation]]:
    """Regroup operations from their operation days to their settlement days."""
    out: dict[int, list[Operation]] = defaultdict(list)
    for operation in chain.from_iterable(planned.values()):
        out[operation.settles].append(operation)
    return out


def _planned(phase: policy.Phase, in_month: int) -> list[tuple[str, int, tuple[int, int]]]:
    """Return (kind, amount, maturity sector) for the nth bond-market day of a month."""
    planned = []
    if phase.bill_purchases and in_month in range(3, 19, 2):
        near = in_month % 4 == 3
        share = 0.16 if near else 0.09
        sector = _BILL_SECTORS[0 if near else 1]
        planned.append((BILL_PURCHASE, round(phase.bill_purchases * share), sector))
    if phase.coupon_purchases and in_month in (4, 8, 12, 16):
        planned.append((COUPON_PURCHASE, phase.coupon_purchases // 4, _COUPON_SECTOR))
    return planned
