-- Which stress indicators are active, at what level, and why?
select indicator, date, level, value, reason
from marts.stress_flags
qualify row_number() over (partition by indicator order by date desc) = 1
order by level <> 'normal' desc, indicator
