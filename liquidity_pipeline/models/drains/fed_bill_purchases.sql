-- The Fed's outright bill purchases by settlement date, and the part that is more than reinvestment.
--
-- The month's amount is announced on or about the ninth business day (New York Fed), so a window runs
-- from there to the next. The operations do not tell reserve management from the reinvestment of
-- agency principal: where its amount is published for the window it is taken, else a range kept in
-- the reference folder; reinvestment counts first. Tests of systems are left out.
-- Source: method, C5; signs in meta.sign_conventions.
with business_days as (
    select
        date,
        row_number() over (partition by extract(year from date), extract(month from date) order by date) as number_in_month
    from meta.calendar_days
    where is_fed
),

windows as (
    select date as window_start, lead(date) over (order by date) as next_start
    from business_days
    where number_in_month = 9
),

operations as (
    select
        settlement_date,
        operation_date,
        sum(case direction when 'purchase' then accepted_usd_mn else -accepted_usd_mn end) as net_purchases_usd_mn,
        max(known_at) as known_at
    from sources.fed_operations
    where security_class = 'bill' and not is_small_value
    group by settlement_date, operation_date
),

published as (
    select operations.operation_date, max(events.value) * 1000 as reinvestment_usd_mn
    from operations
    join sources.policy_events as events
        on events.kind = 'bill_purchase_programme'
        and events.subject = 'agency reinvestment'
        and events.known_at <= operations.known_at
        and operations.operation_date between events.effective_date and events.end_date
    group by operations.operation_date
),

assumed as (
    select
        operations.operation_date,
        min(events.value) * 1000 as low_usd_mn,
        max(events.value) * 1000 as high_usd_mn
    from operations
    join sources.policy_events as events
        on events.kind = 'agency_reinvestment_range'
        and events.known_at <= operations.known_at
        and operations.operation_date >= events.effective_date
    group by operations.operation_date
),

cumulated as (
    select
        operations.*,
        windows.window_start,
        windows.next_start - interval 1 day as window_end,
        sum(operations.net_purchases_usd_mn) over (
            partition by windows.window_start order by operations.operation_date, operations.settlement_date
        ) as cumulative_usd_mn,
        coalesce(published.reinvestment_usd_mn, assumed.low_usd_mn) as reinvestment_low_usd_mn,
        coalesce(published.reinvestment_usd_mn, assumed.high_usd_mn) as reinvestment_high_usd_mn,
        published.reinvestment_usd_mn is null and assumed.low_usd_mn is not null as is_estimate
    from operations
    join windows
        on operations.operation_date >= windows.window_start and operations.operation_date < windows.next_start
    left join published on published.operation_date = operations.operation_date
    left join assumed on assumed.operation_date = operations.operation_date
)

select
    cumulated.settlement_date,
    cumulated.operation_date,
    cumulated.window_start,
    cumulated.window_end,
    cumulated.net_purchases_usd_mn,
    cumulated.cumulative_usd_mn,
    cumulated.reinvestment_low_usd_mn,
    cumulated.reinvestment_high_usd_mn,
    case when cumulated.cumulative_usd_mn > cumulated.reinvestment_high_usd_mn
        then cumulated.cumulative_usd_mn - cumulated.reinvestment_high_usd_mn
        when cumulated.reinvestment_high_usd_mn is not null then 0
    end as beyond_reinvestment_low_usd_mn,
    case when cumulated.cumulative_usd_mn > cumulated.reinvestment_low_usd_mn
        then cumulated.cumulative_usd_mn - cumulated.reinvestment_low_usd_mn
        when cumulated.reinvestment_low_usd_mn is not null then 0
    end as beyond_reinvestment_high_usd_mn,
    cumulated.is_estimate,
    cumulated.net_purchases_usd_mn * signs.reserves_sign as drain_reserves_usd_mn,
    cumulated.net_purchases_usd_mn * signs.headline_sign as drain_headline_usd_mn,
    cumulated.known_at
from cumulated
cross join (
    select
        max(case when convention = 'reserves' then sign end) as reserves_sign,
        max(case when convention = 'headline' then sign end) as headline_sign
    from meta.sign_conventions
    where component = 'fed_bill_purchases'
) as signs
