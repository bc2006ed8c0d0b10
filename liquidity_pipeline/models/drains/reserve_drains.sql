-- The drain of record: minus the change of reserve balances, Wednesday to Wednesday, and its parts.
--
-- drain = dTGA + dRRP + dCurrency + dOther liabilities and capital - dFed assets   (method, C4 view 1)
-- d_other is what the balance sheet holds besides currency, reverse repos, the Treasury's account and
-- the deposits of banks (WLODLL). Its four parts, the last of them capital, add up to it. residual is the
-- difference between two lines of H.4.1 that both state what banks hold: reserve balances and the
-- deposits of depository institutions. No line replaces another: where one is not known, it is NULL
-- in all that needs it, and the week closes with currency and the rest together (currency_and_other).
with levels as (
    select
        observation_date as week_ending,
        max(case when series = 'WRBWFRBL' then value_usd_mn end) as reserves_usd_mn,
        max(case when series = 'WDTGAL' then value_usd_mn end) as tga_usd_mn,
        max(case when series = 'WLRRAL' then value_usd_mn end) as rrp_usd_mn,
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

with_parts as (
    select
        *,
        fed_assets_usd_mn - currency_usd_mn - rrp_usd_mn - tga_usd_mn - bank_deposits_usd_mn as other_usd_mn,
        deposits_usd_mn - bank_deposits_usd_mn - tga_usd_mn - foreign_official_usd_mn
            as other_deposits_usd_mn,
        liabilities_usd_mn - currency_usd_mn - rrp_usd_mn - deposits_usd_mn as other_liabilities_usd_mn,
        fed_assets_usd_mn - liabilities_usd_mn as capital_usd_mn
    from levels
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
        now_.rrp_usd_mn - before.rrp_usd_mn as d_rrp_usd_mn,
        now_.currency_usd_mn - before.currency_usd_mn as d_currency_usd_mn,
        now_.fed_assets_usd_mn - before.fed_assets_usd_mn as d_fed_assets_usd_mn,
        now_.other_usd_mn - before.other_usd_mn as d_other_usd_mn,
        now_.foreign_official_usd_mn - before.foreign_official_usd_mn as d_foreign_official_usd_mn,
        now_.other_deposits_usd_mn - before.other_deposits_usd_mn as d_other_deposits_usd_mn,
        now_.other_liabilities_usd_mn - before.other_liabilities_usd_mn as d_other_liabilities_usd_mn,
        now_.capital_usd_mn - before.capital_usd_mn as d_capital_usd_mn
    from with_parts as now_
    join with_parts as before on before.week_ending = now_.week_ending - interval 7 day
),

balanced as (
    select *, d_fed_assets_usd_mn - d_reserves_usd_mn - d_tga_usd_mn - d_rrp_usd_mn as d_currency_and_other_usd_mn
    from changes
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
    round(d_currency_and_other_usd_mn, 6) as d_currency_and_other_usd_mn,
    d_fed_assets_usd_mn,
    round(
        -d_reserves_usd_mn - (
            d_tga_usd_mn
            + d_rrp_usd_mn
            + d_currency_usd_mn
            + d_other_usd_mn
            - d_fed_assets_usd_mn
        ),
        6
    ) as residual_usd_mn,
    case when d_rrp_usd_mn is not null then 'H.4.1 total' end as rrp_basis,
    reserves_usd_mn,
    tga_usd_mn,
    rrp_usd_mn,
    currency_usd_mn,
    fed_assets_usd_mn,
    known_at
from balanced
where d_reserves_usd_mn is not null
