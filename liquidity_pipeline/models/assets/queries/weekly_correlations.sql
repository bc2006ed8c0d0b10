-- Returns by week.

-- name: returns_by_week
select date, asset, return_pct as value
from marts.sampled_returns
where frequency = 'weekly'
order by asset, date
