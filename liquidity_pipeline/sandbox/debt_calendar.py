"""The debt's calendar as look-ups: what is announced, settles and matures on a day.

Facts that are fixed before a single dollar moves; the moving is done in `debt`.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from liquidity_pipeline.sandbox import days, policy
from liquidity_pipeline.sandbox.days import FloatArray, IntArray
from liquidity_pipeline.sandbox.schedule import Auction

SOMA_SHARE_BEFORE_START = {True: 0.05, False: 0.14}  # of bills, of coupons


class DebtCalendar:
    """Rows of auctions by day (day numbers) and by what can be traded.

    A reopening adds to the security of the first auction: `security` gives the row that represents
    the CUSIP, and maturities are listed by that row. `bills_announced` gives the settlement days
    of the bills announced on a day; `by_redemption` lists (day of redemption, row) of what the
    Desk trades, bills (True) and nominal notes (False).
    """

    def __init__(self, auctions: list[Auction]) -> None:
        first: dict[str, int] = {}
        self.security = [first.setdefault(a.cusip, i) for i, a in enumerate(auctions)]
        self.settling: dict[int, list[int]] = defaultdict(list)
        self.bills_announced: dict[int, list[int]] = defaultdict(list)
        self.maturing: dict[int, list[int]] = defaultdict(list)
        self.coupons_maturing: dict[tuple[int, int], list[int]] = defaultdict(list)
        self.by_redemption: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
        self.long_bonds: list[int] = []
        for i, auction in enumerate(auctions):
            self.settling[auction.issued].append(i)
            if auction.is_bill and auction.issued not in self.bills_announced[auction.announced]:
                self.bills_announced[auction.announced].append(auction.issued)
            if self.security[i] == i:
                self._list_security(i, auction)
        for listed in self.by_redemption.values():
            listed.sort()

    def _list_security(self, i: int, auction: Auction) -> None:
        self.maturing[auction.redeemed].append(i)
        if not auction.is_bill:
            when = days.date_of(auction.redeemed)
            self.coupons_maturing[when.year, when.month].append(i)
        if auction.security_class in {"bill", "note"}:
            self.by_redemption[auction.is_bill].append((auction.redeemed, i))
        if auction.security_class == "bond" and auction.years == 30:
            self.long_bonds.append(i)


def fixed_offering(auction: Auction, growth: float) -> int:
    """Return the size of an auction that does not answer to the cash balance, in whole USD bn."""
    return 1000 * max(1, round(auction.base_size * growth))


def planned_coupons(auctions: list[Auction], fed_days: IntArray) -> FloatArray:
    """Foresee the public's net settlement of coupons and cash management bills, USD mn a day."""
    row_of_day = {d: i for i, d in enumerate(fed_days.tolist())}
    growth = policy.growth(np.array([a.announced for a in auctions])).tolist()
    net = np.zeros(len(fed_days))
    for auction, scale in zip(auctions, growth, strict=True):
        if auction.security_class == "bill":
            continue
        share = 1.0 if auction.is_bill else 1 - SOMA_SHARE_BEFORE_START[False]
        size = fixed_offering(auction, scale)
        if auction.issued in row_of_day:
            net[row_of_day[auction.issued]] += size
        if auction.redeemed in row_of_day:
            net[row_of_day[auction.redeemed]] -= share * size
    return net
