-- What is the newest value of each gauge, and from which day?
select * from bi.dashboard
