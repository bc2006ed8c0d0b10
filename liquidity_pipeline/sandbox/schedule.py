"""Treasury's auction calendar: which security is announced, auctioned and settled on which day.

Bills of 4, 8 and 17 weeks settle on Tuesday, those of 6, 13, 26 and (every fourth week) 52 weeks on
Thursday; 3-, 10- and 30-year securities in the middle of the month, all others at its end. The
rhythm is today's, for all of history. Sizes and results are in `debt`, prices in `pricing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from liquidity_pipeline.sandbox import days
from liquidity_pipeline.sandbox.days import THURSDAY, TUESDAY, shift

_CUSIP_ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # I and O are never used
_EVERY_MONTH = tuple(range(1, 13))
_REFUNDING_MONTHS = (2, 5, 8, 11)
_CMB_MONTHS = (4, 9)  # before the April and September tax dates


@dataclass(frozen=True, slots=True)
class Auction:
    """One auction: identity and dates (day numbers); `base_size` in USD bn of the base year."""

    cusip: str
    security_class: str  # bill, cmb, note, bond, tips, frn
    term: str  # what is left of it: '13-Week', '9-Year 10-Month', '14-Day'
    original_term: str
    years: int  # original term of a coupon security, 0 for a bill
    announced: int
    auctioned: int
    issued: int
    dated: int
    matures: int
    original_issue: int
    reopening: bool
    base_size: float

    @property
    def is_bill(self) -> bool:
        """Bills and cash management bills, as against coupon-bearing securities."""
        return self.years == 0

    @property
    def is_bond(self) -> bool:
        """Longer than ten years: a bond in Treasury's tables, TIPS included."""
        return self.years > 10

    @property
    def redeemed(self) -> int:
        """The day on which the principal is paid: the maturity date or the next business day."""
        return days.on_or_after(self.matures)


@dataclass(frozen=True)
class _BillLine:
    weekday: int
    weeks: int
    base_size: float
    auction_lead: int  # calendar days from auction to settlement
    every_weeks: int = 1


@dataclass(frozen=True)
class _CouponLine:
    security_class: str
    years: int
    dated_mid_month: bool
    settles_mid_month: bool
    new_months: tuple[int, ...]
    reopening_months: tuple[int, ...]
    new_size: float
    reopening_size: float
    auction_lead: int  # business days from auction to settlement


# Longest first: the security of a maturity date is born in its longest term and reopened later.
_BILL_LINES = (
    _BillLine(TUESDAY, 17, 68, 6),
    _BillLine(TUESDAY, 8, 95, 5),
    _BillLine(TUESDAY, 4, 100, 5),
    _BillLine(THURSDAY, 52, 50, 2, every_weeks=4),
    _BillLine(THURSDAY, 26, 77, 3),
    _BillLine(THURSDAY, 13, 86, 3),
    _BillLine(THURSDAY, 6, 88, 2),
)
_OTHER_MONTHS = tuple(m for m in _EVERY_MONTH if m not in _REFUNDING_MONTHS)
_COUPON_LINES = (
    _CouponLine("note", 2, False, False, _EVERY_MONTH, (), 69, 0, 4),
    _CouponLine("note", 3, True, True, _EVERY_MONTH, (), 58, 0, 4),
    _CouponLine("note", 5, False, False, _EVERY_MONTH, (), 70, 0, 3),
    _CouponLine("note", 7, False, False, _EVERY_MONTH, (), 44, 0, 2),
    _CouponLine("note", 10, True, True, _REFUNDING_MONTHS, _OTHER_MONTHS, 42, 39, 3),
    _CouponLine("bond", 20, True, False, _REFUNDING_MONTHS, _OTHER_MONTHS, 16, 13, 8),
    _CouponLine("bond", 30, True, True, _REFUNDING_MONTHS, _OTHER_MONTHS, 25, 22, 2),
    _CouponLine("frn", 2, False, False, (1, 4, 7, 10), (2, 3, 5, 6, 8, 9, 11, 12), 30, 28, 2),
    _CouponLine("tips", 5, True, False, (4, 10), (6, 12), 26, 24, 7),
    _CouponLine("tips", 10, True, False, (1, 7), (3, 5, 9, 11), 21, 19, 6),
    _CouponLine("tips", 30, True, False, (2,), (8,), 9, 8, 6),
)
# What the terms above keep outstanding, USD bn of the base year: the yardstick of bill supply.
BILLS_OUTSTANDING_BN = sum(line.base_size * line.weeks / line.every_weeks for line in _BILL_LINES)


def auction_calendar(first: int, last: int) -> list[Auction]:
    """Return all auctions of securities that mature on or after `first` and settle up to `last`.

    Ordered by settlement date. A security sold before `first` is there as long as it is
    outstanding then, so that everything which matures has been issued.
    """
    auctions = [
        auction
        for line in _COUPON_LINES
        for auction in _coupon_auctions(line, first, last)
        if auction.redeemed >= first
    ]
    auctions += [a for a in _bill_auctions(first, last) if a.redeemed >= first]
    auctions += _cash_management_bills(first, last)
    return sorted(auctions, key=lambda a: (a.issued, a.auctioned, a.cusip))


