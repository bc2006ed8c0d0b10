-- The moments from which the settlements ahead are looked at: every Friday evening, and the run's own.
--
-- Friday evening is Saturday 04:00 UTC: midnight in New York, or an hour before. By then all that
-- settles in the next calendar week has been announced, but for what marts.expected_issues names.
with held as (
    select min(settlement_date) as since from marts.settlement_legs
),

moments as (
    select days.date as as_of_date, days.date + interval 28 hour as moment, false as is_open
    from meta.calendar_days as days
    cross join meta.clock as clock
    where isodow(days.date) = 5 and days.date + interval 28 hour <= clock.now
    union all
    select today, now, true
    from meta.clock
)

select moments.as_of_date, moments.moment, moments.is_open, moments.moment as known_at
from moments
cross join held
where held.since is not null and (moments.is_open or moments.as_of_date >= held.since)
