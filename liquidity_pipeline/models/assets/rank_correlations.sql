-- Spearman's correlation over complete windows, which are fewer than those of Pearson's.
select date, asset, driver, window_days, spearman, known_at
from marts.rolling_correlations
where spearman is not null
