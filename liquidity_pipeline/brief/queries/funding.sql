-- name: chart_sofr
select date, sofr_p1_iorb_bp as p1, sofr_p25_iorb_bp as p25, sofr_iorb_bp as sofr,
    sofr_p75_iorb_bp as p75, sofr_p99_iorb_bp as p99
from marts.funding_conditions, meta.publication
where date > as_of - interval 1 year and sofr_iorb_bp is not null
order by date
