-- How far the daily estimate of the drain is from the drain of record, by calendar year.
--
-- The estimate is summed over the days of the H.4.1 week, Thursday to Wednesday: the rise of the
-- Treasury's account and of the overnight facility, less the Desk's outright purchases by settlement
-- date. Compared with minus the change of reserve balances; years that are known in every week only.
with outright as (
    select
        settlement_date as date,
        sum(case direction when 'purchase' then accepted_usd_mn else -accepted_usd_mn end) as purchases_usd_mn
    from sources.fed_operations
    where not is_small_value
    group by settlement_date
),

-- From when on a day without an operation, or without a change of the facility, had none.
known as (
    select
        max(case when table_name = 'fed_operations' then known_from end) as operations_from,
        max(case when table_name = 'repo_operations' and entity = 'on_rrp' then known_from end) as on_rrp_from
    from meta.coverage
),

estimates as (
    select
        days.week_ending,
        max(case when days.date = days.week_ending then days.known_by end) as known_by,
        count(tga.change_1d_usd_mn) = sum(case when days.is_fed then 1 else 0 end) and bool_and(
            coalesce(known.operations_from <= days.date and (
                days.date < date '2013-09-23' or known.on_rrp_from < greatest(days.date, date '2013-09-24')
            ), false)
        ) as is_known,
        sum(tga.change_1d_usd_mn)
            + coalesce(sum(on_rrp.amount_usd_mn), 0)
            - coalesce(sum(outright.purchases_usd_mn), 0) as estimate_usd_mn
    from meta.calendar_days as days
    cross join known
    left join marts.tga_daily as tga on tga.record_date = days.date
    left join marts.drains as on_rrp on on_rrp.date = days.date and on_rrp.component = 'on_rrp'
    left join outright on outright.date = days.date
    group by days.week_ending
),

weeks_due as (
    select extract(year from date) as year, count(*) as n_weeks, max(date) as last_week
    from meta.calendar_days
    where date = week_ending
    group by extract(year from date)
),

compared as (
    select
        extract(year from record.week_ending) as year,
        estimates.estimate_usd_mn as x,
        record.drain_reserves_usd_mn as y,
        greatest(record.known_at, estimates.known_by) as known_at
    from marts.reserve_drains as record
    join estimates on estimates.week_ending = record.week_ending
    where estimates.is_known
),

sums as (
    select
        year,
        count(*) as n,
        avg(x - y) as mean_error,
        avg(abs(x - y)) as mean_absolute_error,
        avg(abs(y)) as mean_absolute_drain,
        avg(x * y) - avg(x) * avg(y) as xy,
        avg(x * x) - avg(x) * avg(x) as xx,
        avg(y * y) - avg(y) * avg(y) as yy,
        max(known_at) as known_at
    from compared
    group by year
)

select
    cast(sums.year as bigint) as year,
    weeks_due.last_week,
    sums.n as n_weeks,
    round(sums.mean_error, 3) as mean_error_usd_mn,
    round(sums.mean_absolute_error, 3) as mean_absolute_error_usd_mn,
    round(sums.mean_absolute_drain, 3) as mean_absolute_drain_usd_mn,
    case when sums.xx > 0 and sums.yy > 0 then round(sums.xy / sqrt(sums.xx * sums.yy), 6) end as correlation,
    sums.xx > 0 and sums.yy > 0 and sums.xy / sqrt(greatest(sums.xx * sums.yy, 1e-9)) >= 0.9 as is_close,
    sums.known_at
from sums
join weeks_due on weeks_due.year = sums.year and weeks_due.n_weeks = sums.n
