-- Drivers and returns by New York session.

-- name: drivers_by_session
select days.nyse_number as session, drivers.driver, drivers.value
from marts.driver_changes as drivers
join meta.calendar_days as days on days.date = drivers.date
where drivers.frequency = 'daily'
order by drivers.driver, session

-- name: returns_by_session
select days.nyse_number as session, returns.asset, returns.return_pct as value
from marts.sampled_returns as returns
join meta.calendar_days as days on days.date = returns.date
where returns.frequency = 'daily'
order by returns.asset, session

-- name: sessions_between
select date, known_by
from meta.calendar_days
where is_nyse and nyse_number between :first and :last
order by nyse_number
