-- Opening balance plus deposits less withdrawals equals the close, but for rounding.
select record_date as day,
    opening_usd_mn + deposits_usd_mn - withdrawals_usd_mn - closing_usd_mn as difference
from sources.tga_balance
