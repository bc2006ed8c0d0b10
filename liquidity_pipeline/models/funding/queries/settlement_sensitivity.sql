-- What overnight repo paid and what settled, by day.

-- name: repo_and_settlements
-- The offering rate is published on days with an operation and holds until it is changed; it is
-- carried for ten days and no longer, because the series may have ended. Later values decide
-- nothing, so that a run as of a past day fills the same days. Of the
-- ratio of reserves to bank assets, what was public on the morning of the day. A day without any
-- settlement has none; one on which they are not known is a day of its window and no observation.
with rates as (
    select
        days.date,
        days.known_by,
        tgcr.rate_pct as tgcr_pct,
        last_value(award.value ignore nulls) over (
            order by days.date range between interval 10 day preceding and current row
        ) as award_pct
    from meta.calendar_days as days
    left join sources.reference_rates as tgcr
        on tgcr.effective_date = days.date and tgcr.rate = 'TGCR'
    left join sources.market_series as award
        on award.observation_date = days.date and award.series = 'RRPONTSYAWARD'
    where days.is_sifma
),

changes as (
    select *, 100 * (
        tgcr_pct - award_pct - lag(tgcr_pct - award_pct) over (order by date)
    ) as change_bp
    from rates
),

settled as (
    select
        settlement_date as date,
        sum(case when security_class = 'bill' then 0 else net_public_usd_mn end)
            as coupons_usd_mn,
        sum(case when security_class = 'bill' then net_public_usd_mn else 0 end)
            as bills_usd_mn,
        bool_and(is_settled and net_public_usd_mn is not null) as is_known
    from marts.settlement_calendar
    group by settlement_date
),

reserves as (
    select observation_date, value_usd_mn, known_at
    from sources.fed_balance_sheet
    where series = 'WRBWFRBL'
),

bank_assets as (
    select event_date as observation_date, value * 1000000 as value_usd_mn, known_at
    from sources.policy_events
    where kind = 'bank_assets'
    union all
    select observation_date, value * 1000, known_at
    from sources.market_series
    where series = 'TLAACBW027SBOG'
),

ampleness as (
    select
        reserves.known_at,
        100 * reserves.value_usd_mn / arg_max(
            bank_assets.value_usd_mn, bank_assets.observation_date
        ) as reserves_pct
    from reserves
    join bank_assets on bank_assets.known_at <= reserves.known_at
    group by reserves.known_at, reserves.value_usd_mn
),

newest as (
    select changes.date, max(ampleness.known_at) as known_at
    from changes
    join ampleness on ampleness.known_at <= changes.date
    where changes.change_bp is not null
    group by changes.date
)

select
    changes.date,
    changes.known_by,
    changes.change_bp,
    case when coalesce(settled.is_known, true) then coalesce(settled.coupons_usd_mn, 0) / 100000 end,
    case when coalesce(settled.is_known, true) then coalesce(settled.bills_usd_mn, 0) / 100000 end,
    ampleness.reserves_pct
from changes
left join settled on settled.date = changes.date
left join newest on newest.date = changes.date
left join ampleness on ampleness.known_at = newest.known_at
cross join meta.clock as clock
join meta.coverage as auctions
    on auctions.table_name = 'debt_settlements' and auctions.entity = 'auctions'
    and changes.date between auctions.known_from and auctions.known_through
where changes.change_bp is not null
    and changes.known_by <= clock.now
order by changes.date
