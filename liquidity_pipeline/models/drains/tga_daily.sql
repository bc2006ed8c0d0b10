-- The Treasury's account by day: its flows, and its distance from the assumed quarter-end balance.
--
-- change = net_debt_cash + other_flows, on the cash basis of the Daily Treasury Statement (table II);
-- without both of its lines, issues and redemptions, the split is NULL. The target is the
-- end-of-quarter balance of the last financing estimate that was public when the statement was.
-- Source: method, C4 view 2 (attribution of the change).
with balances as (
    select
        balance.*,
        days.fed_number,
        days.quarter_end
    from sources.tga_balance as balance
    join meta.calendar_days as days on days.date = balance.record_date
),

debt_cash as (
    select
        record_date,
        sum(case when transaction_type = 'Issues' then amount_usd_mn else -amount_usd_mn end) as net_debt_cash_usd_mn,
        max(known_at) as known_at
    from sources.debt_transactions
    where dts_table = 'II'
    group by record_date
    having count(distinct transaction_type) = 2
),

targets as (
    select
        balances.record_date,
        events.value * 1000 as target_usd_mn,
        row_number() over (partition by balances.record_date order by events.event_date desc) as recency
    from balances
    join sources.policy_events as events
        on events.kind = 'refunding_cash_balance'
        and events.effective_date = balances.quarter_end
        and events.known_at <= balances.known_at
)

select
    today.record_date,
    today.opening_usd_mn,
    today.deposits_usd_mn,
    today.withdrawals_usd_mn,
    today.closing_usd_mn,
    today.closing_usd_mn - before.closing_usd_mn as change_1d_usd_mn,
    today.closing_usd_mn - week_before.closing_usd_mn as change_5d_usd_mn,
    debt_cash.net_debt_cash_usd_mn,
    today.closing_usd_mn - before.closing_usd_mn - debt_cash.net_debt_cash_usd_mn as other_flows_usd_mn,
    targets.target_usd_mn,
    targets.target_usd_mn - today.closing_usd_mn as gap_to_target_usd_mn,
    greatest(today.known_at, coalesce(debt_cash.known_at, today.known_at)) as known_at
from balances as today
left join balances as before on before.fed_number = today.fed_number - 1
left join balances as week_before on week_before.fed_number = today.fed_number - 5
left join debt_cash on debt_cash.record_date = today.record_date
left join targets on targets.record_date = today.record_date and targets.recency = 1
