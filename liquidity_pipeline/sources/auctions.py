"""Auctions of marketable Treasury debt, and the legs that they become.

Each auction issues on one day and redeems its own amount at maturity, reopenings too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline import calendars
from liquidity_pipeline.contracts.sources.treasury import MATURING_HOLDINGS
from liquidity_pipeline.sources.boundary import declared
from liquidity_pipeline.sources.fetch import Fetch
from liquidity_pipeline.sources.fiscal_client import ACCOUNTING, PUBLISHER, Records, good_rows, read
from liquidity_pipeline.sources.settlement_rows import (
    ANNOUNCED,
    STAMP,
    TYPES,
    closing_moments,
    moments,
    results_moments,
    settlements,
    usd_mn,
)

AUCTIONS = f"{ACCOUNTING}/od/auctions_query"
AUCTION_COLUMNS = (
    "cusip",
    "auction_date",
    "issue_date",
    "maturity_date",
    "security_type",
    "security_term",
    "original_security_term",
    "cash_management_bill_cmb",
    "inflation_index_security",
    "floating_rate",
    "announcemt_date",
    "closing_time_comp",
    "offering_amt",
    "total_accepted",
    "soma_accepted",
    "price_per100",
    "int_rate",
    "high_yield",
    "reopening",
    "mat_date",
    "est_pub_held_mat_by_type_amt",
    "soma_holdings",
)
_FLAGS = {
    "cash_management_bill_cmb": "cmb",
    "inflation_index_security": "tips",
    "floating_rate": "frn",
}


def collect_auctions(fetch: Fetch, where: Iterable[str]) -> pa.Table:
    """Return the auctions that meet the service's conditions, in the columns of `parse_auctions`.

    Left out and named are a few rows that cannot be read, and auctions without results though
    later ones have theirs: those were postponed or cancelled, and nothing of them settles.
    """
    order = ("issue_date", "auction_date", "cusip")
    records = read(fetch, AUCTIONS, AUCTION_COLUMNS, where=where, sort=order)
    name = fetch.left_out("Treasury auctions")
    key = ("cusip", "auction_date")
    rows = good_rows(records, lambda part: parse_auctions(part, fetch.seen_at), name, key)
    postponed = without_results(rows)
    for row in rows.filter(postponed).to_pylist():
        auction = f"{row['cusip']}/{row['auction_date']}"
        fetch.withdrawn |= {f"issue/{auction}", f"redemption/{auction}"}
        name(
            f"the {row['remaining_term']} {row['security_class']} auction of {row['auction_date']} "
            f"(CUSIP {row['cusip']}, USD {row['offering_usd_mn']:,.0f} mn offered) has no results, "
            f"but later auctions have: postponed or cancelled, left out"
        )
    return rows.filter(pc.invert(postponed))


@declared("rows of auctions", publisher=PUBLISHER)
def parse_auctions(records: Records, seen_at: datetime) -> pa.Table:
    """Return one row per auction: dates, class, amounts in USD millions, and when it was known.

    Announced at 11:00 New York on `announcemt_date`; results five minutes after the competitive
    close (13:00 where not recorded), NULL until then. A row is known since its results, before
    them since its announcement; one without either at its close, or when it was seen if that is
    earlier. Raises UnexpectedPayloadError for two rows of one CUSIP and auction, an unknown type or
    flag, and amounts that cannot be dollars.
    """
    records.require("cusip", "auction_date", "issue_date", "maturity_date", "offering_amt")
    records.refuse_duplicates("cusip", "auction_date")
    accepted = usd_mn(records, "total_accepted")
    term = records.table["security_term"]
    return pa.table(
        {
            "cusip": records.table["cusip"],
            **{
                name: records.days(name)
                for name in ("auction_date", "issue_date", "maturity_date", "mat_date")
            },
            "security_class": pa.array(_security_classes(records), pa.string()),
            "remaining_term": term,
            "security_term": pc.coalesce(records.table["original_security_term"], term),
            "offering_usd_mn": usd_mn(records, "offering_amt"),
            "accepted_usd_mn": accepted,
            "soma_accepted_usd_mn": usd_mn(records, "soma_accepted"),
            "price_per100": records.numbers("price_per100"),
            "coupon_pct": _coupons(records),
            "maturing_public_usd_mn": usd_mn(records, "est_pub_held_mat_by_type_amt"),
            "maturing_soma_usd_mn": usd_mn(records, "soma_holdings"),
            **_publication(records, accepted, seen_at),
        }
    )


def _publication(
    records: Records, accepted: pa.ChunkedArray, seen_at: datetime
) -> dict[str, pa.Array]:
    announced = moments(records.days("announcemt_date").to_pylist(), ANNOUNCED)
    closed = closing_moments(records, "auction_date", "closing_time_comp")
    results = results_moments(closed, accepted)
    known = [
        result or announcement or min(close, seen_at)
        for result, announcement, close in zip(results, announced, closed, strict=True)
    ]
    return {
        "announced_at": pa.array(announced, STAMP),
        "results_at": pa.array(results, STAMP),
        "known_at": pa.array(known, STAMP),
    }


def _security_classes(records: Records) -> list[str]:
    """Return each auction's class: by its flags, which are null on old rows, else by its type."""
    classes = []
    flags = zip(*(records.text(flag) for flag in _FLAGS), strict=True)
    for kind, values in zip(records.text("security_type"), flags, strict=True):
        if kind not in TYPES or not set(values) <= {"Yes", "No", None}:
            raise records.error(
                f"security_type '{kind}' with {', '.join(_FLAGS)} = {values}; expected one of "
                f"{', '.join(TYPES)}, and Yes, No or null"
            )
        raised = [
            name for name, value in zip(_FLAGS.values(), values, strict=True) if value == "Yes"
        ]
        classes.append(raised[0] if raised else TYPES[kind])
    return classes


