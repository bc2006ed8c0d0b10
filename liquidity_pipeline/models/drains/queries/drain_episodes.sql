-- The balance sheet by week, as far as reserves are ample.

-- name: drain_weeks
select
    weeks.week_ending,
    weeks.drain_reserves_usd_mn,
    weeks.d_tga_usd_mn,
    weeks.d_rrp_usd_mn,
    weeks.d_fed_assets_usd_mn,
    weeks.reserves_usd_mn,
    weeks.fed_assets_usd_mn,
    ratios.bank_assets_usd_mn,
    weeks.known_at
from marts.reserve_drains as weeks
left join marts.reserve_ratios as ratios on ratios.week_ending = weeks.week_ending
where weeks.week_ending >= date '2009-01-07'
order by weeks.week_ending
