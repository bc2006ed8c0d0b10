-- What liquidity did, as changes: by New York session and by H.4.1 week (Thursday to Wednesday).
--
-- reserve_drain: weekly the fall of reserve balances in H.4.1, the drain of record; daily its estimate,
-- TGA + overnight reverse repo - bill purchases. tga_change, net_settlement (public), fed_bill_purchases:
-- USD bn. sofr_iorb_change: basis points, daily between adjacent sessions, weekly between the weeks' last days. Never levels (method, C7).
with first_days as (
    select component, min(date) as first_date from marts.drains group by component
),

-- What moves on a day without a session counts on the next session; a day on which the Treasury's
-- account stands still by calendar is a zero, a statement that did not come is unknown.
by_session as (
    select
        days.nyse_on_or_after as date,
        sum(case when days.is_fed then 1 else 0 end) as statements_due,
        count(tga.amount_usd_mn) as statements,
        coalesce(sum(tga.amount_usd_mn), 0) / 1000 as tga_change,
        coalesce(sum(settlement.amount_usd_mn), 0) / 1000 as net_settlement,
        coalesce(sum(purchases.amount_usd_mn), 0) / 1000 as fed_bill_purchases,
        coalesce(sum(on_rrp.amount_usd_mn), 0) / 1000 as on_rrp_change
    from meta.calendar_days as days
    left join marts.drains as tga on tga.date = days.date and tga.component = 'tga'
    left join marts.drains as settlement on settlement.date = days.date and settlement.component = 'settlement'
    left join marts.drains as purchases on purchases.date = days.date and purchases.component = 'fed_bill_purchases'
    left join marts.drains as on_rrp on on_rrp.date = days.date and on_rrp.component = 'on_rrp'
    group by days.nyse_on_or_after
),

flows as (
    select by_session.*
    from by_session
    join first_days on first_days.component = 'tga' and by_session.date >= first_days.first_date
    where by_session.statements = by_session.statements_due
),

by_week as (
    select
        days.week_ending as date,
        coalesce(sum(settlement.amount_usd_mn), 0) / 1000 as net_settlement,
        coalesce(sum(purchases.amount_usd_mn), 0) / 1000 as fed_bill_purchases
    from meta.calendar_days as days
    left join marts.drains as settlement on settlement.date = days.date and settlement.component = 'settlement'
    left join marts.drains as purchases on purchases.date = days.date and purchases.component = 'fed_bill_purchases'
    group by days.week_ending
),

spreads as (
    select
        funding.date,
        days.week_ending,
        funding.sofr_iorb_bp,
        row_number() over (partition by days.week_ending order by funding.date desc) as from_week_end
    from marts.funding_conditions as funding
    join meta.calendar_days as days on days.date = funding.date
    where funding.sofr_iorb_bp is not null
),

-- After a session without a rate (Columbus Day) the change would span two returns.
session_spreads as (
    select
        funding.date,
        funding.sofr_iorb_bp,
        lag(funding.sofr_iorb_bp) over (order by funding.date) as before_bp,
        days.nyse_number - lag(days.nyse_number) over (order by funding.date) as step
    from marts.funding_conditions as funding
    join meta.calendar_days as days on days.date = funding.date
    where days.is_nyse and funding.sofr_iorb_bp is not null
),

drivers as (
    select 'daily' as frequency, date, 'tga_change' as driver, tga_change as value
    from flows
    union all
    select 'daily' as frequency, date, 'reserve_drain' as driver, tga_change + on_rrp_change - fed_bill_purchases
    from flows
    union all
    select 'daily' as frequency, by_session.date, 'net_settlement' as driver, by_session.net_settlement
    from by_session
    join first_days on first_days.component = 'settlement' and by_session.date >= first_days.first_date
    union all
    select 'daily' as frequency, by_session.date, 'fed_bill_purchases' as driver, by_session.fed_bill_purchases
    from by_session
    join first_days on first_days.component = 'fed_bill_purchases' and by_session.date >= first_days.first_date
    union all
    select 'daily' as frequency, date, 'sofr_iorb_change' as driver, sofr_iorb_bp - before_bp
    from session_spreads
    where step = 1
    union all
    select 'weekly' as frequency, week_ending, 'reserve_drain' as driver, drain_reserves_usd_mn / 1000
    from marts.reserve_drains
    union all
    select 'weekly' as frequency, week_ending, 'tga_change' as driver, d_tga_usd_mn / 1000
    from marts.reserve_drains
    union all
    select 'weekly' as frequency, by_week.date, 'net_settlement' as driver, by_week.net_settlement
    from by_week
    join first_days on first_days.component = 'settlement' and by_week.date >= first_days.first_date + interval 7 day
    union all
    select 'weekly' as frequency, by_week.date, 'fed_bill_purchases' as driver, by_week.fed_bill_purchases
    from by_week
    join first_days
        on first_days.component = 'fed_bill_purchases' and by_week.date >= first_days.first_date + interval 7 day
    union all
    select 'weekly' as frequency, this_week.week_ending, 'sofr_iorb_change' as driver,
        this_week.sofr_iorb_bp - week_before.sofr_iorb_bp
    from spreads as this_week
    join spreads as week_before
        on week_before.week_ending = this_week.week_ending - interval 7 day and week_before.from_week_end = 1
    where this_week.from_week_end = 1
)

select
    drivers.frequency,
    drivers.date,
    drivers.driver,
    -- A sum of floating-point numbers may differ in its last digits from run to run.
    round(drivers.value, 9) as value,
    case drivers.driver when 'sofr_iorb_change' then 'bp' else 'USD bn' end as unit,
    days.known_by as known_at
from drivers
join meta.calendar_days as days on days.date = drivers.date
cross join meta.clock as clock
where days.known_by <= clock.now
    and (drivers.frequency = 'weekly' or days.is_nyse)
    and drivers.value is not null
