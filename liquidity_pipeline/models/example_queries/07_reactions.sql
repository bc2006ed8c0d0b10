-- Which assets move with liquidity, with intervals and the number of observations?
select asset, driver, window_days, date, correlation, correlation_low, correlation_high, n_obs
from marts.rolling_correlations
qualify row_number() over (partition by asset, driver, window_days order by date desc) = 1
order by driver, window_days, asset
