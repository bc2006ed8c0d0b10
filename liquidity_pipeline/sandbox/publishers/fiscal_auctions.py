"""Auctions, upcoming auctions and buybacks on Fiscal Data, in full US dollars.

A row of `auctions_query` appears with the announcement; its results are "null" until the auction
has closed. `record_date` is the settlement day, which may lie ahead.
"""

from __future__ import annotations

from liquidity_pipeline.sandbox import clock, days
from liquidity_pipeline.sandbox.clock import Release
from liquidity_pipeline.sandbox.debt import Buyback
from liquidity_pipeline.sandbox.economy import Economy
from liquidity_pipeline.sandbox.publishers.auction_columns import AUCTION_COLUMNS
from liquidity_pipeline.sandbox.publishers.fiscal_dts import CALENDAR_COLUMNS, calendar_values
from liquidity_pipeline.sandbox.publishers.fiscal_query import NULL, Column, Row, Table
from liquidity_pipeline.sandbox.publishers.wire import World
from liquidity_pipeline.sandbox.schedule import Auction

_BILL_RESULT = Release(days.is_fed, 0, 11, 33)
_COUPON_RESULT = Release(days.is_fed, 0, 13, 3)
_MN = 1_000_000
_UPCOMING_DAYS = 10
_STALE_FROM, _STALE_UNTIL = days.day(2024, 3, 1), days.day(2025, 12, 31)
_TYPES = {"bill": "Bill", "cmb": "Bill", "note": "Note", "frn": "Note", "bond": "Bond"}
# Known only when the auction has closed; `int_rate` too, unless the security is reopened.
_RESULTS = [
    "price_per100",
    "accrued_int_per1000",
    "adj_price",
    "allocation_pctage",
    "allocation_pctage_decimals",
    "avg_med_discnt_rate",
    "avg_med_yield",
    "avg_med_discnt_margin",
    "bid_to_cover_ratio",
    "comp_accepted",
    "comp_tendered",
    "direct_bidder_accepted",
    "direct_bidder_tendered",
    "fima_noncomp_accepted",
    "fima_noncomp_tendered",
    "high_discnt_rate",
    "high_investment_rate",
    "high_price",
    "high_discnt_margin",
    "high_yield",
    "indirect_bidder_accepted",
    "indirect_bidder_tendered",
    "low_discnt_rate",
    "low_discnt_margin",
    "low_yield",
    "noncomp_accepted",
    "pdf_filenm_comp_results",
    "pdf_filenm_noncomp_results",
    "primary_dealer_accepted",
    "primary_dealer_tendered",
    "soma_accepted",
    "soma_tendered",
    "spread",
    "std_int_payment_per1000",
    "total_accepted",
    "total_tendered",
    "treas_retail_accepted",
    "unadj_price",
    "xml_filenm_comp_results",
]
_UPCOMING_COLUMNS = [
    Column("record_date", "DATE", "Record Date"),
    Column("security_type", "STRING", "Security Type"),
    Column("security_term", "STRING", "Security Term"),
    Column("reopening", "STRING", "Reopening"),
    Column("cusip", "STRING", "CUSIP"),
    Column("offering_amt", "CURRENCY0", "Offering Amount"),
    Column("announcemt_date", "DATE", "Announcement Date"),
    Column("auction_date", "DATE", "Auction Date"),
    Column("issue_date", "DATE", "Issue Date"),
    *CALENDAR_COLUMNS,
]
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


def auctions_query(world: World) -> Table:
    """Return all auctions announced by now, results included where the auction has closed."""
    economy, now = world.economy, world.now
    rows = []
    for i, row in world.once("auction rows", lambda: _auction_rows(world)):
        auction = economy.auctions[i]
        if clock.ANNOUNCEMENT.known_at(auction.announced) > now:
            continue
        rows.append(row if _closed(auction, now) else _without_results(row, auction))
    return Table(AUCTION_COLUMNS, rows)


