-- The drains of each H.4.1 week (Thursday to Wednesday) by component, and their totals.
--
-- Only complete weeks. The total in the convention `reserves` then ties to minus the change of reserve
-- balances in marts.reserve_drains. The total by market convention needs the auctions as well.
-- Net of buybacks it needs these too, from the beginning of the programme on. Where what the public
-- paid is not known of some day (a postponed auction, the Fed's part), it is not known of the week.
with known as (
    select known_from, known_through
    from meta.coverage
    where table_name = 'debt_settlements' and entity = 'auctions'
),

known_buybacks as (
    select known_from, known_through
    from meta.coverage
    where table_name = 'debt_settlements' and entity = 'buybacks'
),

unsettled as (
    select distinct days.week_ending
    from marts.settlement_calendar as calendar
    join meta.calendar_days as days on days.date = calendar.settlement_date
    where not calendar.is_settled or calendar.net_public_usd_mn is null
),

weeks as (
    select
        days.week_ending,
        drains.component,
        drains.amount_usd_mn,
        drains.drain_reserves_usd_mn,
        drains.drain_headline_usd_mn,
        drains.drain_headline_net_of_buybacks_usd_mn
    from marts.drains as drains
    join meta.calendar_days as days on days.date = drains.date
    left join unsettled on unsettled.week_ending = days.week_ending
    where drains.complete and (drains.component <> 'settlement' or unsettled.week_ending is null)
),

with_totals as (
    select * from weeks
    union all
    select week_ending, 'total', null, drain_reserves_usd_mn, drain_headline_usd_mn,
        drain_headline_net_of_buybacks_usd_mn
    from weeks
),

by_component as (
    select
        week_ending,
        component,
        round(sum(amount_usd_mn), 6) as amount_usd_mn,
        round(sum(drain_reserves_usd_mn), 6) as drain_reserves_usd_mn,
        round(sum(drain_headline_usd_mn), 6) as drain_headline_usd_mn,
        case when count(drain_headline_net_of_buybacks_usd_mn) = count(*)
            then round(sum(drain_headline_net_of_buybacks_usd_mn), 6)
        end as drain_headline_net_of_buybacks_usd_mn
    from with_totals
    group by week_ending, component
)

select
    weeks.week_ending,
    weeks.component,
    weeks.amount_usd_mn,
    weeks.drain_reserves_usd_mn,
    case
        when weeks.component <> 'total'
            or (known.known_from <= weeks.week_ending - interval 6 day
                and known.known_through >= weeks.week_ending
                and unsettled.week_ending is null)
            then weeks.drain_headline_usd_mn
    end as drain_headline_usd_mn,
    case
        when weeks.component not in ('settlement', 'total')
            or (known.known_from <= weeks.week_ending - interval 6 day
                and known.known_through >= weeks.week_ending
                and unsettled.week_ending is null
                and (weeks.week_ending < date '2024-05-29'
                    or (known_buybacks.known_from <= weeks.week_ending - interval 6 day
                        and known_buybacks.known_through >= weeks.week_ending)))
            then weeks.drain_headline_net_of_buybacks_usd_mn
    end as drain_headline_net_of_buybacks_usd_mn,
    days.known_by as known_at
from by_component as weeks
join meta.calendar_days as days on days.date = weeks.week_ending
left join unsettled on unsettled.week_ending = weeks.week_ending
left join known on true
left join known_buybacks on true
