-- Interest that Treasury pays on its notes and bonds by day, eight weeks ahead and in the past.
--
-- Half the coupon on the face amount outstanding, on the 15th or the last day of the month of maturity
-- and six months from it, moved to the next business day. What buybacks retired pays no more. The
-- principal of inflation-protected securities is taken with the inflation compensation on what the Fed
-- holds of them, where that is served, else at face; floating-rate notes, whose rate is set weekly, are
-- left out. A bond may be thirty years old: coverage_ratio says of how much of the face amount paying on
-- the day the coupon is known, among the securities that are stored.
with securities as (
    select
        cusip,
        security_class,
        max(maturity_date) as maturity_date,
        max(coupon_pct) as coupon_pct
    from marts.settlement_legs
    where cusip is not null and security_class in ('note', 'bond', 'tips') and leg in ('issue', 'redemption')
    group by cusip, security_class
),

auctions as (
    select cusip, settlement_date as issued_on, par_usd_mn, known_at
    from marts.settlement_legs
    where leg = 'issue' and cusip is not null and security_class in ('note', 'bond', 'tips')
),

coupon_days as (
    select days.date as nominal_date, days.fed_on_or_after as payment_date, days.known_by
    from meta.calendar_days as days
    cross join meta.clock as clock
    where (day(days.date) = 15 or days.date = last_day(days.date))
        and days.fed_on_or_after <= clock.today + 56
),

paying as (
    select
        coupon_days.payment_date,
        securities.security_class,
        securities.cusip,
        securities.coupon_pct,
        sum(auctions.par_usd_mn) as par_usd_mn,
        max(auctions.known_at) as known_at
    from coupon_days
    join securities
        on securities.maturity_date >= coupon_days.nominal_date
        and (month(securities.maturity_date) - month(coupon_days.nominal_date)) % 6 = 0
        and (day(securities.maturity_date) = 15) = (day(coupon_days.nominal_date) = 15)
    join auctions
        on auctions.cusip = securities.cusip and auctions.issued_on < coupon_days.payment_date
    group by coupon_days.payment_date, securities.security_class, securities.cusip, securities.coupon_pct
),

retired as (
    select paying.payment_date, paying.cusip, sum(bought.accepted_usd_mn) as retired_usd_mn
    from paying
    join sources.buyback_securities as bought
        on bought.cusip = paying.cusip and bought.settlement_date < paying.payment_date
    group by paying.payment_date, paying.cusip
),

-- The newest week of the Fed's holdings before the payment, at most two weeks old.
inflation as (
    select
        paying.payment_date,
        paying.cusip,
        arg_max(soma.inflation_usd_mn / nullif(soma.par_usd_mn, 0), soma.as_of_date) as ratio
    from paying
    cross join meta.clock as clock
    join sources.soma_securities as soma
        on soma.cusip = paying.cusip
        and soma.as_of_date < paying.payment_date
        and soma.as_of_date >= least(paying.payment_date, clock.today) - 14
    where paying.security_class = 'tips'
    group by paying.payment_date, paying.cusip
),

held as (
    select min(settlement_date) as since from marts.settlement_legs where leg = 'issue'
)

select
    paying.payment_date,
    case when held.since <= paying.payment_date - interval 10 year and sum(
        case when paying.coupon_pct is not null then paying.par_usd_mn else 0 end
    ) >= 0.99 * sum(paying.par_usd_mn) then round(sum((
        greatest(paying.par_usd_mn - coalesce(retired.retired_usd_mn, 0), 0)
        * (1 + coalesce(inflation.ratio, 0)) * paying.coupon_pct / 200
    -- Decimals give the same sum in any order, and halves are common here.
    )::decimal(38, 9))::double, 6) end as interest_usd_mn,
    round(sum(paying.par_usd_mn), 6) as paying_usd_mn,
    round(sum(case when paying.coupon_pct is not null then paying.par_usd_mn else 0 end)
        / sum(paying.par_usd_mn), 6) as coverage_ratio,
    max(paying.known_at) as known_at
from paying
cross join held
left join retired on retired.payment_date = paying.payment_date and retired.cusip = paying.cusip
left join inflation on inflation.payment_date = paying.payment_date and inflation.cusip = paying.cusip
group by paying.payment_date, held.since
