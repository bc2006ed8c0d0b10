-- Net settlements of the coming eight weeks, as known at the clock.
--
-- Amounts by certainty: issues with results, issues announced, issues on the schedule without an
-- amount. Most of what matures weeks ahead has no announced issue yet: that is not a payment to the
-- public but a roll-over still to be announced, so the net is NULL there and the maturing amount
-- stands in refinancing. Issues of a class that settle together are announced together today; before
-- 2018 the shortest bill was not, and a net then may lack it. Roll-overs of the Fed are handled as in marts.settlement_calendar.
with legs as (
    select *
    from sources.debt_settlements
    union all
    select *
    from sources.upcoming_settlements as upcoming
    where not exists (
        select 1 from sources.debt_settlements as settled where settled.record_id = upcoming.record_id
    )
),

issues as (
    select
        legs.settlement_date,
        legs.security_class,
        sum(case when legs.status = 'auctioned' then legs.par_usd_mn end) as auctioned_usd_mn,
        sum(case when legs.status = 'announced' then legs.par_usd_mn end) as announced_usd_mn,
        sum(case when legs.status = 'scheduled' then 1 else 0 end) as scheduled_issues
    from legs
    where legs.leg = 'issue'
    group by legs.settlement_date, legs.security_class
)

select
    clock.today as as_of,
    ahead.settlement_date,
    ahead.security_class,
    coalesce(issues.auctioned_usd_mn, 0) as auctioned_usd_mn,
    coalesce(issues.announced_usd_mn, 0) as announced_usd_mn,
    coalesce(issues.scheduled_issues, 0) as scheduled_issues,
    ahead.redeemed_usd_mn,
    case when issues.auctioned_usd_mn is not null or issues.announced_usd_mn is not null
        then ahead.net_public_usd_mn end as net_public_usd_mn,
    case when issues.auctioned_usd_mn is null and issues.announced_usd_mn is null
        then ahead.redeemed_usd_mn else 0 end as refinancing_usd_mn,
    ahead.soma_basis,
    ahead.known_at
from marts.settlement_calendar as ahead
cross join meta.clock as clock
left join issues
    on issues.settlement_date = ahead.settlement_date and issues.security_class = ahead.security_class
where ahead.settlement_date > clock.today and ahead.settlement_date <= clock.today + interval 56 day
