-- Newest H.4.1 week: is the drain further from its season than the threshold, either way?
select
    component as subject,
    abs(surprise_sd) >= $drain_sd as is_active,
    week_ending::varchar as level,
    week_ending as date,
    format(
        'Reserves {} by USD {:.1f} bn in the week ending {}. The season led to expect a drain of '
        '{:.1f} bn, so the surprise is {:.1f} standard deviations.',
        case when actual_usd_mn >= 0 then 'fell' else 'rose' end,
        abs(actual_usd_mn) / 1000, week_ending::varchar, expected_usd_mn / 1000, surprise_sd
    ) as detail
from marts.drain_seasonality
where component = 'drain_reserves'
    and surprise_sd is not null
    and week_ending > (select as_of - 21 from meta.publication)
qualify row_number() over (order by week_ending desc) = 1
