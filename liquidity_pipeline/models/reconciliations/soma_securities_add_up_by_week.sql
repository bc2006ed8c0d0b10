-- The Fed's holdings by CUSIP add up to the weekly summary, kind by kind, inflation compensation too.
with by_kind as (
    select
        as_of_date,
        coalesce(sum(par_usd_mn) filter (where holding_type = 'bills'), 0) as bills_usd_mn,
        coalesce(sum(par_usd_mn) filter (where holding_type = 'notes_bonds'), 0) as notes_bonds_usd_mn,
        coalesce(sum(par_usd_mn) filter (where holding_type = 'tips'), 0) as tips_usd_mn,
        coalesce(sum(par_usd_mn) filter (where holding_type = 'frn'), 0) as frn_usd_mn,
        coalesce(sum(inflation_usd_mn), 0) as tips_inflation_usd_mn
    from sources.soma_securities
    group by as_of_date
)

select
    by_kind.as_of_date as day,
    greatest(
        abs(by_kind.bills_usd_mn - summary.bills_usd_mn),
        abs(by_kind.notes_bonds_usd_mn - summary.notes_bonds_usd_mn),
        abs(by_kind.tips_usd_mn - summary.tips_usd_mn),
        abs(by_kind.frn_usd_mn - summary.frn_usd_mn),
        abs(by_kind.tips_inflation_usd_mn - summary.tips_inflation_usd_mn)
    ) as difference
from by_kind
join sources.soma_holdings as summary on summary.as_of_date = by_kind.as_of_date
