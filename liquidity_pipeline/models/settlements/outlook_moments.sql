-- The moments from which the settlements ahead are looked at: every Friday evening, and the run's own.
--
-- Friday evening is Saturday 04:00 UTC: midnight in New York, or an hour before. By then all that
-- settles in the next calendar week has been announced, but for what marts.expected_issues names.
select
    days.date as as_of_date,
    days.date + interval 28 hour as moment,
    false as is_open,
    days.date + interval 28 hour as known_at
from meta.calendar_days as days
cross join meta.clock as clock
where isodow(days.date) = 5 and days.date + interval 28 hour <= clock.now
union all
select today as as_of_date, now as moment, true as is_open, now as known_at
from meta.clock
