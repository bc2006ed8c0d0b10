-- Interest that Treasury pays on its notes and bonds by day, eight weeks ahead and in the past.
--
-- Half the coupon on the face amount outstanding, on the 15th or the last day of the month of maturity
-- and six months from it, moved to the next business day. What was outstanding on a stored day has
-- matured since, or is in the snapshot of all that is still to mature: a bond that was auctioned before
-- the first stored month counts by its redemption, which bears its coupon and amount. What buybacks
-- retired pays no more; where that is not known from the programme's first day on, the interest on all that
-- was auctioned is an upper bound. The principal of inflation-protected securities is taken with the
-- inflation compensation on what the Fed holds of them, where that is served, else at face; floating-rate
-- notes, whose rate is set weekly, are left out.
with held as (
    select * from sources.debt_settlements
    union all
    -- Of an old snapshot too: what was outstanding then either is still, or has paid since.
    select * from sources.upcoming_settlements
),

legs as (
    select *, substr(record_id, length(leg) + 2) as auction
    from held
    where cusip is not null and security_class in ('note', 'bond', 'tips') and leg in ('issue', 'redemption')
),

securities as (
    select
        cusip,
        security_class,
        max(maturity_date) as maturity_date,
        max(coupon_pct) as coupon_pct
    from legs
    group by cusip, security_class
),

-- An auction has an issue leg, a redemption leg or both; a snapshot may be older than its results.
auctions as (
    select
        cusip,
        auction,
        max(issue_date) as issued_on,
        coalesce(max(case when results_at is not null then par_usd_mn end), max(par_usd_mn)) as par_usd_mn,
        max(known_at) as known_at
    from legs
    group by cusip, auction
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
    select
        paying.payment_date,
        paying.cusip,
        sum(bought.accepted_usd_mn) as retired_usd_mn
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

-- Decimals give the same sum in any order, and halves are common here.
interest as (
    select
        paying.payment_date,
        sum((
            greatest(paying.par_usd_mn - coalesce(retired.retired_usd_mn, 0), 0)
            * (1 + coalesce(inflation.ratio, 0)) * paying.coupon_pct / 200
        )::decimal(38, 9))::double as usd_mn,
        sum((
            paying.par_usd_mn * (1 + coalesce(inflation.ratio, 0)) * paying.coupon_pct / 200
        )::decimal(38, 9))::double as at_most_usd_mn,
        sum(paying.par_usd_mn) as paying_usd_mn,
        sum(case when paying.coupon_pct is not null then paying.par_usd_mn else 0 end)
            / sum(paying.par_usd_mn) as coverage_ratio,
        max(paying.known_at) as known_at
    from paying
    left join retired on retired.payment_date = paying.payment_date and retired.cusip = paying.cusip
    left join inflation on inflation.payment_date = paying.payment_date and inflation.cusip = paying.cusip
    group by paying.payment_date
)

select
    interest.payment_date,
    case when interest.coverage_ratio >= 0.99
        and (interest.payment_date < date '2024-05-29' or bought.known_from <= date '2024-05-29')
        then round(interest.usd_mn, 6) end as interest_usd_mn,
    case when interest.coverage_ratio >= 0.99
        then round(interest.at_most_usd_mn, 6) end as interest_at_most_usd_mn,
    round(interest.paying_usd_mn, 6) as paying_usd_mn,
    round(interest.coverage_ratio, 6) as coverage_ratio,
    -- That nothing was bought back is known as late as what was: by the day itself.
    greatest(
        interest.known_at,
        case when interest.payment_date >= date '2024-05-29'
            then least(interest.payment_date + interval 4 hour, clock.now) end
    ) as known_at
from interest
cross join meta.clock as clock
left join meta.coverage as bought
    on bought.table_name = 'buyback_securities' and bought.entity = ''
