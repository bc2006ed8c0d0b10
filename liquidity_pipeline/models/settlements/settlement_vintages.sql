-- Net settlement by day and class as it was known on each Friday evening, and as it is known now.
-- This is the only place that decides who pays: calendar, outlook and score read it.
--
-- What the public pays: issues without the Fed's add-ons, less what it holds of the maturing. That part
-- is known in three ways, the best one served is taken per day and group (bills, coupons):
--   holdings    the Fed's securities by CUSIP on the last Wednesday before
--   published   Treasury's estimate, stated on the auctions that refund the group; each class bears it in
--               proportion to its redemptions
--   assumed     at least what it took of these securities at their auctions, and what it takes as add-on
--               on the day, for add-ons replace what matures. For bills the first is nearly all (on 472
--               of 500 bill days from 2016 to 2025 the two agree to 5 million). Of coupons it had bought
--               in the market as well: until the add-ons are known that part is taken to be as large,
--               of the securities that its purchases could reach, as in the 400 days before
-- An announced issue has no add-on yet: the group is taken to get what the Fed holds of the maturing, so
-- that one estimate enters issues and maturities. A buyback retires securities, which no longer mature;
-- those that settle after the month's end are not asked for before it.
-- A row is complete when nothing is expected to be announced any more for its day and group
-- (marts.expected_issues); what matures without an issue is then redeemed. Beyond eight weeks nobody has
-- looked for issues: what matures then is known, and what refunds it is not. Days more than a year ahead
-- are left out.
-- Source: method, C4 view 3 (who pays); Treasury's auction records.
with seen as (
    select moments.as_of_date, moments.is_open, moments.moment, legs.*
    from marts.outlook_moments as moments
    join marts.settlement_legs as legs
        on legs.first_known_at <= moments.moment
        and legs.settlement_date > moments.as_of_date
        and legs.settlement_date <= moments.as_of_date + 58
    where not moments.is_open
    union all
    select moments.as_of_date, moments.is_open, moments.moment, legs.*
    from marts.outlook_moments as moments
    join marts.settlement_legs as legs
        on legs.settlement_date <= moments.as_of_date + interval 1 year
    where moments.is_open
),

legs as (
    select *, coalesce(results_at <= moment, false) as has_results from seen
),

last_purchase as (
    select moments.as_of_date, moments.is_open, max(operations.operation_date) as operation_date
    from marts.outlook_moments as moments
    join sources.fed_operations as operations
        on operations.known_at <= moments.moment
        and operations.direction = 'purchase'
        and operations.security_class in ('coupon', 'tips')
        and not operations.is_small_value
    group by moments.as_of_date, moments.is_open
),

-- Without the record of its purchases the Fed's part of coupons to come cannot be told.
purchases_known as (
    select moments.as_of_date, moments.is_open,
        coalesce(
            operations.known_through >= least(moments.as_of_date, operations.expected_through), false
        ) as is_known
    from marts.outlook_moments as moments
    left join meta.coverage as operations
        on operations.table_name = 'fed_operations' and operations.entity = ''
),

-- What buybacks had retired of a security by the day on which it matures.
redeemed_securities as (
    select
        legs.as_of_date, legs.is_open, legs.moment, legs.settlement_date, legs.security_class,
        legs.security_group, legs.cusip,
        bool_or(legs.is_cmb) as is_cmb,
        sum(case when legs.has_results or legs.results_at is null then legs.par_usd_mn
            else legs.offering_usd_mn end) as par_usd_mn,
        sum(case when legs.has_results then legs.soma_usd_mn end) as own_add_ons_usd_mn,
        sum(case when legs.security_group = 'coupons' and (
            last_purchase.operation_date is null or legs.issue_date < last_purchase.operation_date
        ) then legs.par_usd_mn - coalesce(legs.soma_usd_mn, 0) else 0 end) as reachable_usd_mn
    from legs
    left join last_purchase using (as_of_date, is_open)
    where legs.leg = 'redemption'
    group by legs.as_of_date, legs.is_open, legs.moment, legs.settlement_date, legs.security_class,
        legs.security_group, legs.cusip
),