def _coupons(records: Records) -> pa.Array:
    """Return each auction's coupon, percent; NULL for bills, floating rates, and before results.

    Where it is not recorded, a security that is issued for the first time bears the highest eighth
    of a percent that is not above the yield at which it was sold, and at least one eighth: so it
    was for all 167 of 2005 to 2026 of which both are known.
    """
    columns = ("security_type", "floating_rate", "reopening")
    labels = zip(*(records.text(name) for name in columns), strict=True)
    numbers = (records.numbers(name).to_pylist() for name in ("int_rate", "high_yield"))
    coupons: list[float | None] = []
    for (kind, floating, reopening), rate, sold_at in zip(labels, *numbers, strict=True):
        is_fixed = kind != "Bill" and floating != "Yes"
        if is_fixed and rate is None and sold_at is not None and reopening == "No":
            rate = max(math.floor(round(8 * sold_at, 6)) / 8, 0.125)  # noqa: PLW2901
        coupons.append(rate if is_fixed else None)
    return pa.array(coupons, pa.float64())


def without_results(auctions: pa.Table) -> pa.ChunkedArray:
    """Tell of each auction whether it has no amount although an auction on a later day has one.

    It was postponed (the 2-year note of 2015-10-27) or cancelled; of 11,083 auctions since 1979 one
    never gets one, the 4-week bill of 2001-09-11.
    """
    days, accepted = auctions["auction_date"], auctions["accepted_usd_mn"]
    newest = pc.max(days.filter(pc.is_valid(accepted)))
    passed = pc.fill_null(pc.less(days, newest), False)
    return pc.and_(passed, pc.is_null(accepted))


def overdue(auctions: pa.Table, today: date) -> pa.Table:
    """Return the auctions that should have been issued by now and have no results yet."""
    issued = pc.less(auctions["issue_date"], pa.scalar(today, pa.date32()))
    return auctions.filter(pc.and_(issued, pc.is_null(auctions["accepted_usd_mn"])))


def known_by(auctions: pa.Table, now: datetime) -> pa.Table:
    """Return the auctions as known at `now`: none announced later, no result from later."""
    moment = pa.scalar(now, STAMP)
    first_known = pc.coalesce(auctions["announced_at"], auctions["known_at"])
    auctions = auctions.filter(pc.less_equal(first_known, moment))
    pending = pc.fill_null(pc.greater(auctions["results_at"], moment), False)
    no_amount = pa.scalar(None, pa.float64())
    before = {
        "accepted_usd_mn": no_amount,
        "soma_accepted_usd_mn": no_amount,
        "price_per100": no_amount,
        "coupon_pct": no_amount,
        "results_at": pa.scalar(None, STAMP),
        "known_at": auctions["announced_at"],
    }
    for name, value in before.items():
        column = pc.if_else(pending, value, auctions[name])
        auctions = auctions.set_column(auctions.schema.get_field_index(name), name, column)
    return auctions


