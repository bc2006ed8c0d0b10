-- Where the Fed's part of the maturing is assumed, it contradicts nothing that is known: per day and
-- group it is at least the add-ons taken on the day, as far as so much matures, and at most all.
select
    settlement_date as day,
    greatest(
        least(sum(add_ons_usd_mn), sum(redeemed_usd_mn)) - sum(redeemed_usd_mn - public_redeemed_usd_mn),
        -sum(public_redeemed_usd_mn),
        0
    ) as difference
from marts.settlement_vintages
where is_open and soma_basis in ('assumed', 'none')
group by settlement_date, security_group
having count(redeemed_usd_mn - public_redeemed_usd_mn) = count(*)
