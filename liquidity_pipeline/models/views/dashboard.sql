-- The newest known value of each gauge, one row per gauge, with the day that it describes.
-- gauge: Label of the gauge
-- date: Day that the value describes
-- value: Newest known value, in the row's unit
-- unit: Unit of the value
-- age_days: Days from that day to the publication's as-of day [days]
-- source_table: Table that the value comes from
with
values_by_gauge as (
    select 'Drain of reserves, week' as gauge, week_ending as date, drain_reserves_usd_mn as value,
        'USD millions' as unit, 'marts.reserve_drains' as source_table
    from marts.reserve_drains
    union all
    select 'Treasury General Account', record_date, closing_usd_mn,
        'USD millions', 'marts.tga_daily'
    from marts.tga_daily
    union all
    select 'TGA below the balance assumed for quarter-end', record_date, gap_to_target_usd_mn,
        'USD millions', 'marts.tga_daily'
    from marts.tga_daily
    union all
    select 'SOFR over interest on reserves', date, sofr_iorb_bp,
        'basis points', 'marts.funding_conditions'
    from marts.funding_conditions
    union all
    select 'SOFR, 99th percentile over interest on reserves', date, sofr_p99_iorb_bp,
        'basis points', 'marts.funding_conditions'
    from marts.funding_conditions
    union all
    select 'Tri-party repo rate over interest on reserves', date, tgcr_iorb_bp,
        'basis points', 'marts.funding_conditions'
    from marts.funding_conditions
    union all
    select 'SOFR dispersion (99th less 25th percentile)', date, sofr_p99_p25_bp,
        'basis points', 'marts.funding_conditions'
    from marts.funding_conditions
    union all
    select 'Standing repo take-up', date, srf_usd_mn,
        'USD millions', 'marts.funding_conditions'
    from marts.funding_conditions
    union all
    select 'Overnight reverse repo take-up', date, on_rrp_usd_mn,
        'USD millions', 'marts.funding_conditions'
    from marts.funding_conditions
    union all
    select 'Reserve balances', week_ending, reserves_usd_mn,
        'USD millions', 'marts.reserve_drains'
    from marts.reserve_drains
    union all
    select
        case week.kind
            when 'all' then 'Net settlement of Treasury debt, week'
            when 'bills' then 'Net settlement of bills, week'
            when 'coupons' then 'Net settlement of coupons, week'
        end, week.week_start,
        case when part.week_start is not null then part.net_usd_mn
            when week.net_usd_mn is not null then 0 end,
        'USD millions', 'marts.weekly_settlements'
    from (
        select week_start, net_usd_mn, unnest(['all', 'bills', 'coupons']) as kind
        from marts.weekly_settlements
        where security_class = 'all' and is_settled
    ) as week
    left join marts.weekly_settlements as part
        on part.week_start = week.week_start and part.security_class = week.kind
    union all
    select 'Stress index', date, index_value, '0 to 1', 'marts.stress_index'
    from marts.stress_index
)

select
    gauge,
    arg_max(date, date) as date,
    arg_max(value, date) as value,
    any_value(unit) as unit,
    (select as_of from meta.publication) - arg_max(date, date) as age_days,
    any_value(source_table) as source_table
from values_by_gauge
where value is not null
group by gauge
order by gauge
