-- Issues less redemptions and buybacks equal the marketable lines of table IIIA, without the accrual of
-- inflation-protected securities. What buybacks retired no longer matures. Where buybacks are not served
-- they are the difference; days of which it is not known what they took, or had retired, are left out.
select statement.record_date as day, statement.net_usd_mn - coalesce(settled.net_usd_mn, 0)
        as difference
    from (
        select record_date, sum(case transaction_type when 'Issues' then amount_usd_mn
            else -amount_usd_mn end) as net_usd_mn
        from sources.debt_transactions
        where 
dts_table = 'IIIA' and security_market = 'Marketable' and security_type in
    ('Bills', 'Notes', 'Bonds', 'Inflation-Protected Securities', 'Floating Rate Notes')
        group by record_date
    ) as statement
    left join (
        select settlement_date,
            sum(issued_usd_mn - redeemed_usd_mn - coalesce(buyback_usd_mn, 0)) as net_usd_mn,
            bool_and(redeemed_usd_mn is not null
                and (buyback_usd_mn is not null or bought.known_through is null)) as is_known
        from marts.settlement_calendar
        left join meta.coverage as bought
            on bought.table_name = 'debt_settlements' and bought.entity = 'buybacks'
        group by settlement_date
    ) as settled on settled.settlement_date = statement.record_date
    where coalesce(settled.is_known, true)
