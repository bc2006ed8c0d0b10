-- Newest level of each stress indicator; an indicator older than ten days was not evaluated.
select
    indicator as subject,
    level <> 'normal' as is_active,
    level,
    date,
    coalesce(reason, '') as detail
from marts.stress_flags
where date > (select as_of - 10 from meta.publication)
qualify row_number() over (partition by indicator order by date desc) = 1
