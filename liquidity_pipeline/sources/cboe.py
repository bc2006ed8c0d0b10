"""Daily closes (for VIX whole bars) of indices from Cboe's history files.

One file holds the whole history of an index; there is nothing to page and no dividend or volume.
"""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import TYPE_CHECKING

from liquidity_pipeline.sources import bars
from liquidity_pipeline.sources.errors import UnexpectedPayloadError
from liquidity_pipeline.sources.fetch import Fetch

if TYPE_CHECKING:
    import pyarrow as pa

PUBLISHER = "cboe"


def daily_bars(fetch: Fetch, symbol: str, start: date, end: date) -> pa.Table:
    """Return the bars of one index in index points; only VIX has more than the close.

    Raises NotServedError for an index without a file (Cboe answers 403), UnexpectedPayloadError
    for a file of another form.
    """
    path = f"/api/global/us_indices/daily_prices/{symbol}_History.csv"
    answer = fetch.get(PUBLISHER, path, form="csv")
    return bars.between(parse(answer.body, symbol, answer.url), start, end)


def parse(body: bytes, symbol: str, url: str = "") -> pa.Table:
    """Return every bar of a file, or raise UnexpectedPayloadError naming what was expected."""
    import pyarrow as pa
    from pyarrow import csv

    close_only, whole_bar = f"DATE,{symbol}", "DATE,OPEN,HIGH,LOW,CLOSE"
    header = body.split(b"\n", 1)[0].decode("utf-8-sig", "replace").strip()
    if header not in (close_only, whole_bar):
        raise UnexpectedPayloadError(
            f"expected the header '{close_only}' or '{whole_bar}', got '{header[:100]}'",
            publisher=PUBLISHER,
            url=url,
        )
    names = ["close"] if header == close_only else list(bars.PRICES)
    try:
        rows = csv.read_csv(
            BytesIO(body),
            read_options=csv.ReadOptions(column_names=["day", *names], skip_rows=1),
            convert_options=csv.ConvertOptions(
                column_types={"day": pa.timestamp("s"), **dict.fromkeys(names, pa.float64())},
                timestamp_parsers=["%m/%d/%Y"],
                null_values=[""],
            ),
        )
    except pa.ArrowInvalid as error:
        raise UnexpectedPayloadError(
            f"expected rows MM/DD/YYYY,number: {error}", publisher=PUBLISHER, url=url
        ) from error
    days = rows["day"].cast(pa.date32())
    return bars.table(days.combine_chunks(), {n: rows[n].combine_chunks() for n in names})
