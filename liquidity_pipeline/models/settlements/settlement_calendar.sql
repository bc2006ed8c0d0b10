-- Net settlement of marketable Treasury debt by day and class, past and future.
--
-- net = issued - redeemed at face value, SOMA add-ons on both sides, buybacks apart.
-- net_public leaves the Fed out, whose add-ons are an exchange for what it holds and matures: issued
-- without add-ons less what the public holds of the maturing. The latter is Treasury's estimate per
-- group (bills, coupons), and each class bears it in proportion to its redemptions. It counts the
-- inflation compensation of TIPS and leaves out what buybacks have retired, neither of which is known
-- per auction. Where it is not published, add-ons are taken to equal the Fed's maturities (a full
-- roll-over), and net_public equals net; an issue without results has no add-on yet, and is taken to
-- get that of the last one of its term.
-- Source: method, C4 view 3 (who pays); Treasury's auction records.
with settlements as (
    select *, case when security_class in ('bill', 'cmb') then 'bills' else 'coupons' end as security_group
    from sources.debt_settlements
    union all
    select *, case when security_class in ('bill', 'cmb') then 'bills' else 'coupons' end as security_group
    from sources.upcoming_settlements as upcoming
    -- An old snapshot says nothing about days that have passed.
    where settlement_date > (select today from meta.clock)
        and not exists (
            select 1 from sources.debt_settlements as settled where settled.record_id = upcoming.record_id
        )
),

last_add_ons as (
    select security_class, security_term, arg_max(soma_usd_mn, (results_at, soma_usd_mn)) as soma_usd_mn
    from sources.debt_settlements
    where leg = 'issue' and soma_usd_mn is not null
    group by security_class, security_term
),

-- Sums are exact to the dollar, in whatever order they were taken.
by_class as (
    select
        settlement_date,
        settlements.security_class,
        security_group,
        round(coalesce(sum(case when leg = 'issue' then par_usd_mn end), 0), 6) as issued_usd_mn,
        round(coalesce(sum(case when leg = 'redemption' then par_usd_mn end), 0), 6) as redeemed_usd_mn,
        round(coalesce(sum(case when leg = 'buyback' then par_usd_mn end), 0), 6) as buyback_usd_mn,
        round(coalesce(sum(case when leg = 'issue' then settlements.soma_usd_mn end), 0), 6) as soma_issued_usd_mn,
        round(coalesce(sum(case
            when leg = 'issue' and status = 'announced' and settlements.soma_usd_mn is null then last_add_ons.soma_usd_mn
        end), 0), 6) as add_ons_to_come_usd_mn,
        max(case when leg = 'issue' then
            case status when 'scheduled' then 4 when 'announced' then 3 when 'auctioned' then 2 else 1 end
        end) as issue_doubt,
        max(case status when 'scheduled' then 4 when 'announced' then 3 when 'auctioned' then 2 else 1 end) as doubt,
        max(known_at) as known_at
    from settlements
    left join last_add_ons
        on last_add_ons.security_class = settlements.security_class
        and last_add_ons.security_term = settlements.security_term
    group by settlement_date, settlements.security_class, security_group
),

maturing as (
    select
        days.fed_on_or_after as settlement_date,
        holdings.security_group,
        sum(holdings.public_usd_mn) as public_usd_mn,
        max(holdings.known_at) as known_at
    from sources.maturing_holdings as holdings
    join meta.calendar_days as days on days.date = holdings.maturing_date
    group by days.fed_on_or_after, holdings.security_group
),

with_group as (
    select
        by_class.*,
        round(sum(redeemed_usd_mn) over day_and_group, 6) as group_redeemed_usd_mn,
        max(known_at) over day_and_group as group_known_at
    from by_class
    window day_and_group as (partition by settlement_date, security_group)
),

-- A zero where something matures is a gap in the estimate.
with_holdings as (
    select
        with_group.*,
        (maturing.public_usd_mn > 0) = (with_group.group_redeemed_usd_mn > 0) as is_published,
        maturing.public_usd_mn as group_public_usd_mn,
        maturing.known_at as holdings_known_at
    from with_group
    left join maturing
        on maturing.settlement_date = with_group.settlement_date
        and maturing.security_group = with_group.security_group
)

select
    settlement_date,
    security_class,
    issued_usd_mn,
    redeemed_usd_mn,
    buyback_usd_mn,
    round(issued_usd_mn - redeemed_usd_mn, 6) as net_usd_mn,
    round(
        case
            when is_published and redeemed_usd_mn > 0
                then issued_usd_mn - soma_issued_usd_mn
                    - group_public_usd_mn * redeemed_usd_mn / group_redeemed_usd_mn
            when is_published then issued_usd_mn - soma_issued_usd_mn
            else issued_usd_mn + add_ons_to_come_usd_mn - redeemed_usd_mn
        end,
        6
    ) as net_public_usd_mn,
    case when is_published then 'published' else 'assumed' end as soma_basis,
    case coalesce(issue_doubt, doubt)
        when 4 then 'scheduled' when 3 then 'announced' when 2 then 'auctioned' else 'settled'
    end as status,
    greatest(group_known_at, coalesce(holdings_known_at, group_known_at)) as known_at
from with_holdings
