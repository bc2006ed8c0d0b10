"""The daily bar as every price provider hands it over: one shape, one idea of what is missing.

Which days count, which provider is believed and when a bar is known belongs to `prices`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from liquidity_pipeline.sources.boundary import Name, nobody, report, sift
from liquidity_pipeline.sources.errors import UnexpectedPayloadError

if TYPE_CHECKING:
    import pyarrow as pa

PRICES = ("open", "high", "low", "close")
# An open that was traded elsewhere than the high may pass it by a hair: 1.3 bp in a bar of HYG.
_ROUNDING = 5e-4
_DAY_SECONDS = 86_400
# 2100-01-01; a time in milliseconds is far beyond it.
_LAST_DAY = 47_482
# Of a coin's day so young, the venue's next day tells whether it was over: see `prices.believed`.
YOUNG = timedelta(days=7)
COLUMNS = ("trade_date", *PRICES, "dividend", "volume")


def table(days: Any, columns: Mapping[str, Any]) -> pa.Table:
    """Return bars with all of COLUMNS, one row per day in order; what is not given is NULL.

    `days` and the values of `columns` are equally long lists or arrays. Providers spell a missing
    price as null, NaN or zero; what is negative or infinite is no price either. A bar without a
    close is no bar, and of several bars of one day the last one in the answer holds.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    dates = pa.array(days, pa.date32())
    nothing = pa.nulls(len(dates), pa.float64())
    arrays = {n: pa.array(values, pa.float64(), from_pandas=True) for n, values in columns.items()}
    for name, values in arrays.items():
        # A dividend or a volume of zero is a figure; a price of zero is none.
        least = pc.greater if name in PRICES else pc.greater_equal
        usable = pc.and_(pc.is_finite(values), least(values, 0))
        arrays[name] = pc.if_else(usable, values, None)
    rows = pa.table([dates, *(arrays.get(name, nothing) for name in COLUMNS[1:])], names=COLUMNS)
    rows = rows.filter(pc.is_valid(rows["close"]))
    newest_first = rows["trade_date"].to_numpy()[::-1]
    _, last = np.unique(newest_first, return_index=True)
    return rows.take(pa.array(len(newest_first) - 1 - last))


def of_lists(
    rows: Any, names: Sequence[str], name: Name, *, expected: str, publisher: str, url: str
) -> pa.Table:
    """Return the bars of a venue that sends each as a list of numbers in the order of `names`.

    `time` is the UTC second at which the bar's day begins. Raises UnexpectedPayloadError for
    another form of the whole; a few rows of another form, and days that come twice with different
    numbers, are left out and named.
    """
    import numpy as np

    def error(problem: str) -> UnexpectedPayloadError:
        return UnexpectedPayloadError(problem, publisher=publisher, url=url)

    def numbers(row: Any) -> list[float]:
        try:
            found = [math.nan if value is None else _number(value) for value in row]
        except (TypeError, ValueError, OverflowError):
            found = []
        days = found[0] / _DAY_SECONDS if found else -1.0
        if len(found) != len(names) or not 0 <= days < _LAST_DAY:
            raise error(f"expected {expected}, got {str(row)[:200]}")
        return found

    if not isinstance(rows, list):
        numbers(rows)
    once = _once(sift(rows, numbers, name), name, error)
    bars = np.array(once, dtype=np.float64).reshape(-1, len(names))
    columns = dict(zip(names, bars.T, strict=True))
    days = columns.pop("time").astype("datetime64[s]").astype("datetime64[D]")
    found = table(days, {n: values for n, values in columns.items() if n in COLUMNS})
    return sound(found, name, publisher=publisher, url=url)


def _once(
    rows: Sequence[list[float]], name: Name, error: Callable[[str], UnexpectedPayloadError]
) -> list[list[float]]:
    """Return each day once; of two different rows of a day neither is believed.

    Bars of an hour, which the venues serve by the same address, are refused by this too.
    """
    found: dict[float, list[float]] = {}
    differing: dict[float, UnexpectedPayloadError] = {}
    for row in rows:
        day = row[0] // _DAY_SECONDS
        # What is missing is NaN, and equal to nothing: rows are compared as they are written.
        if repr(found.setdefault(day, row)) != repr(row):
            differing[day] = error(f"two bars of one day, {found[day]} and {row}")
    report(list(differing.values()), len(found), name)
    return [row for day, row in found.items() if day not in differing]


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError("true and false are no numbers")
    return float(value)


def between(bars: pa.Table, start: date, end: date) -> pa.Table:
    """Return the bars from start to end, both included: providers send days beside the range."""
    import pyarrow.compute as pc

    days = bars["trade_date"]
    return bars.filter(pc.and_(pc.greater_equal(days, start), pc.less_equal(days, end)))


def sound(rows: pa.Table, name: Name = nobody, *, publisher: str, url: str) -> pa.Table:
    """Return the bars without what cannot be: low <= open, close <= high holds in a true bar.

    An impossible open becomes NULL. A bar whose close is not between its low and its high is left
    out, because any of the three may be wrong. Both are named. Raises UnexpectedPayloadError where
    more than half are impossible: venues send a bar as a list without names, and this is what a
    change of its order looks like.
    """
    import pyarrow.compute as pc

    def beyond(value: str) -> pa.ChunkedArray:
        slack = pc.multiply(rows["close"], _ROUNDING)
        above = pc.greater(pc.subtract(rows[value], rows["high"]), slack)
        below = pc.greater(pc.subtract(rows["low"], rows[value]), slack)
        return pc.or_(pc.fill_null(above, False), pc.fill_null(below, False))

    no_bar, no_open = pc.or_(beyond("close"), _crossed(rows)), beyond("open")
    errors = [
        UnexpectedPayloadError(
            f"expected low <= open, close <= high in every bar, so the order of its columns may "
            f"have changed; got {bar['trade_date']}: "
            + ", ".join(f"{price} {bar[price]}" for price in PRICES),
            publisher=publisher,
            url=url,
        )
        for bar in rows.filter(pc.or_(no_bar, no_open)).to_pylist()
    ]
    report(errors, rows.num_rows, name)
    opens = pc.if_else(no_open, None, rows["open"])
    place = rows.schema.get_field_index("open")
    return rows.set_column(place, "open", opens).filter(pc.invert(no_bar))


def _crossed(rows: pa.Table) -> pa.ChunkedArray:
    import pyarrow.compute as pc

    slack = pc.multiply(rows["close"], _ROUNDING)
    return pc.fill_null(pc.greater(pc.subtract(rows["low"], rows["high"]), slack), False)