def issue_legs(auctions: pa.Table) -> pa.Table:
    """Return the issue legs: the accepted amount settles on the issue date."""
    soma = _add_ons(auctions)
    return _legs(
        auctions,
        "issue",
        auctions["issue_date"],
        soma_usd_mn=soma,
        public_usd_mn=pc.subtract(auctions["accepted_usd_mn"], soma),
        price_per100=auctions["price_per100"],
    )


def _add_ons(auctions: pa.Table) -> pa.ChunkedArray:
    """Return what the Fed's own account took of each auction, USD mn; NULL before results.

    It is `soma_accepted`; where that is not recorded, what was accepted beyond the offering, which
    excludes SOMA add-ons. Where both are known (six auctions of 2016 to 2026) the second is higher
    by up to 0.124 USD millions, because awards to the public are rounded up.
    """
    beyond = pc.subtract(auctions["accepted_usd_mn"], auctions["offering_usd_mn"])
    add_on = pc.max_element_wise(beyond, 0.0, skip_nulls=False)
    return pc.coalesce(auctions["soma_accepted_usd_mn"], add_on)


def redemption_legs(auctions: pa.Table) -> pa.Table:
    """Return the redemption legs: the amount of each auction, reopenings too, at its maturity.

    A maturity that is no Federal Reserve business day settles on the next one. What buybacks
    retired before is still in the amount. `soma_usd_mn` is what the Fed took at the auction: all
    that it holds of a bill that it has not bought in the market, and at least that of a coupon.
    """
    maturities = auctions["maturity_date"].to_pylist()
    settled = calendars.shift("fed", maturities, 0, roll="forward")
    day = pa.array(settled, pa.date32())
    return _legs(auctions, "redemption", day, soma_usd_mn=_add_ons(auctions))


def _legs(auctions: pa.Table, leg: str, settlement_date: Any, **of_this_leg: Any) -> pa.Table:
    same = (
        "cusip",
        "security_class",
        "security_term",
        "auction_date",
        "issue_date",
        "maturity_date",
        "offering_usd_mn",
        "coupon_pct",
        "announced_at",
        "results_at",
        "known_at",
    )
    auctioned = pc.cast(auctions["auction_date"], pa.string())
    return settlements(
        {name: auctions[name] for name in same}
        | {
            "settlement_date": settlement_date,
            "leg": pa.repeat(leg, auctions.num_rows),
            "record_id": pc.binary_join_element_wise(leg, auctions["cusip"], auctioned, "/"),
            "par_usd_mn": pc.coalesce(auctions["accepted_usd_mn"], auctions["offering_usd_mn"]),
        }
        | of_this_leg
    )


def maturing_holdings(auctions: pa.Table) -> pa.Table:
    """Return who holds what matures, one row per maturity day and group, USD millions.

    The estimate is repeated on every auction that refunds the group. Where they differ the latest
    announcement counts; but a zero, which cash management bills and late reopenings carry, gives
    way to a positive figure, and a negative one (a placeholder less SOMA) to anything. A row is
    known since the first announcement of its figures.
    """
    columns = (
        "mat_date",
        "security_class",
        "maturing_public_usd_mn",
        "maturing_soma_usd_mn",
        "announced_at",
        "known_at",
    )
    groups: dict[tuple[date, str], list[tuple[bool, datetime, bool, float, float | None]]] = {}
    for day, kind, public, soma, announced, known in zip(
        *(auctions[name].to_pylist() for name in columns), strict=True
    ):
        if day is not None and public is not None and public >= 0:
            group = "bills" if kind in ("bill", "cmb") else "coupons"
            statement = (public > 0, announced or known, kind != "cmb", public, soma)
            groups.setdefault((day, group), []).append(statement)
    rows = []
    for (day, group), statements in sorted(groups.items()):
        *_, public, soma = max(statements, key=lambda statement: statement[:3])
        known = min(at for _, at, _, *figures in statements if figures == [public, soma])
        rows.append((day, group, public, soma, known))
    schema = MATURING_HOLDINGS.arrow_schema
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema)
