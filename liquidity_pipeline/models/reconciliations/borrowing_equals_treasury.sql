-- Privately-held net marketable borrowing per quarter equals Treasury's printed figure.
-- Quarters after buybacks began are compared where Treasury answered for these, and where the Fed's
-- part of every maturing day is known.
select
    borrowing.quarter_end as day,
    borrowing.privately_held_net_usd_mn - totals.value_usd_mn as difference,
    totals.tolerance_usd_mn
from marts.quarterly_borrowing as borrowing
join meta.published_totals as totals
    on totals.period_end = borrowing.quarter_end and totals.figure = 'privately_held_net_borrowing'
where not borrowing.is_open
    and (borrowing.quarter_end < date '2024-05-29' or borrowing.assumed_days = 0)