retired as (
    select
        redeemed.as_of_date, redeemed.is_open, redeemed.settlement_date, redeemed.cusip,
        sum(bought.accepted_usd_mn) as retired_usd_mn
    from redeemed_securities as redeemed
    join sources.buyback_securities as bought
        on bought.cusip = redeemed.cusip
        and bought.settlement_date < redeemed.settlement_date
        and bought.known_at <= redeemed.moment
    group by redeemed.as_of_date, redeemed.is_open, redeemed.settlement_date, redeemed.cusip
),

soma_weeks as (
    select as_of_date as week, max(known_at) as known_at
    from sources.soma_securities
    group by as_of_date
),

-- The newest week of holdings that was public and lies before the maturity, at most two weeks old.
soma_week_of_day as (
    select days.as_of_date, days.is_open, days.settlement_date, max(soma_weeks.week) as week
    from (
        select distinct as_of_date, is_open, moment, settlement_date from redeemed_securities
    ) as days
    join soma_weeks
        on soma_weeks.known_at <= days.moment
        and soma_weeks.week < days.settlement_date
        and soma_weeks.week >= least(days.settlement_date, days.as_of_date) - 14
    group by days.as_of_date, days.is_open, days.settlement_date
),

redeemed as (
    select
        securities.as_of_date, securities.is_open, securities.settlement_date,
        securities.security_class, securities.security_group,
        any_value(weeks.week) as soma_week,
        sum(greatest(securities.par_usd_mn - coalesce(retired.retired_usd_mn, 0), 0)) as redeemed_usd_mn,
        sum(case when securities.is_cmb
            then securities.par_usd_mn end) as cmb_redeemed_usd_mn,
        sum(securities.own_add_ons_usd_mn) as own_add_ons_usd_mn,
        sum(securities.reachable_usd_mn) as reachable_usd_mn,
        -- least() passes over NULL: what the Fed does not hold is zero before it is compared.
        sum(least(
            coalesce(soma.par_usd_mn, 0), securities.par_usd_mn - coalesce(retired.retired_usd_mn, 0)
        )) as soma_par_usd_mn,
        sum(greatest(
            securities.par_usd_mn - coalesce(retired.retired_usd_mn, 0) - coalesce(soma.par_usd_mn, 0), 0
        ) * coalesce(soma.inflation_usd_mn / nullif(soma.par_usd_mn, 0), 0)) as public_inflation_usd_mn
    from redeemed_securities as securities
    left join retired using (as_of_date, is_open, settlement_date, cusip)
    left join soma_week_of_day as weeks using (as_of_date, is_open, settlement_date)
    left join sources.soma_securities as soma
        on soma.as_of_date = weeks.week and soma.cusip = securities.cusip
    group by securities.as_of_date, securities.is_open, securities.settlement_date,
        securities.security_class, securities.security_group
),

issued as (
    select
        legs.as_of_date, legs.is_open, legs.settlement_date, legs.security_class, legs.security_group,
        sum(case when leg = 'issue' and has_results then par_usd_mn end) as auctioned_usd_mn,
        sum(case when leg = 'issue' and not has_results and announced_at <= moment
            then offering_usd_mn end) as announced_usd_mn,
        count(*) filter (
            where leg = 'issue' and not has_results and (announced_at is null or announced_at > moment)
        ) as scheduled_issues,
        sum(case when leg = 'issue' and has_results then legs.soma_usd_mn end) as add_ons_usd_mn,
        sum(case when leg = 'issue' and is_cmb then case when has_results then par_usd_mn
            else offering_usd_mn end end) as cmb_issued_usd_mn,
        sum(case when leg = 'issue' and is_cmb and has_results then legs.soma_usd_mn end)
            as cmb_add_ons_usd_mn,
        sum(case when leg = 'buyback' and has_results then par_usd_mn end) as buyback_usd_mn,
        sum(case when leg = 'buyback' and not has_results then offering_usd_mn end)
            as buyback_maximum_usd_mn,
        max(case when leg = 'issue' then
            case when has_results then 2 when announced_at <= moment then 3 else 4 end
        end) as issue_doubt,
        max(case when leg = 'buyback' then null when has_results then known_at
            else coalesce(announced_at, known_at) end) as known_at
    from legs
    group by legs.as_of_date, legs.is_open, legs.settlement_date, legs.security_class,
        legs.security_group
),

