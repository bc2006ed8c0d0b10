-- The drains of each H.4.1 week (Thursday to Wednesday) by component, and their totals.
--
-- Only complete weeks. The total in the convention `reserves` then ties to minus the change of reserve
-- balances in marts.reserve_drains. The total by market convention needs the auctions as well.
with known as (
    select known_from, known_through
    from meta.coverage
    where table_name = 'debt_settlements' and entity = 'auctions'
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
    where drains.complete
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
    case
        when with_totals.component <> 'total'
            or (max(known.known_from) <= with_totals.week_ending - interval 6 day
                and max(known.known_through) >= with_totals.week_ending)
            then round(sum(with_totals.drain_headline_usd_mn), 6)
    end as drain_headline_usd_mn,
    max(days.known_by) as known_at
from with_totals
join meta.calendar_days as days on days.date = with_totals.week_ending
left join known on true
group by with_totals.week_ending, with_totals.component
