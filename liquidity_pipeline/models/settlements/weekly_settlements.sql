-- Net settlement per calendar week (Monday to Sunday): by class, by bills and coupons, and for all.
-- What matures ahead on days for which an issue is still to be announced is in refinancing, and
-- until then the net of its week is not known. cmb is a memo item: bill and bills include it.
-- Sums are exact to the dollar, in whatever order they were taken.
with by_class as (
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
    week_start,
    security_class,
    round(sum(issued_usd_mn), 6) as issued_usd_mn,
    round(sum(redeemed_usd_mn), 6) as redeemed_usd_mn,
    case when count(add_ons_expected_usd_mn) = count(*)
        then round(sum(add_ons_expected_usd_mn), 6) end as add_ons_expected_usd_mn,
    case when count(buyback_usd_mn) = count(*) then round(sum(buyback_usd_mn), 6) end as buyback_usd_mn,
    case when count(net_usd_mn) = count(*) then round(sum(net_usd_mn), 6) end as net_usd_mn,
    case when count(net_public_usd_mn) = count(*)
        then round(sum(net_public_usd_mn), 6) end as net_public_usd_mn,
    case when count(privately_held_net_usd_mn) = count(*)
        then round(sum(privately_held_net_usd_mn), 6) end as privately_held_net_usd_mn,
    round(sum(refinancing_usd_mn), 6) as refinancing_usd_mn,
    bool_and(is_settled) as is_settled,
    -- A day with nothing but a buyback is absent where buybacks are not known, and dates no other.
    coalesce(
        max(case when issued_usd_mn > 0 or redeemed_usd_mn > 0 or not is_announced then known_at end),
        max(known_at)
    ) as known_at
from parts
group by week_start, security_class
