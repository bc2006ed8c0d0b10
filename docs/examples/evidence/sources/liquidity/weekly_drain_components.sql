select week_ending, label, drain_reserves_usd_mn / 1000 as usd_bn
from bi.weekly_drain_components
order by week_ending, label
