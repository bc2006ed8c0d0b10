-- What flows into and out of the Treasury's account on the days ahead.

-- name: settlements_ahead
-- The items of a day and group add up to its expected net. An amount that is not known of one class is
-- not known of the group. What an issue or a redemption brings with it is listed at zero too: where it is
-- not known, it is there without an amount.
with groups as (
    select *,
        case when security_class = 'bill' then 'bills' else 'coupons' end as security_group
    from marts.settlement_outlook
),
items as (
    select settlement_date as date, security_group, 'issues auctioned' as item,
        auctioned_usd_mn as amount_usd_mn, 'known' as certainty, known_at
    from groups
    union all
    select settlement_date, security_group, 'issues announced', announced_usd_mn, 'announced',
        known_at
    from groups
    union all
    select settlement_date, security_group, 'issues expected', expected_issues_usd_mn,
        'expected', known_at
    from groups
    union all
    select settlement_date, security_group, 'add-ons expected', add_ons_expected_usd_mn,
        'expected', known_at
    from groups
    where announced_usd_mn + expected_issues_usd_mn > 0
    union all
    select settlement_date, security_group, 'maturities', -redeemed_usd_mn, 'known', known_at
    from groups
    union all
    select settlement_date, security_group, 'maturities expected', -expected_redeemed_usd_mn,
        'expected', known_at
    from groups
    union all
    select settlement_date, security_group, 'redemptions not paid to the public',
        redeemed_usd_mn - public_redeemed_usd_mn - add_ons_usd_mn - add_ons_expected_usd_mn,
        case when soma_basis = 'assumed' then 'expected' else 'known' end, known_at
    from groups
    where redeemed_usd_mn is distinct from 0
        or add_ons_usd_mn <> 0 or add_ons_expected_usd_mn <> 0
)
select
    date, item, security_group,
    case when count(amount_usd_mn) = count(*) then round(sum(amount_usd_mn), 6) end as amount,
    case when amount is not null or any_value(certainty) <> 'known' then any_value(certainty) end, null,
    max(known_at)
from items
group by date, item, security_group
having amount is null or amount <> 0 or item in ('add-ons expected', 'redemptions not paid to the public')

-- name: taken_of_maxima
-- Treasury buys less than the most that it would. What it took of the maxima in the past year tells
-- what to expect of the next operation of the same type.
with taken as (
    select
        operation_type,
        sum(accepted_usd_mn) / nullif(sum(maximum_usd_mn), 0) as ratio,
        count(*) as n_obs,
        max(known_at) as known_at
    from sources.buybacks, meta.clock
    where accepted_usd_mn is not null and maximum_usd_mn is not null
        and operation_date > today - 365
    group by operation_type
),

-- name: buybacks_ahead
{@taken_of_maxima}
ahead as (
    select
        buybacks.settlement_date,
        buybacks.operation_type,
        coalesce(accepted_usd_mn, maximum_usd_mn * ratio) as usd_mn,
        maximum_usd_mn,
        accepted_usd_mn is not null as is_known,
        taken.n_obs,
        buybacks.known_at
    from sources.buybacks
    cross join meta.clock
    left join taken on taken.operation_type is not distinct from buybacks.operation_type
    where settlement_date > today and settlement_date <= today + 56
),
by_type as (
    select
        settlement_date, operation_type, count(*) as operations, count(usd_mn) as told,
        sum(usd_mn) as usd_mn, count(maximum_usd_mn) as bounded,
        sum(maximum_usd_mn) as maximum_usd_mn, bool_and(is_known) as is_known,
        any_value(n_obs) as n_obs, max(known_at) as known_at
    from ahead
    group by settlement_date, operation_type
)
select
    settlement_date, 'buybacks', 'coupons',
    case when sum(told) = sum(operations) then -sum(usd_mn) end,
    case when bool_and(is_known) then 'known' else 'announced' end,
    sum(n_obs), max(known_at),
    case when sum(bounded) = sum(operations) then sum(maximum_usd_mn) end
from by_type
group by settlement_date

-- name: buybacks_planned
-- What is scheduled and not yet announced. An operation that Treasury has announced is its own row,
-- by its hour or by what it buys: announcements may move either.
{@taken_of_maxima}
ahead as (
    select planned.*
    from sources.buyback_schedule as planned
    cross join meta.clock
    anti join sources.buybacks as announced
        on announced.operation_date = planned.operation_date
        and (
            announced.start_time = planned.start_time
            or (
                announced.security_type = planned.security_type
                and announced.maturity_bucket = planned.maturity_bucket
            )
        )
    where planned.operation_date > today and planned.settlement_date <= today + 56
)
select
    ahead.settlement_date, 'tentative buybacks', ahead.operation_type,
    case when count(maximum_usd_mn) = count(*)
        then -sum(maximum_usd_mn) * any_value(taken.ratio) end,
    'tentative', any_value(taken.n_obs),
    greatest(max(ahead.known_at), any_value(taken.known_at)),
    case when count(maximum_usd_mn) = count(*) then sum(maximum_usd_mn) end
from ahead
left join taken on taken.operation_type = ahead.operation_type
group by ahead.settlement_date, ahead.operation_type

-- name: interest_ahead
-- The interest on all that was auctioned is the most it can be, where what buybacks retired is not known.
select
    payment_date, 'coupon interest', 'coupons', -interest_usd_mn,
    case when interest_usd_mn is not null then 'known' end,
    null, least(known_at, now), interest_at_most_usd_mn
from marts.coupon_interest, meta.clock
where payment_date > today

-- name: usual_flows
select record_date, line_group,
    sum(case direction when 'deposits' then amount_usd_mn else -amount_usd_mn end)
from sources.tga_flows
where line_group in ('taxes', 'social_security')
group by record_date, line_group
