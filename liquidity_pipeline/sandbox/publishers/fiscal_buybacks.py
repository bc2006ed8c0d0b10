"""Buybacks on Fiscal Data, by operation and by security, in full US dollars.

An operation appears with its announcement; its results are "null" until the afternoon. Amounts come
in two spellings, with and without decimals. Eligible securities that were not bought have a zero or
"null", and the rows of one day are published twice, one of each pair without a value.
"""

from __future__ import annotations

from liquidity_pipeline.sandbox import clock, days
from liquidity_pipeline.sandbox.buybacks import Buyback, Purchase
from liquidity_pipeline.sandbox.economy import Economy
from liquidity_pipeline.sandbox.publishers.fiscal_query import NULL, Column, Row, Table
from liquidity_pipeline.sandbox.publishers.wire import World

_MN = 1_000_000
_PUBLISHED_TWICE = days.day(2024, 8, 21)
_BUYBACK_COLUMNS = [
    Column("operation_date", "DATE", "Operation Date"),
    Column("operation_start_time_est", "STRING", "Operation Start Time (EST)"),
    Column("operation_close_time_est", "STRING", "Operation Close Time (EST)"),
    Column("settlement_date", "DATE", "Settlement Date"),
    Column("preliminary_ann_pdf", "STRING", "Preliminary Announcement (PDF)"),
    Column("preliminary_ann_xml", "STRING", "Preliminary Announcement (XML)"),
    Column("final_ann_pdf", "STRING", "Final Announcement (PDF)"),
    Column("final_ann_xml", "STRING", "Final Announcement (XML)"),
    Column("results_pdf", "STRING", "Results (PDF)"),
    Column("results_xml", "STRING", "Results (XML)"),
    Column("special_ann_pdf", "STRING", "Special Announcement (PDF)"),
    Column("operation_type", "STRING", "Operation Type"),
    Column("security_type", "STRING", "Security Type"),
    Column("maturity_bucket", "STRING", "Maturity Bucket"),
    Column("nbr_issues_accepted", "INTEGER", "Number of Issues Accepted"),
    Column("total_par_amt_offered", "CURRENCY0", "Total Par Amount Offered"),
    Column("par_amt_per_offer", "CURRENCY0", "Par Amount per Offer"),
    Column("max_par_amt_redeemed", "CURRENCY0", "Maximum Par Amount to be Redeemed"),
    Column("max_nbr_offers", "INTEGER", "Maximum Number of Offers"),
    Column("nbr_issues_eligible", "INTEGER", "Number of Issues Eligible"),
    Column("total_par_amt_accepted", "CURRENCY0", "Total Par Amount Accepted"),
]
_SECURITY_COLUMNS = [
    Column("operation_date", "DATE", "Operation Date"),
    Column("operation_start_time_est", "STRING", "Operation Start Time (EST)"),
    Column("cusip_nbr", "STRING", "CUSIP Number"),
    Column("coupon_rate_pct", "PERCENTAGE", "Coupon Rate Percent"),
    Column("maturity_date", "DATE", "Maturity Date"),
    Column("par_amt_accepted", "CURRENCY", "Par Amount Accepted"),
    Column("weighted_avg_accepted_price", "CURRENCY3", "Weighted Average Accepted Price"),
]


def buybacks_operations(world: World) -> Table:
    """Return the operations announced by now, results included where they are out."""
    rows = [_operation(buyback, done=_is_done(world, buyback)) for buyback in _public(world)]
    return Table(_BUYBACK_COLUMNS, rows)


def buybacks_security_details(world: World) -> Table:
    """Return the eligible securities of the operations announced by now."""
    rows = []
    for buyback in _public(world):
        rows += _securities(world.economy, buyback, done=_is_done(world, buyback))
    return Table(_SECURITY_COLUMNS, rows)


def _public(world: World) -> list[Buyback]:
    """Return the operations announced by now: at 11:00 of the business day before."""
    now = world.now
    return [
        buyback
        for buyback in world.economy.debt.buybacks
        if buyback.settles >= world.start
        and clock.ANNOUNCEMENT.known_at(days.shift(buyback.operated, -1)) <= now
    ]


def _is_done(world: World, buyback: Buyback) -> bool:
    """Tell whether results are out: five minutes after offers close, 20 minutes after they open."""
    hour, minute = buyback.line.opens
    return days.new_york_time(buyback.operated, hour, minute + 25) <= world.now


def _operation(buyback: Buyback, *, done: bool) -> Row:
    stamp, line = days.iso(buyback.operated).replace("-", ""), buyback.line
    number = f"{stamp}{line.opens[0] + 4:02d}{line.opens[1]:02d}00"
    decimals = ".00" if buyback.operated % 2 else ""

    def result(text: str) -> str:
        return text if done else NULL

    return (
        days.iso(buyback.operated), _clock(*line.opens), _clock(line.opens[0], line.opens[1] + 20),
        days.iso(buyback.settles), f"BBPA_{number}.pdf", f"BBPA_{number}.xml",
        f"BBA_{number}.pdf", f"BBA_{number}.xml", result(f"BBR_{number}.pdf"),
        result(f"BBR_{number}.xml"), NULL, line.operation_type, line.security_type, line.bucket,
        result(str(len(buyback.purchases))), result(f"{buyback.offered * _MN}{decimals}"),
        "1000000", str(line.maximum * _MN), "9", str(len(buyback.eligible)),
        result(f"{buyback.par * _MN}{decimals}"),
    )  # fmt: skip


def _securities(economy: Economy, buyback: Buyback, *, done: bool) -> list[Row]:
    bought = {purchase.row: purchase for purchase in buyback.purchases} if done else {}
    rows: list[Row] = []
    for place, row in enumerate(
        sorted(buyback.eligible, key=lambda row: economy.auctions[row].cusip)
    ):
        auction = economy.auctions[row]
        head = (
            days.iso(buyback.operated), _clock(*buyback.line.opens), auction.cusip,
            f"{economy.prices.coupon[row]:.3f}", days.iso(auction.matures),
        )  # fmt: skip
        zero = "0.00" if done and place % 5 else NULL
        rows.append((*head, *_bought(bought.get(row), zero)))
        if done and buyback.operated == _PUBLISHED_TWICE:
            rows.append((*head, NULL, NULL))
    return rows


def _bought(purchase: Purchase | None, zero: str) -> tuple[str, str]:
    """Write par and price, of which a security that was not bought has none."""
    if purchase is None:
        return zero, NULL
    return f"{purchase.par * _MN}.00", f"{purchase.price:.3f}"


def _clock(hour: int, minute: int) -> str:
    """Write a time of day as the service does: 01:40 PM."""
    hour, minute = hour + minute // 60, minute % 60
    return f"{(hour - 1) % 12 + 1:02d}:{minute:02d} {'AM' if hour < 12 else 'PM'}"
