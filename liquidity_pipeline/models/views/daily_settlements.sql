-- Net settlement of Treasury debt by day over all classes; NULL where maturities await an announcement.
select
    settlement_date,
    sum(issued_usd_mn) as issued_usd_mn,
    case when count(redeemed_usd_mn) = count(*)
        then sum(redeemed_usd_mn) end as redeemed_usd_mn,
    case when count(net_usd_mn) = count(*) then sum(net_usd_mn) end as net_usd_mn,
    case when count(net_public_usd_mn) = count(*) then sum(net_public_usd_mn) end as net_public_usd_mn,
    case when count(privately_held_net_usd_mn) = count(*)
        then sum(privately_held_net_usd_mn) end as privately_held_net_usd_mn
from marts.settlement_calendar
group by settlement_date
