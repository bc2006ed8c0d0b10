-- Newest level of each stress indicator; where a newer one is due and not here, it is not known.
select
    indicator as subject,
    level <> 'normal' as is_active,
    level,
    date,
    coalesce(reason, '') as detail
from marts.stress_flags, meta.clock
where next_due_at > clock.now
qualify row_number() over (partition by indicator order by date desc) = 1
