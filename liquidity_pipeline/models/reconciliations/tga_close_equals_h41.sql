-- The statement's close equals H.4.1's Wednesday level, to the million.
with daily as (
    -- The account's balance on every calendar day: a day without a statement keeps the last one.
    select
        days.date,
        days.week_ending,
        last_value(balance.closing_usd_mn ignore nulls) over (order by days.date) as closing_usd_mn
    from meta.calendar_days as days
    left join sources.tga_balance as balance on balance.record_date = days.date
)
select h41.observation_date as day, h41.value_usd_mn - tga.closing_usd_mn as difference
        from sources.fed_balance_sheet as h41
        join daily as tga on tga.date = h41.observation_date
        where h41.series = 'WDTGAL'
            and h41.observation_date <= (select max(record_date) from sources.tga_balance)