expected as (
    select
        coming.as_of_date, coming.is_open, coming.settlement_date, coming.security_class,
        case when coming.security_class = 'bill' then 'bills' else 'coupons' end as security_group,
        sum(coming.offering_usd_mn) as expected_issues_usd_mn,
        max(coming.known_at) as known_at
    from marts.expected_issues as coming
    group by coming.as_of_date, coming.is_open, coming.settlement_date, coming.security_class
),

-- A short bill that is still to be announced matures within the eight weeks.
expected_maturities as (
    select
        coming.as_of_date, coming.is_open, days.fed_on_or_after as settlement_date,
        coming.security_class,
        'bills' as security_group,
        sum(coming.offering_usd_mn) as expected_redeemed_usd_mn,
        max(coming.known_at) as known_at
    from marts.expected_issues as coming
    join meta.calendar_days as days
        on days.date = coming.settlement_date + 7 * cast(split_part(coming.tenor, '-', 1) as integer)
    where coming.security_class = 'bill' and days.fed_on_or_after <= coming.as_of_date + 58
    group by coming.as_of_date, coming.is_open, days.fed_on_or_after, coming.security_class
),

days as (
    select as_of_date, is_open, settlement_date, security_class, security_group from issued
    union
    select as_of_date, is_open, settlement_date, security_class, security_group from expected
    union
    select as_of_date, is_open, settlement_date, security_class, security_group
    from expected_maturities
),

by_class as (
    select
        days.*,
        moments.moment,
        round(coalesce(issued.auctioned_usd_mn, 0), 6) as auctioned_usd_mn,
        round(coalesce(issued.announced_usd_mn, 0), 6) as announced_usd_mn,
        coalesce(issued.scheduled_issues, 0) as scheduled_issues,
        round(coalesce(issued.add_ons_usd_mn, 0), 6) as add_ons_usd_mn,
        round(coalesce(expected.expected_issues_usd_mn, 0), 6) as expected_issues_usd_mn,
        round(coalesce(maturities.expected_redeemed_usd_mn, 0), 6) as expected_redeemed_usd_mn,
        round(coalesce(redeemed.redeemed_usd_mn, 0), 6) as redeemed_usd_mn,
        round(coalesce(issued.cmb_issued_usd_mn, 0), 6) as cmb_issued_usd_mn,
        round(coalesce(redeemed.cmb_redeemed_usd_mn, 0), 6) as cmb_redeemed_usd_mn,
        round(coalesce(issued.cmb_add_ons_usd_mn, 0), 6) as cmb_add_ons_usd_mn,
        redeemed.soma_week,
        round(coalesce(redeemed.own_add_ons_usd_mn, 0), 6) as own_add_ons_usd_mn,
        round(coalesce(redeemed.reachable_usd_mn, 0), 6) as reachable_usd_mn,
        round(coalesce(redeemed.soma_par_usd_mn, 0), 6) as soma_par_usd_mn,
        round(coalesce(redeemed.public_inflation_usd_mn, 0), 6) as public_inflation_usd_mn,
        round(coalesce(issued.buyback_usd_mn, 0), 6) as buyback_usd_mn,
        round(coalesce(issued.buyback_maximum_usd_mn, 0), 6) as buyback_maximum_usd_mn,
        issued.issue_doubt,
        greatest(
            issued.known_at,
            expected.known_at,
            maturities.known_at,
            -- That Treasury buys nothing back is known as late as what it buys: by the day itself.
            case when days.settlement_date >= date '2024-05-29'
                then least(days.settlement_date + interval 4 hour, moments.moment) end
        ) as known_at
    from days
    join marts.outlook_moments as moments using (as_of_date, is_open)
    left join issued using (as_of_date, is_open, settlement_date, security_class)
    left join redeemed using (as_of_date, is_open, settlement_date, security_class)
    left join expected using (as_of_date, is_open, settlement_date, security_class)
    left join expected_maturities as maturities
        using (as_of_date, is_open, settlement_date, security_class)
),

