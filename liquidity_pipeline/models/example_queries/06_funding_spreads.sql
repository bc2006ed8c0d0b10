-- How did overnight funding spreads develop, without month-end and month-start days?
select date, sofr_iorb_bp, sofr_p99_p25_bp, srf_usd_mn
from marts.funding_conditions
where not is_month_end
order by date desc
limit 250
