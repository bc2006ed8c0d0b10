-- The drain of record: minus the change of reserve balances, Wednesday to Wednesday, and its parts.
--
-- drain = dTGA + dRRP + dCurrency + dOther liabilities and capital - dFed assets   (method, C4 view 1)
-- d_other is what the balance sheet holds besides currency, reverse repos, the Treasury's account and
-- the deposits of banks (WLODLL); where one of these lines is not served it is NULL, and what is left
-- stands in residual. Its four parts, the last of them capital, add up to it. With every line served,
-- residual is the difference between two lines of H.4.1 that both state what banks hold: reserve
-- balances and the deposits of depository institutions. Without the Treasury's account or the Fed's
-- assets nothing can be told apart, and residual is NULL as well.
-- Reverse repos are H.4.1's total (domestic and foreign); where FRED does not serve it, the overnight
-- facility's take-up of the Wednesday stands in, named in rrp_basis.
with levels as (
    select
        observation_date as week_ending,
        max(case when series = 'WRBWFRBL' then value_usd_mn end) as reserves_usd_mn,
        max(case when series = 'WDTGAL' then value_usd_mn end) as tga_usd_mn,
        max(case when series = 'WLRRAL' then value_usd_mn end) as reverse_repo_usd_mn,
        max(case when series = 'WLFN' then value_usd_mn end) as currency_usd_mn,
        max(case when series = 'WALCL' then value_usd_mn end) as fed_assets_usd_mn,
        max(case when series = 'WLODLL' then value_usd_mn end) as bank_deposits_usd_mn,
        max(case when series = 'WDFOL' then value_usd_mn end) as foreign_official_usd_mn,
        max(case when series = 'WLDLCL' then value_usd_mn end) as deposits_usd_mn,
        max(case when series = 'WLTLECL' then value_usd_mn end) as liabilities_usd_mn,
        max(known_at) as known_at
    from sources.fed_balance_sheet
    group by observation_date
),

operations as (
    select operation_date, round(sum(accepted_usd_mn), 6) as accepted_usd_mn
    from sources.repo_operations
    where kind = 'on_rrp' and not is_small_value
    group by operation_date
),

last_operations as (
    select days.date, max(operations.operation_date) over (order by days.date) as operation_date
    from meta.calendar_days as days
    left join operations on operations.operation_date = days.date
),

-- On a Wednesday that is a holiday the take-up of the day before is still outstanding; a record that
-- has stopped says nothing.
on_rrp as (
    select last_operations.date, operations.accepted_usd_mn
    from last_operations
    join operations on operations.operation_date = last_operations.operation_date
    where last_operations.operation_date >= last_operations.date - interval 3 day
),

with_rrp as (
    select
        levels.*,
        fed_assets_usd_mn - currency_usd_mn - reverse_repo_usd_mn - tga_usd_mn - bank_deposits_usd_mn
            as other_usd_mn,
        deposits_usd_mn - bank_deposits_usd_mn - tga_usd_mn - foreign_official_usd_mn
            as other_deposits_usd_mn,
        liabilities_usd_mn - currency_usd_mn - reverse_repo_usd_mn - deposits_usd_mn
            as other_liabilities_usd_mn,
        fed_assets_usd_mn - liabilities_usd_mn as capital_usd_mn,
        coalesce(levels.reverse_repo_usd_mn, on_rrp.accepted_usd_mn) as rrp_usd_mn,
        case
            when levels.reverse_repo_usd_mn is not null then 'H.4.1 total'
            when on_rrp.accepted_usd_mn is not null then 'overnight facility'
        end as rrp_basis
    from levels
    left join on_rrp on on_rrp.date = levels.week_ending
),

changes as (
    select
        now_.week_ending,
        now_.reserves_usd_mn,
        now_.tga_usd_mn,
        now_.rrp_usd_mn,
        now_.currency_usd_mn,
        now_.fed_assets_usd_mn,
        now_.known_at,
        now_.reserves_usd_mn - before.reserves_usd_mn as d_reserves_usd_mn,
        now_.tga_usd_mn - before.tga_usd_mn as d_tga_usd_mn,
        -- A change between two different measures would be a change of definition.
        case when now_.rrp_basis = before.rrp_basis then round(now_.rrp_usd_mn - before.rrp_usd_mn, 6) end as d_rrp_usd_mn,
        case when now_.rrp_basis = before.rrp_basis then now_.rrp_basis end as rrp_basis,
        now_.currency_usd_mn - before.currency_usd_mn as d_currency_usd_mn,
        now_.fed_assets_usd_mn - before.fed_assets_usd_mn as d_fed_assets_usd_mn,
        now_.other_usd_mn - before.other_usd_mn as d_other_usd_mn,
        now_.foreign_official_usd_mn - before.foreign_official_usd_mn as d_foreign_official_usd_mn,
        now_.other_deposits_usd_mn - before.other_deposits_usd_mn as d_other_deposits_usd_mn,
        now_.other_liabilities_usd_mn - before.other_liabilities_usd_mn as d_other_liabilities_usd_mn,
        now_.capital_usd_mn - before.capital_usd_mn as d_capital_usd_mn
    from with_rrp as now_
    join with_rrp as before on before.week_ending = now_.week_ending - interval 7 day
)

select
    week_ending,
    -d_reserves_usd_mn as drain_reserves_usd_mn,
    d_tga_usd_mn,
    d_rrp_usd_mn,
    d_currency_usd_mn,
    d_other_usd_mn,
    d_foreign_official_usd_mn,
    d_other_deposits_usd_mn,
    d_other_liabilities_usd_mn,
    d_capital_usd_mn,
    d_fed_assets_usd_mn,
    round(
        -d_reserves_usd_mn - (
            d_tga_usd_mn
            + coalesce(d_rrp_usd_mn, 0)
            + coalesce(d_currency_usd_mn, 0)
            + coalesce(d_other_usd_mn, 0)
            - d_fed_assets_usd_mn
        ),
        6
    ) as residual_usd_mn,
    rrp_basis,
    reserves_usd_mn,
    tga_usd_mn,
    rrp_usd_mn,
    currency_usd_mn,
    fed_assets_usd_mn,
    known_at
from changes
where d_reserves_usd_mn is not null
