-- Returns by asset and session, dividends included; on each asset's own clock and on a common one.
--
-- A share's session is New York's, closing at 16:00 there (13:00 on short days); a coin's is the UTC
-- day, closing at 00:00 of the next, 19:00 or 20:00 in New York. Five sessions are a week of the one and
-- five days of the other, so returns of different assets compare only in the columns new_york: there a
-- coin is measured between the UTC closes of the same two New York sessions as the shares. What moves it
-- in the 3 to 4 hours after their close belongs to the shares' next session: no closer price is stored.
-- return_5d is close to close over five returns (t against t-5); return_5_sessions is the press
-- convention, from the first to the last close of five sessions (t against t-4). A return from or to a missing
-- session is NULL. Volatility is the sample deviation of 20 daily returns, annualised with 252
-- sessions or 365 days. Drawdowns are against the highest close since the first one that is stored here:
-- of the price alone, and of the price with dividends reinvested.
-- A price counts that comes from the symbol's first provider. Another's is in the sources beside it:
-- it is near, not equal, lacks dividends, and a return from one to the other is neither's.
-- Nor does a price that a second provider has disputed: a later fetch that the second provider did not
-- answer brings it unchecked, and settles nothing.
-- What is summed over sessions is summed as decimals: a sum of floating-point numbers depends on how
-- much history the engine happens to hold, and a row must not.
with prices as (
    select trade_date as date, symbol as asset, source as provider, close, dividend, known_at
    from sources.index_prices
    where not exists (
        select 1 from sources.price_disagreements as disputed
        where disputed.trade_date = index_prices.trade_date
            and disputed.symbol = index_prices.symbol
    )
    union all
    select trade_date, symbol, venue, close, null, known_at
    from sources.crypto_prices
    where not exists (
        select 1 from sources.crypto_disagreements as disputed
        where disputed.trade_date = crypto_prices.trade_date
            and disputed.symbol = crypto_prices.symbol
    )
),

numbered as (
    select
        prices.*,
        universe.asset_class,
        universe.is_crypto,
        case when universe.is_crypto then days.day_number else days.nyse_number end as session,
        case when days.is_nyse then days.nyse_number end as new_york_session
    from prices
    join meta.universe as universe
        on universe.asset = prices.asset
        and split_part(universe.providers, ':', 1) = prices.provider
    join meta.calendar_days as days on days.date = prices.date
),

reinvestments as (
    -- What one share has become, each dividend having bought more of it at the close of its ex-date.
    select
        *,
        close * exp(cast(sum(cast(ln(1 + coalesce(dividend, 0) / close) as decimal(18, 15))) over history as double))
            as worth,
        max(close) over history as highest_close,
        min(date) over history as first_date
    from numbered
    window history as (partition by asset order by date rows between unbounded preceding and current row)
),

reinvested as (
    select
        *,
        max(worth) over (
            partition by asset order by date rows between unbounded preceding and current row
        ) as highest_worth
    from reinvestments
),

returns as (
    select
        today.date,
        today.asset,
        today.asset_class,
        today.is_crypto,
        today.session,
        today.new_york_session,
        today.worth,
        today.close,
        today.known_at,
        today.first_date,
        (today.close / today.highest_close - 1) * 100 as drawdown_pct,
        (today.worth / today.highest_worth - 1) * 100 as drawdown_with_dividends_pct,
        (today.worth / back_1.worth - 1) * 100 as return_1d_pct,
        (today.worth / back_4.worth - 1) * 100 as return_5_sessions_pct,
        (today.worth / back_5.worth - 1) * 100 as return_5d_pct,
        (today.worth / back_20.worth - 1) * 100 as return_20d_pct
    from reinvested as today
    left join reinvested as back_1 on back_1.asset = today.asset and back_1.session = today.session - 1
    left join reinvested as back_4 on back_4.asset = today.asset and back_4.session = today.session - 4
    left join reinvested as back_5 on back_5.asset = today.asset and back_5.session = today.session - 5
    left join reinvested as back_20 on back_20.asset = today.asset and back_20.session = today.session - 20
),

coins as (
    select asset, new_york_session as session, worth
    from reinvested
    where is_crypto and new_york_session is not null
),

-- The same on the common clock; for shares it is their own.
on_new_york as (
    select
        today.*,
        before.date as new_york_5d_from,
        case when today.is_crypto then (today.worth / back_1.worth - 1) * 100 else today.return_1d_pct end
            as return_1d_new_york_pct,
        case when today.is_crypto then (today.worth / back_4.worth - 1) * 100 else today.return_5_sessions_pct end
            as return_5_sessions_new_york_pct,
        case when today.is_crypto then (today.worth / back_5.worth - 1) * 100 else today.return_5d_pct end
            as return_5d_new_york_pct,
        case when today.is_crypto then (today.worth / back_20.worth - 1) * 100 else today.return_20d_pct end
            as return_20d_new_york_pct
    from returns as today
    left join meta.calendar_days as before
        on before.is_nyse and before.nyse_number = today.new_york_session - 5
    left join coins as back_1 on back_1.asset = today.asset and back_1.session = today.new_york_session - 1
    left join coins as back_4 on back_4.asset = today.asset and back_4.session = today.new_york_session - 4
    left join coins as back_5 on back_5.asset = today.asset and back_5.session = today.new_york_session - 5
    left join coins as back_20 on back_20.asset = today.asset and back_20.session = today.new_york_session - 20
),

sums as (
    select
        *,
        count(step) over month as steps,
        cast(sum(step) over month as double) as sum_of_steps,
        cast(sum(cast(step as decimal(19, 8)) * step) over month as double) as sum_of_squares
    from (select *, cast(return_1d_pct as decimal(18, 8)) as step from on_new_york)
    window month as (partition by asset order by session range between 19 preceding and current row)
)

select
    date,
    asset,
    asset_class,
    case when is_crypto then 'UTC day' else 'New York session' end as session_kind,
    close,
    return_1d_pct,
    return_5d_pct,
    return_5_sessions_pct,
    return_20d_pct,
    return_1d_new_york_pct,
    return_5d_new_york_pct,
    return_5_sessions_new_york_pct,
    return_20d_new_york_pct,
    new_york_5d_from,
    drawdown_pct,
    drawdown_with_dividends_pct,
    first_date as drawdown_since,
    case when steps = 20
        then sqrt(greatest(0, sum_of_squares - sum_of_steps * sum_of_steps / 20) / 19
            * case when is_crypto then 365 else 252 end)
    end as vol_20d_pct,
    known_at
from sums