def upcoming_auctions(world: World) -> Table:
    """Return the next days' auctions, and the stale rows that are never deleted."""
    now, today = world.now, world.today
    vintage = days.on_or_before(today)
    rows = []
    for i, auction in enumerate(world.economy.auctions):
        announced = clock.ANNOUNCEMENT.known_at(auction.announced) <= now
        ahead = today <= auction.auctioned <= today + _UPCOMING_DAYS
        stale = _STALE_FROM <= auction.auctioned <= min(_STALE_UNTIL, today - 1) and i % 8 == 0
        if stale:
            rows.append(_upcoming_row(world.economy, i, auction.announced, announced=True))
        elif ahead and not _closed(auction, now) and (announced or auction.security_class != "cmb"):
            rows.append(_upcoming_row(world.economy, i, vintage, announced=announced))
    return Table(_UPCOMING_COLUMNS, sorted(rows, key=lambda row: (row[0], row[7], row[4])))


def buybacks_operations(world: World) -> Table:
    """Return the buybacks that settle in the days served, as auctions are; results come later.

    The results appear in the afternoon of the operation.
    """
    now = world.now
    rows = []
    for buyback in world.economy.debt.buybacks:
        announced = days.on_or_before(buyback.operated - 6)
        if buyback.settles >= world.start and clock.ANNOUNCEMENT.known_at(announced) <= now:
            done = clock.BUYBACK_RESULT.known_at(buyback.operated) <= now
            rows.append(_buyback_row(buyback, done=done))
    return Table(_BUYBACK_COLUMNS, rows)


def _closed(auction: Auction, now: int) -> bool:
    early = auction.is_bill or auction.security_class == "frn"
    return (_BILL_RESULT if early else _COUPON_RESULT).known_at(auction.auctioned) <= now


def _without_results(row: Row, auction: Auction) -> Row:
    hidden = set(_RESULTS) | (set() if auction.reopening else {"int_rate"})
    return tuple(
        NULL if column.name in hidden else value
        for column, value in zip(AUCTION_COLUMNS, row, strict=True)
    )


def _auction_rows(world: World) -> list[tuple[int, Row]]:
    """Write every auction whose security was still outstanding on the first served day."""
    economy = world.economy
    out = []
    for i, auction in enumerate(economy.auctions):
        if auction.redeemed < world.start or economy.debt.offering[i] < 0:
            continue
        values = _terms(economy, i) | _results(economy, i) | _files(auction)
        out.append((i, tuple(values.get(column.name, NULL) for column in AUCTION_COLUMNS)))
    return out


