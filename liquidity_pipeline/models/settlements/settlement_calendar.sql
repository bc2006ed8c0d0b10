-- Net settlement of marketable Treasury debt by day and class, past and future, as known at the clock.
--
-- The rules are marts.settlement_vintages'; here is decided how far the figures are known. A day is an
-- actual figure when Treasury's auctions are known through it: redemptions are known a year ahead, so
-- without the issues they would look like a payment to the public. Of a day ahead the net is known
-- while the auctions, and the snapshot of what is upcoming, are asked for up to now.
-- Regular buybacks began on 2024-05-29; from then on they are NULL where Treasury did not answer for
-- them. They settle on the business day after the operation: of later days nobody knows yet what
-- will be bought back, and an announced operation without results is not nothing. Nor is it known, at
-- a month's end, of days after it.
with operations as (
    select max(days.fed_number) as last_number
    from meta.calendar_days as days
    cross join meta.clock as clock
    where days.is_fed and days.date + interval 20 hour <= clock.now
),

known as (
    select
        clock.today,
        auctions.known_from,
        auctions.known_through,
        auctions.known_through >= auctions.expected_through as is_current,
        upcoming.known_through >= upcoming.expected_through as is_upcoming_current,
        buybacks.known_from as buybacks_from,
        buybacks.known_through as buybacks_through,
        buybacks.known_through >= buybacks.expected_through as are_buybacks_current
    from meta.clock as clock
    left join meta.coverage as auctions
        on auctions.table_name = 'debt_settlements' and auctions.entity = 'auctions'
    left join meta.coverage as upcoming
        on upcoming.table_name = 'upcoming_settlements' and upcoming.entity = 'auctions'
    left join meta.coverage as buybacks
        on buybacks.table_name = 'debt_settlements' and buybacks.entity = 'buybacks'
),

bounded as (
    select
        vintages.*,
        vintages.auctioned_usd_mn + vintages.announced_usd_mn as issued_usd_mn,
        coalesce(
            case when vintages.settlement_date <= known.today
                then vintages.settlement_date <= known.known_through or known.is_current
                else known.is_current and known.is_upcoming_current end,
            false
        ) as is_known,
        coalesce(
            vintages.settlement_date < date '2024-05-29'
            or (
                (
                    vintages.settlement_date between known.buybacks_from and known.buybacks_through
                    or (vintages.settlement_date > known.buybacks_through and known.are_buybacks_current)
                )
                and days.fed_number <= operations.last_number + 1
                and vintages.buyback_maximum_usd_mn = 0
            ),
            false
        ) as are_buybacks_known
    from marts.settlement_vintages as vintages
    join meta.calendar_days as days on days.date = vintages.settlement_date
    cross join known
    cross join operations
    where vintages.is_open
        and (vintages.settlement_date <= known.today or vintages.auctioned_usd_mn > 0
            or vintages.announced_usd_mn > 0 or coalesce(vintages.redeemed_usd_mn > 0, true)
            or vintages.buyback_usd_mn > 0 or vintages.buyback_maximum_usd_mn > 0
            or vintages.scheduled_issues > 0)
)

select
    settlement_date,
    security_class,
    round(issued_usd_mn, 6) as issued_usd_mn,
    redeemed_usd_mn,
    add_ons_expected_usd_mn,
    case when are_buybacks_known then buyback_usd_mn end as buyback_usd_mn,
    case when is_known then net_usd_mn end as net_usd_mn,
    case when is_known then net_public_usd_mn end as net_public_usd_mn,
    case when is_known and are_buybacks_known
        then round(net_public_usd_mn - buyback_usd_mn, 6) end as privately_held_net_usd_mn,
    cmb_issued_usd_mn,
    cmb_redeemed_usd_mn,
    case when is_known and is_announced
        then round(cmb_issued_usd_mn - cmb_redeemed_usd_mn, 6) end as cmb_net_usd_mn,
    case when is_known and is_announced then round(
        cmb_issued_usd_mn - cmb_add_ons_usd_mn
        - case when cmb_redeemed_usd_mn > 0
            then public_redeemed_usd_mn * cmb_redeemed_usd_mn / redeemed_usd_mn else 0 end,
        6
    ) end as cmb_net_public_usd_mn,
    is_announced,
    soma_basis,
    status,
    status = 'settled' and is_known as is_settled,
    known_at
from bounded
