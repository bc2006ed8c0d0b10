-- Settlements of the next four weeks by day, and the dates that matter.

-- name: coming_days
select settlement_date, bool_or(coalesce(refinancing_usd_mn > 0, true)) as has_refinancing,
    sum(auctioned_usd_mn) > 0 as has_auctioned, sum(announced_usd_mn) > 0 as has_announced,
    bool_or(security_class not in ('bill', 'cmb')) as has_coupons
from marts.settlement_outlook, meta.publication
where settlement_date > publication.as_of and settlement_date <= publication.as_of + 28
group by settlement_date
order by settlement_date

-- Of what is still to be announced there is no net yet; of the rest it is known of every class, or
-- not known.
-- name: coming_day_net
select case when bool_and({column} is not null or refinancing_usd_mn > 0
        or expected_issues_usd_mn > 0 or scheduled_issues > 0) then sum({column}) end
from marts.settlement_outlook where settlement_date = :date

-- An amount of which one class is not known is not that of the others.
-- name: coming_day
select case when count({column}) = count(*) then sum({column}) end
from marts.settlement_outlook where settlement_date = :date

-- The effect of a day's coupons together: it is the same in the row of each class.
-- name: coming_day_effect
select max({column}) from marts.settlement_outlook where settlement_date = :date

-- name: coming_total
select case when bool_and({column} is not null or refinancing_usd_mn > 0
        or expected_issues_usd_mn > 0 or scheduled_issues > 0) then sum({column}) end
from marts.settlement_outlook, meta.publication
where settlement_date > publication.as_of and settlement_date <= publication.as_of + 28

-- name: coming_total_amount
select case when count({column}) = count(*) then sum({column}) end
from marts.settlement_outlook, meta.publication
where settlement_date > publication.as_of and settlement_date <= publication.as_of + 28

-- name: first_assumed
select min(settlement_date) from marts.settlement_calendar, meta.publication
where settlement_date > as_of and settlement_date <= as_of + 28
    and soma_basis = 'assumed' and redeemed_usd_mn > 0

-- name: coming_horizon
select as_of + 28 from meta.publication

-- name: events_ahead
select distinct coalesce(effective_date, event_date) as date, kind
from sources.policy_events, meta.publication
where coalesce(effective_date, event_date) > as_of
    and coalesce(effective_date, event_date) <= as_of + 28
    and kind in ('fomc_decision', 'bill_purchase_programme', 'iorb_rate',
        'refunding_cash_balance')
order by date, kind

-- name: last_of_kind
select max(event_date) from sources.policy_events where kind = :kind

-- By custom the Treasury makes its refunding statement on or about the first Wednesday of these months.
-- name: refunding_weeks
select min(date) as date
from meta.calendar_days, meta.publication
where month(date) in (2, 5, 8, 11) and isodow(date) = 3 and day(date) <= 7
    and date > as_of - 3 and date <= as_of + 28
    and not exists (
        select 1 from sources.policy_events
        where kind = 'refunding_borrowing' and event_date between date - 9 and date + 4
    )
having min(date) is not null

-- Federal tax dates, moved to the next business day.
-- name: tax_dates
select distinct moved.fed_on_or_after as date
from meta.calendar_days as moved, meta.publication
where (month(moved.date), day(moved.date)) in ((1, 15), (3, 15), (4, 15), (6, 15), (9, 15), (12, 15))
    and moved.fed_on_or_after > as_of and moved.fed_on_or_after <= as_of + 28
order by date

-- name: period_ends
select max(days.date) as date, days.quarter_end = last_day(days.date) as ends_quarter
from meta.calendar_days as days, meta.publication
where days.is_sifma and date_trunc('month', days.date)
    in (date_trunc('month', as_of), date_trunc('month', as_of + 28))
group by date_trunc('month', days.date), ends_quarter
having max(days.date) > any_value(as_of) and max(days.date) <= any_value(as_of) + 28
order by date

-- name: chart_settlements
with whole as (
    select settlement_date as date,
        case when security_class = 'bill' then 'bills' else 'coupons' end as class,
        net_public_usd_mn as net, 'settled' as state
    from marts.settlement_calendar, meta.publication
    where settlement_date <= as_of and settlement_date > as_of - 56
    union all
    select settlement_date, case when security_class = 'bill' then 'bills' else 'coupons' end,
        net_public_usd_mn, 'coming'
    from marts.settlement_outlook, meta.publication
    where settlement_date > publication.as_of and settlement_date <= publication.as_of + 28
)
select date, class, state, sum(net) as value from whole
group by all having count(net) = count(*) order by date, class

-- name: chart_maturing
select settlement_date as date, sum(refinancing_usd_mn) as value
from marts.settlement_outlook, meta.publication
where settlement_date > publication.as_of and settlement_date <= publication.as_of + 28
group by all having sum(refinancing_usd_mn) > 0 and count(refinancing_usd_mn) = count(*)
order by date
