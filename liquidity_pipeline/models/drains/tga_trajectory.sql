-- The path of the Treasury's account to the balances that its refunding statements assume.
--
-- From the close of each statement day to the assumed balance at the end of the quarter, and on to
-- that of the next quarter, in equal steps per Federal Reserve business day. For each quarter-end the
-- newest figure that was public with the close. The implied path is what the assumption says, not a
-- forecast of the season within the quarter. Source: Treasury, marketable borrowing estimates.
-- The expected path is the forecast: that of marts.drain_outlook, from the settlements ahead, the
-- usual flows by the calendar and the last three years' errors. It is the outlook of the last Friday
-- evening before the close was public, and NULL beyond its six weeks.
with origins as (
    select
        balance.record_date as as_of_date,
        balance.closing_usd_mn,
        balance.known_at,
        days.fed_number
    from sources.tga_balance as balance
    join meta.calendar_days as days on days.date = balance.record_date
),

targets as (
    select
        origins.as_of_date,
        events.effective_date as anchor_date,
        days.fed_number,
        events.value * 1000 as balance_usd_mn,
        events.event_date as statement_date,
        row_number() over (
            partition by origins.as_of_date, events.effective_date order by events.event_date desc
        ) as recency
    from origins
    join sources.policy_events as events
        on events.kind = 'refunding_cash_balance' and events.known_at <= origins.known_at
    join meta.calendar_days as days on days.date = events.effective_date
    where days.fed_number > origins.fed_number
),

anchors as (
    select as_of_date, as_of_date as anchor_date, fed_number, closing_usd_mn as balance_usd_mn, null as statement_date
    from origins
    union all
    select as_of_date, anchor_date, fed_number, balance_usd_mn, statement_date
    from targets
    where recency = 1
),

legs as (
    select
        *,
        lag(anchor_date) over path as from_date,
        lag(fed_number) over path as from_number,
        lag(balance_usd_mn) over path as from_usd_mn
    from anchors
    window path as (partition by as_of_date order by anchor_date)
),

points as (
    select
        legs.as_of_date,
        weeks.date as week_ending,
        legs.anchor_date as quarter_end,
        legs.balance_usd_mn as target_usd_mn,
        legs.statement_date,
        legs.from_usd_mn + (legs.balance_usd_mn - legs.from_usd_mn)
            * (weeks.fed_number - legs.from_number) / (legs.fed_number - legs.from_number) as implied_balance_usd_mn
    from legs
    join meta.calendar_days as weeks
        on weeks.date = weeks.week_ending and weeks.date > legs.from_date and weeks.date <= legs.anchor_date
),

limits as (
    select
        origins.as_of_date,
        events.subject,
        row_number() over (partition by origins.as_of_date order by events.effective_date desc) as recency
    from origins
    join sources.policy_events as events
        on events.kind = 'debt_limit_state'
        and events.effective_date <= origins.as_of_date
        and events.known_at <= origins.known_at
),

outlooks as (
    select
        origins.as_of_date,
        moments.as_of_date as expected_as_of_date,
        row_number() over (partition by origins.as_of_date order by moments.moment desc) as recency
    from origins
    join marts.outlook_moments as moments
        on not moments.is_open
        and moments.moment <= origins.known_at
        and moments.moment > origins.known_at - interval 7 day
)

select
    points.as_of_date,
    points.week_ending,
    row_number() over (partition by points.as_of_date order by points.week_ending) as weeks_ahead,
    origins.closing_usd_mn,
    points.quarter_end,
    points.target_usd_mn,
    points.statement_date,
    points.implied_balance_usd_mn,
    points.implied_balance_usd_mn - coalesce(
        lag(points.implied_balance_usd_mn) over (partition by points.as_of_date order by points.week_ending),
        origins.closing_usd_mn
    ) as implied_change_usd_mn,
    expected.expected_level_usd_mn as expected_balance_usd_mn,
    expected.expected_level_usd_mn + (expected.expected_low_usd_mn - expected.expected_usd_mn)
        as expected_balance_low_usd_mn,
    expected.expected_level_usd_mn + (expected.expected_high_usd_mn - expected.expected_usd_mn)
        as expected_balance_high_usd_mn,
    case when expected.expected_level_usd_mn is not null then outlooks.expected_as_of_date end
        as expected_as_of_date,
    limits.subject as debt_limit_state,
    origins.known_at
from points
join origins on origins.as_of_date = points.as_of_date
left join limits on limits.as_of_date = points.as_of_date and limits.recency = 1
left join outlooks on outlooks.as_of_date = points.as_of_date and outlooks.recency = 1
left join marts.drain_outlook as expected
    on expected.as_of_date = outlooks.expected_as_of_date
    and expected.week_ending = points.week_ending
    and expected.component = 'tga'
