-- The weeks of each component that has a season.

-- name: weeks_by_component
-- A week's settlements are complete with its last day; its first week here may have begun before
-- the records do, and is left out. Of the debt limit, what was on record by the week's end. Rounded,
-- because the last digits of a sum depend on the order in which it was formed.
with weekly as (
    select week_ending, 'drain_reserves' as component, drain_reserves_usd_mn as actual_usd_mn
    from marts.reserve_drains
    union all
    select week_ending, 'tga', d_tga_usd_mn
    from marts.reserve_drains
    where d_tga_usd_mn is not null
    union all
    select days.week_ending, 'net_settlement', sum(settled.net_public_usd_mn)
    from marts.settlement_calendar as settled
    join meta.calendar_days as days on days.date = settled.settlement_date
    where days.week_ending >= (select min(settlement_date) + 7 from marts.settlement_calendar)
    group by days.week_ending
    having bool_and(settled.is_settled and settled.net_public_usd_mn is not null)
    union all
    select
        week_start + 6,
        case security_class
            when 'all' then 'net_settlement_calendar_week' else 'net_bills_calendar_week'
        end,
        net_public_usd_mn
    from marts.weekly_settlements
    where security_class in ('all', 'bills')
        and is_settled
        and net_public_usd_mn is not null
        and week_start > (select min(settlement_date) from marts.settlement_calendar)
)
select
    weekly.component,
    weekly.week_ending,
    round(weekly.actual_usd_mn, 4),
    days.known_by,
    coalesce(arg_max(events.subject, events.effective_date), '') = 'binding'
from weekly
join meta.calendar_days as days on days.date = weekly.week_ending
cross join meta.clock as clock
left join sources.policy_events as events
    on events.kind = 'debt_limit_state'
    and events.effective_date <= weekly.week_ending
    and events.known_at <= days.known_by
where days.known_by <= clock.now
group by weekly.component, weekly.week_ending, weekly.actual_usd_mn, days.known_by
order by weekly.component, weekly.week_ending
