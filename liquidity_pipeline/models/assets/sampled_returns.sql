-- Returns on the dates on which liquidity is measured: by New York session and by H.4.1 week.
--
-- daily: over one session; coins between the UTC closes of two consecutive sessions. A UTC day ends at
-- 19:00 (winter) or 20:00 New York time of the same date, 3 to 4 hours after the stocks' close: if news
-- came evenly, up to 4/24 = 17 % of a coin's daily move belongs to the stocks' next session, which makes
-- coins look early. In a week it is 4/168 = 2 %.
-- weekly: Thursday to Wednesday, the days of H.4.1, non-overlapping: the product of the returns over the
-- week's sessions, and none where one of them is missing. So every asset is measured between the same two
-- sessions, also in a week whose Wednesday is a holiday. Method, C7.
with daily as (
    select
        returns.date,
        returns.asset,
        returns.asset_class,
        returns.return_1d_new_york_pct as return_pct,
        days.week_ending,
        days.known_by
    from marts.asset_returns as returns
    join meta.calendar_days as days on days.date = returns.date and days.is_nyse
    cross join meta.clock as clock
    where days.known_by <= clock.now and returns.return_1d_new_york_pct is not null
),

weeks as (
    select week_ending, count(*) as sessions_due
    from meta.calendar_days
    where is_nyse
    group by week_ending
),

by_week as (
    select
        week_ending,
        asset,
        asset_class,
        count(*) as returns_known,
        sum(ln(1 + return_pct / 100)) as log_return
    from daily
    where return_pct > -100
    group by week_ending, asset, asset_class
)

select 'daily' as frequency, date, asset, asset_class, return_pct, known_by as known_at
from daily
union all
select
    'weekly' as frequency,
    by_week.week_ending,
    by_week.asset,
    by_week.asset_class,
    round((exp(by_week.log_return) - 1) * 100, 9),
    wednesday.known_by
from by_week
join weeks on weeks.week_ending = by_week.week_ending and weeks.sessions_due = by_week.returns_known
join meta.calendar_days as wednesday on wednesday.date = by_week.week_ending
cross join meta.clock as clock
where wednesday.known_by <= clock.now
