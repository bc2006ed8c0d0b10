"""Treasury's deposits and withdrawals by line: table II of the Daily Treasury Statement.

USD millions on the wire. A day counts only if its lines add up to its totals: the service has been
seen with half a day. What a line means, and its usual size, is for the marts.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from liquidity_pipeline.contracts.sources.itemised import TGA_FLOWS
from liquidity_pipeline.sources.errors import (
    EmptyAnswerError,
    NotServedError,
    PublisherError,
    most_hopeful,
)
from liquidity_pipeline.sources.fetch import Collected, Fetch, Window
from liquidity_pipeline.sources.fiscal_client import (
    ACCOUNTING,
    PUBLISHER,
    Records,
    between,
    good_parts,
    read,
)
from liquidity_pipeline.sources.statement_lines import KNOWN, group_of

if TYPE_CHECKING:
    import pyarrow as pa

_TABLE_TWO = f"{ACCOUNTING}/dts/deposits_withdrawals_operating_cash"
_WHAT = "table II of the Daily Treasury Statement"
COLUMNS = (
    "record_date",
    "account_type",
    "transaction_type",
    "transaction_catg",
    "transaction_catg_desc",
    "transaction_today_amt",
    "src_line_nbr",
)
_WAY, _AMOUNT = "transaction_type", "transaction_today_amt"
_DIRECTIONS = {"Deposits": "deposits", "Withdrawals": "withdrawals"}
# A day has about 180 lines: two months come in one page.
_MONTHS_AT_ONCE = 2
_TOTAL, _SUBTOTAL = re.compile(r"\btotal\b", re.I), re.compile(r"\bsub-?total\b", re.I)
# Each line and the total are rounded to a million, so they differ by half a million for each.
_ROUNDING_USD_MN = 0.5

Side = tuple[date, str]


@dataclass
class _Lines:
    """One side of one day: amounts by category, the statement's totals, and how many lines."""

    amounts: dict[str, float] = field(default_factory=dict)
    totals: list[float] = field(default_factory=list)
    count: int = 0

    @property
    def adds_up(self) -> bool:
        """Tell whether the lines make the total, but for rounding."""
        allowed = _ROUNDING_USD_MN * (self.count + 1)
        total = sum(self.amounts.values())
        return any(abs(total - stated) <= allowed for stated in self.totals)


def collect_tga_flows(fetch: Fetch) -> Collected:
    """Return {"tga_flows": rows} of the window, USD millions, by day, direction and line.

    A day whose lines do not add up to the statement's totals, or cannot be read, is left out and
    named; so are months of which nothing could be had. A table that is not served is a named gap.
    Raises EmptyAnswerError where statements are due and none came.
    """
    sides = _sides(fetch)
    if sides is None:
        return {"tga_flows": TGA_FLOWS.arrow_schema.empty_table()}
    inside = {key: side for key, side in sides.items() if _is_inside(key[0], fetch)}
    due = TGA_FLOWS.releases[""].due(fetch.window.start, fetch.last_day, fetch.now)
    if due and not inside:
        raise EmptyAnswerError(
            f"no row, though {len(due)} statements from {due[0]} to {due[-1]} are due",
            publisher=PUBLISHER,
            url=_TABLE_TWO,
        )
    return {"tga_flows": rows_of(_whole_days(fetch, inside))}


def _sides(fetch: Fetch) -> dict[Side, _Lines] | None:
    """Return the lines of all months that could be had, None where the table is not served.

    After a refusal nothing more is asked. Raises PublisherError where all months failed otherwise.
    """
    sides: dict[Side, _Lines] = {}
    failures: dict[date, PublisherError] = {}
    asked = [part for part in _parts(fetch.window) if part.start <= fetch.last_day]
    for part in asked:
        try:
            sides |= fetch.understood(_WHAT, partial(_lines, fetch, part))
        except PublisherError as error:
            failures[part.start] = error
            if isinstance(error, NotServedError):
                break
    if failures and not sides:
        first = most_hopeful(list(failures.values()))
        if not isinstance(first, NotServedError):
            raise first
        fetch.gap(f"tga_flows: {_WHAT}: {first.as_gap}")
        return None
    fetch.name_failures(f"tga_flows: {_WHAT}, two months from", failures, "times,")
    return sides


