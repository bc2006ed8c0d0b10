-- Rolling correlation and beta of daily asset returns with daily changes of liquidity.
--
-- Changes, never levels (method, C7). The beta stands beside the correlation because a correlation
-- rises with volatility alone (Forbes and Rigobon 2002). The band is Fisher's (1921), 95 %, for n
-- independent pairs: tanh(atanh(r) -+ 1.96 / sqrt(n - 3)); windows overlap from day to day, so days
-- outside the band are no tests: those stand in marts.weekly_correlations. A window of sessions of
-- which fewer than 90 % have a pair, or without variance on either side, gives NULL.
-- What is set beside what, and when coins are sampled, stands in sampled_returns and driver_changes.
-- Sums over a window are sums of decimals: those of floating-point numbers depend on how much history
-- the engine happens to hold, and a row must not.
with pairs as (
    select
        days.nyse_number as session,
        returns.date,
        returns.known_at,
        returns.asset,
        drivers.driver,
        cast(drivers.value as decimal(19, 6)) as x,
        cast(returns.return_pct as decimal(19, 6)) as y
    from marts.sampled_returns as returns
    join marts.driver_changes as drivers on drivers.date = returns.date and drivers.frequency = returns.frequency
    join meta.calendar_days as days on days.date = returns.date
    where returns.frequency = 'daily'
),

sums as (
    select date, known_at, asset, driver, 20 as window_days, count(*) over last_20 as n,
        sum(x) over last_20 as sx, sum(y) over last_20 as sy, sum(x * y) over last_20 as sxy,
        sum(x * x) over last_20 as sxx, sum(y * y) over last_20 as syy
    from pairs
    window last_20 as (partition by asset, driver order by session range between 19 preceding and current row)
    union all
    select date, known_at, asset, driver, 60 as window_days, count(*) over last_60 as n,
        sum(x) over last_60 as sx, sum(y) over last_60 as sy, sum(x * y) over last_60 as sxy,
        sum(x * x) over last_60 as sxx, sum(y * y) over last_60 as syy
    from pairs
    window last_60 as (partition by asset, driver order by session range between 59 preceding and current row)
    union all
    select date, known_at, asset, driver, 120 as window_days, count(*) over last_120 as n,
        sum(x) over last_120 as sx, sum(y) over last_120 as sy, sum(x * y) over last_120 as sxy,
        sum(x * x) over last_120 as sxx, sum(y * y) over last_120 as syy
    from pairs
    window last_120 as (partition by asset, driver order by session range between 119 preceding and current row)
),

-- n times the sums of squared and crossed deviations, exactly; the factor n falls out of both ratios.
deviations as (
    select
        date, known_at, asset, driver, window_days, n,
        cast(n as decimal(4, 0)) * cast(sxy as decimal(34, 12)) - cast(sx as decimal(19, 6)) * cast(sy as decimal(19, 6)) as dxy,
        cast(n as decimal(4, 0)) * cast(sxx as decimal(34, 12)) - cast(sx as decimal(19, 6)) * cast(sx as decimal(19, 6)) as dxx,
        cast(n as decimal(4, 0)) * cast(syy as decimal(34, 12)) - cast(sy as decimal(19, 6)) * cast(sy as decimal(19, 6)) as dyy
    from sums
),

estimates as (
    select
        date,
        known_at,
        asset,
        driver,
        window_days,
        n as n_obs,
        case when n >= 0.9 * window_days and dxx > 0 and dyy > 0
            then least(1, greatest(-1,
                cast(dxy as double) / sqrt(cast(dxx as double) * cast(dyy as double)))) end as correlation,
        case when n >= 0.9 * window_days and dxx > 0
            then cast(dxy as double) / cast(dxx as double) end as beta
    from deviations
)

select
    estimates.date,
    estimates.asset,
    estimates.driver,
    estimates.window_days,
    estimates.correlation,
    case when abs(estimates.correlation) < 1
        then tanh(atanh(estimates.correlation) - 1.96 / sqrt(estimates.n_obs - 3)) end as correlation_low,
    case when abs(estimates.correlation) < 1
        then tanh(atanh(estimates.correlation) + 1.96 / sqrt(estimates.n_obs - 3)) end as correlation_high,
    estimates.beta,
    ranks.spearman,
    estimates.n_obs,
    estimates.known_at
from estimates
left join marts.rank_correlations as ranks
    on ranks.date = estimates.date
    and ranks.asset = estimates.asset
    and ranks.driver = estimates.driver
    and ranks.window_days = estimates.window_days
