-- Gauges as series of (date, value), and what is read off a series. A name follows "-- name:";
-- :word is a value, {word} a column, {@word} another statement. This folder is the only place where the brief knows
-- the columns of the published tables.

-- name: series_reserve_drain
select week_ending as date, drain_reserves_usd_mn as value from marts.reserve_drains

-- name: series_reserves
select week_ending as date, reserves_usd_mn as value from marts.reserve_drains

-- A week that is known in all and has no row of a kind of security settled none of it.
-- name: series_net_bills
select week.week_start as date,
    case when part.week_start is not null then part.net_usd_mn
        when week.net_usd_mn is not null then 0 end as value
from marts.weekly_settlements as week
left join marts.weekly_settlements as part
    on part.week_start = week.week_start and part.security_class = 'bills'
where week.security_class = 'all' and week.is_settled

-- name: series_net_all
select week_start as date, net_usd_mn as value from marts.weekly_settlements
where security_class = 'all' and is_settled

-- name: series_net_coupons
select week.week_start as date,
    case when part.week_start is not null then part.net_usd_mn
        when week.net_usd_mn is not null then 0 end as value
from marts.weekly_settlements as week
left join marts.weekly_settlements as part
    on part.week_start = week.week_start and part.security_class = 'coupons'
where week.security_class = 'all' and week.is_settled

-- name: series_tga
select record_date as date, closing_usd_mn as value from marts.tga_daily

-- name: series_tga_gap
select record_date as date, gap_to_target_usd_mn as value from marts.tga_daily

-- name: series_sofr_iorb
select date, sofr_iorb_bp as value from marts.funding_conditions

-- name: series_sofr_p99_iorb
select date, sofr_p99_iorb_bp as value from marts.funding_conditions

-- name: series_tgcr_iorb
select date, tgcr_iorb_bp as value from marts.funding_conditions

-- name: series_srf
select date, srf_usd_mn as value from marts.funding_conditions

-- name: series_on_rrp
select date, on_rrp_usd_mn as value from marts.funding_conditions

-- name: series_stress
select date, index_value as value from marts.stress_index

-- name: newest_date
select max(date) from ({@series}) where value is not null

-- name: value
select value from ({@series}) where date = :date

-- name: change
select now.value - before.value
from (select value from ({@series}) where date = :date) as now,
    (
        select value from ({@series})
        where date between :date - 11 and :date - 7 and value is not null
        order by date desc limit 1
    ) as before

-- name: percentile
select 100 * avg(case when past.value < now.value then 1 when past.value = now.value then 0.5 else 0 end)
from ({@series}) as past, (select value from ({@series}) where date = :date) as now
where past.date < :date and past.value is not null and now.value is not null
having count(*) >= 52

-- Of a record with unknown weeks the known ones may be of one kind: those in which nothing matured.
-- name: percentile_of_weeks
select 100 * avg(case when past.value < now.value then 1 when past.value = now.value then 0.5 else 0 end)
from ({@series}) as past, (select value from ({@series}) where date = :date) as now
where past.date < :date and now.value is not null
having count(*) >= 52 and count(past.value) = count(*)

-- name: history
select count(*) from ({@series}) where date < :date and value is not null

-- greatest() passes over NULL: what has no day has no age.
-- name: age
select case when :date is not null then greatest(date_diff('day', :date, as_of), 0) end
from meta.publication

-- Inputs that are known less far than is due.
-- name: behind
select table_name, entity, known_through, expected_through, reason from meta.coverage
where known_through is null or known_through < expected_through
order by table_name, entity

-- name: sofr_percentile
select {column} from marts.funding_conditions where date = :date
