-- What each stress indicator measures: date, value, known_at, and whether the day is a month-end or
-- month-start day.

-- name: funding
select date, {column}, known_at, is_month_end from marts.funding_conditions

-- name: facility_take_up
-- A take-up below half a billion is a test of the systems and no demand for cash.
select date, case when srf_usd_mn < 500 then 0 else srf_usd_mn end, known_at, is_month_end
from marts.funding_conditions

-- name: volatility
select date, vol_20d_pct, known_at, false from marts.asset_returns where asset = :asset

-- name: credit_spread
select observation_date, value * 100, known_at, false
from sources.market_series where series = 'BAMLH0A0HYM2'

-- name: ample_weeks
-- Before 2009 the Fed kept reserves scarce on purpose (5 to 20 bn): a share of them that drains in
-- a week means nothing, and those weeks must not be the yardstick for later ones.
-- A Wednesday without a bond market (1 January) shows the balance sheet of the day before.
select weeks.*, turns.is_month_end
from marts.reserve_drains as weeks
join meta.calendar_days as days on days.date = weeks.week_ending
join meta.calendar_days as turns
    on turns.date = case when days.is_sifma then days.date else days.date - interval 1 day end
where weeks.week_ending >= date '2009-01-07'

-- name: drain
-- The fall of reserve balances over some weeks, in per cent of what they were.
select weeks.week_ending, 100 * (1 - weeks.reserves_usd_mn / before.reserves_usd_mn),
    weeks.known_at, weeks.is_month_end
from ({@ample_weeks}) as weeks
join ({@ample_weeks}) as before on before.week_ending = weeks.week_ending - interval {days} day

-- name: scarcity
-- What is not held as reserves of each dollar of bank assets, as these were known then (H.8).
select weeks.week_ending, 100 - ratios.reserves_of_bank_assets_pct, ratios.known_at,
    weeks.is_month_end
from ({@ample_weeks}) as weeks
join marts.reserve_ratios as ratios on ratios.week_ending = weeks.week_ending

-- name: account_rise
-- Twenty statement days of the Treasury's account, against the reserves of the last H.4.1 before.
select tga.record_date,
    100 * (tga.closing_usd_mn - before.closing_usd_mn) / weeks.reserves_usd_mn,
    days.known_by, days.is_month_end
from marts.tga_daily as tga
join meta.calendar_days as days on days.date = tga.record_date
join meta.calendar_days as earlier on earlier.fed_number = days.fed_number - 20
    and earlier.is_fed
join marts.tga_daily as before on before.record_date = earlier.date
join marts.reserve_drains as weeks on weeks.week_ending = days.week_ending - interval 7 day
cross join meta.clock as clock
where tga.record_date >= date '2009-01-07' and days.known_by <= clock.now
