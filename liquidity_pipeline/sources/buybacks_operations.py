"""Treasury's buybacks, from Fiscal Data: each operation, and what it bought of each security.

Full dollars on the wire, USD millions here. The legs of buybacks in `debt_settlements` and the
netting of redemptions do not belong here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from liquidity_pipeline import calendars
from liquidity_pipeline.contracts.sources.itemised import BUYBACK_SECURITIES, BUYBACKS
from liquidity_pipeline.sources import buyback_buckets
from liquidity_pipeline.sources.boundary import Name, nobody
from liquidity_pipeline.sources.errors import NotServedError, UnexpectedPayloadError
from liquidity_pipeline.sources.fetch import Collected, Fetch
from liquidity_pipeline.sources.fiscal_client import ACCOUNTING, Records, between, good_rows, read

if TYPE_CHECKING:
    import pyarrow as pa

_OPERATIONS = f"{ACCOUNTING}/od/buybacks_operations"
_SECURITIES = f"{ACCOUNTING}/od/buybacks_security_details"

# What an announced operation has; the close is not always recorded.
_ALWAYS_THERE = (
    "operation_date",
    "operation_start_time_est",
    "settlement_date",
    "operation_type",
    "security_type",
    "maturity_bucket",
)
OPERATION_COLUMNS = (
    *_ALWAYS_THERE,
    "operation_close_time_est",
    "max_par_amt_redeemed",
    "total_par_amt_offered",
    "total_par_amt_accepted",
    "nbr_issues_eligible",
    "nbr_issues_accepted",
)
SECURITY_COLUMNS = (
    "operation_date",
    "operation_start_time_est",
    "cusip_nbr",
    "coupon_rate_pct",
    "maturity_date",
    "par_amt_accepted",
    "weighted_avg_accepted_price",
)
# Treasury announces an operation's terms at 11:00 of the business day before; results are out a few
# minutes after offers close, 20 minutes after they open.
_ANNOUNCED, _OPEN, _COUNTING = time(11), timedelta(minutes=20), timedelta(minutes=5)
# Offers are made in lots of a million.
_SMALLEST_USD, _LARGEST_USD = 1e5, 1e12

Key = tuple[date, str]
_CUSIP = re.compile(r"[0-9A-Z]{9}")


@dataclass(frozen=True)
class _Bought:
    """One row of the details: par in dollars, None where the publisher has no value."""

    par: float | None
    price: float | None
    coupon: float | None
    matures: date | None


def collect_buybacks(fetch: Fetch) -> Collected:
    """Return `buybacks` and `buyback_securities` of the window's operation days, USD millions.

    Announced operations ahead are included. Either table that is not served is a named gap, and
    empty; so is an operation that has passed without results, and one whose securities do not add
    up to what it accepted. Raises PublisherError where the operations could not be had for another
    reason: without them it is not known when a security was bought.
    """
    what = "buybacks: Treasury's operations"
    try:
        operations = fetch.understood(what, lambda: _operations(fetch))
    except (NotServedError, UnexpectedPayloadError) as error:
        fetch.gap(f"{what}: {error.as_gap}")
        empty = BUYBACK_SECURITIES.arrow_schema.empty_table()
        return {"buybacks": BUYBACKS.arrow_schema.empty_table(), "buyback_securities": empty}
    for row in operations:
        if row["accepted_usd_mn"] is None and row["operation_date"] < fetch.today:
            fetch.gap(f"Treasury buybacks: no results of {_name(row)}")
    securities = _securities(fetch, operations)
    return {
        "buybacks": _table(BUYBACKS, operations),
        "buyback_securities": _table(BUYBACK_SECURITIES, securities),
    }


def _table(contract: Any, rows: list[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist(rows, schema=contract.arrow_schema)


def _operations(fetch: Fetch) -> list[dict[str, Any]]:
    records = read(
        fetch,
        _OPERATIONS,
        OPERATION_COLUMNS,
        where=between("operation_date", fetch.window.start, fetch.window.end),
        sort=("operation_date", "operation_start_time_est"),
        # A row that is published twice would be added up by a selection of columns.
        select=False,
    )
    rows = good_rows(
        records,
        lambda part: _table(BUYBACKS, parse_operations(part, fetch.seen_at)),
        fetch.left_out("Treasury buybacks"),
        ("operation_date", "operation_start_time_est"),
    ).to_pylist()
    return [row for row in rows if fetch.window.start <= row["operation_date"] <= fetch.window.end]


def parse_operations(records: Records, seen_at: datetime) -> list[dict[str, Any]]:
    """Return one row per operation, with the columns of `buybacks`.

    An operation is known since its results, before them since its announcement, or since it was
    seen if that is earlier. Of two rows with one key the one with results is kept. Raises
    UnexpectedPayloadError for unknown labels, amounts that are no dollars, and two different
    results of one operation.
    """
    records.require(*_ALWAYS_THERE)
    numbers: dict[str, list[Any]] = {
        "maximum_usd_mn": _usd_mn(records, "max_par_amt_redeemed"),
        "offered_usd_mn": _usd_mn(records, "total_par_amt_offered"),
        "accepted_usd_mn": _usd_mn(records, "total_par_amt_accepted"),
        "issues_eligible": _counts(records, "nbr_issues_eligible"),
        "issues_accepted": _counts(records, "nbr_issues_accepted"),
    }
    found: dict[Key, dict[str, Any]] = {}
    settles = records.days("settlement_date").to_pylist()
    opens = _clocks(records, "operation_start_time_est")
    closes = _clocks(records, "operation_close_time_est")
    texts = zip(*(records.text(name) for name in _ALWAYS_THERE[3:]), strict=True)
    for i, (day, labels) in enumerate(
        zip(records.days("operation_date").to_pylist(), texts, strict=True)
    ):
        kind, security_type, bucket = (str(label) for label in labels)
        opening, amounts = _opening(records, opens[i]), {name: v[i] for name, v in numbers.items()}
        row = {
            "operation_date": day,
            "start_time": f"{opening:%H:%M}",
            "settlement_date": settles[i],
            "operation_type": kind,
            "security_type": security_type,
            "maturity_bucket": bucket,
            "security_class": _security_class(records, security_type, bucket),
            **amounts,
            **_publication(day, opening, closes[i], amounts["accepted_usd_mn"], seen_at),
        }
        key = day, row["start_time"]
        found[key] = _better(records, found[key], row) if key in found else row
    return list(found.values())


def _publication(
    day: date, opening: time, closing: time | None, accepted: float | None, seen_at: datetime
) -> dict[str, Any]:
    before = calendars.shift("fed", [day], -1, "forward")[0]
    announced = min(calendars.utc(before, _ANNOUNCED), seen_at)
    close = calendars.utc(day, closing) if closing else calendars.utc(day, opening) + _OPEN
    results = None if accepted is None else close + _COUNTING
    return {"announced_at": announced, "results_at": results, "known_at": results or announced}


def _better(records: Records, first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Return the row with results of two for one operation; refuse two different results."""
    given = [row for row in (first, second) if row["accepted_usd_mn"] is not None]
    if len(given) == 2 and first != second:
        raise records.error(f"the operation of {_name(first)} comes twice with different values")
    return (given or [second])[0]


