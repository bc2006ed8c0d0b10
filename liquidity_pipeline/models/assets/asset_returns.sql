-- Returns by asset and session (coins: by UTC day), dividends included.
--
-- return_5d is close to close over five returns (t against t-5); return_5_sessions is the press's
-- way, from the first to the last close of five sessions (t against t-4). A return over a missing
-- session is NULL. Volatility is the sample deviation of 20 daily returns, annualised with 252
-- sessions or 365 days; drawdown is against the highest close of the history held here.
-- A price counts that comes from the symbol's first provider. Another's stands in the sources beside it:
-- it is near, not equal, lacks dividends, and a return from one to the other is neither's.
-- What is summed over sessions is summed as decimals: a sum of floating-point numbers depends on how
-- much history the engine happens to hold, and a row must not.
with prices as (
    select trade_date as date, symbol as asset, source as provider, close, dividend, known_at
    from sources.index_prices
    union all
    select trade_date, symbol, venue, close, null, known_at
    from sources.crypto_prices
),

numbered as (
    select
        prices.*,
        universe.asset_class,
        universe.is_crypto,
        case when universe.is_crypto then days.day_number else days.nyse_number end as session
    from prices
    join meta.universe as universe
        on universe.asset = prices.asset
        and split_part(universe.providers, ':', 1) = prices.provider
    join meta.calendar_days as days on days.date = prices.date
),

reinvested as (
    -- What one share has become, each dividend having bought more of it at the close of its ex-date.
    select
        *,
        close * exp(cast(sum(cast(ln(1 + coalesce(dividend, 0) / close) as decimal(18, 15))) over history as double))
            as worth,
        max(close) over history as highest_close
    from numbered
    window history as (partition by asset order by date rows between unbounded preceding and current row)
),

returns as (
    select
        today.date,
        today.asset,
        today.asset_class,
        today.is_crypto,
        today.session,
        today.close,
        today.known_at,
        (today.close / today.highest_close - 1) * 100 as drawdown_pct,
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

sums as (
    select
        *,
        count(step) over month as steps,
        cast(sum(step) over month as double) as sum_of_steps,
        cast(sum(step * step) over month as double) as sum_of_squares
    from (select *, cast(return_1d_pct as decimal(19, 8)) as step from returns)
    window month as (partition by asset order by session range between 19 preceding and current row)
)

select
    date,
    asset,
    asset_class,
    close,
    return_1d_pct,
    return_5d_pct,
    return_5_sessions_pct,
    return_20d_pct,
    drawdown_pct,
    case when steps = 20
        then sqrt(greatest(0, sum_of_squares - sum_of_steps * sum_of_steps / 20) / 19
            * case when is_crypto then 365 else 252 end)
    end as vol_20d_pct,
    known_at
from sums
