-- Settlements of the next eight weeks as known and expected on each Friday evening, by bills and
-- coupons, compared with what settled, with the errors of two simple forecasts.
--
-- The expectation is formed by marts.settlement_vintages from what was public then. Without a year of
-- auctions the calendar of coupons is not known, and there is none.
with by_group as (
    select
        vintages.as_of_date,
        cast((days.week_start - vintages.as_of_date + 4) / 7 as integer) as weeks_ahead,
        days.week_start,
        vintages.security_group,
        sum(vintages.auctioned_usd_mn + vintages.announced_usd_mn) as issued_usd_mn,
        case when count(vintages.redeemed_usd_mn) = count(*)
            then sum(vintages.redeemed_usd_mn) end as redeemed_usd_mn,
        bool_and(vintages.is_announced) as is_announced,
        case when count(vintages.net_public_expected_usd_mn) = count(*)
            then sum(vintages.net_public_expected_usd_mn) end as net_public_usd_mn,
        true as is_looked_at
    from marts.settlement_vintages as vintages
    join meta.calendar_days as days on days.date = vintages.settlement_date
    where not vintages.is_open and days.week_start > vintages.as_of_date
    group by vintages.as_of_date, days.week_start, vintages.security_group
),

fridays as (
    select
        moments.as_of_date,
        horizons.weeks_ahead,
        moments.as_of_date + cast(7 * horizons.weeks_ahead - 4 as integer) as week_start
    from marts.outlook_moments as moments
    cross join (select unnest(range(1, 9)) as weeks_ahead) as horizons
    where not moments.is_open
),

-- Equal names join faster than a choice of names.
by_label as (
    select * exclude (security_group), unnest([security_group, 'all']) as security_group from by_group
),

-- A week in which nothing was known to settle has the net that was known then: nothing.
looked as (
    select
        fridays.as_of_date,
        fridays.weeks_ahead,
        fridays.week_start,
        labels.security_group,
        coalesce(sum(by_label.issued_usd_mn), 0) as issued_usd_mn,
        case when count(by_label.is_looked_at) = count(by_label.redeemed_usd_mn)
            then coalesce(sum(by_label.redeemed_usd_mn), 0) end as redeemed_usd_mn,
        coalesce(bool_and(by_label.is_announced), true) as is_announced,
        case when count(by_label.is_looked_at) = count(by_label.net_public_usd_mn)
            then coalesce(sum(by_label.net_public_usd_mn), 0) end as net_public_usd_mn
    from fridays
    cross join (select unnest(['bills', 'coupons', 'all']) as security_group) as labels
    left join by_label
        on by_label.as_of_date = fridays.as_of_date
        and by_label.weeks_ahead = fridays.weeks_ahead
        and by_label.security_group = labels.security_group
    group by fridays.as_of_date, fridays.weeks_ahead, fridays.week_start, labels.security_group
),

settled as (
    select week_start, security_class as security_group, issued_usd_mn, redeemed_usd_mn, net_public_usd_mn
    from marts.weekly_settlements
    where is_settled and security_class in ('bills', 'coupons', 'all')
),

held as (
    select min(settlement_date) as since from marts.settlement_legs
)

-- Rounded, because the last digits of a sum depend on the order in which it was formed.
select
    looked.as_of_date,
    looked.weeks_ahead,
    looked.security_group,
    looked.week_start,
    round(looked.issued_usd_mn, 4) as issued_known_usd_mn,
    round(settled.issued_usd_mn, 4) as issued_usd_mn,
    round(looked.issued_usd_mn / nullif(settled.issued_usd_mn, 0), 6) as coverage_ratio,
    round(looked.redeemed_usd_mn, 4) as redeemed_known_usd_mn,
    round(settled.redeemed_usd_mn, 4) as redeemed_usd_mn,
    case when looked.is_announced then round(looked.net_public_usd_mn, 4) end as net_public_known_usd_mn,
    case when looked.is_announced or held.since <= looked.as_of_date - 372
        then round(looked.net_public_usd_mn, 4) end as net_public_expected_usd_mn,
    round(settled.net_public_usd_mn, 4) as net_public_usd_mn,
    case when looked.is_announced or held.since <= looked.as_of_date - 372
        then round(settled.net_public_usd_mn - looked.net_public_usd_mn, 4) end as error_usd_mn,
    round(settled.net_public_usd_mn, 4) as rollover_error_usd_mn,
    round(settled.net_public_usd_mn - year_before.net_public_usd_mn, 4) as last_year_error_usd_mn,
    days.known_by as known_at
from looked
join settled
    on settled.week_start = looked.week_start and settled.security_group = looked.security_group
left join settled as year_before
    on year_before.week_start = looked.week_start - 364
    and year_before.security_group = looked.security_group
join meta.calendar_days as days on days.date = looked.week_start + 6
cross join meta.clock as clock
cross join held
where days.known_by <= clock.now and held.since <= looked.as_of_date
