-- name: chart_sofr
select funding.date,
    (rates.p1_pct - iorb_pct) * 100 as p1, (rates.p25_pct - iorb_pct) * 100 as p25,
    sofr_iorb_bp as sofr,
    (rates.p75_pct - iorb_pct) * 100 as p75, (rates.p99_pct - iorb_pct) * 100 as p99
from marts.funding_conditions as funding
join sources.reference_rates as rates on rates.effective_date = funding.date and rates.rate = 'SOFR'
cross join meta.publication
where funding.date > as_of - interval 1 year and sofr_iorb_bp is not null
order by funding.date
