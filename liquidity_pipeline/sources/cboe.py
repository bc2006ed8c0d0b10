"""Daily closes (for VIX whole bars) of indices from Cboe's history files.

One file holds the whole history of an index; there is nothing to page and no dividend or volume.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from liquidity_pipeline.sources import bars
from liquidity_pipeline.sources.boundary import Name, declared, nobody
from liquidity_pipeline.sources.csv_rows import Layout, read
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
    name = fetch.left_out(f"{PUBLISHER}'s {symbol}")
    return bars.between(parse(answer.body, symbol, answer.url, name), start, end)


@declared("a file of days and prices", publisher=PUBLISHER)
def parse(body: bytes, symbol: str, url: str = "", name: Name = nobody) -> pa.Table:
    """Return every bar of a file, or raise UnexpectedPayloadError naming what was expected.

    A few lines and bars that cannot be are left out and named: VIX has opens above its highs.
    """
    close_only, whole_bar = f"DATE,{symbol}", "DATE,OPEN,HIGH,LOW,CLOSE"
    first, _, lines = body.partition(b"\n")
    header = first.decode("utf-8-sig", "replace").strip()
    if header not in (close_only, whole_bar):
        raise UnexpectedPayloadError(
            f"expected the header '{close_only}' or '{whole_bar}', got '{header[:100]}'",
            publisher=PUBLISHER,
            url=url,
        )
    names = ("close",) if header == close_only else bars.PRICES
    layout = Layout(("day", *names), "%m/%d/%Y", "rows MM/DD/YYYY,number", PUBLISHER)
    rows = read(lines, layout, url, name)
    found = bars.table(rows["day"].combine_chunks(), {n: rows[n].combine_chunks() for n in names})
    return bars.sound(found, name, publisher=PUBLISHER, url=url)
