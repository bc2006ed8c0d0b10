"""The small `meta` tables that marts join to: calendar, clock and universe."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise

import numpy as np
import pyarrow as pa

from liquidity_pipeline import calendars
from liquidity_pipeline.calendars import new_york_day
from liquidity_pipeline.contracts.meta import CALENDAR_DAYS, CLOCK, UNIVERSE
from liquidity_pipeline.settings import FIRST_MONTH
from liquidity_pipeline.sources.fetch import month_end
from liquidity_pipeline.universe import Universe


def clock(now: datetime) -> pa.Table:
    """Return `meta.clock`; `now` is naive UTC."""
    today = new_york_day(now)
    return pa.table({"now": [now], "today": [today]}, schema=CLOCK.arrow_schema)


def universe_table(universe: Universe) -> pa.Table:
    """Return `meta.universe`, one row per followed asset."""
    rows = [
        {
            "asset": asset.symbol,
            "name": asset.name,
            "asset_class": asset.asset_class,
            "is_crypto": kind == "crypto",
            "providers": ", ".join(asset.providers),
            "since": asset.since,
        }
        for kind, assets in (("index", universe.index), ("crypto", universe.crypto))
        for asset in assets
    ]
    return pa.Table.from_pylist(rows, schema=UNIVERSE.arrow_schema)


@cache
def calendar_days(today: date) -> pa.Table:
    """Return `meta.calendar_days` from 2005-10 to the end of the next calendar year."""
    first, last = FIRST_MONTH, date(today.year + 1, 12, 31)
    span = calendars.days("utc", first, last)
    array = np.array(span, dtype="datetime64[D]")
    fed, sifma, nyse = (_membership(name, first, last, array) for name in ("fed", "sifma", "nyse"))
    weekday = (array.astype(int) + 3) % 7  # Monday is 0
    turns = _turns_of_month(calendars.days("sifma", first, last))
    quarter_ends = [month_end(d.replace(month=(d.month - 1) // 3 * 3 + 3, day=1)) for d in span]
    rows = {
        "date": span,
        "is_fed": fed,
        "is_sifma": sifma,
        "is_nyse": nyse,
        "fed_on_or_after": calendars.shift("fed", span, 0, "forward"),
        "nyse_on_or_after": calendars.shift("nyse", span, 0, "forward"),
        "fed_number": np.cumsum(fed),
        "nyse_number": np.cumsum(nyse),
        "day_number": np.arange(1, len(span) + 1),
        "week_start": (array - weekday).astype(object),
        "week_ending": (array + (2 - weekday) % 7).astype(object),
        "quarter_end": quarter_ends,
        "is_month_end": [d in turns for d in span],
        "is_quarter_end": [
            d in turns and (d if d.day > 15 else d - timedelta(days=15)).month % 3 == 0
            for d in span
        ],
        "known_by": _known_by(span),
    }
    return pa.table(rows, schema=CALENDAR_DAYS.arrow_schema)


def _membership(
    calendar: calendars.CalendarName, first: date, last: date, array: calendars.Days
) -> np.ndarray:
    return np.isin(array, np.array(calendars.days(calendar, first, last), dtype="datetime64[D]"))


def _turns_of_month(market_days: list[date]) -> frozenset[date]:
    """Return the last and the first bond-market day of every month."""
    turns = (pair for pair in pairwise(market_days) if pair[0].month != pair[1].month)
    return frozenset(day for pair in turns for day in pair)


def _known_by(span: list[date]) -> list[datetime]:
    """Return when the last record of a day is out: no secured rates come out on a Good Friday."""
    records = [calendars.utc(day, calendars.H41.at) for day in calendars.shift("fed", span, 1)]
    return [max(pair) for pair in zip(records, calendars.SECURED_RATES.known_at(span), strict=True)]
