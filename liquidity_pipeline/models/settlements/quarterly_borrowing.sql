-- Treasury's privately-held net marketable borrowing per quarter, compared with its expectations.
--
-- Treasury's definition: without the roll-over of the Fed's add-ons, what the Fed lets run off
-- included, buybacks subtracted. Its own estimates are those of the refunding statements, the first
-- made a quarter ahead. Ours is made on the first Friday after the current quarter's statement: what had
-- settled, and what was expected of the rest of the quarter (at most eight weeks; NULL where more was
-- left). The account at the end of the quarter is the last close of the Daily Treasury Statement.
with settled as (
    select
        days.quarter_end,
        sum(calendar.issued_usd_mn) as issued_usd_mn,
        case when bool_and(calendar.redeemed_usd_mn is not null)
            then sum(calendar.redeemed_usd_mn) end as redeemed_usd_mn,
        case when bool_and(calendar.net_public_usd_mn is not null)
            then sum(calendar.net_public_usd_mn) end as net_public_usd_mn,
        case when bool_and(calendar.buyback_usd_mn is not null)
            then sum(calendar.buyback_usd_mn) end as buyback_usd_mn,
        case when bool_and(calendar.privately_held_net_usd_mn is not null)
            then sum(calendar.privately_held_net_usd_mn) end as privately_held_net_usd_mn,
        case when bool_and(calendar.soma_basis is not null) then count(distinct calendar.settlement_date)
            filter (where calendar.soma_basis = 'assumed' and coalesce(calendar.redeemed_usd_mn > 0, true))
        end as assumed_days,
        bool_and(calendar.is_settled) as is_settled,
        max(calendar.known_at) as known_at
    from marts.settlement_calendar as calendar
    join meta.calendar_days as days on days.date = calendar.settlement_date
    cross join meta.clock as clock
    where calendar.settlement_date <= clock.today
    group by days.quarter_end
),

-- A quarter that began before the records do is not whole.
held as (
    select min(settlement_date) as since from marts.settlement_calendar
),

estimates as (
    select
        effective_date as quarter_end,
        kind,
        event_date,
        1000 * value as value_usd_mn,
        row_number() over (partition by kind, effective_date order by event_date) as order_of_making,
        date_trunc('quarter', event_date) = date_trunc('quarter', effective_date) as is_of_the_quarter
    from sources.policy_events
    where kind in ('refunding_borrowing', 'refunding_cash_balance')
),

by_quarter as (
    select
        quarter_end,
        max(case when kind = 'refunding_borrowing' and not is_of_the_quarter
            then value_usd_mn end) as first_estimate_usd_mn,
        max(case when kind = 'refunding_borrowing' and is_of_the_quarter
            then value_usd_mn end) as last_estimate_usd_mn,
        max(case when kind = 'refunding_cash_balance' and is_of_the_quarter
            then value_usd_mn end) as assumed_cash_usd_mn,
        max(case when kind = 'refunding_borrowing' and is_of_the_quarter
            then event_date end) as statement_date
    from estimates
    group by quarter_end
),

-- The first Friday on or after the statement.
looked as (
    select
        quarter_end,
        statement_date + cast((12 - isodow(statement_date)) % 7 as integer) as as_of_date
    from by_quarter
    where statement_date is not null
),

so_far as (
    select looked.quarter_end, case when count(calendar.net_public_usd_mn) = count(*)
            then sum(calendar.net_public_usd_mn) end as net_public_usd_mn
    from looked
    join marts.settlement_calendar as calendar
        on calendar.settlement_date <= looked.as_of_date
        and calendar.settlement_date >= date_trunc('quarter', looked.quarter_end)
    group by looked.quarter_end
),

to_come as (
    select looked.quarter_end, case when count(vintages.net_public_expected_usd_mn) = count(*)
            then sum(vintages.net_public_expected_usd_mn) end as net_public_usd_mn
    from looked
    join marts.settlement_vintages as vintages
        on vintages.as_of_date = looked.as_of_date
        and not vintages.is_open
        and vintages.settlement_date <= looked.quarter_end
    where looked.quarter_end <= looked.as_of_date + 58
    group by looked.quarter_end
),

cash as (
    select days.quarter_end, arg_max(balance.closing_usd_mn, balance.record_date) as closing_usd_mn
    from sources.tga_balance as balance
    join meta.calendar_days as days on days.date = balance.record_date
    join (
        select quarter_end, max(date) as last_day from meta.calendar_days where is_fed group by quarter_end
    ) as ends on ends.quarter_end = days.quarter_end and ends.last_day = balance.record_date
    group by days.quarter_end
)

select
    settled.quarter_end,
    cast(year(settled.quarter_end) as varchar) || 'Q' || cast(quarter(settled.quarter_end) as varchar)
        as quarter,
    round(settled.issued_usd_mn, 6) as issued_usd_mn,
    round(settled.redeemed_usd_mn, 6) as redeemed_usd_mn,
    round(settled.net_public_usd_mn, 6) as net_public_usd_mn,
    round(settled.buyback_usd_mn, 6) as buyback_usd_mn,
    round(settled.privately_held_net_usd_mn, 6) as privately_held_net_usd_mn,
    settled.assumed_days,
    by_quarter.first_estimate_usd_mn,
    by_quarter.last_estimate_usd_mn,
    by_quarter.statement_date,
    round(so_far.net_public_usd_mn + to_come.net_public_usd_mn, 6) as expected_net_public_usd_mn,
    cash.closing_usd_mn as quarter_end_cash_usd_mn,
    by_quarter.assumed_cash_usd_mn,
    settled.quarter_end > clock.today or not settled.is_settled as is_open,
    greatest(settled.known_at, days.known_by) as known_at
from settled
join meta.calendar_days as days on days.date = least(settled.quarter_end, (select today from meta.clock))
cross join meta.clock as clock
cross join held
left join by_quarter on by_quarter.quarter_end = settled.quarter_end
left join so_far on so_far.quarter_end = settled.quarter_end
left join to_come on to_come.quarter_end = settled.quarter_end
left join cash on cash.quarter_end = settled.quarter_end
where held.since < date_trunc('quarter', settled.quarter_end) + interval 7 day
