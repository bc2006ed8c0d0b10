"""What auctions, buybacks and announcements have in common when they become settlement rows.

Full dollars on the wire, USD millions here; wall-clock times of New York become naive UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline import calendars
from liquidity_pipeline.contracts.sources.treasury import DEBT_SETTLEMENTS
from liquidity_pipeline.sources.fiscal_client import Records

TYPES = {"Bill": "bill", "Note": "note", "Bond": "bond"}
ANNOUNCED, _CLOSE = time(11), time(13)
_COUNTING = timedelta(minutes=5)
STAMP = pa.timestamp("us")
NO_LEGS = DEBT_SETTLEMENTS.arrow_schema.empty_table()


def settlements(columns: Mapping[str, Any]) -> pa.Table:
    """Return rows with the columns and types of `debt_settlements`; what is not given is NULL."""
    schema = DEBT_SETTLEMENTS.arrow_schema
    rows = len(columns["settlement_date"])
    return pa.table(
        {field.name: columns.get(field.name, pa.nulls(rows, field.type)) for field in schema},
        schema=schema,
    )


def usd_mn(records: Records, column: str) -> pa.ChunkedArray:
    """Convert full dollars to USD millions, or raise UnexpectedPayloadError for another unit.

    The smallest auctions on record are tests of USD 25 million, the largest is USD 118 billion: a
    positive figure below a million is one in millions.
    """
    dollars = records.numbers(column)
    odd = dollars.filter(pc.and_(pc.greater(dollars, 0), pc.less(dollars, 1e6)))
    if column in ("offering_amt", "total_accepted") and len(odd):
        raise records.error(f"{column} is {odd[0].as_py():g}; expected full dollars")
    return pc.divide(dollars, 1e6)


def moments(days: Sequence[date | None], at: time) -> list[datetime | None]:
    """Return the naive UTC moments of a New York time on each day."""
    return [calendars.utc(day, at) if day else None for day in days]


def closing_moments(records: Records, day: str, clock: str) -> list[datetime]:
    """Return when bidding closed (UTC), at 13:00 New York where the clock, "11:30 AM", is null."""
    clocks: dict[str | None, time] = {None: _CLOSE}
    for text in set(records.text(clock)) - {None}:
        try:
            clocks[text] = datetime.strptime(str(text), "%I:%M %p").time()  # noqa: DTZ007 - clock only
        except ValueError:
            raise records.error(f"{clock} is '{text}'; expected a time like 11:30 AM") from None
    days = records.days(day).to_pylist()
    return [
        calendars.utc(day, clocks[text])
        for day, text in zip(days, records.text(clock), strict=True)
    ]


def results_moments(closed: Sequence[datetime], accepted: pa.ChunkedArray) -> list[datetime | None]:
    """Return when results were published: five minutes after the close, NULL without an amount."""
    return [
        close + _COUNTING if amount is not None else None
        for close, amount in zip(closed, accepted.to_pylist(), strict=True)
    ]


def in_days(rows: pa.Table, column: str, start: date, end: date) -> pa.Table:
    """Return the rows whose day is between start and end, both included."""
    first, last = pa.scalar(start, pa.date32()), pa.scalar(end, pa.date32())
    day = rows[column]
    return rows.filter(pc.and_(pc.greater_equal(day, first), pc.less_equal(day, last)))
