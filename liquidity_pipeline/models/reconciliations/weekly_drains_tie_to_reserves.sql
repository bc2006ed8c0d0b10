-- The components of a week, by reserve accounting, add up to the fall of reserves.
select reserves.week_ending as day,
    reserves.drain_reserves_usd_mn - drains.drain_reserves_usd_mn as difference
from marts.reserve_drains as reserves
join marts.weekly_drains as drains
    on drains.week_ending = reserves.week_ending and drains.component = 'total'
