-- Per source table: is something that is due missing?
select
    table_name as subject,
    bool_or(is_stale) as is_active,
    'stale' as level,
    (select as_of from meta.publication) as date,
    concat_ws(
        ' ',
        format('{} of {} series lack what is due.', count(*) filter (where is_stale), count(*)),
        'Newest observation held: '
        || max(last_day) filter (where is_stale and days_behind > 0)::varchar || '.',
        case when coalesce(sum(days_missing) filter (where is_stale), 0) > 0
            then format('Observations missing: {}.', sum(days_missing) filter (where is_stale)) end,
        any_value(problem) filter (where is_stale)
    ) as detail
from meta.freshness
group by table_name
