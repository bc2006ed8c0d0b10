-- The account's close on the last day of a quarter equals the figure that Treasury prints, rounded.
select
    borrowing.quarter_end as day,
    borrowing.quarter_end_cash_usd_mn - totals.value_usd_mn as difference,
    totals.tolerance_usd_mn
from marts.quarterly_borrowing as borrowing
join meta.published_totals as totals
    on totals.period_end = borrowing.quarter_end and totals.figure = 'quarter_end_cash'
where not borrowing.is_open
