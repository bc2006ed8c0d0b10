-- Reserve balances over bank assets, week by week, as both were known when the reserves were published.
--
-- H.8 comes nine days after its Wednesday, H.4.1 one day after: the bank assets that are public beside a
-- week's reserve balances are those of two Wednesdays before. There is no substitute for a week of H.8
-- that is missing. For weeks before 2018-01-10 the year-end figures in data/reference are used, also
-- where FRED serves H.8 for them: it serves today's figures, restated at each yearly benchmark.
-- Beside the ratio is what the New York Fed had last published of its elasticity by then, in the vintage
-- that is stored: each monthly file reaches back over all days, and holds until the next one.
with reserves as (
    select observation_date as week_ending, value_usd_mn as reserves_usd_mn, known_at
    from sources.fed_balance_sheet
    where series = 'WRBWFRBL'
),

weekly as (
    select
        reserves.week_ending,
        reserves.reserves_usd_mn,
        banks.value * 1000 as bank_assets_usd_mn,
        banks.observation_date as bank_assets_date,
        'H.8' as bank_assets_basis,
        greatest(reserves.known_at, banks.known_at) as known_at
    from reserves
    join sources.market_series as banks
        on banks.series = 'TLAACBW027SBOG'
        and banks.observation_date = reserves.week_ending - interval 14 day
    where reserves.week_ending >= date '2018-01-10'
),

by_hand as (
    select
        reserves.*,
        events.value * 1000000 as bank_assets_usd_mn,
        cast(date_trunc('year', events.event_date) - interval 1 day as date) as bank_assets_date,
        row_number() over (partition by reserves.week_ending order by events.event_date desc) as recency
    from reserves
    join sources.policy_events as events
        on events.kind = 'bank_assets' and events.known_at <= reserves.known_at
    where reserves.week_ending < date '2018-01-10'
),

ratios as (
    select * from weekly
    union all
    select week_ending, reserves_usd_mn, bank_assets_usd_mn, bank_assets_date, 'year-end by hand', known_at
    from by_hand
    where recency = 1
),

estimates as (
    select
        *,
        row_number() over (partition by known_at order by date desc) as recency
    from sources.reserve_demand_elasticity
),

releases as (
    select *, lead(known_at) over (order by known_at) as replaced_at
    from estimates
    where recency = 1
)

select
    ratios.week_ending,
    ratios.reserves_usd_mn,
    ratios.bank_assets_usd_mn,
    ratios.bank_assets_date,
    ratios.bank_assets_basis,
    100 * ratios.reserves_usd_mn / ratios.bank_assets_usd_mn as reserves_of_bank_assets_pct,
    releases.date as elasticity_date,
    releases.p50_bp as elasticity_p50_bp,
    releases.p2_5_bp as elasticity_p2_5_bp,
    releases.p97_5_bp as elasticity_p97_5_bp,
    ratios.known_at
from ratios
left join releases
    on ratios.known_at >= releases.known_at
    and (ratios.known_at < releases.replaced_at or releases.replaced_at is null)
