-- The day's issues equal the marketable issues of table IIIA, but for small corrections.
select statement.record_date as day,
           statement.issued_usd_mn - coalesce(settled.issued_usd_mn, 0) as difference
       from (
           select record_date, sum(amount_usd_mn) as issued_usd_mn
           from sources.debt_transactions
           where 
   dts_table = 'IIIA' and security_market = 'Marketable' and security_type in
       ('Bills', 'Notes', 'Bonds', 'Inflation-Protected Securities', 'Floating Rate Notes')
and transaction_type = 'Issues'
           group by record_date
       ) as statement
       left join (
           select settlement_date, sum(par_usd_mn) as issued_usd_mn
           from sources.debt_settlements
           where leg = 'issue'
           group by settlement_date
       ) as settled on settled.settlement_date = statement.record_date
