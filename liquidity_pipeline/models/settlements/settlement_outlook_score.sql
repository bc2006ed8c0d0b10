-- What Friday evenings knew of the settlements of the next four weeks, against what settled.
--
-- Known then: results of auctions held, announced amounts of the others (without SOMA add-ons), and
-- what matures. What matures without an announced issue is taken to be rolled over: per class, for bills
-- per term in weeks, because the shortest bills are announced days after the others.
-- The net is formed as in marts.settlement_calendar, with the Fed's maturing holdings and the last
-- add-ons known then.
-- Friday evening is Saturday 04:00 UTC: midnight in New York or an hour before.
with horizons as (
    select 1 as weeks_ahead, interval 3 day as before_monday
    union all
    select 2, interval 10 day
    union all
    select 3, interval 17 day
    union all
    select 4, interval 24 day
),

settlements as (
    select
        settled.*,
        horizons.weeks_ahead,
        days.week_start,
        days.week_start - horizons.before_monday as as_of_date,
        days.week_start - horizons.before_monday + interval 28 hour as moment
    from sources.debt_settlements as settled
    join meta.calendar_days as days on days.date = settled.settlement_date
    cross join horizons
    where settled.leg in ('issue', 'redemption')
),

add_ons as (
    select security_class, security_term, results_at, max(soma_usd_mn) as soma_usd_mn
    from sources.debt_settlements
    where leg = 'issue' and soma_usd_mn is not null and results_at is not null
    group by security_class, security_term, results_at
),

to_come as (
    select settled.record_id, settled.weeks_ahead, arg_max(add_ons.soma_usd_mn, add_ons.results_at) as soma_usd_mn
    from settlements as settled
    join add_ons
        on add_ons.security_class = settled.security_class
        and add_ons.security_term = settled.security_term
        and add_ons.results_at <= settled.moment
    where settled.leg = 'issue' and settled.announced_at <= settled.moment and settled.results_at > settled.moment
    group by settled.record_id, settled.weeks_ahead
),

legs as (
    select
        settled.as_of_date,
        settled.moment,
        settled.weeks_ahead,
        settled.week_start,
        settled.settlement_date,
        settled.security_class,
        case when settled.security_class in ('bill', 'cmb') then 'bills' else 'coupons' end as security_group,
        case when settled.security_class = 'bill' then settled.security_term end as term,
        settled.leg,
        case when settled.results_at <= settled.moment then settled.par_usd_mn
            else settled.offering_usd_mn end as par_usd_mn,
        case when settled.results_at <= settled.moment then coalesce(settled.soma_usd_mn, 0)
            else 0 end as soma_usd_mn,
        to_come.soma_usd_mn as add_on_to_come_usd_mn
    from settlements as settled
    left join to_come on to_come.record_id = settled.record_id and to_come.weeks_ahead = settled.weeks_ahead
    where coalesce(settled.announced_at, settled.results_at) <= settled.moment
),

by_term as (
    select
        as_of_date,
        weeks_ahead,
        week_start,
        moment,
        settlement_date,
        security_class,
        security_group,
        term,
        max(leg = 'issue') or (security_class = 'cmb' and weeks_ahead = 1) as is_counted,
        coalesce(sum(case when leg = 'issue' then par_usd_mn end), 0) as issued_usd_mn,
        coalesce(sum(case when leg = 'issue' then soma_usd_mn end), 0) as soma_issued_usd_mn,
        coalesce(sum(case when leg = 'issue' then add_on_to_come_usd_mn end), 0) as add_ons_to_come_usd_mn,
        coalesce(sum(case when leg = 'redemption' then par_usd_mn end), 0) as redeemed_usd_mn
    from legs
    group by as_of_date, weeks_ahead, week_start, moment, settlement_date, security_class, security_group, term
),

with_group as (
    select
        *,
        sum(redeemed_usd_mn) over (
            partition by as_of_date, settlement_date, security_group
        ) as group_redeemed_usd_mn
    from by_term
),

maturing as (
    select
        days.fed_on_or_after as settlement_date,
        holdings.security_group,
        sum(holdings.soma_usd_mn) as soma_usd_mn,
        max(holdings.known_at) as known_at
    from sources.maturing_holdings as holdings
    join meta.calendar_days as days on days.date = holdings.maturing_date
    group by days.fed_on_or_after, holdings.security_group
),

known as (
    select
        with_group.as_of_date,
        with_group.weeks_ahead,
        with_group.week_start,
        sum(with_group.issued_usd_mn) as issued_usd_mn,
        sum(with_group.redeemed_usd_mn) as redeemed_usd_mn,
        sum(case
            when not with_group.is_counted then 0
            when maturing.soma_usd_mn is null or with_group.group_redeemed_usd_mn < maturing.soma_usd_mn
                then with_group.issued_usd_mn + with_group.add_ons_to_come_usd_mn - with_group.redeemed_usd_mn
            when with_group.group_redeemed_usd_mn = 0
                then with_group.issued_usd_mn - with_group.soma_issued_usd_mn
            else with_group.issued_usd_mn - with_group.soma_issued_usd_mn
                - with_group.redeemed_usd_mn * (1 - maturing.soma_usd_mn / with_group.group_redeemed_usd_mn)
        end) as net_public_usd_mn
    from with_group
    left join maturing
        on maturing.settlement_date = with_group.settlement_date
        and maturing.security_group = with_group.security_group
        and maturing.known_at <= with_group.moment
    group by with_group.as_of_date, with_group.weeks_ahead, with_group.week_start
)

-- Rounded, because the last digits of a sum depend on the order in which it was formed.
select
    known.as_of_date,
    known.weeks_ahead,
    known.week_start,
    round(known.issued_usd_mn, 4) as issued_known_usd_mn,
    round(settled.issued_usd_mn, 4) as issued_usd_mn,
    round(known.issued_usd_mn / nullif(settled.issued_usd_mn, 0), 6) as coverage_ratio,
    round(known.redeemed_usd_mn, 4) as redeemed_known_usd_mn,
    round(settled.redeemed_usd_mn, 4) as redeemed_usd_mn,
    round(known.net_public_usd_mn, 4) as net_public_known_usd_mn,
    round(settled.net_public_usd_mn, 4) as net_public_usd_mn,
    round(settled.net_public_usd_mn - known.net_public_usd_mn, 4) as error_usd_mn,
    days.known_by as known_at
from known
join marts.weekly_settlements as settled
    on settled.week_start = known.week_start and settled.security_class = 'all'
join meta.calendar_days as days on days.date = known.week_start + interval 6 day
cross join meta.clock as clock
where days.known_by <= clock.now
