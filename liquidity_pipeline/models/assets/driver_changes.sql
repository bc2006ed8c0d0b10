-- Changes of liquidity by New York session and by H.4.1 week (Thursday to Wednesday).
--
-- reserve_drain: weekly, the fall of reserve balances in H.4.1, the drain of record.
-- reserve_drain_estimate: daily, TGA + overnight reverse repo - all outright operations of the Desk by
-- settlement date, whatever the security; mortgage securities and foreign accounts are not served by
-- day. tga_change, net_settlement (public), fed_bill_purchases: USD bn. sofr_iorb_change: basis points,
-- daily between adjacent sessions, weekly between the weeks' last bond-market days. Never levels
-- (method, C7). No operation counts as zero only as far as the Desk was asked and answered: see what
-- the contract rests on.
with first_days as (
    select 'settlement' as component, min(date) as first_date from marts.drains where component = 'settlement'
    union all
    select 'fed_bill_purchases', min(date) from marts.drains where component = 'fed_bill_purchases'
),

outright as (
    select
        settlement_date as date,
        sum(case direction when 'purchase' then accepted_usd_mn else -accepted_usd_mn end) as purchases_usd_mn
    from sources.fed_operations
    where not is_small_value
    group by settlement_date
),

-- Days of which it is not known what the public paid: a postponed auction, or its share of a day.
unsettled as (
    select days.nyse_on_or_after, days.week_ending
    from marts.settlement_calendar as calendar
    join meta.calendar_days as days on days.date = calendar.settlement_date
    cross join meta.clock as clock
    where calendar.settlement_date <= clock.today
        and (not calendar.is_settled or calendar.net_public_usd_mn is null)
),

-- What moves on a day without a session counts on the next session. A session without a day on which
-- the Reserve Banks are open has no flow to know, and a statement that did not come is unknown.
by_session as (
    select
        days.nyse_on_or_after as date,
        sum(case when days.is_fed then 1 else 0 end) as statements_due,
        count(tga.change_1d_usd_mn) as statements,
        sum(tga.change_1d_usd_mn) / 1000 as tga_change,
        coalesce(sum(settlement.amount_usd_mn), 0) / 1000 as net_settlement,
        coalesce(sum(purchases.amount_usd_mn), 0) / 1000 as fed_bill_purchases,
        coalesce(sum(outright.purchases_usd_mn), 0) / 1000 as outright_purchases,
        coalesce(sum(on_rrp.amount_usd_mn), 0) / 1000 as on_rrp_change
    from meta.calendar_days as days
    left join marts.tga_daily as tga on tga.record_date = days.date
    left join marts.drains as settlement on settlement.date = days.date and settlement.component = 'settlement'
    left join marts.drains as purchases on purchases.date = days.date and purchases.component = 'fed_bill_purchases'
    left join outright on outright.date = days.date
    left join marts.drains as on_rrp on on_rrp.date = days.date and on_rrp.component = 'on_rrp'
    group by days.nyse_on_or_after
    having sum(case when days.is_fed then 1 else 0 end) > 0
),

flows as (
    select * from by_session where statements = statements_due
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

week_ends as (
    select week_ending, max(date) as last_day
    from meta.calendar_days
    where is_sifma
    group by week_ending
),

-- The spread of a week is that of its last bond-market day, and of no other.
spreads as (
    select
        funding.date,
        week_ends.week_ending,
        funding.sofr_iorb_bp
    from marts.funding_conditions as funding
    join week_ends on week_ends.last_day = funding.date
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
    select 'daily' as frequency, date, 'reserve_drain_estimate' as driver,
        tga_change + on_rrp_change - outright_purchases
    from flows
    union all
    select 'daily' as frequency, by_session.date, 'net_settlement' as driver, by_session.net_settlement
    from by_session
    join first_days on first_days.component = 'settlement' and by_session.date >= first_days.first_date
    where by_session.date not in (select nyse_on_or_after from unsettled)
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
    where d_tga_usd_mn is not null
    union all
    select 'weekly' as frequency, by_week.date, 'net_settlement' as driver, by_week.net_settlement
    from by_week
    join first_days on first_days.component = 'settlement' and by_week.date >= first_days.first_date + interval 7 day
    where by_week.date not in (select week_ending from unsettled)
    union all
    select 'weekly' as frequency, by_week.date, 'fed_bill_purchases' as driver, by_week.fed_bill_purchases
    from by_week
    join first_days
        on first_days.component = 'fed_bill_purchases' and by_week.date >= first_days.first_date + interval 7 day
    union all
    select 'weekly' as frequency, this_week.week_ending, 'sofr_iorb_change' as driver,
        this_week.sofr_iorb_bp - week_before.sofr_iorb_bp
    from spreads as this_week
    join spreads as week_before on week_before.week_ending = this_week.week_ending - interval 7 day
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