with_group as (
    select
        *,
        round(sum(redeemed_usd_mn) over day_and_group, 6) as group_redeemed_usd_mn,
        round(sum(add_ons_usd_mn) over day_and_group, 6) as group_add_ons_usd_mn,
        round(sum(own_add_ons_usd_mn) over day_and_group, 6) as group_own_usd_mn,
        round(sum(case when security_class <> 'tips' then reachable_usd_mn else 0 end)
            over day_and_group, 6) as nominal_reachable_usd_mn,
        round(sum(case when security_class = 'tips' then reachable_usd_mn else 0 end)
            over day_and_group, 6) as tips_reachable_usd_mn,
        round(sum(soma_par_usd_mn) over day_and_group, 6) as group_soma_par_usd_mn,
        sum(announced_usd_mn + expected_issues_usd_mn) over day_and_group as group_pending_usd_mn,
        sum(expected_issues_usd_mn + expected_redeemed_usd_mn) over day_and_group = 0
            and settlement_date <= as_of_date + 58 as is_announced,
        max(soma_week) over day_and_group is not null as is_held,
        max(known_at) over day_and_group as group_known_at
    from by_class
    window day_and_group as (partition by as_of_date, is_open, settlement_date, security_group)
),

maturing as (
    select
        days.fed_on_or_after as settlement_date,
        holdings.security_group,
        sum(holdings.public_usd_mn) as public_usd_mn,
        sum(holdings.soma_usd_mn) as soma_usd_mn,
        max(holdings.known_at) as known_at
    from sources.maturing_holdings as holdings
    join meta.calendar_days as days on days.date = holdings.maturing_date
    group by days.fed_on_or_after, holdings.security_group
),

-- A zero where something matures is a gap in the estimate.
with_basis as (
    select
        with_group.*,
        maturing.public_usd_mn as group_public_usd_mn,
        maturing.soma_usd_mn as group_soma_usd_mn,
        case
            when with_group.is_held then 'holdings'
            when (maturing.public_usd_mn > 0) = (with_group.group_redeemed_usd_mn > 0) then 'published'
            when with_group.group_redeemed_usd_mn = 0 then 'none'
            else 'assumed'
        end as soma_basis,
        maturing.known_at as holdings_known_at
    from with_group
    left join maturing
        on maturing.settlement_date = with_group.settlement_date
        and maturing.security_group = with_group.security_group
        and maturing.known_at <= with_group.moment
),

-- How much the Fed turned out to hold beyond its own add-ons, of what its purchases could reach: of
-- nominal coupons on days without, of inflation-protected ones on days with these.
past_days as (
    select distinct
        settlement_date,
        nominal_reachable_usd_mn,
        tips_reachable_usd_mn,
        greatest(coalesce(group_soma_usd_mn, group_add_ons_usd_mn) - group_own_usd_mn, 0) as bought_usd_mn
    from with_basis
    where is_open and security_group = 'coupons' and settlement_date <= as_of_date
),

nominal_shares as (
    select
        moments.as_of_date,
        moments.is_open,
        coalesce(
            sum(past_days.bought_usd_mn) / nullif(sum(past_days.nominal_reachable_usd_mn), 0), 0
        ) as ratio
    from marts.outlook_moments as moments
    join past_days
        on past_days.settlement_date <= moments.as_of_date
        and past_days.settlement_date > moments.as_of_date - 400
        and past_days.tips_reachable_usd_mn = 0
    group by moments.as_of_date, moments.is_open
),

market_shares as (
    select
        shares.as_of_date,
        shares.is_open,
        least(shares.ratio, 1) as nominal_ratio,
        coalesce(greatest(least(sum(
            past_days.bought_usd_mn - shares.ratio * past_days.nominal_reachable_usd_mn
        ) / sum(past_days.tips_reachable_usd_mn), 1), 0), 0) as tips_ratio
    from nominal_shares as shares
    left join past_days
        on past_days.settlement_date <= shares.as_of_date
        and past_days.settlement_date > shares.as_of_date - 400
        and past_days.tips_reachable_usd_mn > 0
    group by shares.as_of_date, shares.is_open, shares.ratio
),

