"""Flows of the Treasury's account in the coming eight weeks, by day: `marts.forward_calendar`.

Settlements by certainty, buybacks announced and planned, coupon interest, and the days on which
taxes fall due or benefits are paid, with what moved on such days before. Amounts are positive where
they flow into the account, that is, where they drain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from liquidity_pipeline import calendars
from liquidity_pipeline.contracts.settlements.outlook import FORWARD_CALENDAR
from liquidity_pipeline.models.drains.seasonal_regressors import calendar_events
from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.models.statements import query
from liquidity_pipeline.statistics import panels

if TYPE_CHECKING:
    import duckdb

_QUERIES = Path(__file__).parent / "queries"

_HORIZON = timedelta(days=56)
# Of past days of one kind, the newest count: five years of a tax date, a year of benefit days.
_PAST_TAX_DATES, _PAST_BENEFIT_DAYS = 5, 12

_PARTS = ("settlements_ahead", "buybacks_ahead", "buybacks_planned", "interest_ahead")

Flows = Mapping[tuple[date, str], float]


def build(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.forward_calendar`: one row per day ahead, item and group."""
    ((today, now),) = connection.execute("select today, now from meta.clock").fetchall()
    ((held,),) = connection.execute("select count(*) from marts.settlement_outlook").fetchall()
    if not held:
        return FORWARD_CALENDAR.arrow_schema.empty_table()
    rows: list[dict[str, object]] = []
    for name in _PARTS:
        found = connection.execute(query(name, _QUERIES)).fetchall()
        rows += [_row(today, row) for row in found]
    past = connection.execute(query("usual_flows", _QUERIES)).fetchall()
    flows = {(day, line): amount for day, line, amount in past}
    rows += [_row(today, (*row, now)) for row in _marked_days(today, flows)]
    return panels.table(rows, FORWARD_CALENDAR.arrow_schema)


def _marked_days(
    today: date, flows: Flows
) -> Iterator[tuple[date, str, str, float | None, str, int | None]]:
    """Yield the tax dates and benefit days ahead with the mean of what moved on such days."""
    events = calendar_events(today.year - _PAST_TAX_DATES - 1, today.year + 1)
    for name, days in events.items():
        is_tax, is_benefit = name.startswith("tax_"), name.startswith("benefits_")
        if not (is_tax or is_benefit):
            continue
        line = "taxes" if is_tax else "social_security"
        count = _PAST_TAX_DATES if is_tax else _PAST_BENEFIT_DAYS
        sizes = _sizes([day for day in days if day <= today], line, flows, two_days=is_tax)[-count:]
        item = "tax date" if is_tax else "benefits"
        label = name.partition("_")[2]
        for day in days:
            if today < day <= today + _HORIZON:
                usual = float(np.mean(sizes)) if sizes else None
                yield day, item, label, usual, "usual", len(sizes) or None


def _sizes(days: Sequence[date], line: str, flows: Flows, *, two_days: bool) -> list[float]:
    """Return what moved on past days, of taxes with the day after, on which part of them clears."""
    after = calendars.shift("fed", list(days), 1)
    sizes = []
    for day, later in zip(days, after, strict=True):
        parts = [flows.get((each, line)) for each in ((day, later) if two_days else (day,))]
        if None not in parts:
            sizes.append(sum(part for part in parts if part is not None))
    return sizes


def _row(today: date, values: Sequence[object]) -> dict[str, object]:
    names = ("date", "item", "part", "amount_usd_mn", "certainty", "n_obs", "known_at")
    # Buybacks and coupon interest have a maximum, after the rest.
    maximum = values[len(names)] if len(values) > len(names) else None
    return {"as_of": today, "maximum_usd_mn": maximum, **dict(zip(names, values, strict=False))}


MARTS = {
    "forward_calendar": PythonMart(
        build,
        frozenset(
            {
                "marts.settlement_outlook",
                "marts.coupon_interest",
                "sources.buybacks",
                "sources.buyback_schedule",
                "sources.tga_flows",
                "meta.clock",
            }
        ),
    )
}
