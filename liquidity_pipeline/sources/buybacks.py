"""Treasury buybacks as settlement legs, one per operation; they settle a day after it."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline import calendars
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
    ANNOUNCED,
    STAMP,
    closing_moments,
    results_moments,
    settlements,
    usd_mn,
)

_BUYBACKS = f"{ACCOUNTING}/od/buybacks_operations"
_BUYBACK_COLUMNS = (
    "operation_date",
    "operation_start_time_est",
    "operation_close_time_est",
    "settlement_date",
    "operation_type",
    "security_type",
    "maturity_bucket",
    "max_par_amt_redeemed",
    "total_par_amt_accepted",
)


# Two operations of one bucket on a day differ by their hour.
_LABELS = ("operation_date", "operation_type", "security_type", "maturity_bucket")
_KEY = (*_LABELS, "operation_start_time_est")


def collect_buybacks(fetch: Fetch) -> pa.Table:
    """Return the buyback legs that settle in the window; an operation without amount is named."""
    records = read(
        fetch,
        _BUYBACKS,
        _BUYBACK_COLUMNS,
        where=between("settlement_date", fetch.window.start, fetch.window.end),
        sort=_LABELS,
        select=False,
    )
    records = _with_results(records)
    # Nobody has shown how the service spells a cancelled operation, so it stops nothing else; nor
    # does a day that cannot be read, which is why days are compared as texts here.
    settled = pc.fill_null(pc.less(records.table["settlement_date"], f"{fetch.today}"), False)
    without_amount = pc.and_(settled, pc.is_null(records.table["total_par_amt_accepted"]))
    for row in records.where(without_amount).table.to_pylist():
        fetch.gap(
            f"Treasury buybacks: the operation of {row['operation_date']} "
            f"({row['security_type']}, {row['maturity_bucket']}) has no accepted amount, left out"
        )
    held = records.where(pc.invert(without_amount))
    name = fetch.left_out("Treasury buybacks")
    return good_rows(held, lambda part: parse_buybacks(part, fetch.seen_at), name, _KEY)


def _with_results(records: Records) -> Records:
    """Leave out what was announced of an operation whose results are in another row."""
    keys = list(zip(*(records.text(name) for name in _KEY), strict=True))
    amounts = records.text("total_par_amt_accepted")
    done = {key for key, amount in zip(keys, amounts, strict=True) if amount is not None}
    kept = [
        amount is not None or key not in done for key, amount in zip(keys, amounts, strict=True)
    ]
    return records.where(pa.array(kept, pa.bool_()))


@declared("rows of buyback operations", publisher=PUBLISHER)
def parse_buybacks(records: Records, seen_at: datetime) -> pa.Table:
    """Return the buyback legs, one per operation, on the settlement date.

    par is what was accepted, the most that would be accepted until results are known. Dealers
    offer for the public and the Fed does not sell, so all of it is public. Treasury announces an
    operation at 11:00 of the business day before; its results are known since five minutes after it
    closed. A row that was seen before its announcement was due is known since then.
    Raises UnexpectedPayloadError for an unknown type or maturity bucket, and for two equal rows.
    """
    records.require("operation_date", "settlement_date", "security_type", "maturity_bucket")
    records.refuse_duplicates(*_KEY)
    accepted = usd_mn(records, "total_par_amt_accepted")
    offering = usd_mn(records, "max_par_amt_redeemed")
    results = results_moments(
        closing_moments(records, "operation_date", "operation_close_time_est"), accepted
    )
    operations = records.days("operation_date")
    announced = _announcements(operations.to_pylist(), seen_at)
    known = [at or before for at, before in zip(results, announced, strict=True)]
    return settlements(
        {
            "settlement_date": records.days("settlement_date"),
            "leg": pa.repeat("buyback", len(records)),
            "record_id": pa.array(_record_ids(records), pa.string()),
            "security_class": pa.array(_bought_classes(records), pa.string()),
            "security_term": records.table["maturity_bucket"],
            "auction_date": operations,
            "offering_usd_mn": offering,
            "par_usd_mn": pc.coalesce(accepted, offering),
            "soma_usd_mn": pc.multiply(accepted, 0.0),
            "public_usd_mn": accepted,
            "announced_at": pa.array(announced, STAMP),
            "results_at": pa.array(results, STAMP),
            "known_at": pa.array(known, STAMP),
        }
    )


def _announcements(operations: list[date], seen_at: datetime) -> list[datetime]:
    before = calendars.shift("fed", operations, -1, "forward")
    return [min(calendars.utc(day, ANNOUNCED), seen_at) for day in before]


def _record_ids(records: Records) -> list[str]:
    """Name each operation by its labels, and later ones with the same labels by the hour too."""
    rows = list(zip(*(records.text(name) for name in _KEY), strict=True))
    names: dict[tuple[str | None, ...], str] = {}
    seen: Counter[tuple[str | None, ...]] = Counter()
    for row in sorted(rows, key=_by_hour):
        labels = row[:-1]
        parts = row if seen[labels] else labels
        names[row] = "/".join(("buyback", *(part or "null" for part in parts)))
        seen[labels] += 1
    return [names[row] for row in rows]


def _by_hour(row: tuple[str | None, ...]) -> tuple[str, ...]:
    """Order rows of the key by their last part, a time like "01:40 PM"; 12 comes before 1."""
    clock = (row[-1] or "").replace("12:", "00:")
    return *(part or "" for part in row[:-1]), clock[-2:], clock


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
