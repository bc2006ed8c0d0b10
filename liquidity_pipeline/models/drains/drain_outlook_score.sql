-- What past Fridays expected of the Treasury's account and of reserves, against what happened; beside
-- it the errors of expecting no change, and of the path to the balance that Treasury assumed.
with actuals as (
    select
        outlook.*,
        case outlook.component
            when 'tga' then later.tga_usd_mn - start.tga_usd_mn
            else start.reserves_usd_mn - later.reserves_usd_mn
        end as actual_usd_mn,
        later.known_at as actual_known_at
    from marts.drain_outlook as outlook
    join marts.reserve_drains as start on start.week_ending = outlook.start_date
    join marts.reserve_drains as later on later.week_ending = outlook.week_ending
    where outlook.component in ('tga', 'drain_reserves')
)

select
    actuals.as_of_date,
    actuals.weeks_ahead,
    actuals.component,
    actuals.week_ending,
    actuals.expected_usd_mn,
    actuals.actual_usd_mn,
    actuals.actual_usd_mn - actuals.expected_usd_mn as error_usd_mn,
    actuals.actual_usd_mn as no_change_error_usd_mn,
    case when actuals.component = 'tga' then
        actuals.actual_usd_mn - (implied.implied_balance_usd_mn - actuals.start_level_usd_mn)
    end as implied_error_usd_mn,
    actuals.actual_usd_mn between actuals.expected_low_usd_mn and actuals.expected_high_usd_mn
        as is_in_band,
    greatest(actuals.known_at, actuals.actual_known_at) as known_at
from actuals
left join marts.tga_trajectory as implied
    on implied.as_of_date = actuals.start_date and implied.week_ending = actuals.week_ending
-- A week whose line of H.4.1 did not come has no outcome to compare with.
where actuals.actual_usd_mn is not null
