"""Treasury's buyback programme: which operations are held on a day, and what each one buys.

Liquidity support every Wednesday in old long bonds, a test of systems twice a year, and cash
management in short notes in the weeks before a tax date. Bonds and notes are bought from the public
only. When they settle, and what that does to cash and debt, is in `debt`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from liquidity_pipeline.sandbox import days

SINCE = days.day(2024, 5, 29)


@dataclass(frozen=True)
class Line:
    """A kind of operation. `usual` and `step` size it, `maximum` bounds it; par in USD mn.

    `opens` is New York's time of day; `near` and `far` are days to maturity.
    """

    operation_type: str
    security_type: str
    bucket: str
    opens: tuple[int, int]
    near: int
    far: int
    usual: int
    step: int
    maximum: int
    price: float


LONG_BONDS = Line(
    "Liquidity Support", "Nominal Coupons", "20Y to 30Y", (13, 40), 20 * 365, 29 * 365,
    2000, 500, 3000, 78.0,
)  # fmt: skip
SMALL_VALUE = Line(
    "Small Value", "Nominal Coupons", "20Y to 30Y", (10, 30), 20 * 365, 29 * 365, 25, 0, 25, 78.0
)
# How an operation's amount is spread over the securities it buys, in tenths.
_SPREAD = (4, 3, 2, 1)


@dataclass(frozen=True)
class Purchase:
    """What an operation buys of one security (a row of the auctions), par and cash in USD mn."""

    row: int
    par: int
    cash: int
    price: float


@dataclass(frozen=True)
class Buyback:
    """One operation: what was eligible, offered and bought; par in USD mn."""

    line: Line
    operated: int
    settles: int
    eligible: tuple[int, ...]
    offered: int
    purchases: tuple[Purchase, ...]

    @property
    def par(self) -> int:
        """Par bought, USD mn."""
        return sum(purchase.par for purchase in self.purchases)

    @property
    def cash(self) -> int:
        """Cash paid, USD mn."""
        return sum(purchase.cash for purchase in self.purchases)


def held_on(operated: int) -> list[Line]:
    """Return the operations of a day, in the order in which they open."""
    if days.weekday(operated) != days.WEDNESDAY:
        return []
    when = days.date_of(operated)
    test = when.month in (3, 9) and when.day <= 7
    return [SMALL_VALUE, LONG_BONDS] if test else [LONG_BONDS]


def buy(line: Line, operated: int, settles: int, eligible: Sequence[int], draw: float) -> Buyback:
    """Fill an operation from its eligible securities; `draw` is a standard normal number."""
    total = min(int(line.usual + line.step * min(max(round(draw), -2), 2)), line.maximum)
    chosen = sorted(
        {(operated // 7 + k * max(1, len(eligible) // 4)) % len(eligible) for k in range(4)}
    )
    tenths = _SPREAD[: len(chosen)]
    parts = [total * tenth // sum(tenths) for tenth in tenths]
    parts[0] += total - sum(parts)
    purchases = [
        _purchase(line, eligible[place], par) for place, par in zip(chosen, parts, strict=True)
    ]
    kept = tuple(purchase for purchase in purchases if purchase.par)
    return Buyback(line, operated, settles, tuple(eligible), total * 4 + 137, kept)


def _purchase(line: Line, row: int, par: int) -> Purchase:
    price = round(line.price + row % 7 / 8, 3)
    return Purchase(row, par, round(par * price / 100), price)
