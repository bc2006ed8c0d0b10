-- The moments for which coming settlements are recorded: every Friday evening, and that of the run.
--
-- Friday evening is Saturday 04:00 UTC: midnight in New York, or an hour before. By then all that
-- settles in the next calendar week has been announced, but for what marts.expected_issues names.
-- Only Fridays on which Treasury's auctions are known: without them all that matures would look
-- unrefinanced. What matures in the weeks to come is in the snapshot of what is upcoming; while that is
-- not current, Fridays whose eight weeks are not over are left out.
with held as (
    select min(settlement_date) as since from marts.settlement_legs
),

known as (
    select
        auctions.known_from,
        case when auctions.known_through >= auctions.expected_through
            then date '9999-12-31' else auctions.known_through end as known_through,
        coalesce(upcoming.known_through >= upcoming.expected_through, false) as is_upcoming_current
    from meta.coverage as auctions
    left join meta.coverage as upcoming
        on upcoming.table_name = 'upcoming_settlements' and upcoming.entity = 'auctions'
    where auctions.table_name = 'debt_settlements' and auctions.entity = 'auctions'
),

moments as (
    select days.date as as_of_date, days.date + interval 28 hour as moment, false as is_open
    from meta.calendar_days as days
    cross join meta.clock as clock
    join known
        on days.date between known.known_from and known.known_through
        and (known.is_upcoming_current or days.date + 58 <= clock.today)
    where isodow(days.date) = 5 and days.date + interval 28 hour <= clock.now
    union all
    select today, now, true
    from meta.clock
)

select moments.as_of_date, moments.moment, moments.is_open, moments.moment as known_at
from moments
cross join held
where held.since is not null and (moments.is_open or moments.as_of_date >= held.since)
