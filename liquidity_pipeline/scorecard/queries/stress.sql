-- What the stress gauges hit and missed.

-- name: flag_span
select min(date), max(date), (select max(as_of) from marts.stress_gauges)
from marts.stress_flags

-- name: known_episodes
select episode, episode_start, gauge, lead_days
from marts.stress_scores
where episode_kind = 'stress' and gauge_kind in ('segment', 'index')
order by episode_start, episode

-- name: tallies
select * from marts.stress_gauges
where as_of = (select max(as_of) from marts.stress_gauges)
order by case gauge_kind when 'index' then 0 when 'segment' then 1 else 2 end, gauge

-- name: alarms_outside_episodes
select strftime(date, '%Y-%m') as month, count(*), max_by(level, index_value), max(index_value)
from marts.stress_index as days
where level in ('stress', 'severe') and not exists (
    select 1 from marts.stress_scores as episodes
    where episodes.episode_kind = 'stress'
        and days.date between episodes.episode_start - interval 30 day
            and episodes.episode_end + interval 30 day
)
group by month order by month

-- name: year_ends
select count(*) filter (outcome = 'raised'), count(*) from marts.stress_scores
where episode_kind = 'calendar' and gauge_kind <> 'segment'

-- name: month_ends
select count(*) filter (calendar_explained), count(*) from marts.stress_flags
where is_calendar_day
