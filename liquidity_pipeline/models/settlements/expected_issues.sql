-- Regular auctions whose announcement was still to come: when they settle, and how large they are
-- expected to be. This is the only place that decides what is refinanced before it is announced.
--
-- A bill is regular while its last three issues lie equally far apart (a week, or four weeks): the
-- next ones follow at the same distance on the same weekday, and each is announced as many days before
-- it settles as the latest of the last four was. A bill whose next issue was not announced in time is
-- no longer regular: the ten-week bill of April 2020 came three times and never again. Of holidays, an
-- announcement may be three days late. Cash-management bills follow no rhythm and are not
-- refinanced; those that did (the six-week bill before February 2025) count as regular. A coupon
-- follows the calendar of the year before, on the 15th or at the month's end; all that settles in a
-- calendar week has been announced by the Friday before. What is past its announcement is not coming:
-- what matures on that day is redeemed. The size is the offering of the last issue of its kind.
-- Tests of systems (25 million in December 2025) say nothing about the next issue.
with seen as (
    select
        moments.as_of_date,
        moments.is_open,
        moments.moment,
        legs.settlement_date,
        legs.record_id,
        legs.security_class,
        legs.tenor,
        legs.is_reopening,
        legs.settlement_date - cast(legs.announced_at as date) as lead_days,
        coalesce(legs.offering_usd_mn, legs.par_usd_mn) as offering_usd_mn
    from marts.outlook_moments as moments
    join marts.settlement_legs as legs
        on legs.first_known_at <= moments.moment
        and legs.settlement_date between moments.as_of_date - 400 and moments.as_of_date + 70
    where legs.leg = 'issue' and legs.tenor is not null
        and coalesce(legs.offering_usd_mn, legs.par_usd_mn) >= 1000
),

recent_bills as (
    select
        *,
        row_number() over latest as recency,
        settlement_date - lead(settlement_date) over latest as gap_days
    from seen
    where security_class = 'bill'
    window latest as (
        partition by as_of_date, is_open, tenor order by settlement_date desc, record_id desc
    )
),

rhythms as (
    select
        as_of_date,
        is_open,
        moment,
        tenor,
        max(case when recency = 1 then settlement_date end) as last_date,
        max(case when recency = 1 then offering_usd_mn end) as offering_usd_mn,
        mode(isodow(settlement_date)) as weekday,
        cast(min(case when lead_days > 0 then lead_days else 7 end) as integer) as lead_days,
        7 * cast(round(max(case when recency <= 2 then gap_days end) / 7.0) as integer) as period_days
    from recent_bills
    where recency <= 4
    group by as_of_date, is_open, moment, tenor
    having count(*) filter (where recency <= 3) = 3
        and min(case when recency <= 2 then round(gap_days / 7.0) end)
            = max(case when recency <= 2 then round(gap_days / 7.0) end)
        and max(case when recency = 1 then gap_days end) between 6 and 29
),

bill_slots as (
    select
        rhythms.as_of_date,
        rhythms.is_open,
        rhythms.moment,
        days.fed_on_or_after as settlement_date,
        rhythms.tenor,
        rhythms.offering_usd_mn,
        days.fed_on_or_after - rhythms.lead_days + interval 18 hour as announced_by,
        min(days.fed_on_or_after - rhythms.lead_days + interval 18 hour) over (
            partition by rhythms.as_of_date, rhythms.is_open, rhythms.tenor
        ) as next_announced_by
    from rhythms
    join meta.calendar_days as days
        on isodow(days.date) = rhythms.weekday
        and days.date > rhythms.last_date + 3
        and days.date <= rhythms.as_of_date + 59
    where (days.week_start - cast(date_trunc('week', rhythms.last_date) as date)) % rhythms.period_days = 0
),

coming_bills as (
    select as_of_date, is_open, moment, settlement_date, 'bill' as security_class, tenor,
        offering_usd_mn, announced_by
    from bill_slots
    where moment < next_announced_by + interval 3 day
),

-- The day on which a coupon of last year was meant to settle, a year later.
slots as (
    select
        seen.*,
        case
            when day(settlement_date) between 14 and 19
                then cast(date_trunc('month', settlement_date) + interval 12 month + interval 14 day as date)
            when day(settlement_date) >= 25 then last_day(settlement_date + interval 12 month)
            when day(settlement_date) <= 4 then last_day(settlement_date - interval 5 day + interval 12 month)
        end as nominal_date
    from seen
    where security_class <> 'bill' and settlement_date < as_of_date - 290
),

-- Of two issues of a kind that settled on one day (inflation-protected ones before 2014 are not told
-- apart from notes) the larger is the regular one.
last_sizes as (
    select as_of_date, is_open, security_class, tenor, is_reopening,
        max(offering_usd_mn) as offering_usd_mn
    from (
        select
            *,
            max(settlement_date) over (
                partition by as_of_date, is_open, security_class, tenor, is_reopening
            ) as last_date
        from seen
        where security_class <> 'bill'
    )
    where settlement_date = last_date
    group by as_of_date, is_open, security_class, tenor, is_reopening
),

coming_coupons as (
    select distinct
        slots.as_of_date,
        slots.is_open,
        slots.moment,
        days.fed_on_or_after as settlement_date,
        slots.security_class,
        slots.tenor,
        last_sizes.offering_usd_mn,
        due.week_start - interval 44 hour as announced_by
    from slots
    join last_sizes
        on last_sizes.as_of_date = slots.as_of_date
        and last_sizes.is_open = slots.is_open
        and last_sizes.security_class = slots.security_class
        and last_sizes.tenor = slots.tenor
        and last_sizes.is_reopening = slots.is_reopening
    join meta.calendar_days as days on days.date = slots.nominal_date
    join meta.calendar_days as due on due.date = days.fed_on_or_after
    where not exists (
        select 1
        from seen as known
        where known.as_of_date = slots.as_of_date
            and known.is_open = slots.is_open
            and known.security_class = slots.security_class
            and known.tenor = slots.tenor
            and known.settlement_date between slots.nominal_date - 5 and slots.nominal_date + 6
    )
),

coming as (
    select * from coming_bills
    union all
    select * from coming_coupons
)

select
    as_of_date,
    is_open,
    settlement_date,
    security_class,
    tenor,
    offering_usd_mn,
    cast(announced_by as timestamp) as announced_by,
    moment as known_at
from coming
where moment < announced_by
    and settlement_date > as_of_date
    and settlement_date <= as_of_date + 58
