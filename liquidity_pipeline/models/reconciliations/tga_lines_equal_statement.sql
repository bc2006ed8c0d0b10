-- The lines of table II add up to table I's deposits and withdrawals, but for rounding line by line.
with lines as (
    select
        record_date,
        sum(amount_usd_mn) filter (where direction = 'deposits') as deposits_usd_mn,
        sum(amount_usd_mn) filter (where direction = 'withdrawals') as withdrawals_usd_mn
    from sources.tga_flows
    group by record_date
)

select
    lines.record_date as day,
    greatest(
        abs(lines.deposits_usd_mn - balance.deposits_usd_mn),
        abs(lines.withdrawals_usd_mn - balance.withdrawals_usd_mn)
    ) as difference
from lines
join sources.tga_balance as balance on balance.record_date = lines.record_date
where balance.deposits_usd_mn is not null and balance.withdrawals_usd_mn is not null
