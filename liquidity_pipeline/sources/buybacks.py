"""Treasury buybacks as settlement legs, one per operation; they settle a day after it."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline.sources import buyback_buckets
from liquidity_pipeline.sources.boundary import declared
from liquidity_pipeline.sources.fetch import Fetch
from liquidity_pipeline.sources.fiscal_client import (
    ACCOUNTING,
    PUBLISHER,
    Records,
    between,
    good_rows,
    read,
)
from liquidity_pipeline.sources.settlement_rows import (
    STAMP,
    closing_moments,
    results_moments,
    settlements,
    usd_mn,
)

_BUYBACKS = f"{ACCOUNTING}/od/buybacks_operations"
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


_KEY = ("operation_date", "operation_type", "security_type", "maturity_bucket")


def collect_buybacks(fetch: Fetch) -> pa.Table:
    """Return the buyback legs that settle in the window; an operation without amount is named."""
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
    held = records.where(pc.invert(without_amount))
    name = fetch.left_out("Treasury buybacks")
    return good_rows(held, lambda part: parse_buybacks(part, fetch.seen_at), name, _KEY)


@declared("rows of buyback operations", publisher=PUBLISHER)
def parse_buybacks(records: Records, seen_at: datetime) -> pa.Table:
    """Return the buyback legs, one per operation, on the settlement date.

    par is what was accepted, the most that would be accepted until results are known. Dealers
    offer for the public and the Fed does not sell, so all of it is public. When an operation was
    announced is not recorded; it is known since five minutes after it closed, or
    since it was seen if that is earlier.
    Raises UnexpectedPayloadError for an unknown type or maturity bucket, and for two equal rows.
    """
    records.require("operation_date", "settlement_date", "security_type", "maturity_bucket")
    records.refuse_duplicates(*_KEY)
    accepted = usd_mn(records, "total_par_amt_accepted")
    offering = usd_mn(records, "max_par_amt_redeemed")
    closed = closing_moments(records, "operation_date", "operation_close_time_est")
    results = results_moments(closed, accepted)
    known = [at or min(close, seen_at) for at, close in zip(results, closed, strict=True)]
    labels = [pc.coalesce(records.table[name], "null") for name in _KEY]
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
    classes = []
    for kind, bucket in zip(
        records.text("security_type"), records.text("maturity_bucket"), strict=True
    ):
        found = buyback_buckets.security_class(str(kind), str(bucket))
        if found is None:
            raise records.error(
                f"unknown buyback of '{kind}', '{bucket}'; {buyback_buckets.EXPECTED}"
            )
        classes.append(found)
    return classes
