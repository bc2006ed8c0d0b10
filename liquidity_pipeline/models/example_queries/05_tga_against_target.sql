-- How far is the Treasury's account from the balance that it assumed for the end of the quarter?
select record_date, closing_usd_mn, target_usd_mn, gap_to_target_usd_mn
from marts.tga_daily
order by record_date desc
limit 60
