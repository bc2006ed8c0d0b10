"""Settlements of marketable Treasury debt: issued, redeemed, bought back, and what will be.

From Treasury Fiscal Data. How an auction becomes legs is `auction_legs`'; what settles on a day in
total, and who pays, is for the marts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline.contracts.sources import DEBT_SETTLEMENTS
from liquidity_pipeline.sources.auction_legs import (
    ANNOUNCED,
    AUCTION_COLUMNS,
    STAMP,
    TYPES,
    closing_moments,
    issue_legs,
    known_by,
    maturing_holdings,
    moments,
    overdue,
    parse_auctions,
    redemption_legs,
    results_moments,
    settlements,
    usd_mn,
)
from liquidity_pipeline.sources.errors import EmptyAnswerError
from liquidity_pipeline.sources.fetch import Fetch
from liquidity_pipeline.sources.fiscal_client import ACCOUNTING, PUBLISHER, Records, between, read

_AUCTIONS = f"{ACCOUNTING}/od/auctions_query"
_ANNOUNCEMENTS = f"{ACCOUNTING}/od/upcoming_auctions"
_BUYBACKS = f"{ACCOUNTING}/od/buybacks_operations"

_ANNOUNCEMENT_COLUMNS = (
    "record_date",
    "security_type",
    "security_term",
    "cusip",
    "offering_amt",
    "announcemt_date",
    "auction_date",
    "issue_date",
)
_BUYBACK_COLUMNS = (
    "operation_date",
    "operation_close_time_est",
    "settlement_date",
    "operation_type",
    "security_type",
    "maturity_bucket",
    "max_par_amt_redeemed",
    "total_par_amt_accepted",
)
# The announcements feed has finer labels than the auctions, and no flags.
_ANNOUNCED_TYPES = TYPES | {
    "CMB": "cmb",
    "TIPS Note": "tips",
    "TIPS Bond": "tips",
    "FRN Note": "frn",
}
# A maturity on a Saturday before a holiday settles three days later, and the securities that
# refund it are issued then: a week on either side covers both.
_ROLL = timedelta(days=7)
_FEED_PUBLISHED = time(16)
_NO_LEGS = DEBT_SETTLEMENTS.arrow_schema.empty_table()


def collect_debt_settlements(fetch: Fetch) -> dict[str, pa.Table]:
    """Collect `debt_settlements` and `maturing_holdings`, USD millions, for the whole window.

    Days of the window that lie ahead are included as far as they are announced. Raises
    EmptyAnswerError for a window with a past week in which nothing was issued. Buybacks that are
    not served are a named gap.
    """
    start, end = fetch.window.start, fetch.window.end
    issued = _collect_auctions(fetch, between("issue_date", start, end + _ROLL))
    if fetch.last_day - start >= _ROLL and issued.num_rows == 0:
        raise EmptyAnswerError(
            f"no auction issued from {start} to {end}, though bills are issued every week",
            publisher=PUBLISHER,
            url=_AUCTIONS,
        )
    late = overdue(issued, fetch.today)
    if late.num_rows:
        since = pc.min(late["auction_date"])
        fetch.gap(f"no auction results since {since}, {late.num_rows} auctions overdue")
    maturing = _collect_auctions(fetch, between("maturity_date", start - _ROLL, end))
    buybacks = fetch.or_gap(lambda: _collect_buybacks(fetch), _NO_LEGS, "Treasury buybacks")
    legs = pa.concat_tables([issue_legs(issued), redemption_legs(maturing), buybacks])
    return {
        "debt_settlements": _in_days(legs, "settlement_date", start, end),
        "maturing_holdings": _in_days(maturing_holdings(issued), "maturing_date", start, end),
    }


def collect_upcoming_settlements(fetch: Fetch) -> dict[str, pa.Table]:
    """Collect `upcoming_settlements`, USD millions, as it was known at `fetch.now`.

    Issue legs of all that is announced or auctioned and issued after today, redemption legs of
    all that settles after today and within twelve months, and issue legs of auctions that only
    the announcements feed has. The feed keeps no history: what it scheduled at an earlier `now`
    cannot be known. Raises EmptyAnswerError if nothing matures; a feed that is not served is a
    named gap.
    """
    tomorrow, horizon = fetch.today + timedelta(days=1), _a_year_after(fetch.today)
    announced = _collect_auctions(fetch, (f"issue_date:gte:{tomorrow}",))
    maturing = _collect_auctions(fetch, between("maturity_date", tomorrow - _ROLL, horizon))
    if maturing.num_rows == 0:
        raise EmptyAnswerError(
            f"nothing matures until {horizon}, though bills mature every week",
            publisher=PUBLISHER,
            url=_AUCTIONS,
        )
    announced, maturing = known_by(announced, fetch.now), known_by(maturing, fetch.now)
    scheduled = fetch.or_gap(
        lambda: _collect_announcements(fetch, announced), _NO_LEGS, "Treasury announcements feed"
    )
    redemptions = _in_days(redemption_legs(maturing), "settlement_date", tomorrow, horizon)
    legs = [issue_legs(announced), redemptions, scheduled]
    return {"upcoming_settlements": pa.concat_tables(legs)}


def _collect_auctions(fetch: Fetch, where: Iterable[str]) -> pa.Table:
    order = ("issue_date", "auction_date", "cusip")
    records = read(fetch, _AUCTIONS, AUCTION_COLUMNS, where=where, sort=order)
    return parse_auctions(records, fetch.now)


def _in_days(rows: pa.Table, column: str, start: date, end: date) -> pa.Table:
    first, last = pa.scalar(start, pa.date32()), pa.scalar(end, pa.date32())
    day = rows[column]
    return rows.filter(pc.and_(pc.greater_equal(day, first), pc.less_equal(day, last)))


def _a_year_after(day: date) -> date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year + 1, day=28)


def _collect_announcements(fetch: Fetch, auctions: pa.Table) -> pa.Table:
    records = read(
        fetch,
        _ANNOUNCEMENTS,
        _ANNOUNCEMENT_COLUMNS,
        where=(f"auction_date:gte:{fetch.today}",),
        sort=("auction_date", "security_type", "security_term", "cusip", "record_date"),
        # The feed may hold a row twice, and a selection of columns would add the two up.
        select=False,
    )
    return parse_announcements(records, auctions, fetch.today, fetch.now)


def parse_announcements(
    records: Records, auctions: pa.Table, today: date, now: datetime
) -> pa.Table:
    """Return issue legs of scheduled auctions that the parsed `auctions` do not hold yet.

    One per class, term and auction day (no two auctions since 2005 share these), from the row
    published last; rows of past auctions, which the feed never deletes, are dropped. par is NULL
    while no amount is announced. A row is known since its announcement; before it, since 16:00
    New York of its `record_date`, or now. Raises UnexpectedPayloadError for an unknown label.
    """
    records.require("security_type", "security_term", "auction_date", "issue_date")
    if unknown := set(records.text("security_type")) - _ANNOUNCED_TYPES.keys():
        raise records.error(f"unknown security_type {unknown}; known are {list(_ANNOUNCED_TYPES)}")
    legs = _announced_legs(records, now)
    held = set(_keys(auctions, "security_class", "remaining_term", "auction_date"))
    held_cusips = set(_keys(auctions, "cusip", "auction_date"))
    scheduled = {
        terms: index
        for index, (terms, cusip, issue) in enumerate(
            zip(
                _keys(legs, "security_class", "security_term", "auction_date"),
                _keys(legs, "cusip", "auction_date"),
                legs["settlement_date"].to_pylist(),
                strict=True,
            )
        )
        if cusip[1] >= today and issue > today
        if terms not in held and cusip not in held_cusips
    }
    return legs.take(pa.array(scheduled.values(), pa.int64()))


def _announced_legs(records: Records, now: datetime) -> pa.Table:
    """Return every row of the feed as an issue leg, the oldest publication first."""
    oldest_first = records.table.sort_by("record_date")
    records = Records(oldest_first, records.url)
    labels = records.text("security_type")
    classes = pa.array([_ANNOUNCED_TYPES[str(label)] for label in labels], pa.string())
    term, cusip = records.table["security_term"], records.table["cusip"]
    auctioned = records.table["auction_date"]
    security = pc.coalesce(cusip, pc.binary_join_element_wise(classes, term, " "))
    published = moments(records.days("record_date").to_pylist(), _FEED_PUBLISHED)
    announced = [
        at if at and at <= now else None
        for at in moments(records.days("announcemt_date").to_pylist(), ANNOUNCED)
    ]
    known = [at or min(seen or now, now) for at, seen in zip(announced, published, strict=True)]
    return settlements(
        {
            "settlement_date": records.days("issue_date"),
            "leg": pa.repeat("issue", len(records)),
            "record_id": pc.binary_join_element_wise("issue", security, auctioned, "/"),
            "cusip": cusip,
            "security_class": classes,
            "security_term": term,
            "auction_date": records.days("auction_date"),
            "issue_date": records.days("issue_date"),
            "offering_usd_mn": usd_mn(records, "offering_amt"),
            "par_usd_mn": usd_mn(records, "offering_amt"),
            "announced_at": pa.array(announced, STAMP),
            "known_at": pa.array(known, STAMP),
        }
    )


def _keys(rows: pa.Table, *columns: str) -> list[tuple[Any, ...]]:
    return list(zip(*(rows[name].to_pylist() for name in columns), strict=True))


def _collect_buybacks(fetch: Fetch) -> pa.Table:
    records = read(
        fetch,
        _BUYBACKS,
        _BUYBACK_COLUMNS,
        where=between("settlement_date", fetch.window.start, fetch.window.end),
        sort=("operation_date", "operation_type", "security_type", "maturity_bucket"),
        select=False,
    )
    # Nobody has shown how the service spells a cancelled operation, so it stops nothing else.
    without_amount = pc.and_(
        pc.less(records.days("settlement_date"), pa.scalar(fetch.today, pa.date32())),
        pc.is_null(records.table["total_par_amt_accepted"]),
    )
    for row in records.where(without_amount).table.to_pylist():
        fetch.gap(
            f"Treasury buybacks: the operation of {row['operation_date']} "
            f"({row['security_type']}, {row['maturity_bucket']}) has no accepted amount, left out"
        )
    return parse_buybacks(records.where(pc.invert(without_amount)), fetch.now)


def parse_buybacks(records: Records, now: datetime) -> pa.Table:
    """Return the buyback legs, one per operation, on the settlement date.

    par is what was accepted, the most that would be accepted until results are known. Dealers
    offer for the public and the Fed does not sell, so all of it is public. When an operation was
    announced is not recorded; it is known since five minutes after it closed, or now if earlier.
    Raises UnexpectedPayloadError for an unknown type or maturity bucket, and for two equal rows.
    """
    records.require("operation_date", "settlement_date", "security_type", "maturity_bucket")
    key = ("operation_date", "operation_type", "security_type", "maturity_bucket")
    records.refuse_duplicates(*key)
    accepted = usd_mn(records, "total_par_amt_accepted")
    offering = usd_mn(records, "max_par_amt_redeemed")
    closed = closing_moments(records, "operation_date", "operation_close_time_est")
    results = results_moments(closed, accepted)
    known = [at or min(close, now) for at, close in zip(results, closed, strict=True)]
    labels = [pc.coalesce(records.table[name], "null") for name in key]
    return settlements(
        {
            "settlement_date": records.days("settlement_date"),
            "leg": pa.repeat("buyback", len(records)),
            "record_id": pc.binary_join_element_wise("buyback", *labels, "/"),
            "security_class": pa.array(_bought_classes(records), pa.string()),
            "security_term": records.table["maturity_bucket"],
            "auction_date": records.days("operation_date"),
            "offering_usd_mn": offering,
            "par_usd_mn": pc.coalesce(accepted, offering),
            "soma_usd_mn": pc.multiply(accepted, 0.0),
            "public_usd_mn": accepted,
            "results_at": pa.array(results, STAMP),
            "known_at": pa.array(known, STAMP),
        }
    )


def _bought_classes(records: Records) -> list[str]:
    """Return tips, or for nominal coupons bond where the bucket reaches beyond ten years.

    A bucket up to ten years is called note, though old bonds may be in it as well.
    """
    classes = []
    for kind, bucket in zip(
        records.text("security_type"), records.text("maturity_bucket"), strict=True
    ):
        longest = re.search(r"to ([\d.]+) ?Y", str(bucket))
        if kind not in ("TIPS", "Nominal Coupons") or longest is None:
            raise records.error(
                f"unknown buyback of '{kind}', '{bucket}'; expected TIPS or Nominal Coupons, and "
                "a bucket like 20Y to 30Y"
            )
        nominal = "bond" if float(longest[1]) > 10 else "note"
        classes.append("tips" if kind == "TIPS" else nominal)
    return classes
