-- Issues less redemptions and buybacks equal the marketable lines of table IIIA, without the accrual of inflation-protected securities. Where buybacks are not served they are the difference.
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
        select settlement_date, sum(case leg when 'issue' then par_usd_mn else -par_usd_mn end)
            as net_usd_mn
        from sources.debt_settlements
        group by settlement_date
    ) as settled on settled.settlement_date = statement.record_date
