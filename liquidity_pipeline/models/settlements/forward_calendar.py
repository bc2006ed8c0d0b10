"""Flows of the Treasury's account in the coming eight weeks, by day: `marts.forward_calendar`.

Settlements by certainty, buybacks announced and planned, coupon interest, and the days on which
taxes fall due or benefits are paid, with what moved on such days before. Amounts are positive where
they flow into the account, that is, where they drain.
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
# Treasury buys less than the most that it would. What it took of the maxima in the past year tells
# what to expect of the next operation of the same type.
_TAKEN = """
    with taken as (
        select
            operation_type,
            sum(accepted_usd_mn) / nullif(sum(maximum_usd_mn), 0) as ratio,
            count(*) as n_obs,
            max(known_at) as known_at
        from sources.buybacks, meta.clock
        where accepted_usd_mn is not null and maximum_usd_mn is not null
            and operation_date > today - 365
        group by operation_type
    ),
"""
_BUYBACKS = f"""
    {_TAKEN}
    ahead as (
        select
            buybacks.settlement_date,
            buybacks.operation_type,
            coalesce(accepted_usd_mn, maximum_usd_mn * ratio) as usd_mn,
            maximum_usd_mn,
            accepted_usd_mn is not null as is_known,
            taken.n_obs,
            buybacks.known_at
        from sources.buybacks
        cross join meta.clock
        left join taken on taken.operation_type is not distinct from buybacks.operation_type
        where settlement_date > today and settlement_date <= today + 56
    ),
    by_type as (
        select
            settlement_date, operation_type, count(*) as operations, count(usd_mn) as told,
            sum(usd_mn) as usd_mn, count(maximum_usd_mn) as bounded,
            sum(maximum_usd_mn) as maximum_usd_mn, bool_and(is_known) as is_known,
            any_value(n_obs) as n_obs, max(known_at) as known_at
        from ahead
        group by settlement_date, operation_type
    )
    select
        settlement_date, 'buybacks', 'coupons',
        case when sum(told) = sum(operations) then -sum(usd_mn) end,
        case when bool_and(is_known) then 'known' else 'announced' end,
        sum(n_obs), max(known_at),
        case when sum(bounded) = sum(operations) then sum(maximum_usd_mn) end
    from by_type
    group by settlement_date
"""
# What is scheduled and not yet announced. An operation that Treasury has announced is its own row,
# by its hour or by what it buys: announcements may move either.
_TENTATIVE = f"""
    {_TAKEN}
    ahead as (
        select planned.*
        from sources.buyback_schedule as planned
        cross join meta.clock
        anti join sources.buybacks as announced
            on announced.operation_date = planned.operation_date
            and (
                announced.start_time = planned.start_time
                or (
                    announced.security_type = planned.security_type
                    and announced.maturity_bucket = planned.maturity_bucket
                )
            )
        where planned.operation_date > today and planned.settlement_date <= today + 56
    )
    select
        ahead.settlement_date, 'tentative buybacks', ahead.operation_type,
        case when count(maximum_usd_mn) = count(*)
            then -sum(maximum_usd_mn) * any_value(taken.ratio) end,
        'tentative', any_value(taken.n_obs),
        greatest(max(ahead.known_at), any_value(taken.known_at)),
        case when count(maximum_usd_mn) = count(*) then sum(maximum_usd_mn) end
    from ahead
    left join taken on taken.operation_type = ahead.operation_type
    group by ahead.settlement_date, ahead.operation_type
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
    for query in (_SETTLEMENTS, _BUYBACKS, _TENTATIVE, _INTEREST):
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
    # Buybacks alone have a maximum, after the rest.
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
