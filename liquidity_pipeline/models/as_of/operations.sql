-- A buyback's row as it was at the clock: what was bought only once results are out.
with seen as (
    select
        held.* exclude (known_at),
        coalesce(results_at <= clock.now, false) as has_results,
        case when results_at <= clock.now then results_at
            else coalesce(announced_at, known_at) end as known_at
    from lake.{name} as held cross join meta.clock as clock
    where coalesce(announced_at, known_at) <= clock.now
)
select * exclude (has_results) replace (
    case when has_results then offered_usd_mn end as offered_usd_mn,
    case when has_results then accepted_usd_mn end as accepted_usd_mn,
    case when has_results then issues_accepted end as issues_accepted,
    case when has_results then results_at end as results_at
)
from seen