def _security_class(records: Records, security_type: str, bucket: str) -> str:
    kind = buyback_buckets.security_class(security_type, bucket)
    if kind is None:
        raise records.error(
            f"unknown buyback of '{security_type}', '{bucket}'; {buyback_buckets.EXPECTED}"
        )
    return kind


def _bought(fetch: Fetch) -> dict[Key, dict[str, _Bought]]:
    records = read(
        fetch,
        _SECURITIES,
        SECURITY_COLUMNS,
        where=between("operation_date", fetch.window.start, fetch.window.end),
        sort=("operation_date", "operation_start_time_est", "cusip_nbr", "par_amt_accepted"),
        select=False,
    )
    return parse_securities(records, fetch.left_out("buyback_securities"))


def _securities(fetch: Fetch, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    bought = fetch.or_gap(lambda: _bought(fetch), None, "buyback_securities")
    if bought is None:
        return []
    rows = []
    for operation in operations:
        if operation["accepted_usd_mn"] is None:
            continue
        listed = bought.get((operation["operation_date"], operation["start_time"]), {})
        total = sum(each.par or 0 for each in listed.values()) / 1e6
        if abs(total - operation["accepted_usd_mn"]) > 1e-6:
            fetch.gap(
                f"Treasury buybacks: the securities of {_name(operation)} add up to "
                f"{total:,.6f} of {operation['accepted_usd_mn']:,.6f} USD mn, left out"
            )
            continue
        rows += [_security(operation, cusip, each) for cusip, each in listed.items()]
    return rows


def parse_securities(records: Records, name: Name = nobody) -> dict[Key, dict[str, _Bought]]:
    """Return what each operation bought of each eligible security, by operation and CUSIP.

    Rows are sometimes published twice, once without a value: the larger value is kept, and the sum
    with the operation's other securities shows whether that was right. A row whose CUSIP is none is
    left out and named. Raises UnexpectedPayloadError for amounts that are no dollars.
    """
    records.require("operation_date", "operation_start_time_est", "cusip_nbr")
    found: dict[Key, dict[str, _Bought]] = defaultdict(dict)
    columns = (
        records.days("operation_date").to_pylist(),
        _clocks(records, "operation_start_time_est"),
        records.text("cusip_nbr"),
        _usd_mn(records, "par_amt_accepted"),
        records.numbers("weighted_avg_accepted_price").to_pylist(),
        records.numbers("coupon_rate_pct").to_pylist(),
        records.days("maturity_date").to_pylist(),
    )
    for day, opens, cusip, par, price, coupon, matures in zip(*columns, strict=True):
        if not _CUSIP.fullmatch(str(cusip)):
            name(f"left out, '{cusip}' of {day} is no CUSIP")
            continue
        listed = found[day, f"{_opening(records, opens):%H:%M}"]
        row = _Bought(None if par is None else par * 1e6, price, coupon, matures)
        before = listed.get(str(cusip))
        if before is None or (par or 0) * 1e6 > (before.par or 0):
            listed[str(cusip)] = row
    return found


def _security(operation: Mapping[str, Any], cusip: str, bought: _Bought) -> dict[str, Any]:
    # The securities add up to the operation: what has no value was not bought.
    par = (bought.par or 0) / 1e6
    same = ("operation_date", "start_time", "settlement_date", "known_at")
    return {name: operation[name] for name in same} | {
        "cusip": cusip,
        "maturity_date": bought.matures,
        "coupon_pct": bought.coupon,
        "accepted_usd_mn": par,
        "price_per100": bought.price if par else None,
    }


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['operation_date']} {row['start_time']} ({row['maturity_bucket']})"


