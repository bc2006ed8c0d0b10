-- Net settlement per calendar week (Monday to Sunday) and class, and for all classes together.
-- What matures ahead without an announced issue will be rolled over: it stands in refinancing, and until
-- the issue is announced the net of its week is not known.
-- Sums are exact to the dollar, in whatever order they were taken.
with by_class as (
    select
        days.week_start,
        calendar.security_class,
        calendar.issued_usd_mn,
        calendar.redeemed_usd_mn,
        calendar.buyback_usd_mn,
        calendar.net_usd_mn,
        calendar.net_public_usd_mn,
        case when calendar.settlement_date > clock.today and calendar.issued_usd_mn = 0
            then calendar.redeemed_usd_mn else 0 end as refinancing_usd_mn,
        calendar.status,
        calendar.known_at
    from marts.settlement_calendar as calendar
    join meta.calendar_days as days on days.date = calendar.settlement_date
    cross join meta.clock as clock
),

with_totals as (
    select * from by_class
    union all
    select
        week_start, 'all' as security_class, issued_usd_mn, redeemed_usd_mn, buyback_usd_mn,
        net_usd_mn, net_public_usd_mn, refinancing_usd_mn, status, known_at
    from by_class
)

select
    week_start,
    security_class,
    round(sum(issued_usd_mn), 6) as issued_usd_mn,
    round(sum(redeemed_usd_mn), 6) as redeemed_usd_mn,
    round(sum(buyback_usd_mn), 6) as buyback_usd_mn,
    case when sum(refinancing_usd_mn) = 0 then round(sum(net_usd_mn), 6) end as net_usd_mn,
    case when sum(refinancing_usd_mn) = 0 then round(sum(net_public_usd_mn), 6) end as net_public_usd_mn,
    round(sum(refinancing_usd_mn), 6) as refinancing_usd_mn,
    min(case when status = 'settled' then 1 else 0 end) = 1 as is_settled,
    max(known_at) as known_at
from with_totals
group by week_start, security_class
