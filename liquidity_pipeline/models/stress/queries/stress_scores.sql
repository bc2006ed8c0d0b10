-- What the stress gauges are judged by.

-- name: quarter_ends
select date, known_by from meta.calendar_days, meta.clock
where date = quarter_end and known_by <= clock.now order by date

-- name: known_episodes
-- Episodes whose every day is public; known when the last of these is.
select events.subject, case events.kind when 'stress_episode' then 'stress'
    else 'calendar' end, events.effective_date, events.end_date,
    greatest(events.known_at, days.known_by)
from sources.policy_events as events
join meta.calendar_days as days on days.date = events.end_date
cross join meta.clock as clock
where events.kind in ('stress_episode', 'calendar_turn')
    and greatest(events.known_at, days.known_by) <= clock.now
order by events.effective_date, events.subject

-- name: benchmark_by_week
-- The OFR's index on the last session up to each Wednesday; NULL where that one is not known.
select days.week_ending, arg_max(fsi.fsi, days.date) filter (fsi.date is not null
    and days.date = last_session)
from (
    select *, max(date) over (partition by week_ending) as last_session
    from meta.calendar_days where is_nyse
) as days
cross join meta.clock as clock
left join sources.ofr_fsi as fsi on fsi.date = days.date
where days.known_by <= clock.now
group by days.week_ending order by days.week_ending
