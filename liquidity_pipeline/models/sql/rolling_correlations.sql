-- Rolling correlation and beta of daily asset returns with daily changes of liquidity.
--
-- Changes, never levels (method, C7). The beta stands beside the correlation because a correlation
-- rises with volatility alone. The band is Fisher's, 95 %, for n independent pairs:
-- tanh(atanh(r) -+ 1.96 / sqrt(n - 3)). A window of sessions of which fewer than 90 % have a pair, or
-- without variance on either side, gives NULL.
-- Drivers: tga_change, net_settlement, fed_bill_purchases and reserve_drain in USD bn (the last is the
-- daily estimate: TGA + overnight reverse repo - bill purchases), sofr_iorb_change in basis points.
-- Coins are sampled on New York sessions, between UTC closes.
-- Sums over a window are sums of decimals: those of floating-point numbers depend on how much history
-- the engine happens to hold, and a row must not.
with sessions as (
    select days.date, days.nyse_number, days.known_by
    from meta.calendar_days as days
    cross join meta.clock as clock
    where days.is_nyse and days.known_by <= clock.now
),

-- What moves on a day without a session counts on the next session; a day on which the Treasury's
-- account stands still by calendar is a zero, a statement that did not come is unknown.
by_session as (
    select
        days.nyse_on_or_after as date,
        sum(case when days.is_fed then 1 else 0 end) as statements_due,
        count(tga.amount_usd_mn) as statements,
        coalesce(sum(tga.amount_usd_mn), 0) / 1000 as tga_change,
        coalesce(sum(settlement.amount_usd_mn), 0) / 1000 as net_settlement,
        coalesce(sum(purchases.amount_usd_mn), 0) / 1000 as fed_bill_purchases,
        coalesce(sum(on_rrp.amount_usd_mn), 0) / 1000 as on_rrp_change
    from meta.calendar_days as days
    left join marts.drains as tga on tga.date = days.date and tga.component = 'tga'
    left join marts.drains as settlement on settlement.date = days.date and settlement.component = 'settlement'
    left join marts.drains as purchases on purchases.date = days.date and purchases.component = 'fed_bill_purchases'
    left join marts.drains as on_rrp on on_rrp.date = days.date and on_rrp.component = 'on_rrp'
    group by days.nyse_on_or_after
),

flows as (
    select by_session.*
    from by_session
    join sessions on sessions.date = by_session.date
    where by_session.statements = by_session.statements_due
),

spreads as (
    select
        funding.date,
        -- After a session without a rate (Columbus Day) the change would span two returns.
        case when sessions.nyse_number - lag(sessions.nyse_number) over (order by funding.date) = 1
            then funding.sofr_iorb_bp - lag(funding.sofr_iorb_bp) over (order by funding.date)
        end as sofr_iorb_change
    from marts.funding_conditions as funding
    join sessions on sessions.date = funding.date
    where funding.sofr_iorb_bp is not null
),

drivers as (
    select date, 'tga_change' as driver, tga_change as x from flows
    union all
    select date, 'net_settlement' as driver, net_settlement as x from flows
    union all
    select date, 'fed_bill_purchases' as driver, fed_bill_purchases as x from flows
    union all
    select date, 'reserve_drain' as driver, tga_change + on_rrp_change - fed_bill_purchases as x from flows
    union all
    select date, 'sofr_iorb_change' as driver, sofr_iorb_change as x from spreads
    where sofr_iorb_change is not null
),

asset_moves as (
    select
        date,
        asset,
        case when not is_crypto then return_1d_pct when step = 1 then between_sessions_pct end as y
    from (
        select
            returns.date,
            returns.asset,
            universe.is_crypto,
            returns.return_1d_pct,
            (returns.close / lag(returns.close) over by_asset - 1) * 100 as between_sessions_pct,
            sessions.nyse_number - lag(sessions.nyse_number) over by_asset as step
        from marts.asset_returns as returns
        join sessions on sessions.date = returns.date
        join meta.universe as universe on universe.asset = returns.asset
        window by_asset as (partition by returns.asset order by returns.date)
    )
),

pairs as (
    select
        sessions.nyse_number as session,
        moves.date,
        moves.asset,
        drivers.driver,
        cast(drivers.x as decimal(19, 6)) as x,
        cast(moves.y as decimal(19, 6)) as y
    from asset_moves as moves
    join drivers on drivers.date = moves.date
    join sessions on sessions.date = moves.date
    where moves.y is not null
),

sums as (
    select date, asset, driver, 20 as window_days, count(*) over last_20 as n,
        sum(x) over last_20 as sx, sum(y) over last_20 as sy, sum(x * y) over last_20 as sxy,
        sum(x * x) over last_20 as sxx, sum(y * y) over last_20 as syy
    from pairs
    window last_20 as (partition by asset, driver order by session range between 19 preceding and current row)
    union all
    select date, asset, driver, 60 as window_days, count(*) over last_60 as n,
        sum(x) over last_60 as sx, sum(y) over last_60 as sy, sum(x * y) over last_60 as sxy,
        sum(x * x) over last_60 as sxx, sum(y * y) over last_60 as syy
    from pairs
    window last_60 as (partition by asset, driver order by session range between 59 preceding and current row)
    union all
    select date, asset, driver, 120 as window_days, count(*) over last_120 as n,
        sum(x) over last_120 as sx, sum(y) over last_120 as sy, sum(x * y) over last_120 as sxy,
        sum(x * x) over last_120 as sxx, sum(y * y) over last_120 as syy
    from pairs
    window last_120 as (partition by asset, driver order by session range between 119 preceding and current row)
),

-- n times the sums of squared and crossed deviations, exactly; the factor n falls out of both ratios.
deviations as (
    select
        date, asset, driver, window_days, n,
        cast(n as decimal(4, 0)) * cast(sxy as decimal(34, 12)) - cast(sx as decimal(19, 6)) * cast(sy as decimal(19, 6)) as dxy,
        cast(n as decimal(4, 0)) * cast(sxx as decimal(34, 12)) - cast(sx as decimal(19, 6)) * cast(sx as decimal(19, 6)) as dxx,
        cast(n as decimal(4, 0)) * cast(syy as decimal(34, 12)) - cast(sy as decimal(19, 6)) * cast(sy as decimal(19, 6)) as dyy
    from sums
),

estimates as (
    select
        date,
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
    estimates.n_obs,
    sessions.known_by as known_at
from estimates
join sessions on sessions.date = estimates.date
