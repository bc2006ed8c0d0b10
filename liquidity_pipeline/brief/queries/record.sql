-- What the publication is, what is stale in it, what our outlooks missed, what was said before.

-- name: publication
from meta.publication

-- name: tables
select schema_name || '.' || table_name as name, estimated_size as row_count from duckdb_tables()
where database_name = current_database()

-- name: sources_judged
select count(distinct table_name) from meta.freshness

-- Events are due on no day: how far they were answered for is in meta.coverage alone.
-- name: sources_behind
select case
    when (select count(*) from meta.freshness) > 0 and (select count(*) from meta.coverage) > 0
        then count(distinct table_name)
end
from (
    select table_name from meta.freshness where days_behind > 0
    union all
    select table_name from meta.coverage
    where known_through is null or known_through < expected_through
)

-- name: series_with_gaps
select count(*) from meta.freshness where days_missing > 0

-- name: revisions_seen
select count(*) from meta.revisions where seen_at > :since

-- Weeks in which the drain left the band of its season.
-- name: season_misses
select week_ending from marts.drain_seasonality, meta.publication
where component = 'drain_reserves' and actual_usd_mn is not null
    and (actual_usd_mn < expected_low_usd_mn or actual_usd_mn > expected_high_usd_mn)
    and week_ending > as_of - interval 1 year
order by week_ending desc limit 2

-- The settlement outlooks of the last six Fridays, one week ahead, with the largest errors.
-- name: outlook_misses
select as_of_date, week_start from (
    select * from marts.settlement_outlook_score
    where weeks_ahead = 1 and security_group = 'all' and error_usd_mn is not null
    order by as_of_date desc limit 6
) order by abs(error_usd_mn) desc limit 2

-- name: outlook_score
select {column} from marts.settlement_outlook_score
where as_of_date = :made and week_start = :week and weeks_ahead = 1 and security_group = 'all'

-- The last two paths of the Treasury's account that have run their course.
-- name: path_misses
select statement_date, max(week_ending) as week_ending from marts.tga_trajectory_score
where error_usd_mn is not null
group by statement_date order by statement_date desc limit 2

-- name: path_score
select {column} from marts.tga_trajectory_score
where statement_date = :made and week_ending = :week
order by as_of_date desc limit 1

-- name: previous_value
select previous_value from meta.brief_figures where id = :id
