-- How much of the S&P 500 "net liquidity" explains: R2 of weekly changes, and of two misleading methods.
--
-- Weekly changes do not overlap. Changes over 52 weeks taken every week share 51 of them with their
-- neighbour, and two levels that trend agree whatever they are: both are shown beside the honest figure,
-- because they are what is usually quoted. Frozen at the last Wednesday of each year. The samples begin
-- when the records do, and in June 2022, when the Fed's balance sheet began to shrink.
with weeks as (
    select
        returns.date as week_ending,
        net.net_liquidity_usd_mn as level_usd_mn,
        net.change_usd_mn,
        ln(1 + returns.return_pct / 100) as log_return,
        sum(ln(1 + returns.return_pct / 100)) over (order by returns.date) as log_level
    from marts.sampled_returns as returns
    join marts.net_liquidity as net on net.week_ending = returns.date
    where returns.frequency = 'weekly' and returns.asset = 'SPX' and returns.return_pct is not null
),

pairs as (
    select week_ending, 'weekly changes' as measure, change_usd_mn as x, log_return as y
    from weeks
    union all
    select now_.week_ending, '52-week changes, overlapping',
        now_.level_usd_mn - before.level_usd_mn, now_.log_level - before.log_level
    from weeks as now_
    join weeks as before on before.week_ending = now_.week_ending - interval 364 day
    union all
    select week_ending, 'levels', level_usd_mn, log_level
    from weeks
),

ends as (
    select date as as_of, known_by as known_at
    from meta.calendar_days
    cross join meta.clock as clock
    where date = week_ending and year(date) <> year(date + 7) and known_by <= clock.now
),

samples as (
    select 'all weeks' as sample, date '1990-01-01' as since
    union all
    select 'since June 2022', date '2022-06-01'
)

select
    ends.as_of,
    samples.sample,
    pairs.measure,
    case when stddev_pop(pairs.x) > 0 and stddev_pop(pairs.y) > 0
        then 100 * regr_r2(pairs.y, pairs.x) end as r_squared_pct,
    count(*) as n_obs,
    min(pairs.week_ending) as first_week,
    ends.known_at
from pairs
join ends on pairs.week_ending <= ends.as_of
join samples on pairs.week_ending >= samples.since
where pairs.x is not null and pairs.y is not null
group by ends.as_of, samples.sample, pairs.measure, ends.known_at
having count(*) >= 52
