-- How much did reserves fall in each of the last ten weeks, and through which components?
select week_ending, label, drain_reserves_usd_mn
from bi.weekly_drain_components
where week_ending > (select max(week_ending) - 70 from marts.weekly_drains)
order by week_ending desc, abs(drain_reserves_usd_mn) desc
