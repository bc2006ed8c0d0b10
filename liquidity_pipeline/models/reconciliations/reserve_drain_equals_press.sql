-- The week's fall of reserve balances equals the figure that the press printed from H.4.1, as rounded.
select
    drains.week_ending as day,
    drains.drain_reserves_usd_mn - totals.value_usd_mn as difference,
    totals.tolerance_usd_mn
from marts.reserve_drains as drains
join meta.published_totals as totals
    on totals.period_end = drains.week_ending and totals.figure = 'reserve_drain'
