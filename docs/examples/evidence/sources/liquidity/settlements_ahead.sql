select
    settlement_date,
    sum(net_public_usd_mn) / 1000 as net_announced_usd_bn,
    sum(net_public_expected_usd_mn) / 1000 as net_expected_usd_bn
from marts.settlement_outlook
group by settlement_date
-- A sum over known classes only is no net of the day.
having count(net_public_expected_usd_mn) = count(*)
order by settlement_date