with_held as (
    select
        with_basis.*,
        case when soma_basis <> 'assumed' or security_group = 'bills' or group_pending_usd_mn = 0
            or purchases_known.is_known
        then least(group_redeemed_usd_mn, case
            when soma_basis = 'holdings' then group_soma_par_usd_mn
            when soma_basis = 'published'
                then coalesce(group_soma_usd_mn, group_redeemed_usd_mn - group_public_usd_mn)
            when soma_basis = 'none' then 0
            when group_pending_usd_mn > 0 then greatest(
                group_add_ons_usd_mn,
                group_own_usd_mn + coalesce(shares.nominal_ratio, 0) * nominal_reachable_usd_mn
                    + coalesce(shares.tips_ratio, 0) * tips_reachable_usd_mn
            )
            else greatest(group_add_ons_usd_mn, group_own_usd_mn)
        end) end as group_held_usd_mn
    from with_basis
    join purchases_known using (as_of_date, is_open)
    left join market_shares as shares using (as_of_date, is_open)
),

with_public as (
    select
        *,
        case
            when redeemed_usd_mn = 0 then 0
            when soma_basis = 'holdings' then redeemed_usd_mn - soma_par_usd_mn + public_inflation_usd_mn
            when soma_basis = 'published' then group_public_usd_mn * redeemed_usd_mn / group_redeemed_usd_mn
            else redeemed_usd_mn * (1 - group_held_usd_mn / group_redeemed_usd_mn)
        end as public_redeemed_usd_mn,
        case when group_pending_usd_mn > 0 then round(
            case when group_held_usd_mn is not null
                then greatest(group_held_usd_mn - group_add_ons_usd_mn, 0) end
            * (announced_usd_mn + expected_issues_usd_mn) / group_pending_usd_mn,
            6
        ) else 0 end as add_ons_expected_usd_mn
    from with_held
)

select
    as_of_date,
    is_open,
    settlement_date,
    security_class,
    security_group,
    auctioned_usd_mn,
    announced_usd_mn,
    scheduled_issues,
    case when settlement_date <= as_of_date + 58 then expected_issues_usd_mn end as expected_issues_usd_mn,
    add_ons_usd_mn,
    add_ons_expected_usd_mn,
    redeemed_usd_mn,
    case when settlement_date <= as_of_date + 58 then expected_redeemed_usd_mn end
        as expected_redeemed_usd_mn,
    round(public_redeemed_usd_mn, 6) as public_redeemed_usd_mn,
    cmb_issued_usd_mn,
    cmb_redeemed_usd_mn,
    cmb_add_ons_usd_mn,
    buyback_usd_mn,
    case when settlement_date <= last_day(as_of_date) then buyback_maximum_usd_mn end
        as buyback_maximum_usd_mn,
    case when is_announced then round(
        auctioned_usd_mn + announced_usd_mn + add_ons_expected_usd_mn - redeemed_usd_mn, 6
    ) end as net_usd_mn,
    case when is_announced then round(
        auctioned_usd_mn - add_ons_usd_mn + announced_usd_mn - public_redeemed_usd_mn, 6
    ) end as net_public_usd_mn,
    case when settlement_date <= as_of_date + 58 then round(
        auctioned_usd_mn - add_ons_usd_mn + announced_usd_mn + expected_issues_usd_mn
        - public_redeemed_usd_mn - expected_redeemed_usd_mn,
        6
    ) end as net_public_expected_usd_mn,
    soma_basis,
    is_announced,
    case
        when issue_doubt = 4 then 'scheduled'
        when issue_doubt = 3 then 'announced'
        when settlement_date <= as_of_date then 'settled'
        when issue_doubt = 2 then 'auctioned'
        else 'scheduled'
    end as status,
    case when is_open then greatest(group_known_at, holdings_known_at) else moment end as known_at
from with_public
