-- Which net settlements of Treasury debt lie ahead?
select settlement_date, security_class, issued_usd_mn, redeemed_usd_mn, net_usd_mn, status
from marts.settlement_calendar
where settlement_date > (select as_of from meta.publication)
order by settlement_date, security_class
