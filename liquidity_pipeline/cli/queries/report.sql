-- What `liquidity run` prints.

-- name: drains
select week_ending, component, amount_usd_mn / 1000, drain_reserves_usd_mn / 1000,
    drain_headline_usd_mn / 1000, drain_headline_net_of_buybacks_usd_mn / 1000
from marts.weekly_drains
where week_ending = (select max(week_ending) from marts.weekly_drains)
order by component = 'total', abs(coalesce(amount_usd_mn, 0)) desc

-- name: later_drain
-- A later week whose parts are not all known.
select week_ending, drain_reserves_usd_mn / 1000, d_tga_usd_mn / 1000
from marts.reserve_drains
where week_ending > (
    select coalesce(max(week_ending), date '1900-01-01') from marts.weekly_drains
)
order by week_ending desc limit 1

-- name: season
-- The newest week of each component that has an expectation.
select component, week_ending, actual_usd_mn / 1000, expected_usd_mn / 1000,
    surprise_usd_mn / 1000, surprise_sd
from marts.drain_seasonality
where component in ('drain_reserves', 'tga', 'net_settlement_calendar_week')
qualify row_number() over (partition by component order by week_ending desc) = 1
order by component

-- name: episode
select
    (select max(week_ending) from marts.drain_episode_weeks),
    start_date, depth_usd_mn / 1000, depth_pct, tga_share_pct, on_rrp_share_pct,
    fed_assets_share_pct, is_alarm
from marts.drain_episodes
where is_open

-- name: newest_episode_week
select max(week_ending) from marts.drain_episode_weeks

-- name: settlements
-- This week and the next, for bills, coupons and all; until all of a week is announced, what matures
-- in it is to be rolled over. The press quotes bills; Treasury's own totals are net of buybacks.
select week_start, security_class, net_usd_mn / 1000, net_public_usd_mn / 1000,
    privately_held_net_usd_mn / 1000, refinancing_usd_mn / 1000, is_settled,
    issued_usd_mn / 1000, redeemed_usd_mn / 1000
from marts.weekly_settlements, meta.publication
where security_class in ('bills', 'coupons', 'all')
    and week_start between date_trunc('week', as_of) and as_of + interval 7 day
order by week_start, list_position(['bills', 'coupons', 'all'], security_class)

-- name: assumed
-- Days of these two weeks on which what the Fed holds of the maturing securities is not published.
select list(distinct settlement_date order by settlement_date)
from marts.settlement_calendar, meta.publication
where soma_basis = 'assumed' and redeemed_usd_mn > 0
    and settlement_date >= date_trunc('week', as_of)
    and settlement_date < date_trunc('week', as_of + interval 7 day) + interval 7 day

-- name: gauge
select date, {gauge} from marts.funding_conditions
where {gauge} is not null order by date desc limit 1

-- name: sensitivity
-- All assets between the same two New York sessions: the newest with a return of a share or fund, and
-- where these ended more than a long weekend ago, the newest of any asset; as in the brief.
with recent as (
    select returns.* from marts.asset_returns as returns, meta.publication
    where returns.date between as_of - interval 14 day and as_of
),
common as (
    select coalesce(
        max(recent.date) filter (
            where not universe.is_crypto and recent.date >= publication.as_of - 4
        ),
        max(recent.date)
    ) as date
    from meta.publication as publication
    cross join recent
    join meta.universe as universe on universe.asset = recent.asset
    where recent.return_5d_new_york_pct is not null
),
correlations as (
    select * from marts.rolling_correlations
    where driver = 'reserve_drain_estimate' and window_days = 60 and correlation is not null
        and date <= (select date from common)
    qualify row_number() over (partition by asset order by date desc) = 1
)
select returns.asset, returns.new_york_5d_from, returns.date, returns.return_5d_new_york_pct,
    returns.return_5_sessions_new_york_pct, correlations.correlation,
    correlations.correlation_low, correlations.correlation_high, correlations.n_obs,
    correlations.date
from recent as returns
join common on common.date = returns.date
left join correlations on correlations.asset = returns.asset
where returns.return_5d_new_york_pct is not null
order by returns.asset_class, returns.asset

-- name: followed
select asset, is_crypto from meta.universe order by asset_class, asset

-- name: indicators
-- The newest observation of each, and whether it is the newest that is due.
select indicator, date, level, reason, next_due_at > clock.now as is_current
from (
    select * from marts.stress_flags
    qualify row_number() over (partition by indicator order by date desc) = 1
), meta.clock
order by indicator

-- name: index
select date, index_value, level, rank, n_history, segments
from marts.stress_index order by date desc limit 1

-- name: behind
select table_name, entity, known_through, reason
from meta.coverage
where known_through is null or known_through < expected_through
order by table_name, entity
