-- "Net liquidity": the Fed's assets less the Treasury's account and reverse repos, on Wednesdays.
--
-- Served for comparison, because many charts show it. It is an accounting shortcut and no measure of
-- reserves: it leaves out currency, foreign deposits and all other liabilities. All three parts are
-- Wednesday levels; taking the week average of the account instead moves it by up to 70 bn.
-- Source: method, C2.
select
    week_ending,
    fed_assets_usd_mn,
    tga_usd_mn,
    rrp_usd_mn,
    rrp_basis,
    fed_assets_usd_mn - tga_usd_mn - rrp_usd_mn as net_liquidity_usd_mn,
    d_fed_assets_usd_mn - d_tga_usd_mn - d_rrp_usd_mn as change_usd_mn,
    reserves_usd_mn,
    known_at
from marts.reserve_drains
where fed_assets_usd_mn is not null and tga_usd_mn is not null and rrp_usd_mn is not null