def _lines(fetch: Fetch, part: Window) -> dict[Side, _Lines]:
    found: dict[Side, _Lines] = {}
    records = _read(fetch, part)
    name = fetch.left_out("Daily Treasury Statement, table II")
    for lines in good_parts(records, parse_lines, name, ("record_date",)):
        found |= lines
    return found


def _read(fetch: Fetch, part: Window) -> Records:
    return read(
        fetch,
        _TABLE_TWO,
        COLUMNS,
        where=between("record_date", part.start, min(part.end, fetch.last_day)),
        sort=("record_date", "src_line_nbr"),
        usd_mn=(_AMOUNT,),
        unit="record_date",
    )


def _parts(window: Window) -> Iterator[Window]:
    months = window.months
    for i in range(0, len(months), _MONTHS_AT_ONCE):
        yield Window.of_months(months[i], months[i : i + _MONTHS_AT_ONCE][-1])


def _is_inside(day: date, fetch: Fetch) -> bool:
    return fetch.window.start <= day <= fetch.last_day


def parse_lines(records: Records) -> dict[Side, _Lines]:
    """Return the lines and totals of each day and direction.

    Total and sub-total rows are among the lines, told apart by their words. Lines of one name
    are added up; one that is printed twice is one; a footnote, which has neither direction nor
    amount, is none. Raises UnexpectedPayloadError for an unknown direction or a row without a day,
    a name or an amount.
    """
    records = records.where(records.has_any(_WAY, _AMOUNT))
    records.require("record_date", "account_type", _WAY, _AMOUNT)
    found: dict[Side, _Lines] = defaultdict(_Lines)
    texts = (records.text(name) for name in COLUMNS[1:5])
    columns = (
        records.days("record_date").to_pylist(),
        records.numbers(_AMOUNT).to_pylist(),
        records.text("src_line_nbr"),
    )
    seen = set()
    for row in zip(*columns, *texts, strict=True):
        if row in seen:
            continue
        seen.add(row)
        day, amount, _, account, way, category, detail = row
        if way not in _DIRECTIONS:
            raise records.error(f"unknown transaction_type '{way}'; known are {list(_DIRECTIONS)}")
        side = found[day, _DIRECTIONS[way]]
        label = f"{account} {category or ''}"
        if _SUBTOTAL.search(label):
            continue
        if _TOTAL.search(label):
            side.totals.append(amount)
            continue
        if category is None:
            raise records.error(f"transaction_catg is null in a line of {day} that is no total")
        name = f"{category} / {detail}" if detail else category
        side.amounts[name] = side.amounts.get(name, 0.0) + amount
        side.count += 1
    return dict(found)


def _whole_days(fetch: Fetch, sides: dict[Side, _Lines]) -> dict[Side, _Lines]:
    """Keep the days of which both sides add up; name the others, at most three by their figures."""
    days = sorted({day for day, _ in sides})
    broken = {day: wrong for day in days if (wrong := _what_is_wrong(sides, day))}
    if broken:
        examples = "; ".join(f"{day}: {wrong}" for day, wrong in list(broken.items())[:3])
        fetch.gap(
            f"Daily Treasury Statement, table II: {len(broken)} day(s) from {min(broken)} to "
            f"{max(broken)} left out, because the lines do not make the totals ({examples})"
        )
    return {key: side for key, side in sides.items() if key[0] not in broken}


def _what_is_wrong(sides: dict[Side, _Lines], day: date) -> str:
    for direction in _DIRECTIONS.values():
        side = sides.get((day, direction))
        if side is None:
            return f"no {direction}"
        if not side.totals:
            return f"{direction} have no total"
        if not side.adds_up:
            total = sum(side.amounts.values())
            return (
                f"{direction} of {total:,.0f} in {side.count} lines, {side.totals[0]:,.0f} stated"
            )
    return ""


def rows_of(sides: dict[Side, _Lines]) -> pa.Table:
    """Return the lines as rows of `tga_flows`."""
    import pyarrow as pa

    days = sorted({day for day, _ in sides})
    known_at = dict(zip(days, TGA_FLOWS.releases[""].known_at(days), strict=True))
    rows = [
        (day, direction, name, group_of(name), name in KNOWN, amount, known_at[day])
        for (day, direction), side in sides.items()
        for name, amount in side.amounts.items()
    ]
    schema = TGA_FLOWS.arrow_schema
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    return pa.table(
        [pa.array(column, kind.type) for column, kind in zip(columns, schema, strict=True)],
        schema=schema,
    )
