-- The drains of each H.4.1 week (Thursday to Wednesday) by component, and their totals.
--
-- Only complete weeks: those with all daily statements and a drain that can be told apart. The total
-- in the convention `reserves` then ties to minus the change of reserve balances in
-- marts.reserve_drains.
with complete_weeks as (
    select days.week_ending
    from meta.calendar_days as days
    left join marts.drains as tga on tga.date = days.date and tga.component = 'tga'
    join marts.reserve_drains as reserves on reserves.week_ending = days.week_ending
    where days.is_fed and reserves.residual_usd_mn is not null
    group by days.week_ending
    having count(tga.date) = count(days.date)
),

weeks as (
    select
        days.week_ending,
        drains.component,
        drains.amount_usd_mn,
        drains.drain_reserves_usd_mn,
        drains.drain_headline_usd_mn
    from marts.drains as drains
    join meta.calendar_days as days on days.date = drains.date
    join complete_weeks on complete_weeks.week_ending = days.week_ending
),

with_totals as (
    select * from weeks
    union all
    select week_ending, 'total', null, drain_reserves_usd_mn, drain_headline_usd_mn from weeks
)

select
    with_totals.week_ending,
    with_totals.component,
    round(sum(with_totals.amount_usd_mn), 6) as amount_usd_mn,
    round(sum(with_totals.drain_reserves_usd_mn), 6) as drain_reserves_usd_mn,
    round(sum(with_totals.drain_headline_usd_mn), 6) as drain_headline_usd_mn,
    max(days.known_by) as known_at
from with_totals
join meta.calendar_days as days on days.date = with_totals.week_ending
group by with_totals.week_ending, with_totals.component
