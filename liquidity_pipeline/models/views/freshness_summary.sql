-- Is this file fresh: one row that counts the sources and names the oldest of what is due.
-- source_tables: Source tables in this file
-- stale_tables: Source tables of which something due is missing
-- stale_series: Series, rates and symbols of which something due is missing
-- most_days_behind: Most due observations that one series lacks [days]
-- stale_table_names: Names of the stale tables
select
    (select built_at from meta.publication) as built_at,
    (select as_of from meta.publication) as as_of,
    count(distinct table_name) as source_tables,
    count(distinct table_name) filter (where is_stale) as stale_tables,
    count(*) filter (where is_stale) as stale_series,
    max(days_behind) as most_days_behind,
    string_agg(distinct case when is_stale then table_name end, ', ') as stale_table_names
from meta.freshness