def _usd_mn(records: Records, column: str) -> list[float | None]:
    """Convert full dollars to USD millions, or raise UnexpectedPayloadError for another unit."""
    dollars: list[float | None] = records.numbers(column).to_pylist()
    for value in dollars:
        if value and not _SMALLEST_USD <= value <= _LARGEST_USD:
            raise records.error(f"{column} is {value:g}; expected full dollars")
    return [None if value is None else value / 1e6 for value in dollars]


def _counts(records: Records, column: str) -> list[int | None]:
    found = records.numbers(column).to_pylist()
    for value in found:
        if value is not None and not (0 <= value < 1e6 and value == int(value)):
            raise records.error(f"{column} is {value:g}; expected a count")
    return [None if value is None else int(value) for value in found]


def _clocks(records: Records, column: str) -> list[time | None]:
    """Return New York times of day, written like 01:40 PM."""
    clocks: dict[str | None, time | None] = {None: None}
    for text in set(records.text(column)) - {None}:
        try:
            clocks[text] = datetime.strptime(str(text), "%I:%M %p").time()  # noqa: DTZ007 - clock only
        except ValueError:
            raise records.error(f"{column} is '{text}'; expected a time like 01:40 PM") from None
    return [clocks[text] for text in records.text(column)]


def _opening(records: Records, opens: time | None) -> time:
    if opens is None:
        raise records.error("operation_start_time_est is null where a time is due")
    return opens
