-- Flags, index, episodes, thresholds.

-- A flag is old when a newer one is due: whether its indicator is active is then not known.
-- name: flags
select indicator, date, segment, level, state, next_due_at <= clock.now as is_old
from marts.stress_flags, meta.clock
qualify row_number() over (partition by indicator order by date desc) = 1
order by segment, indicator

-- name: flag
select {column} from marts.stress_flags where indicator = :indicator and date = :date

-- name: flags_evaluated
select count(distinct indicator) from marts.stress_flags, meta.clock where next_due_at > clock.now

-- name: flags_raised
select count(*) from (
    select level from marts.stress_flags, meta.clock where next_due_at > clock.now
    qualify row_number() over (partition by indicator order by date desc) = 1
) where level <> 'normal'

-- name: stress_day
select max(date) from marts.stress_index where index_value is not null

-- Whether no later session has all its records public by now.
-- name: stress_is_current
select count(*) = 0 from meta.calendar_days, meta.clock
where is_nyse and date > :date and known_by <= clock.now

-- name: stress
select {column} from marts.stress_index where date = :date

-- name: stress_words
select level, segments from marts.stress_index where date = :date

-- name: open_episodes
select episode_id, start_date, is_alarm from marts.drain_episodes where is_open
order by start_date desc

-- name: last_closed_episode
select episode_id, start_date, end_date, is_alarm from marts.drain_episodes where not is_open
order by end_date desc limit 1

-- name: episode
select {column} from marts.drain_episodes where episode_id = :episode

-- name: episode_through
select max(week_ending) from marts.drain_episode_weeks

-- The unraised gauges that are nearest to their thresholds.
-- name: near_thresholds
select indicator, date from (
    select stress_flags.* from marts.stress_flags, meta.clock where next_due_at > clock.now
    qualify row_number() over (partition by indicator order by date desc) = 1
)
where level = 'normal' and rank is not null and threshold is not null
order by rank desc limit 5

-- name: reference_levels
select subject, observation_date as date, unit, level, observation_date <= as_of - 30 as is_old
from marts.reference_levels, meta.publication
qualify row_number() over (partition by subject, level order by observation_date desc) = 1
order by subject

-- name: reference_level
select {column} from marts.reference_levels
where subject = :subject and level = :level and observation_date = :date

-- The highest score of each week, per segment.
-- name: chart_stress
select max(date) as date, segment, max(rank) as value from (
    select date, unnest([
        {'segment': 'funding', 'rank': funding}, {'segment': 'reserves', 'rank': reserves},
        {'segment': 'drain', 'rank': drain}, {'segment': 'equity', 'rank': equity},
        {'segment': 'crypto', 'rank': crypto}, {'segment': 'credit', 'rank': credit}
    ], recursive := true)
    from marts.stress_index, meta.publication
    where date > as_of - interval 1 year
)
where rank is not null
group by segment, date_trunc('week', date)
order by segment, date
