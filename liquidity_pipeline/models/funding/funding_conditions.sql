-- Overnight funding by bond-market day: spreads over the administered rate, dispersion, facilities.
--
-- Spreads and not rates: a policy move shifts SOFR alone (method, C2). The rate on reserves is IORB,
-- before 2021-07-29 IOER. Days around month-end are marked: their spikes are known long before.
with rates as (
    select
        effective_date as date,
        max(case when rate = 'SOFR' then rate_pct end) as sofr_pct,
        max(case when rate = 'TGCR' then rate_pct end) as tgcr_pct,
        max(case when rate = 'BGCR' then rate_pct end) as bgcr_pct,
        max(case when rate = 'EFFR' then rate_pct end) as effr_pct,
        max(case when rate = 'EFFR' then target_to_pct end) as target_to_pct,
        max(case when rate = 'SOFR' then p1_pct end) as sofr_p1_pct,
        max(case when rate = 'SOFR' then p25_pct end) as sofr_p25_pct,
        max(case when rate = 'SOFR' then p75_pct end) as sofr_p75_pct,
        max(case when rate = 'SOFR' then p99_pct end) as sofr_p99_pct,
        max(case when rate = 'SOFR' then volume_usd_bn end) as sofr_volume_usd_bn
    from sources.reference_rates
    group by effective_date
),

served as (
    select observation_date as date, max(value) as iorb_pct
    from sources.market_series
    where series in ('IORB', 'IOER')
    group by observation_date
),

-- The steps kept by hand are used where the daily series is not served.
steps as (
    select
        effective_date as first_day,
        value as iorb_pct,
        least(
            lead(effective_date, 1, date '9999-12-31') over (order by effective_date),
            coalesce(end_date + interval 1 day, date '9999-12-31')
        ) as next_step
    from sources.policy_events
    where kind = 'iorb_rate'
),

on_reserves as (
    select days.date, coalesce(served.iorb_pct, steps.iorb_pct) as iorb_pct
    from meta.calendar_days as days
    left join served on served.date = days.date
    left join steps on days.date >= steps.first_day and days.date < steps.next_step
),

facilities as (
    select
        operation_date as date,
        round(sum(case when kind = 'srf' then accepted_usd_mn end), 6) as srf_usd_mn,
        round(sum(case when kind = 'on_rrp' then accepted_usd_mn end), 6) as on_rrp_usd_mn
    from sources.repo_operations
    where not is_small_value
    group by operation_date
)

select
    days.date,
    rates.sofr_pct,
    on_reserves.iorb_pct,
    round((rates.sofr_pct - on_reserves.iorb_pct) * 100, 4) as sofr_iorb_bp,
    round((rates.tgcr_pct - on_reserves.iorb_pct) * 100, 4) as tgcr_iorb_bp,
    round((rates.effr_pct - on_reserves.iorb_pct) * 100, 4) as effr_iorb_bp,
    round((rates.sofr_p99_pct - rates.sofr_p25_pct) * 100, 4) as sofr_p99_p25_bp,
    round((rates.sofr_p1_pct - on_reserves.iorb_pct) * 100, 4) as sofr_p1_iorb_bp,
    round((rates.sofr_p25_pct - on_reserves.iorb_pct) * 100, 4) as sofr_p25_iorb_bp,
    round((rates.sofr_p75_pct - on_reserves.iorb_pct) * 100, 4) as sofr_p75_iorb_bp,
    round((rates.sofr_p99_pct - on_reserves.iorb_pct) * 100, 4) as sofr_p99_iorb_bp,
    rates.sofr_volume_usd_bn,
    rates.target_to_pct,
    facilities.srf_usd_mn,
    facilities.on_rrp_usd_mn,
    days.is_month_end,
    days.is_quarter_end,
    days.known_by as known_at
from meta.calendar_days as days
cross join meta.clock as clock
left join rates on rates.date = days.date
left join on_reserves on on_reserves.date = days.date
left join facilities on facilities.date = days.date
where days.is_sifma
    and days.known_by <= clock.now
    and coalesce(rates.sofr_pct, rates.effr_pct, facilities.on_rrp_usd_mn) is not null