def _terms(economy: Economy, i: int) -> dict[str, str]:
    """Write what the announcement says."""
    auction, debt = economy.auctions[i], economy.debt
    offering = int(debt.offering[i]) * _MN
    limit = str(offering * 35 // 100)
    weeks = auction.term if auction.term.endswith("Week") else NULL
    term_days = f"{auction.matures - auction.issued}-Day"
    values = {
        "record_date": days.iso(auction.issued), "cusip": auction.cusip,
        "security_type": _security_type(auction), "security_term": auction.term,
        "auction_date": days.iso(auction.auctioned), "issue_date": days.iso(auction.issued),
        "maturity_date": days.iso(auction.matures),
        "announcemt_date": days.iso(auction.announced), "auction_format": "Single-Price",
        "cash_management_bill_cmb": _yes(auction.security_class == "cmb"),
        "closing_time_comp": _closing(auction, 0), "closing_time_noncomp": _closing(auction, 30),
        "comp_bid_decimals": "3", "comp_tenders_accepted": "Yes", "fima_included": "Yes",
        "floating_rate": _yes(auction.security_class == "frn"),
        "inflation_index_security": _yes(auction.security_class == "tips"),
        "int_payment_frequency": _frequency(auction), "max_comp_award": limit,
        "max_noncomp_award": "10000000", "max_single_bid": limit, "min_bid_amt": "100",
        "min_to_issue": "100", "multiples_to_bid": "100", "multiples_to_issue": "100",
        "nlp_exclusion_amt": "0", "nlp_reporting_threshold": limit,
        "noncomp_tenders_accepted": "Yes", "offering_amt": str(offering),
        "original_security_term": auction.original_term, "reopening": _yes(auction.reopening),
        "security_term_day_month": term_days if auction.is_bill else _months(auction.term),
        "security_term_week_year": weeks if auction.is_bill else _years(auction.term),
        "soma_included": "No", "treas_retail_tenders_accepted": "Yes",
    }  # fmt: skip
    if debt.maturing_public[i] or debt.maturing_soma[i]:
        values["mat_date"] = values["issue_date"]
        values["est_pub_held_mat_by_type_amt"] = str(int(debt.maturing_public[i]) * _MN)
        values["soma_holdings"] = str(int(debt.maturing_soma[i]) * _MN)
    if auction.reopening:
        values["original_issue_date"] = days.iso(auction.original_issue)
    return values | ({} if auction.is_bill else _coupon_terms(auction))


def _coupon_terms(auction: Auction) -> dict[str, str]:
    late = auction.issued > auction.dated
    values = {
        "callable": "No", "dated_date": days.iso(auction.dated), "strippable": "Yes",
        "min_strip_amt": "100", "first_int_period": "Normal", "back_dated": _yes(late),
        "first_int_payment_date": days.iso(days.add_months(auction.dated, 6)),
        "series": f"SBX-{days.date_of(auction.matures).year}",
    }  # fmt: skip
    if late:
        values["back_dated_date"] = days.iso(auction.dated)
    if auction.reopening:
        values["original_dated_date"] = days.iso(auction.dated)
    return values


def _results(economy: Economy, i: int) -> dict[str, str]:
    """Write the results: the accepted amounts add up to the total to the dollar."""
    auction, prices = economy.auctions[i], economy.prices
    amounts = _accepted(economy, i)
    values = {name: str(amount * _MN) for name, amount in amounts.items()}
    private = int(economy.debt.offering[i])
    tendered = amounts["total_tendered"] - amounts["soma_tendered"]
    values |= {
        "price_per100": f"{prices.price[i]:.6f}", "high_price": f"{prices.price[i]:.6f}",
        "allocation_pctage": f"{20 + i * 37 % 79}.{i % 10}00000",
        "allocation_pctage_decimals": "2", "bid_to_cover_ratio": f"{tendered / private:.2f}0000",
    }  # fmt: skip
    if auction.is_bill:
        rate = prices.discount_rate[i]
        values |= {
            "high_discnt_rate": f"{rate:.6f}", "avg_med_discnt_rate": f"{rate - 0.03:.6f}",
            "low_discnt_rate": f"{max(rate - 0.2, 0):.6f}",
            "high_investment_rate": f"{prices.investment_rate[i]:.6f}",
        }  # fmt: skip
    elif auction.security_class == "frn":
        values |= {"high_discnt_margin": "0.150000", "spread": "0.150000"}
    else:
        high, coupon = prices.high_yield[i], prices.coupon[i]
        values |= {
            "high_yield": f"{high:.4f}", "avg_med_yield": f"{high - 0.05:.6f}",
            "low_yield": f"{high - 0.15:.6f}", "int_rate": f"{coupon:.6f}",
            "std_int_payment_per1000": f"{coupon * 5:.4f}",
        }  # fmt: skip
    return values


def _accepted(economy: Economy, i: int) -> dict[str, int]:
    """Split the amounts by bidder, USD mn."""
    offering, soma = int(economy.debt.offering[i]), int(economy.debt.soma_accepted[i])
    bill = economy.auctions[i].is_bill
    retail = offering * (11 if bill else 1) // 1000
    noncompetitive = offering * (23 if bill else 2) // 1000
    foreign = offering * (3 if bill else 0) // 1000
    competitive = offering - noncompetitive - foreign
    indirect, direct = competitive * (60 + i % 9) // 100, competitive * (8 + i % 5) // 100
    cover = 2.4 + (i * 13 % 70) / 100
    bids = round(competitive * cover)
    return {
        "comp_accepted": competitive, "comp_tendered": bids,
        "noncomp_accepted": noncompetitive, "treas_retail_accepted": retail,
        "fima_noncomp_accepted": foreign, "fima_noncomp_tendered": foreign,
        "soma_accepted": soma, "soma_tendered": soma,
        "total_accepted": offering + soma,
        "total_tendered": bids + noncompetitive + foreign + soma,
        "indirect_bidder_accepted": indirect, "indirect_bidder_tendered": round(indirect * 1.3),
        "direct_bidder_accepted": direct, "direct_bidder_tendered": direct * 2,
        "primary_dealer_accepted": competitive - indirect - direct,
        "primary_dealer_tendered": bids - round(indirect * 1.3) - direct * 2,
    }  # fmt: skip


def _files(auction: Auction) -> dict[str, str]:
    announced = days.iso(auction.announced).replace("-", "")
    auctioned = days.iso(auction.auctioned).replace("-", "")
    number = 1 + int(auction.cusip[-1]) % 4
    return {
        "pdf_filenm_announcemt": f"A_{announced}_{number}.pdf",
        "xml_filenm_announcemt": f"A_{announced}_{number}.xml",
        "pdf_filenm_comp_results": f"R_{auctioned}_{number}.pdf",
        "xml_filenm_comp_results": f"R_{auctioned}_{number}.xml",
        "pdf_filenm_noncomp_results": f"NCR_{auctioned}_{number}.pdf",
    }


def _upcoming_row(economy: Economy, i: int, recorded: int, *, announced: bool) -> Row:
    auction = economy.auctions[i]
    kind = {"cmb": "CMB", "frn": "FRN Note"}.get(auction.security_class, _security_type(auction))
    if auction.security_class == "tips":
        kind = f"TIPS {kind}"
    return (
        days.iso(recorded), kind, auction.term, _yes(auction.reopening), auction.cusip,
        str(int(economy.debt.offering[i]) * _MN) if announced else NULL,
        days.iso(auction.announced) if announced else NULL,
        days.iso(auction.auctioned), days.iso(auction.issued), *calendar_values(recorded),
    )  # fmt: skip


def _buyback_row(buyback: Buyback, *, done: bool) -> Row:
    stamp = days.iso(buyback.operated).replace("-", "")
    return (
        days.iso(buyback.operated), "01:40 PM", "02:00 PM", days.iso(buyback.settles),
        f"BBPA_{stamp}_1.pdf", f"BBPA_{stamp}_1.xml", f"BBA_{stamp}_1.pdf", f"BBA_{stamp}_1.xml",
        f"BBR_{stamp}_1.pdf" if done else NULL, f"BBR_{stamp}_1.xml" if done else NULL, NULL,
        "Liquidity Support", "Nominal Coupons", "20Y to 30Y", "1" if done else NULL,
        str(buyback.offered * _MN) if done else NULL, "1000000", "3000000000", "9", "38",
        str(buyback.par * _MN) if done else NULL,
    )  # fmt: skip


def _security_type(auction: Auction) -> str:
    if auction.security_class == "tips":
        return "Bond" if auction.is_bond else "Note"
    return _TYPES[auction.security_class]


def _closing(auction: Auction, earlier: int) -> str:
    bill = auction.is_bill or auction.security_class == "frn"
    if earlier:
        return "11:00 AM" if bill else "12:00 PM"
    return "11:30 AM" if bill else "01:00 PM"


def _frequency(auction: Auction) -> str:
    if auction.is_bill:
        return "None"
    return "Quarterly" if auction.security_class == "frn" else "Semi-Annual"


def _years(term: str) -> str:
    return term.split(maxsplit=1)[0]


def _months(term: str) -> str:
    parts = term.split()
    return parts[1] if len(parts) > 1 else "0-Month"


def _yes(condition: bool) -> str:
    return "Yes" if condition else "No"
