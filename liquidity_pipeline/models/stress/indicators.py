"""The gauges of stress: what each one measures, from which query, and from which value it matters.

A rank alone would flag two basis points in a quiet decade, so each gauge has two floors with an
economic meaning: below `floor` nothing is stress, below `severe_floor` nothing is severe. Floors
are round numbers fixed in advance, but one: the severe floor of the dispersion was 50 bp until
two days after the quarter-end of June 2019 were seen to reach it.
How a value becomes a flag stands in `stress_flags`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Values that must lie in the past before one is ranked: a year of days, three years of weeks.
DAILY_HISTORY, WEEKLY_HISTORY = 252, 156


@dataclass(frozen=True)
class Indicator:
    """One gauge. `query` gives date, value, known_at, is_calendar (a turn of the month).

    `in_index`: its rank enters the composite.
    """

    name: str
    segment: str
    floor: float
    severe_floor: float
    unit: str
    query: str
    meaning: str
    minimum: int = DAILY_HISTORY
    in_index: bool = True


def _funding(column: str) -> str:
    return f"select date, {column}, known_at, is_month_end from marts.funding_conditions"


def _volatility(asset: str) -> str:
    return (
        "select date, vol_20d_pct, known_at, false from marts.asset_returns "
        f"where asset = '{asset}'"
    )


# Before 2009 the Fed kept reserves scarce on purpose (5 to 20 bn): a share of them that drains in
# a week means nothing, and those weeks must not be the yardstick for later ones.
# A Wednesday without a bond market (1 January) shows the balance sheet of the day before.
_WEEKS = """(
    select weeks.*, turns.is_month_end
    from marts.reserve_drains as weeks
    join meta.calendar_days as days on days.date = weeks.week_ending
    join meta.calendar_days as turns
        on turns.date = case when days.is_sifma then days.date else days.date - interval 1 day end
    where weeks.week_ending >= date '2009-01-07'
)"""
_DRAIN = f"""
    select week_ending, 100 * drain_reserves_usd_mn / (reserves_usd_mn + drain_reserves_usd_mn),
        known_at, is_month_end
    from {_WEEKS}
"""
# What is not held as reserves of each dollar of bank assets, as these were known then (H.8).
_SCARCITY = f"""
    select weeks.week_ending, 100 - ratios.reserves_of_bank_assets_pct, ratios.known_at,
        weeks.is_month_end
    from {_WEEKS} as weeks
    join marts.reserve_ratios as ratios on ratios.week_ending = weeks.week_ending
"""
# Twenty statement days of the Treasury's account, against the reserves of the last H.4.1 before.
_TGA_RISE = """
    select tga.record_date,
        100 * (tga.closing_usd_mn - before.closing_usd_mn) / weeks.reserves_usd_mn,
        days.known_by, days.is_month_end
    from marts.tga_daily as tga
    join meta.calendar_days as days on days.date = tga.record_date
    join meta.calendar_days as earlier on earlier.fed_number = days.fed_number - 20
        and earlier.is_fed
    join marts.tga_daily as before on before.record_date = earlier.date
    join marts.reserve_drains as weeks on weeks.week_ending = days.week_ending - interval 7 day
    cross join meta.clock as clock
    where tga.record_date >= date '2009-01-07' and days.known_by <= clock.now
"""
_CREDIT = """
    select observation_date, value * 100, known_at, false
    from sources.market_series where series = 'BAMLH0A0HYM2'
"""

INDICATORS: Sequence[Indicator] = (
    # A policy step, and the width of the federal funds target range, is 25 bp: a rate that far
    # above the rate on reserves has left the range.
    Indicator(
        "sofr_iorb_bp",
        "funding",
        10,
        25,
        "bp",
        _funding("sofr_iorb_bp"),
        "SOFR over the rate on reserves",
    ),
    Indicator(
        "tgcr_iorb_bp",
        "funding",
        10,
        25,
        "bp",
        _funding("tgcr_iorb_bp"),
        "tri-party repo rate over the rate on reserves",
    ),
    # The price of reserves themselves, the spread of Staff Report 1019, known since 2008.
    Indicator(
        "effr_iorb_bp",
        "funding",
        10,
        25,
        "bp",
        _funding("effr_iorb_bp"),
        "federal funds rate over the rate on reserves",
    ),
    # One borrower in a hundred pays a policy step more than the cheapest quarter do; severe is a
    # full percentage point, what ordinary quarter-ends brought in 2018 and 2019.
    Indicator(
        "sofr_p99_p25_bp",
        "funding",
        25,
        100,
        "bp",
        _funding("sofr_p99_p25_bp"),
        "dispersion of repo rates",
    ),
    # One and five per cent of the facility's former limit of USD 500 bn.
    Indicator(
        "srf_usd_mn",
        "funding",
        5_000,
        25_000,
        "USD mn",
        _funding("srf_usd_mn"),
        "standing repo facility take-up",
    ),
    # Demand for reserves is satiated above 12 to 13 per cent of bank assets (New York Fed Staff
    # Report 1019): the floor is 12. In September 2019, when repo broke, they stood near 8.
    Indicator(
        "reserve_scarcity_pct",
        "reserves",
        88,
        92,
        "% of bank assets",
        _SCARCITY,
        "bank assets not held as reserve balances",
        WEEKLY_HISTORY,
    ),
    # Two per cent of reserves is about USD 60 bn at 3 trillion: the week this project began with.
    Indicator(
        "weekly_drain_pct",
        "drain",
        2,
        5,
        "% of reserves",
        _DRAIN,
        "reserve balances drained in the week",
        WEEKLY_HISTORY,
    ),
    Indicator(
        "tga_rise_20d_pct",
        "drain",
        5,
        10,
        "% of reserves",
        _TGA_RISE,
        "rise of the Treasury's account over 20 statement days",
    ),
    # The long-run average of the volatility of US large caps is near 20 per cent; severe is twice
    # that. Small caps, coins and high-yield bonds in proportion to their own usual volatility.
    Indicator(
        "large_cap_vol_pct",
        "equity",
        20,
        40,
        "%",
        _volatility("SPX"),
        "20-day volatility of the S&P 500",
    ),
    Indicator(
        "small_cap_vol_pct",
        "equity",
        25,
        50,
        "%",
        _volatility("RUT"),
        "20-day volatility of the Russell 2000",
    ),
    Indicator(
        "bitcoin_vol_pct",
        "crypto",
        60,
        120,
        "%",
        _volatility("BTC"),
        "20-day volatility of bitcoin",
    ),
    Indicator(
        "high_yield_vol_pct",
        "credit",
        10,
        20,
        "%",
        _volatility("HYG"),
        "20-day volatility of high-yield bonds",
    ),
    # 500 bp is about the average since 1996, 800 bp the mark of recessions. FRED serves the last
    # three years only, so ranks depend on when an installation began to collect: a flag, but no
    # part of the index, which must be the same everywhere.
    Indicator(
        "high_yield_spread_bp",
        "credit",
        500,
        800,
        "bp",
        _CREDIT,
        "high-yield credit spread",
        in_index=False,
    ),
)
