-- What did publishers change after it was first read?
select * from meta.revisions order by seen_at desc limit 100
