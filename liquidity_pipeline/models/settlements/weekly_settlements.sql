-- Net settlement per calendar week (Monday to Sunday): by class, by bills and coupons, and for all.
-- What matures ahead on days for which an issue is still to be announced is in refinancing, and
-- until then the net of its week is not known. cmb is a memo item: bill and bills include it.
-- Buybacks are not known of a week that has business days for which no operation is announced yet:
-- only those that settle on the next business day are, and those of the month that were asked for.
-- Sums are exact to the dollar, in whatever order they were taken.
with announced as (
    select max(days.fed_number) + 1 as last_number, last_day(any_value(clock.today)) as last_day
    from meta.calendar_days as days
    cross join meta.clock as clock
    where days.is_fed and days.date + interval 20 hour <= clock.now
),

weeks as (
    select
        days.week_start,
        bool_and(days.fed_number <= announced.last_number and days.date <= announced.last_day)
            as are_buybacks_announced
    from meta.calendar_days as days
    cross join announced
    where days.is_fed
    group by days.week_start
),

by_class as (
    select
        days.week_start,
        calendar.*,
        case when calendar.settlement_date > clock.today and not calendar.is_announced
            then calendar.redeemed_usd_mn else 0 end as refinancing_usd_mn
    from marts.settlement_calendar as calendar
    join meta.calendar_days as days on days.date = calendar.settlement_date
    cross join meta.clock as clock
),

labels as (
    select distinct security_class, security_class as label from by_class
    union all
    select distinct security_class, case when security_class = 'bill' then 'bills' else 'coupons' end
    from by_class
    union all
    select distinct security_class, 'all' from by_class
),

parts as (
    select
        by_class.week_start, labels.label as security_class, by_class.issued_usd_mn,
        by_class.redeemed_usd_mn, by_class.add_ons_expected_usd_mn, by_class.buyback_usd_mn,
        by_class.net_usd_mn, by_class.net_public_usd_mn, by_class.privately_held_net_usd_mn,
        by_class.refinancing_usd_mn, by_class.is_announced, by_class.is_settled, by_class.known_at
    from by_class
    join labels on labels.security_class = by_class.security_class
    union all
    select
        week_start, 'cmb', cmb_issued_usd_mn, cmb_redeemed_usd_mn, 0, 0,
        cmb_net_usd_mn, cmb_net_public_usd_mn, cmb_net_public_usd_mn,
        case when refinancing_usd_mn > 0 then cmb_redeemed_usd_mn else 0 end,
        is_announced, is_settled, known_at
    from by_class
    where cmb_issued_usd_mn > 0 or cmb_redeemed_usd_mn > 0
)

select
    parts.week_start,
    security_class,
    round(sum(issued_usd_mn), 6) as issued_usd_mn,
    case when count(redeemed_usd_mn) = count(*)
        then round(sum(redeemed_usd_mn), 6) end as redeemed_usd_mn,
    case when count(add_ons_expected_usd_mn) = count(*)
        then round(sum(add_ons_expected_usd_mn), 6) end as add_ons_expected_usd_mn,
    case when count(buyback_usd_mn) = count(*) and bool_and(weeks.are_buybacks_announced)
        then round(sum(buyback_usd_mn), 6) end as buyback_usd_mn,
    case when count(net_usd_mn) = count(*) then round(sum(net_usd_mn), 6) end as net_usd_mn,
    case when count(net_public_usd_mn) = count(*)
        then round(sum(net_public_usd_mn), 6) end as net_public_usd_mn,
    case when count(privately_held_net_usd_mn) = count(*) and bool_and(weeks.are_buybacks_announced)
        then round(sum(privately_held_net_usd_mn), 6) end as privately_held_net_usd_mn,
    case when count(refinancing_usd_mn) = count(*)
        then round(sum(refinancing_usd_mn), 6) end as refinancing_usd_mn,
    bool_and(is_settled) as is_settled,
    -- A day with nothing but a buyback is absent where buybacks are not known, and dates no other.
    coalesce(
        max(case when issued_usd_mn > 0 or coalesce(redeemed_usd_mn > 0, true) or not is_announced
            then known_at end),
        max(known_at)
    ) as known_at
from parts
join weeks on weeks.week_start = parts.week_start
group by parts.week_start, security_class
