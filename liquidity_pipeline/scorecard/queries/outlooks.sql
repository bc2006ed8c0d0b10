-- What the outlooks missed by, in USD bn.

-- name: settlement_errors
-- Errors of the Fridays on which all are known, so that the forecasts are compared on the same weeks.
select weeks_ahead, security_group,
    median(abs(error_usd_mn)) / 1000, avg(abs(error_usd_mn)) / 1000,
    median(abs(last_year_error_usd_mn)) / 1000, median(abs(rollover_error_usd_mn)) / 1000
from marts.settlement_outlook_score
where error_usd_mn is not null and last_year_error_usd_mn is not null
    and as_of_date >= date '2016-01-01'
group by weeks_ahead, security_group
order by weeks_ahead

-- name: settlement_span
select min(as_of_date), max(as_of_date), count(distinct as_of_date)
from marts.settlement_outlook_score
where error_usd_mn is not null and last_year_error_usd_mn is not null
    and as_of_date >= date '2016-01-01'

-- name: drain_errors
-- The band exists from the second year on; the share counts the Fridays that have one.
select weeks_ahead, component,
    avg(abs(error_usd_mn)) / 1000, avg(abs(no_change_error_usd_mn)) / 1000,
    avg(abs(implied_error_usd_mn)) / 1000, 100 * avg(is_in_band::int)
from marts.drain_outlook_score
group by weeks_ahead, component
order by weeks_ahead

-- name: drain_span
select min(as_of_date), max(as_of_date), count(distinct as_of_date)
from marts.drain_outlook_score
