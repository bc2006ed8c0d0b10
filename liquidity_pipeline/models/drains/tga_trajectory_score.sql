-- What each refunding statement implied for the Treasury's account, and what happened.
--
-- The path of the first Daily Treasury Statement published after the refunding statement, against the
-- balance on each Wednesday; with the error of expecting no change.
with first_paths as (
    select
        *,
        row_number() over (partition by statement_date, week_ending order by as_of_date) as recency
    from marts.tga_trajectory
),

-- On a Wednesday without a statement the last close is used: it has the same count of business days.
balances as (
    select
        weeks.date as week_ending,
        weeks.known_by,
        balance.closing_usd_mn
    from meta.calendar_days as weeks
    join meta.calendar_days as days on days.fed_number = weeks.fed_number and days.is_fed
    join sources.tga_balance as balance on balance.record_date = days.date
    cross join meta.clock as clock
    where weeks.date = weeks.week_ending and weeks.known_by <= clock.now
)

select
    paths.statement_date,
    paths.week_ending,
    paths.as_of_date,
    paths.weeks_ahead,
    paths.closing_usd_mn,
    paths.implied_balance_usd_mn,
    balances.closing_usd_mn as actual_balance_usd_mn,
    balances.closing_usd_mn - paths.implied_balance_usd_mn as error_usd_mn,
    balances.closing_usd_mn - paths.closing_usd_mn as no_change_error_usd_mn,
    paths.debt_limit_state,
    balances.known_by as known_at
from first_paths as paths
join balances on balances.week_ending = paths.week_ending
where paths.recency = 1
