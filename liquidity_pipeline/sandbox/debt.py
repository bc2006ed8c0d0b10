"""Treasury's debt and cash, day by day: what is sold, settled, rolled over, redeemed, bought back.

The one loop of the sandbox: bill sizes answer to the cash balance, the cash balance to what was
settled. All amounts are whole USD mn. SOMA exchanges maturing securities at par for add-ons to the
new ones, less what the Fed redeems under its cap. Wire formats are in `publishers`.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

import numpy as np

from liquidity_pipeline.sandbox import buybacks, days, policy
from liquidity_pipeline.sandbox.buybacks import Buyback, Line
from liquidity_pipeline.sandbox.cash import CashFlows
from liquidity_pipeline.sandbox.days import FloatArray, IntArray
from liquidity_pipeline.sandbox.debt_calendar import (
    SOMA_SHARE_BEFORE_START,
    DebtCalendar,
    fixed_offering,
    planned_coupons,
)
from liquidity_pipeline.sandbox.draws import normal
from liquidity_pipeline.sandbox.fed_operations import Operation, by_settlement
from liquidity_pipeline.sandbox.schedule import BILLS_OUTSTANDING_BN, Auction

# IIIA lines, and the classes of SOMA's holdings.
ISSUE_LINES = ("Bills Regular Series", "Bills Cash Management Series", "Notes", "Bonds")
REDEMPTION_LINES = ("Bills", "Notes", "Bonds")
SOMA_CLASSES = ("bills", "notesbonds", "frn", "tips")

_CASH_CORRECTION = 0.3  # share of the gap to the target that one announcement closes
_BILL_MEMORY = 0.6  # weight of what matures, against the usual size, in a bill offering
_PLENTY = 20_000  # par of a bond below which nothing is bought back, USD mn
_NO_AMOUNT = -1  # an auction that settles after the end of the world


@dataclass
class DebtRecord:
    """What happened to the debt.

    Per auction: arrays in calendar order, USD mn of par, -1 for an offering that is not yet sized.
    Per business day: `issued` and `redeemed` (days x lines of table IIIA), `discount` (par less
    price of new bills, and of new coupons), `soma` (par held at the close, days x `SOMA_CLASSES`)
    and the `tga_close`. `moves` has a row for each change of a security, oldest first: row of the
    business day, row of the auction that represents the CUSIP, what its outstanding par and SOMA's
    holding change by.
    """

    offering: IntArray
    soma_accepted: IntArray
    maturing_public: IntArray
    maturing_soma: IntArray
    issued: IntArray
    redeemed: IntArray
    discount: IntArray
    buyback_discount: IntArray
    soma: IntArray
    tga_close: IntArray
    outstanding: IntArray
    moves: IntArray
    buybacks: list[Buyback] = field(default_factory=list)


class DebtDesk:
    """Runs Treasury's debt management and SOMA's roll-overs through all business days."""

    def __init__(
        self,
        *,
        seed: int,
        fed_days: IntArray,
        auctions: list[Auction],
        prices: FloatArray,
        cash: CashFlows,
        target: FloatArray,
        operations: dict[int, list[Operation]],
    ) -> None:
        count, span = len(auctions), len(fed_days)
        self.fed_days, self.auctions, self.operations = fed_days, auctions, operations
        self.purchases, self.calendar = by_settlement(operations), DebtCalendar(auctions)
        self.row_of_day = {d: i for i, d in enumerate(fed_days.tolist())}
        self.price = prices.tolist()
        self.target, self.expected = target.tolist(), cash.expected.tolist()
        self.net_cash = (cash.deposits.sum(axis=1) - cash.withdrawals.sum(axis=1)).tolist()
        self.growth = policy.growth(np.array([a.announced for a in auctions])).tolist()
        self.growth_of_day = policy.growth(fed_days).tolist()
        self.buyback_size = normal(seed, "buybacks", span)
        self.planned_debt = planned_coupons(auctions, fed_days).tolist()
        # State: what is outstanding, and what SOMA holds of it (with operations yet to settle).
        self.outstanding, self.soma_held = [0] * count, [0] * count
        self.bills_outstanding = 0
        self.soma_now = [0] * len(SOMA_CLASSES)
        self.share_rolled: dict[int, float] = {}
        # Record, see DebtRecord.
        self.offering = _fixed_offerings(auctions, self.growth)
        self.soma_accepted = [0] * count
        self.maturing_public, self.maturing_soma = [0] * count, [0] * count
        self.issued, self.redeemed, self.discount, self.soma = (
            np.zeros((span, columns), dtype=np.int64)
            for columns in (len(ISSUE_LINES), len(REDEMPTION_LINES), 2, len(SOMA_CLASSES))
        )
        self.buyback_discount = np.zeros(span, dtype=np.int64)
        self.buybacks: list[Buyback] = []
        self.moves: list[tuple[int, int, int, int]] = []

    def run(self) -> DebtRecord:
        """Go through all business days and return the record."""
        self._sell_what_was_outstanding()
        balance = round(self.target[0])
        tga_close = np.empty(len(self.fed_days), dtype=np.int64)
        for row, today in enumerate(self.fed_days.tolist()):
            for settles in self.calendar.bills_announced.get(today, ()):
                self._size_bills(row, settles, balance)
            for operation in self.operations.get(today, ()):
                self._fill(operation)
            balance += self.net_cash[row] + self._settle(row, today)
            tga_close[row] = balance
            self.soma[row] = self.soma_now
        return self._record(tga_close)

    def _record(self, tga_close: IntArray) -> DebtRecord:
        return DebtRecord(
            np.array(self.offering), np.array(self.soma_accepted),
            np.array(self.maturing_public), np.array(self.maturing_soma),
            self.issued, self.redeemed, self.discount, self.buyback_discount,
            self.soma, tga_close, np.array(self.outstanding),
            np.array(self.moves), self.buybacks,
        )  # fmt: skip

    def _sell_what_was_outstanding(self) -> None:
        """Set up what was sold, or at least announced, before the first day."""
        for i, auction in enumerate(self.auctions):
            if auction.announced < self.fed_days[0]:
                self.offering[i] = fixed_offering(auction, self.growth[i])
            if auction.issued < self.fed_days[0]:
                soma = round(self.offering[i] * SOMA_SHARE_BEFORE_START[auction.is_bill])
                self._put_out(0, i, self.offering[i], soma)

    def _put_out(self, row: int, i: int, offering: int, soma: int) -> None:
        security = self.calendar.security[i]
        self.moves.append((row, security, offering + soma, soma))
        self.offering[i], self.soma_accepted[i] = offering, soma
        self.outstanding[security] += offering + soma
        self.soma_held[security] += soma
        self.soma_now[_soma_class(self.auctions[i])] += soma
        if self.auctions[i].is_bill:
            self.bills_outstanding += offering + soma

    def _size_bills(self, row: int, settles: int, balance: int) -> None:
        """Choose the bill offerings of one settlement day from the expected cash balance.

        What matures is rolled over, pulled towards the usual size, and corrected by a share of
        the gap between the balance expected two days after settlement and the target.
        """
        regular = [
            i for i in self.calendar.settling[settles] if self.auctions[i].security_class == "bill"
        ]
        ahead = min(self.row_of_day.get(settles, len(self.target)) + 2, len(self.target) - 1)
        expected = balance + sum(self.expected[row : ahead + 1])
        expected += sum(self.planned_debt[row : ahead + 1])
        gap = _CASH_CORRECTION * (self.target[ahead] - expected)
        public = self._maturing(settles, bills=True)[0]
        usual = [self.auctions[i].base_size * 1000 * self.growth[i] for i in regular]
        level = self.bills_outstanding / (1000 * BILLS_OUTSTANDING_BN * self.growth_of_day[row])
        total = _BILL_MEMORY * public + (1 - _BILL_MEMORY) * sum(usual) * level + gap
        total = min(max(total, 0.6 * public), 1.5 * public + 1000)
        for i, size in zip(regular, usual, strict=True):
            self.offering[i] = 1000 * max(1, round(total * size / sum(usual) / 1000))
        if settles in self.row_of_day:
            net = sum(self.offering[i] for i in regular) - public
            self.planned_debt[self.row_of_day[settles]] += net

    def _maturing(self, when: int, *, bills: bool) -> tuple[int, int]:
        """Return what the public and SOMA hold of the securities that are redeemed on a day."""
        rows = [i for i in self.calendar.maturing[when] if self.auctions[i].is_bill == bills]
        soma = sum(self.soma_held[i] for i in rows)
        return sum(self.outstanding[i] for i in rows) - soma, soma

    def _settle(self, row: int, today: int) -> int:
        """Settle new, maturing and bought-back securities; return the cash they bring."""
        cash = 0
        for bills in (True, False):
            group = [i for i in self.calendar.settling[today] if self.auctions[i].is_bill == bills]
            public, soma = self._maturing(today, bills=bills)
            rolled = soma if bills else self._rolled_over(today, soma)
            cash += self._redeem(row, today, bills=bills)
            cash += self._issue(row, group, rolled)
            for i in group:
                self.maturing_public[i], self.maturing_soma[i] = public, soma
        for operation in self.purchases[today]:
            for security, par in operation.fills:
                self.soma_now[_soma_class(self.auctions[security])] += operation.sign * par
                self.moves.append((row, security, 0, operation.sign * par))
        return cash + self._buy_back(row, today)

    def _rolled_over(self, today: int, soma: int) -> int:
        """Return what SOMA exchanges: all, or what exceeds the month's redemption cap."""
        cap = policy.phase_at(today).redemption_cap
        if not cap or not soma:
            return soma
        when = days.date_of(today)
        key = when.year * 12 + when.month
        if key not in self.share_rolled:
            month = self.calendar.coupons_maturing[when.year, when.month]
            held = sum(self.soma_held[i] for i in month)
            self.share_rolled[key] = max(0.0, 1 - cap / held)
        return round(soma * self.share_rolled[key])

    def _redeem(self, row: int, today: int, *, bills: bool) -> int:
        paid = 0
        for i in self.calendar.maturing[today]:
            if self.auctions[i].is_bill != bills:
                continue
            paid += self.outstanding[i]
            self.moves.append((row, i, -self.outstanding[i], -self.soma_held[i]))
            self.redeemed[row, _redemption_line(self.auctions[i])] += self.outstanding[i]
            self.soma_now[_soma_class(self.auctions[i])] -= self.soma_held[i]
            if bills:
                self.bills_outstanding -= self.outstanding[i]
        return -paid

    def _issue(self, row: int, group: list[int], rolled: int) -> int:
        """Issue to the public at the auction price and to SOMA at par; return the cash.

        Where nothing is issued, SOMA has nothing to exchange for and is redeemed.
        """
        cash, left = 0, rolled
        total = sum(self.offering[i] for i in group)
        for position, i in enumerate(group):
            last = position == len(group) - 1
            soma = left if last else rolled * self.offering[i] // total
            left -= soma
            discount = round(self.offering[i] * (100 - self.price[i]) / 100)
            self._put_out(row, i, self.offering[i], soma)
            self.issued[row, _issue_line(self.auctions[i])] += self.offering[i] + soma
            self.discount[row, int(not self.auctions[i].is_bill)] += discount
            cash += self.offering[i] + soma - discount
        return cash

    def _fill(self, operation: Operation) -> None:
        """Buy (or, in an exercise, sell) three securities of the maturity sector."""
        listed = self.calendar.by_redemption[operation.kind.startswith("Outright Bill")]
        first = bisect_left(listed, (operation.maturity_from, 0))
        last = bisect_left(listed, (operation.maturity_to + 1, 0))
        rows = [i for _, i in listed[first:last]]
        rows = [i for i in rows if self.outstanding[i] - self.soma_held[i] > operation.amount]
        if operation.sign < 0:
            rows = [i for i in rows if self.soma_held[i] > operation.amount]
        chosen = [rows[len(rows) * k // 4] for k in (1, 2, 3)] if len(rows) > 3 else rows
        for position, i in enumerate(chosen):
            par = operation.amount // len(chosen)
            if position == 0:
                par += operation.amount % len(chosen)
            operation.fills.append((i, par))
            self.soma_held[i] += operation.sign * par

    def _buy_back(self, row: int, today: int) -> int:
        """Settle the buybacks of the business day before; return the cash, which is negative."""
        operated = days.shift(today, -1)
        if today < buybacks.SINCE:
            return 0
        paid = 0
        for line in buybacks.held_on(operated):
            eligible = self._eligible(line, operated)
            if not eligible:
                continue
            done = buybacks.buy(line, operated, today, eligible, self.buyback_size[row])
            self.buybacks.append(done)
            for purchase in done.purchases:
                self.outstanding[purchase.row] -= purchase.par
                line_of_table = _redemption_line(self.auctions[purchase.row])
                self.redeemed[row, line_of_table] += purchase.par
                self.moves.append((row, purchase.row, -purchase.par, 0))
            self.buyback_discount[row] += done.par - done.cash
            paid += done.cash
        return -paid

    def _eligible(self, line: Line, operated: int) -> list[int]:
        """Return the securities of the bucket of which plenty is outstanding."""
        near, far = operated + line.near, operated + line.far
        return [
            i
            for i in self.calendar.long_bonds
            if near < self.auctions[i].matures < far and self.outstanding[i] > _PLENTY
        ]


def _soma_class(auction: Auction) -> int:
    if auction.is_bill:
        return 0
    return {"frn": 2, "tips": 3}.get(auction.security_class, 1)


def _issue_line(auction: Auction) -> int:
    if auction.is_bill:
        return int(auction.security_class == "cmb")
    return 3 if auction.is_bond else 2


def _redemption_line(auction: Auction) -> int:
    if auction.is_bill:
        return 0
    return 2 if auction.is_bond else 1


def _fixed_offerings(auctions: list[Auction], growth: list[float]) -> list[int]:
    """Return the size of each offering; bills are sized when they are announced."""
    return [
        _NO_AMOUNT if auction.security_class == "bill" else fixed_offering(auction, factor)
        for auction, factor in zip(auctions, growth, strict=True)
    ]
