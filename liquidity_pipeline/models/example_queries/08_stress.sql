-- Which stress indicators are active, at what level, and why?
select
    indicator, date,
    case when next_due_at > clock.now then level else 'not known: a newer value is due' end as level,
    value, reason
from marts.stress_flags, meta.clock
qualify row_number() over (partition by indicator order by date desc) = 1
order by next_due_at > clock.now desc, level <> 'normal' desc, indicator
