-- Every component of the drain by day, in its natural direction and in both sign conventions.
--
-- drain_headline_net_of_buybacks counts settlements less what Treasury bought back on the day, for
-- which the public is paid; it is NULL where buybacks are not known.
--
-- Daily components come from daily records; those of the Fed's balance sheet are dated on the
-- Wednesday of H.4.1. settlement is never added to tga in one convention: proceeds land in the TGA.
-- fed_assets is split into the bill purchases, by settlement date, and all else; reverse repos into the
-- overnight facility, by day, and the rest of H.4.1's total (foreign accounts, and term operations);
-- other_liabilities is what closes the balance sheet: notes in circulation, other liabilities, capital.
-- They are there only for complete weeks: those with every daily statement, the four lines of H.4.1 that
-- close it, and operations that were asked for and answered to its end. Only these add up.
-- Source: method, C4 (no double counting) and C5 (two conventions); signs in meta.sign_conventions.
with tga as (
    select record_date as date, change_1d_usd_mn as amount_usd_mn
    from marts.tga_daily
    where change_1d_usd_mn is not null
),

on_rrp_levels as (
    select
        operations.operation_date as date,
        round(sum(operations.accepted_usd_mn), 6) as level_usd_mn
    from sources.repo_operations as operations
    where operations.kind = 'on_rrp' and not operations.is_small_value
    group by operations.operation_date
),

-- Before its first day, 2013-09-23, the facility held nothing; before a later first record it is not known.
on_rrp as (
    select
        date,
        round(
            level_usd_mn - coalesce(
                lag(level_usd_mn) over (order by date), case when date = date '2013-09-23' then 0 end
            ),
            6
        ) as amount_usd_mn
    from on_rrp_levels
),

settlement as (
    select
        calendar.settlement_date as date,
        round(sum(calendar.net_public_usd_mn), 6) as amount_usd_mn,
        case when bool_and(calendar.privately_held_net_usd_mn is not null)
            then round(sum(calendar.privately_held_net_usd_mn), 6) end as net_of_buybacks_usd_mn
    from marts.settlement_calendar as calendar
    group by calendar.settlement_date
    having bool_and(calendar.is_settled and calendar.net_public_usd_mn is not null)
),

bill_purchases as (
    select
        settlement_date as date,
        round(sum(case direction when 'purchase' then accepted_usd_mn else -accepted_usd_mn end), 6) as amount_usd_mn
    from sources.fed_operations
    where security_class = 'bill' and not is_small_value
    group by settlement_date
),

known as (
    select
        max(case when table_name = 'fed_operations' then known_from end) as operations_from,
        max(case when table_name = 'fed_operations' then known_through end) as operations_through,
        max(case when table_name = 'repo_operations' and entity = 'on_rrp' then known_from end) as on_rrp_from,
        max(case when table_name = 'repo_operations' and entity = 'on_rrp' then known_through end) as on_rrp_through
    from meta.coverage
),

-- The weeks of H.4.1, and whether everything that adds up to them is known.
weeks as (
    select
        days.week_ending,
        count(tga.date) = sum(case when days.is_fed then 1 else 0 end)
            and max(case when reserves.d_currency_and_other_usd_mn is not null then 1 else 0 end) = 1
            and coalesce(max(known.operations_from) <= min(days.date), false)
            and coalesce(max(known.operations_through) >= days.week_ending, false)
            and (
                days.week_ending < date '2013-09-23'
                or coalesce(
                    max(known.on_rrp_through) >= days.week_ending
                    and max(known.on_rrp_from) < greatest(min(days.date), date '2013-09-24'),
                    false
                )
            )
            as is_complete
    from meta.calendar_days as days
    join marts.reserve_drains as reserves on reserves.week_ending = days.week_ending
    cross join known
    left join tga on tga.date = days.date
    group by days.week_ending
),

weekly_purchases as (
    select days.week_ending as date, round(sum(bill_purchases.amount_usd_mn), 6) as amount_usd_mn
    from bill_purchases
    join meta.calendar_days as days on days.date = bill_purchases.date
    group by days.week_ending
),

weekly_on_rrp as (
    select days.week_ending as date, round(sum(on_rrp.amount_usd_mn), 6) as amount_usd_mn
    from on_rrp
    join meta.calendar_days as days on days.date = on_rrp.date
    group by days.week_ending
),

-- In a complete week no operation means that there was none.
balance_sheet as (
    select
        reserves.*,
        coalesce(weekly_purchases.amount_usd_mn, 0) as bill_purchases_usd_mn,
        coalesce(weekly_on_rrp.amount_usd_mn, 0) as on_rrp_usd_mn
    from marts.reserve_drains as reserves
    join weeks on weeks.week_ending = reserves.week_ending and weeks.is_complete
    left join weekly_purchases on weekly_purchases.date = reserves.week_ending
    left join weekly_on_rrp on weekly_on_rrp.date = reserves.week_ending
),

all_components as (
    select date, 'tga' as component, amount_usd_mn from tga
    union all
    select date, 'on_rrp' as component, amount_usd_mn from on_rrp where amount_usd_mn is not null
    union all
    select date, 'settlement' as component, amount_usd_mn from settlement
    union all
    select date, 'fed_bill_purchases' as component, amount_usd_mn from bill_purchases
    union all
    select week_ending, 'fed_other_assets' as component, d_fed_assets_usd_mn - bill_purchases_usd_mn
    from balance_sheet
    union all
    select week_ending, 'foreign_rrp' as component, d_rrp_usd_mn - on_rrp_usd_mn
    from balance_sheet
    union all
    select week_ending, 'other_liabilities' as component, d_currency_and_other_usd_mn
    from balance_sheet
),

components as (
    select
        components.*,
        case when components.component = 'settlement' then settlement.net_of_buybacks_usd_mn
            else components.amount_usd_mn end as net_of_buybacks_usd_mn
    from all_components as components
    left join settlement
        on settlement.date = components.date and components.component = 'settlement'
),

signs as (
    select
        component,
        max(case when convention = 'reserves' then sign end) as reserves_sign,
        max(case when convention = 'headline' then sign end) as headline_sign
    from meta.sign_conventions
    group by component
)

select
    components.date,
    components.component,
    round(components.amount_usd_mn, 6) as amount_usd_mn,
    round(components.amount_usd_mn, 6) * signs.reserves_sign as drain_reserves_usd_mn,
    round(components.amount_usd_mn, 6) * signs.headline_sign as drain_headline_usd_mn,
    round(components.net_of_buybacks_usd_mn, 6) * signs.headline_sign
        as drain_headline_net_of_buybacks_usd_mn,
    case when weeks.is_complete then true end as complete,
    days.known_by as known_at
from components
left join signs on signs.component = components.component
join meta.calendar_days as days on days.date = components.date
cross join meta.clock as clock
left join weeks on weeks.week_ending = days.week_ending
where days.known_by <= clock.now
