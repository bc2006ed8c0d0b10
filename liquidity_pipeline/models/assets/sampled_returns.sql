-- Returns sampled where they can be set beside liquidity: by New York session and by H.4.1 week.
--
-- daily: over one session; coins between the UTC closes of two consecutive sessions. A UTC day ends at
-- 19:00 (winter) or 20:00 New York time of the same date, 3 to 4 hours after the stocks' close: if news
-- came evenly, up to 4/24 = 17 % of a coin's daily move belongs to the stocks' next session, which makes
-- coins look early. In a week it is 4/168 = 2 %.
-- weekly: Thursday to Wednesday, the days of H.4.1, non-overlapping: the product of the week's daily
-- returns, and none where one of them is missing. Method, C7.
with sessions as (
    select days.date, days.nyse_number, days.known_by
    from meta.calendar_days as days
    cross join meta.clock as clock
    where days.is_nyse and days.known_by <= clock.now
),

between_sessions as (
    select
        returns.date,
        returns.asset,
        returns.asset_class,
        universe.is_crypto,
        returns.return_1d_pct,
        (returns.close / lag(returns.close) over by_asset - 1) * 100 as close_to_close_pct,
        sessions.nyse_number - lag(sessions.nyse_number) over by_asset as step,
        sessions.known_by
    from marts.asset_returns as returns
    join sessions on sessions.date = returns.date
    join meta.universe as universe on universe.asset = returns.asset
    window by_asset as (partition by returns.asset order by returns.date)
),

daily as (
    select
        date,
        asset,
        asset_class,
        case when not is_crypto then return_1d_pct when step = 1 then close_to_close_pct end as return_pct,
        known_by
    from between_sessions
),

weeks as (
    select
        days.week_ending,
        count(*) as days_due,
        sum(case when days.is_nyse then 1 else 0 end) as sessions_due
    from meta.calendar_days as days
    group by days.week_ending
),

by_week as (
    select
        days.week_ending,
        returns.asset,
        returns.asset_class,
        universe.is_crypto,
        count(returns.return_1d_pct) as returns_known,
        sum(ln(1 + returns.return_1d_pct / 100)) as log_return
    from marts.asset_returns as returns
    join meta.calendar_days as days on days.date = returns.date
    join meta.universe as universe on universe.asset = returns.asset
    where returns.return_1d_pct > -100
    group by days.week_ending, returns.asset, returns.asset_class, universe.is_crypto
)

select 'daily' as frequency, date, asset, asset_class, return_pct, known_by as known_at
from daily
where return_pct is not null
union all
select
    'weekly' as frequency,
    by_week.week_ending,
    by_week.asset,
    by_week.asset_class,
    round((exp(by_week.log_return) - 1) * 100, 9),
    wednesday.known_by
from by_week
join weeks on weeks.week_ending = by_week.week_ending
join meta.calendar_days as wednesday on wednesday.date = by_week.week_ending
cross join meta.clock as clock
where wednesday.known_by <= clock.now
    and by_week.returns_known = case when by_week.is_crypto then weeks.days_due else weeks.sessions_due end