def cusip(issuer: str, serial: int) -> str:
    """Build a nine-character CUSIP: issuer, serial number in base 34, check digit."""
    body = issuer
    for power in reversed(range(8 - len(issuer))):
        body += _CUSIP_ALPHABET[serial // 34**power % 34]
    total = 0
    for position, character in enumerate(body):
        value = int(character) if character.isdigit() else ord(character) - ord("A") + 10
        value *= 1 + position % 2
        total += value // 10 + value % 10
    return body + str(-total % 10)


def _bill_auctions(first: int, last: int) -> Iterator[Auction]:
    born: dict[tuple[int, int], tuple[str, str, int]] = {}
    week_start = first - 7 * 53
    week_start -= days.weekday(week_start)
    # Weeks are counted from 1970, so that the same week has a 52-week bill in every world.
    for monday in range(week_start, last - 7, 7):
        for line in _BILL_LINES:
            if (monday // 7) % line.every_weeks:
                continue
            settles = monday + line.weekday
            key = (line.weekday, settles + 7 * line.weeks)
            term = f"{line.weeks}-Week"
            issued = days.on_or_after(settles)
            reopening = key in born
            name, original, first_issue = born.setdefault(
                key, (cusip("91279", key[1] % 39304), term, issued)
            )
            yield Auction(
                name, "bill", term, original, 0,
                days.on_or_before(settles - 7), days.on_or_after(settles - line.auction_lead),
                issued, issued, days.on_or_after(key[1]), first_issue, reopening, line.base_size,
            )  # fmt: skip


def _cash_management_bills(first: int, last: int) -> Iterator[Auction]:
    for year in range(days.date_of(first).year, days.date_of(last).year + 1):
        for month in _CMB_MONTHS:
            issued = days.on_or_after(days.nth_weekday(year, month, THURSDAY, 1))
            matures = days.on_or_after(issued + 15)
            if not first <= issued <= last:
                continue
            name = cusip("91278", issued % 39304)
            term = f"{matures - issued}-Day"
            yield Auction(
                name, "cmb", term, term, 0, shift(issued, -4), shift(issued, -2),
                issued, issued, matures, issued, False, 40.0,
            )  # fmt: skip


def _coupon_auctions(line: _CouponLine, first: int, last: int) -> Iterator[Auction]:
    month_start = days.add_months(first, -12 * line.years - 3)
    month_start = month_start - days.date_of(month_start).day + 1
    parent: Auction | None = None
    while month_start <= last:
        month = days.date_of(month_start).month
        if month in line.new_months:
            parent = _coupon_auction(line, month_start, None)
            yield parent
        elif month in line.reopening_months and parent is not None:
            yield _coupon_auction(line, month_start, parent)
        month_start = days.add_months(month_start, 1)


def _coupon_auction(line: _CouponLine, month_start: int, parent: Auction | None) -> Auction:
    month_end = days.month_end(month_start)
    issued = days.on_or_after(month_start + 14 if line.settles_mid_month else month_end)
    if parent is not None and line.security_class == "frn":
        issued = days.on_or_before(days.nth_weekday(*_year_month(month_start), days.FRIDAY, -1))
    auctioned = shift(issued, -line.auction_lead)
    refunding = line.settles_mid_month and days.date_of(month_start).month in _REFUNDING_MONTHS
    # Announced on Thursday of the week before, the quarterly refunding on Wednesday.
    announced = days.on_or_before(auctioned - days.weekday(auctioned) - (5 if refunding else 4))
    term = f"{line.years}-Year"
    if parent is None:
        dated = month_start + 14 if line.dated_mid_month else month_end
        matures = days.add_months(dated, 12 * line.years)
        if not line.dated_mid_month:
            matures = days.month_end(matures)
        name = cusip(_issuer(line), _serial(line, month_start))
        return Auction(
            name, line.security_class, term, term, line.years, announced, auctioned,
            issued, dated, matures, issued, False, line.new_size,
        )  # fmt: skip
    gone = _months_between(parent.dated, month_start)
    return Auction(
        parent.cusip, line.security_class, _remaining(12 * line.years - gone), term, line.years,
        announced, auctioned, issued, parent.dated, parent.matures, parent.issued, True,
        line.reopening_size,
    )  # fmt: skip


def _serial(line: _CouponLine, month_start: int) -> int:
    year, month = _year_month(month_start)
    return (12 * (year - 1970) + month) * len(_COUPON_LINES) + _COUPON_LINES.index(line)


def _issuer(line: _CouponLine) -> str:
    return "91281" if line.years > 10 else "91282"


def _year_month(number_of_day: int) -> tuple[int, int]:
    when = days.date_of(number_of_day)
    return when.year, when.month


def _months_between(earlier: int, later: int) -> int:
    year, month = _year_month(earlier)
    later_year, later_month = _year_month(later)
    return 12 * (later_year - year) + later_month - month


def _remaining(months: int) -> str:
    years, months = divmod(months, 12)
    return f"{years}-Year {months}-Month" if months else f"{years}-Year"
