-- The seven-day average (Thursday to Wednesday) of closes equals H.4.1's week average.
with daily as (
    -- The account's balance on every calendar day: a day without a statement keeps the last one.
    select
        days.date,
        days.week_ending,
        last_value(balance.closing_usd_mn ignore nulls) over (order by days.date) as closing_usd_mn
    from meta.calendar_days as days
    left join sources.tga_balance as balance on balance.record_date = days.date
)
select h41.observation_date as day, h41.value_usd_mn - tga.average_usd_mn as difference
        from sources.fed_balance_sheet as h41
        join (
            select week_ending, avg(closing_usd_mn) as average_usd_mn
            from daily
            group by week_ending
            having count(closing_usd_mn) = 7
        ) as tga on tga.week_ending = h41.observation_date
        where h41.series = 'WTREGEN'
            and h41.observation_date <= (select max(record_date) from sources.tga_balance)
