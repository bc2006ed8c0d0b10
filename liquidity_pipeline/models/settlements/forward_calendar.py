"""What moves the Treasury's account in the coming eight weeks, by day: `marts.forward_calendar`.

Settlements by certainty, buybacks, coupon interest, and the days on which taxes fall due or
benefits are paid, with what moved on such days before. Amounts are positive where they flow into
the account, that is, where they drain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

import duckdb
import numpy as np
import pyarrow as pa

from liquidity_pipeline import calendars
from liquidity_pipeline.contracts.settlements.outlook import FORWARD_CALENDAR
from liquidity_pipeline.models.drains.seasonal_regressors import calendar_events
from liquidity_pipeline.models.mart import PythonMart
from liquidity_pipeline.statistics import panels

_HORIZON = timedelta(days=56)
# Of past days of one kind, the newest count: five years of a tax date, a year of benefit days.
_PAST_TAX_DATES, _PAST_BENEFIT_DAYS = 5, 12

_SETTLEMENTS = """
    with groups as (
        select *,
            case when security_class = 'bill' then 'bills' else 'coupons' end as security_group
        from marts.settlement_outlook
    ),
    items as (
        select settlement_date as date, security_group, 'issues auctioned' as item,
            auctioned_usd_mn as amount_usd_mn, 'known' as certainty, known_at
        from groups
        union all
        select settlement_date, security_group, 'issues announced', announced_usd_mn, 'announced',
            known_at
        from groups
        union all
        select settlement_date, security_group, 'issues expected', expected_issues_usd_mn,
            'expected', known_at
        from groups
        union all
        select settlement_date, security_group, 'add-ons expected', add_ons_expected_usd_mn,
            'expected', known_at
        from groups
        union all
        select settlement_date, security_group, 'maturities', -redeemed_usd_mn, 'known', known_at
        from groups
    )
    select date, item, security_group, sum(amount_usd_mn), any_value(certainty), null, max(known_at)
    from items
    group by date, item, security_group
    having sum(amount_usd_mn) <> 0
"""
# Treasury buys less than the most that it would: what it took of the maxima in the past year.
_BUYBACKS = """
    with taken as (
        select sum(accepted_usd_mn) / nullif(sum(maximum_usd_mn), 0) as ratio, count(*) as n_obs
        from sources.buybacks, meta.clock
        where accepted_usd_mn is not null and operation_date > today - 365
    ),
    ahead as (
        select settlement_date,
            sum(coalesce(accepted_usd_mn, maximum_usd_mn * taken.ratio)) as usd_mn,
            bool_and(accepted_usd_mn is not null) as is_known, max(known_at) as known_at
        from sources.buybacks, taken, meta.clock
        where settlement_date > today and settlement_date <= today + 56
        group by settlement_date
    )
    select settlement_date, 'buybacks', 'coupons', -usd_mn,
        case when is_known then 'known' else 'announced' end, taken.n_obs, known_at
    from ahead, taken
"""
_INTEREST = """
    select payment_date, 'coupon interest', 'coupons', -interest_usd_mn, 'known', null,
        least(known_at, now)
    from marts.coupon_interest, meta.clock
    where payment_date > today
"""
_FLOWS = """
    select record_date, line_group,
        sum(case direction when 'deposits' then amount_usd_mn else -amount_usd_mn end),
        max(known_at)
    from sources.tga_flows
    where line_group in ('taxes', 'social_security')
    group by record_date, line_group
"""

Flows = Mapping[tuple[date, str], float]


def build(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `marts.forward_calendar`: one row per day ahead, item and group."""
    ((today, now),) = connection.execute("select today, now from meta.clock").fetchall()
    ((held,),) = connection.execute("select count(*) from marts.settlement_outlook").fetchall()
    if not held:
        return FORWARD_CALENDAR.arrow_schema.empty_table()
    rows: list[dict[str, object]] = []
    for query in (_SETTLEMENTS, _BUYBACKS, _INTEREST):
        rows += [_row(today, row) for row in connection.execute(query).fetchall()]
    flows = {(day, line): amount for day, line, amount, _ in connection.execute(_FLOWS).fetchall()}
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
    return {"as_of": today, **dict(zip(names, values, strict=True))}


MARTS = {
    "forward_calendar": PythonMart(
        build,
        frozenset(
            {
                "marts.settlement_outlook",
                "marts.coupon_interest",
                "sources.buybacks",
                "sources.tga_flows",
                "meta.clock",
            }
        ),
    )
}
