-- Net settlements of the coming eight weeks, as known and as expected at the clock.
--
-- Amounts by certainty: issues with results, issues announced, issues on the schedule without an
-- amount, regular issues that are expected to be announced. Where these are still to come, what
-- matures is not a payment to the public but is rolled over: the net is NULL and the maturing amount
-- is in refinancing. The expected net is the sum of its parts, on every day and in every class: issues
-- auctioned less the Fed's add-ons, announced and expected, less what the public holds of the maturing
-- and what matures of bills that are themselves to be announced. Buybacks are announced at 11:00 of the
-- business day before the operation and settle on the day after it: of later days, and of the next month,
-- their maximum is not known. The effect on the overnight repo rate is the expected net of the day's
-- coupons times the slope of the last quarter in marts.settlement_sensitivity.
with slope as (
    select coefficient_bp_per_100bn, low_bp_per_100bn, high_bp_per_100bn
    from marts.settlement_sensitivity
    where window_kind = 'quarter' and regressor = 'coupons'
    order by window_end desc
    limit 1
),

announcements as (
    select max(days.fed_number) as last_number
    from meta.calendar_days as days
    cross join meta.clock as clock
    where days.is_fed and days.date + interval 16 hour <= clock.now
),

coupons as (
    select settlement_date, case when count(net_public_expected_usd_mn) = count(*)
            then sum(net_public_expected_usd_mn) end as net_usd_mn
    from marts.settlement_vintages
    where is_open and security_group = 'coupons'
    group by settlement_date
)

select
    clock.today as as_of,
    ahead.settlement_date,
    ahead.security_class,
    ahead.auctioned_usd_mn,
    ahead.announced_usd_mn,
    ahead.scheduled_issues,
    ahead.expected_issues_usd_mn,
    ahead.add_ons_usd_mn,
    ahead.add_ons_expected_usd_mn,
    ahead.redeemed_usd_mn,
    ahead.public_redeemed_usd_mn,
    ahead.expected_redeemed_usd_mn,
    calendar.net_public_usd_mn,
    case when auctions.known_through >= auctions.expected_through
        and upcoming.known_through >= upcoming.expected_through
        then ahead.net_public_expected_usd_mn end as net_public_expected_usd_mn,
    case when ahead.is_announced then 0 else ahead.redeemed_usd_mn end as refinancing_usd_mn,
    case when days.fed_number <= announcements.last_number + 2
        then ahead.buyback_maximum_usd_mn end as buyback_maximum_usd_mn,
    coupons.net_usd_mn / 100000 * slope.coefficient_bp_per_100bn as funding_effect_bp,
    least(
        coupons.net_usd_mn / 100000 * slope.low_bp_per_100bn,
        coupons.net_usd_mn / 100000 * slope.high_bp_per_100bn
    ) as funding_effect_low_bp,
    greatest(
        coupons.net_usd_mn / 100000 * slope.low_bp_per_100bn,
        coupons.net_usd_mn / 100000 * slope.high_bp_per_100bn
    ) as funding_effect_high_bp,
    ahead.soma_basis,
    ahead.known_at
from marts.settlement_vintages as ahead
cross join meta.clock as clock
cross join announcements
join meta.calendar_days as days on days.date = ahead.settlement_date
left join marts.settlement_calendar as calendar
    on calendar.settlement_date = ahead.settlement_date and calendar.security_class = ahead.security_class
left join meta.coverage as auctions
    on auctions.table_name = 'debt_settlements' and auctions.entity = 'auctions'
left join meta.coverage as upcoming
    on upcoming.table_name = 'upcoming_settlements' and upcoming.entity = 'auctions'
left join coupons on coupons.settlement_date = ahead.settlement_date and ahead.security_group = 'coupons'
left join slope on ahead.security_group = 'coupons'
where ahead.is_open
    and ahead.settlement_date > clock.today
    and ahead.settlement_date <= clock.today + 56
