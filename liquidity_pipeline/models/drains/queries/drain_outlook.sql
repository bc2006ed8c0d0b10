-- What drained, what settled, and what was expected to settle.

-- name: flows_by_day
-- Flows of the account beside what the public pays for debt, with the moment they were public.
with settled as (
    select settlement_date, sum(net_public_usd_mn) as net_usd_mn,
        bool_and(is_settled and net_public_usd_mn is not null) as is_known
    from marts.settlement_calendar
    group by settlement_date
)
select
    tga.record_date,
    tga.known_at,
    tga.closing_usd_mn,
    tga.change_1d_usd_mn,
    coalesce(settled.net_usd_mn, 0)
from marts.tga_daily as tga
left join settled on settled.settlement_date = tga.record_date
-- A day without a settlement has none only where the auctions were answered for.
join meta.coverage as auctions
    on auctions.table_name = 'debt_settlements' and auctions.entity = 'auctions'
    and tga.record_date between auctions.known_from and auctions.known_through
where tga.change_1d_usd_mn is not null and coalesce(settled.is_known, true)
order by tga.record_date

-- name: settled_by_day
select settlement_date, case when bool_and(is_settled and net_public_usd_mn is not null)
        then sum(net_public_usd_mn) end
from marts.settlement_calendar
group by settlement_date

-- name: balance_sheet_by_week
select week_ending, known_at, tga_usd_mn, reserves_usd_mn,
    drain_reserves_usd_mn - d_tga_usd_mn
from marts.reserve_drains
where d_tga_usd_mn is not null
order by week_ending

-- name: expected_ahead
select vintages.as_of_date, moments.moment, vintages.settlement_date,
    case when count(vintages.net_public_expected_usd_mn) = count(*)
        then sum(vintages.net_public_expected_usd_mn) end
from marts.settlement_vintages as vintages
join marts.outlook_moments as moments
    on moments.as_of_date = vintages.as_of_date and moments.is_open = vintages.is_open
where not vintages.is_open
group by vintages.as_of_date, moments.moment, vintages.settlement_date
order by vintages.as_of_date, vintages.settlement_date
