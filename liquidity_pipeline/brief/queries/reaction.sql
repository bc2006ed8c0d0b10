-- Returns between the same two moments, correlations with bands, slopes with intervals.

-- Every asset is read on one day: the newest with a return of a share or fund, and where these ended
-- more than a long weekend ago, the newest of any asset.
-- name: reaction_day
select coalesce(
    max(returns.date) filter (
        where not universe.is_crypto and returns.date >= publication.as_of - 4
    ),
    max(returns.date)
)
from meta.publication as publication
cross join marts.asset_returns as returns
join meta.universe as universe on universe.asset = returns.asset
where returns.return_5d_new_york_pct is not null

-- name: reaction_start
select max(new_york_5d_from) from marts.asset_returns where date = :date

-- name: assets
select universe.asset, universe.name, universe.asset_class
from meta.universe as universe
order by universe.asset_class, universe.asset

-- name: asset_return
select {column} from marts.asset_returns where asset = :asset and date = :date

-- name: newest_correlations
select asset, max(date) as date from marts.rolling_correlations, meta.publication
where driver = 'reserve_drain_estimate' and window_days = 60 and correlation is not null
    and date > as_of - 14
group by asset

-- name: correlation
select {column} from marts.rolling_correlations
where asset = :asset and driver = 'reserve_drain_estimate' and window_days = 60 and date = :date

-- name: newest_slopes
select max(as_of) from marts.liquidity_sensitivity
where driver = 'reserve_drain' and window_name = 'trailing_156w' and scope = 'asset'

-- name: slope
select {column} from marts.liquidity_sensitivity
where asset = :asset and as_of = :date
    and driver = 'reserve_drain' and window_name = 'trailing_156w' and scope = 'asset'

-- name: slopes_estimated
select count(*) from marts.liquidity_sensitivity
where as_of = :date and driver = 'reserve_drain' and window_name = 'trailing_156w'
    and scope = 'asset' and beta is not null

-- name: slopes_found
select case when count(p_value_adjusted) = count(*)
        then count(case when p_value_adjusted < 0.05 then 1 end) end
from marts.liquidity_sensitivity
where as_of = :date and driver = 'reserve_drain' and window_name = 'trailing_156w'
    and scope = 'asset'

-- name: slope_tests
select max(n_tests) from marts.liquidity_sensitivity
where as_of = :date and driver = 'reserve_drain' and window_name = 'trailing_156w'
    and scope = 'asset'

-- name: chart_correlations
select date, asset, correlation as value, correlation_low as low, correlation_high as high
from marts.rolling_correlations, meta.publication
where driver = 'reserve_drain_estimate' and window_days = 60 and correlation is not null
    and asset in ('BTC', 'SPX', 'RUT') and date > as_of - interval 2 year
    and dayofweek(date) = 3
order by asset, date
