"""The daily bar as every price provider hands it over: one shape, one idea of what is missing.

Which days count, which provider is believed and when a bar is known belongs to `prices`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from liquidity_pipeline.sources.errors import UnexpectedPayloadError

if TYPE_CHECKING:
    import pyarrow as pa

PRICES = ("open", "high", "low", "close")
COLUMNS = ("trade_date", *PRICES, "dividend", "volume")


def table(days: Any, columns: Mapping[str, Any]) -> pa.Table:
    """Return bars with all of COLUMNS, one row per day in order; what is not given is NULL.

    `days` and the values of `columns` are equally long lists or arrays. Providers spell a missing
    price as null, NaN or zero. A bar without a close is no bar, and of several bars of one day the
    last one in the answer holds.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    dates = pa.array(days, pa.date32())
    nothing = pa.nulls(len(dates), pa.float64())
    arrays = {n: pa.array(values, pa.float64(), from_pandas=True) for n, values in columns.items()}
    for name in PRICES:
        if name in arrays:
            arrays[name] = pc.if_else(pc.equal(arrays[name], 0), None, arrays[name])
    rows = pa.table([dates, *(arrays.get(name, nothing) for name in COLUMNS[1:])], names=COLUMNS)
    rows = rows.filter(pc.is_valid(rows["close"]))
    newest_first = rows["trade_date"].to_numpy()[::-1]
    _, last = np.unique(newest_first, return_index=True)
    return rows.take(pa.array(len(newest_first) - 1 - last))


def between(bars: pa.Table, start: date, end: date) -> pa.Table:
    """Return the bars from start to end, both included: providers send days beside the range."""
    import pyarrow.compute as pc

    days = bars["trade_date"]
    return bars.filter(pc.and_(pc.greater_equal(days, start), pc.less_equal(days, end)))


def refuse_misplaced_columns(bars: pa.Table, *, publisher: str, url: str) -> None:
    """Raise UnexpectedPayloadError where a bar's low is above, or its high below, another price.

    Venues send a bar as a list without names; this is what a change of its order would look like.
    """
    import pyarrow.compute as pc

    lowest = pc.min_element_wise(bars["open"], bars["close"], bars["high"])
    highest = pc.max_element_wise(bars["open"], bars["close"], bars["low"])
    wrong = pc.or_kleene(pc.greater(bars["low"], lowest), pc.less(bars["high"], highest))
    if pc.any(wrong).as_py():
        example = bars.filter(wrong).slice(0, 1).to_pylist()[0]
        raise UnexpectedPayloadError(
            f"expected low <= open, close <= high in every bar, so the order of its columns may "
            f"have changed; got {example}",
            publisher=publisher,
            url=url,
        )
