-- The drain of one H.4.1 week by component, the same week against its season, and the commentary's
-- week of settlements.

-- name: newest_drain_week
select max(week_ending) from marts.weekly_drains where component = 'total'

-- name: drain_components
select component from marts.weekly_drains
where week_ending = :week
order by component = 'total', abs(coalesce(amount_usd_mn, 0)) desc, component

-- name: drain_component
select {column} from marts.weekly_drains where week_ending = :week and component = :component

-- name: season_weeks
select component, max(week_ending) as week_ending, arg_max(week_start, week_ending) as week_start
from marts.drain_seasonality
where actual_usd_mn is not null and expected_usd_mn is not null
group by component

-- name: season
select {column} from marts.drain_seasonality where component = :component and week_ending = :week

-- name: newest_settled_week
select max(week_start) from marts.weekly_settlements
where security_class = 'bill' and is_settled and net_usd_mn is not null

-- The press counts regular bills: cash-management bills are left out.
-- name: commentary_net_bills
select bill.net_usd_mn - case when cmb.week_start is null then 0 else cmb.net_usd_mn end
from marts.weekly_settlements as bill
left join marts.weekly_settlements as cmb
    on cmb.week_start = bill.week_start and cmb.security_class = 'cmb'
where bill.week_start = :date and bill.security_class = 'bill'

-- name: reserve_week
select {column} from marts.reserve_drains where week_ending = :week

-- name: chart_drain
select week_ending as date, component, drain_reserves_usd_mn as value
from marts.weekly_drains, meta.publication
where week_ending > as_of - interval 26 week
    and (component = 'total' or drain_reserves_usd_mn <> 0)
order by date, component

-- name: chart_season
select week_ending as date, expected_usd_mn as expected, expected_low_usd_mn as low,
    expected_high_usd_mn as high, actual_usd_mn as actual
from marts.drain_seasonality, meta.publication
where component = 'drain_reserves' and week_ending > as_of - interval 52 week
order by date

-- name: chart_tga
select record_date as date, closing_usd_mn as balance, target_usd_mn as target
from marts.tga_daily, meta.publication
where record_date > as_of - interval 1 year
order by date
