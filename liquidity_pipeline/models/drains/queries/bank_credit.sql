-- Drains and changes of loans by week.

-- name: loans_by_week
with loans as (
    select observation_date, value, lag(observation_date) over (order by observation_date)
        as before_date, lag(value) over (order by observation_date) as before_value
    from sources.market_series
    where series = 'TOTLL'
)
select drains.week_ending, drains.drain_reserves_usd_mn / 100000,
    case when loans.observation_date - loans.before_date = 7
        then loans.value - loans.before_value end
from marts.reserve_drains as drains
left join loans on loans.observation_date = drains.week_ending
order by drains.week_ending
