-- The rows that were public at the clock.
select * from lake.{name} where known_at <= (select now from meta.clock)
