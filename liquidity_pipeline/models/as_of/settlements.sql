-- An auction's row as known at the clock: announced amounts until results are out.
with seen as (
    select
        held.* exclude (known_at),
        coalesce(results_at <= clock.now, false) as has_results,
        case when results_at <= clock.now then results_at
            else coalesce(announced_at, known_at) end as known_at,
        clock.today
    from lake.{name} as held cross join meta.clock as clock
    where coalesce(announced_at, known_at) <= clock.now
)
select * exclude (has_results, today, known_at) replace (
    case when has_results or results_at is null then par_usd_mn
        else offering_usd_mn end as par_usd_mn,
    case when has_results then soma_usd_mn end as soma_usd_mn,
    case when has_results then public_usd_mn end as public_usd_mn,
    case when has_results then price_per100 end as price_per100,
    case when has_results then coupon_pct end as coupon_pct,
    case when has_results then results_at end as results_at
),
case
    when has_results and settlement_date <= today then 'settled'
    when leg = 'redemption' then 'scheduled'
    when has_results then 'auctioned'
    when announced_at is not null then 'announced'
    else 'scheduled'
end as status,
known_at
from seen
