-- Is this file fresh, and what is stale?
select * from bi.freshness_summary
