-- Every settlement of marketable debt, past and future, exactly once, from its two source tables.
--
-- A cash-management bill is a bill with a mark. tenor is the length of a bill in weeks (a thirteen-week
-- bill reopens one of twenty-six weeks and bears its original term), for a coupon its term.
with records as (
    select * from sources.debt_settlements
    union all
    select *
    from sources.upcoming_settlements as upcoming
    -- An old snapshot says nothing about days that have passed.
    where settlement_date > (select today from meta.clock)
        and not exists (
            select 1 from sources.debt_settlements as settled where settled.record_id = upcoming.record_id
        )
)

select
    settlement_date,
    record_id,
    leg,
    cusip,
    case when security_class = 'cmb' then 'bill' else security_class end as security_class,
    security_class = 'cmb' as is_cmb,
    case when security_class in ('bill', 'cmb') then 'bills' else 'coupons' end as security_group,
    case
        when security_class in ('bill', 'cmb') and issue_date is not null and maturity_date is not null
            then cast(cast(round((maturity_date - issue_date) / 7.0) as integer) as varchar) || '-Week'
        else security_term
    end as tenor,
    leg = 'issue' and cusip is not null
        and auction_date > min(case when leg = 'issue' then auction_date end) over (partition by cusip)
        as is_reopening,
    issue_date,
    coupon_pct,
    maturity_date,
    offering_usd_mn,
    par_usd_mn,
    soma_usd_mn,
    announced_at,
    results_at,
    coalesce(announced_at, results_at) as first_known_at,
    known_at
from records
