-- Levels named by policy makers or commentators, compared with the TGA and reserves, and crossings.
--
-- Levels are kept by hand: in USD billions, or in percent of bank assets as last known in the week
-- (see reserve_ratios). A level is compared with the past as well, but no row is known before the
-- level was named.
with levels as (
    select
        subject,
        event_date as named_on,
        known_at,
        case
            when unit = 'percent of bank assets' then 'reserves / bank assets'
            when subject like 'TGA%' then 'tga'
            when subject like 'reserve balances%' then 'reserves'
        end as measure,
        case unit when 'USD billions' then value * 1000 else value end as level
    from sources.policy_events
    where kind = 'reference_level' and unit in ('USD billions', 'percent of bank assets')
),

reserves as (
    select observation_date, value_usd_mn, known_at
    from sources.fed_balance_sheet
    where series = 'WRBWFRBL'
),

observations as (
    select 'tga' as measure, record_date as observation_date, closing_usd_mn as value, known_at
    from sources.tga_balance
    union all
    select 'reserves', observation_date, value_usd_mn, known_at
    from reserves
    union all
    select 'reserves / bank assets', week_ending, reserves_of_bank_assets_pct, known_at
    from marts.reserve_ratios
),

compared as (
    select
        observations.*,
        levels.subject,
        levels.named_on,
        levels.level,
        greatest(observations.known_at, levels.known_at) as row_known_at,
        observations.value >= levels.level as is_above,
        lag(observations.value >= levels.level) over (
            partition by levels.subject, levels.named_on order by observations.observation_date
        ) as was_above
    from observations
    join levels on levels.measure = observations.measure
),

crossings as (
    select
        *,
        case when is_above and not was_above then 'up' when was_above and not is_above then 'down' end as crossed
    from compared
)

select
    observation_date,
    subject,
    named_on,
    measure,
    case measure when 'reserves / bank assets' then 'percent' else 'USD mn' end as unit,
    value,
    level,
    value - level as distance,
    crossed,
    max(case when crossed is not null then observation_date end) over (
        partition by subject, named_on order by observation_date
    ) as last_crossed_on,
    row_known_at as known_at
from crossings
