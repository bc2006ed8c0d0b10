"""Treasury's feed of announcements: issue legs of auctions that are not published elsewhere yet.

The feed never deletes a row and keeps no history; what it scheduled earlier cannot be known.
"""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline.calendars import new_york_day
from liquidity_pipeline.sources.boundary import declared
from liquidity_pipeline.sources.fetch import Fetch
from liquidity_pipeline.sources.fiscal_client import ACCOUNTING, PUBLISHER, Records, good_rows, read
from liquidity_pipeline.sources.settlement_rows import (
    ANNOUNCED,
    STAMP,
    TYPES,
    moments,
    settlements,
    usd_mn,
)

_ANNOUNCEMENTS = f"{ACCOUNTING}/od/upcoming_auctions"
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
# The announcements feed has finer labels than the auctions, and no flags.
_ANNOUNCED_TYPES = TYPES | {
    "CMB": "cmb",
    "TIPS Note": "tips",
    "TIPS Bond": "tips",
    "FRN Note": "frn",
}
_FEED_PUBLISHED = time(16)


def collect_announcements(fetch: Fetch, auctions: pa.Table) -> pa.Table:
    """Return what the feed has scheduled beyond the parsed `auctions`; see parse_announcements."""
    records = read(
        fetch,
        _ANNOUNCEMENTS,
        _ANNOUNCEMENT_COLUMNS,
        where=(f"auction_date:gte:{fetch.today}",),
        sort=("auction_date", "security_type", "security_term", "cusip", "record_date"),
        # The feed may hold a row twice, and a selection of columns would add the two up.
        select=False,
    )
    return good_rows(
        records,
        lambda part: parse_announcements(part, auctions, fetch.now, fetch.seen_at),
        fetch.left_out("Treasury announcements feed"),
    )


@declared("rows of announcements", publisher=PUBLISHER)
def parse_announcements(
    records: Records, auctions: pa.Table, now: datetime, seen_at: datetime
) -> pa.Table:
    """Return issue legs of scheduled auctions that the parsed `auctions` do not hold yet.

    One per class, term and auction day (no two auctions since 2005 share these), from the row that
    was published last by `now`; rows of past auctions, which the feed never deletes, are dropped.
    par is NULL while no amount is announced. A row is known since its announcement; before it,
    since 16:00 New York of its `record_date`, or since it was seen if that is earlier. Raises
    UnexpectedPayloadError for an unknown label.
    """
    records.require("security_type", "security_term", "auction_date", "issue_date")
    if unknown := set(records.text("security_type")) - _ANNOUNCED_TYPES.keys():
        raise records.error(f"unknown security_type {unknown}; known are {list(_ANNOUNCED_TYPES)}")
    legs = _announced_legs(records, now, seen_at)
    legs = legs.filter(pc.less_equal(legs["known_at"], pa.scalar(now, STAMP)))
    today = new_york_day(now)
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


def _announced_legs(records: Records, now: datetime, seen_at: datetime) -> pa.Table:
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
    known = [
        at or min(publication or seen_at, seen_at)
        for at, publication in zip(announced, published, strict=True)
    ]
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
