"""The OFR Financial Stress Index: an outside benchmark for the project's own, never an input to it.

One CSV file holds the whole history; there is nothing to page. The publisher's five categories and
its three regions each add up to the index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from liquidity_pipeline.calendars import STRESS_INDEX
from liquidity_pipeline.contracts.sources.markets import OFR_FSI
from liquidity_pipeline.sources.boundary import Name, declared, nobody
from liquidity_pipeline.sources.csv_rows import Layout, read
from liquidity_pipeline.sources.errors import EmptyAnswerError, UnexpectedPayloadError
from liquidity_pipeline.sources.fetch import Collected, Fetch

if TYPE_CHECKING:
    import pyarrow as pa

PUBLISHER = "ofr"
PATH = "/financial-stress-index/data/fsi.csv"

# The file's heading of each column, in its order.
HEADINGS = {
    "date": "Date",
    "fsi": "OFR FSI",
    "credit": "Credit",
    "equity_valuation": "Equity valuation",
    "safe_assets": "Safe assets",
    "funding": "Funding",
    "volatility": "Volatility",
    "us": "United States",
    "other_advanced": "Other advanced economies",
    "emerging": "Emerging markets",
}


def collect_ofr_fsi(fetch: Fetch) -> Collected:
    """Return the index of the window's days, known two Fed business days later at 10:00.

    Raises UnexpectedPayloadError for a file of another form, and EmptyAnswerError for one without
    any day of a window in which days are due.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    answer = fetch.get(PUBLISHER, PATH, form="csv")
    rows = parse(answer.body, answer.url, fetch.left_out("ofr_fsi"))
    days = rows["date"]
    inside = pc.and_(
        pc.greater_equal(days, pa.scalar(fetch.window.start)),
        pc.less_equal(days, pa.scalar(fetch.last_day)),
    )
    rows = rows.filter(inside)
    due = STRESS_INDEX.due(fetch.window.start, fetch.last_day, fetch.now)
    if due and not rows.num_rows:
        raise EmptyAnswerError(
            f"no row, though {len(due)} days from {due[0]} to {due[-1]} are due",
            publisher=PUBLISHER,
            url=answer.url,
        )
    known = pa.array(STRESS_INDEX.known_at(rows["date"].to_pylist()), pa.timestamp("us"))
    return {OFR_FSI.name: rows.append_column("known_at", known)}


@declared("a file of the index and its parts", publisher=PUBLISHER)
def parse(body: bytes, url: str = "", name: Name = nobody) -> pa.Table:
    """Return every row that has an index, in the columns of HEADINGS; an empty cell is NULL.

    Raises UnexpectedPayloadError naming what was expected; a few lines that cannot be read are
    left out and named.
    """
    import pyarrow.compute as pc

    expected = ",".join(HEADINGS.values())
    first, _, lines = body.partition(b"\n")
    header = first.decode("utf-8-sig", "replace").strip()
    if header != expected:
        raise UnexpectedPayloadError(
            f"expected the header '{expected}', got '{header[:200]}'", publisher=PUBLISHER, url=url
        )
    layout = Layout(tuple(HEADINGS), "%Y-%m-%d", "rows YYYY-MM-DD,number,…", PUBLISHER)
    rows = read(lines, layout, url, name)
    return rows.filter(pc.is_valid(rows["fsi"]))
