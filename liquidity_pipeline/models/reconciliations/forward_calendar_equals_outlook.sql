-- The settlements of the forward calendar add up, by day and group, to the net that the outlook expects.
-- A day of which one class or item is not known is not compared.
with outlook as (
    select
        settlement_date as date,
        case when security_class = 'bill' then 'bills' else 'coupons' end as part,
        case when count(net_public_expected_usd_mn) = count(*)
            then sum(net_public_expected_usd_mn) end as net_usd_mn
    from marts.settlement_outlook
    group by all
),

calendar as (
    select
        date,
        part,
        case when count(amount_usd_mn) = count(*) then sum(amount_usd_mn) end as net_usd_mn
    from marts.forward_calendar
    where item in (
        'issues auctioned', 'issues announced', 'issues expected', 'add-ons expected', 'maturities',
        'maturities expected', 'redemptions not paid to the public'
    )
    group by date, part
)

select
    coalesce(outlook.date, calendar.date) as day,
    case when calendar.date is null then 0 else calendar.net_usd_mn end
        - case when outlook.date is null then 0 else outlook.net_usd_mn end as difference
from outlook
full join calendar on calendar.date = outlook.date and calendar.part = outlook.part
