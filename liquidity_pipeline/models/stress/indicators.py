"""The gauges of stress: what each one measures, from which query, and from which value it matters.

A rank alone would flag two basis points in a quiet decade, so each gauge has two floors with an
economic meaning: below `floor` nothing is stress, below `severe_floor` nothing is severe. Floors
are round numbers fixed in advance, but one: the severe floor of the dispersion was 50 bp until
two days after the quarter-end of June 2019 were seen to reach it.
`stress_flags` tells how a value becomes a flag, `stress_index` how it becomes a score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from liquidity_pipeline.contracts.stress import INDEX_SEGMENTS
from liquidity_pipeline.models.statements import query

if TYPE_CHECKING:
    import duckdb

_QUERIES = Path(__file__).parent / "queries"

# Values of the last three years that must lie in the past before one is ranked: a year of days,
# two years of weeks.
DAILY_HISTORY, WEEKLY_HISTORY = 252, 104
# By then an uninterrupted record has that many values, month-end and month-start days left out.
_DAILY_RANKED, _WEEKLY_RANKED = timedelta(days=457), timedelta(days=914)

Calendar = Literal["sifma", "nyse", "utc", "fed", "wednesday"]


@dataclass(frozen=True)
class Observation:
    """One value of an indicator, when it became public, and whether the calendar explains it."""

    date: date
    value: float
    known_at: datetime
    is_calendar: bool


@dataclass(frozen=True)
class Indicator:
    """One gauge. `query` gives date, value, known_at, is_calendar (a month-end or -start day).

    A value is due on every day of `calendar`, from `since` on: the first ordinary day that the
    publisher has, or that the definition allows. None: the publisher serves a moving span.
    `in_index`: its score enters the index, and its flag the record of its segment. `rests_on` are
    its inputs as in `meta.coverage`, "table" or "table/entity": they say why it is not known.
    """

    name: str
    segment: str
    floor: float
    severe_floor: float
    unit: str
    query: str
    meaning: str
    calendar: Calendar
    since: date | None
    in_index: bool = True
    rests_on: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        """Tell whether its score is part of the index's value: coins are scored beside it."""
        return self.in_index and self.segment in INDEX_SEGMENTS

    @property
    def minimum(self) -> int:
        """How many earlier values a rank needs."""
        return WEEKLY_HISTORY if self.calendar == "wednesday" else DAILY_HISTORY

    @property
    def ranked_since(self) -> date | None:
        """The day from which a complete record has a rank."""
        if self.since is None:
            return None
        return self.since + (_WEEKLY_RANKED if self.calendar == "wednesday" else _DAILY_RANKED)

    def score(self, value: float) -> float:
        """Return 0 up to the floor, 1 from the severe floor on, and a straight line between."""
        if value <= self.floor:
            return 0.0
        return round(min((value - self.floor) / (self.severe_floor - self.floor), 1.0), 6)

    def text(self, value: float) -> str:
        """Return a value as it is printed: no more than four digits below a thousand."""
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"

    def observations(self, connection: duckdb.DuckDBPyConnection) -> list[Observation]:
        """Return the known values, oldest first."""
        found = connection.execute(f"{self.query} order by 1").fetchall()
        return [Observation(*row) for row in found if row[1] is not None]


def _funding(column: str) -> str:
    return query("funding", _QUERIES, column=column)


def _volatility(asset: str) -> str:
    return query("volatility", _QUERIES, asset=asset)


def _drain(weeks: int) -> str:
    return query("drain", _QUERIES, days=7 * weeks)


# The first ordinary days of the records: SOFR, the standing repo facility, interest on reserves.
_SECURED, _FACILITY, _ON_RESERVES = date(2018, 4, 3), date(2021, 7, 29), date(2008, 12, 17)
# Twenty returns after the first session that any lake holds, and after the fund's first.
_SHARES, _FUND, _COIN = date(2005, 10, 31), date(2007, 5, 9), date(2015, 8, 9)
_RESERVES, _FOUR_WEEKS = date(2009, 1, 21), date(2009, 2, 4)

_RATE_ON_RESERVES, _RESERVES_HELD = "market_series/IORB", "fed_balance_sheet/WRBWFRBL"

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
        "sifma",
        _SECURED,
        rests_on=("reference_rates/SOFR", _RATE_ON_RESERVES),
    ),
    Indicator(
        "tgcr_iorb_bp",
        "funding",
        10,
        25,
        "bp",
        _funding("tgcr_iorb_bp"),
        "tri-party repo rate over the rate on reserves",
        "sifma",
        _SECURED,
        rests_on=("reference_rates/TGCR", _RATE_ON_RESERVES),
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
        "sifma",
        _ON_RESERVES,
        rests_on=("reference_rates/EFFR", _RATE_ON_RESERVES),
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
        "sifma",
        _SECURED,
        rests_on=("reference_rates/SOFR",),
    ),
    # One and five per cent of the facility's former limit of USD 500 bn.
    Indicator(
        "srf_usd_mn",
        "funding",
        5_000,
        25_000,
        "USD mn",
        query("facility_take_up", _QUERIES),
        "standing repo facility take-up",
        "sifma",
        _FACILITY,
        rests_on=("repo_operations/srf",),
    ),
    # Demand for reserves is satiated above 12 to 13 per cent of bank assets (New York Fed Staff
    # Report 1019): the floor is 12. In September 2019, when repo broke, they stood near 8.
    Indicator(
        "reserve_scarcity_pct",
        "reserves",
        88,
        92,
        "% of bank assets",
        query("scarcity", _QUERIES),
        "bank assets not held as reserve balances",
        "wednesday",
        _RESERVES,
        rests_on=(_RESERVES_HELD, "market_series/TLAACBW027SBOG"),
    ),
    # Two per cent of reserves is about USD 60 bn at 3 trillion: the week this project began with.
    # In the index the same drain counts over four weeks, because one week is a settlement date.
    Indicator(
        "weekly_drain_pct",
        "drain",
        2,
        5,
        "% of reserves",
        _drain(weeks=1),
        "reserve balances drained in the week",
        "wednesday",
        date(2009, 1, 14),
        in_index=False,
        rests_on=(_RESERVES_HELD,),
    ),
    Indicator(
        "reserve_drain_4w_pct",
        "drain",
        5,
        10,
        "% of reserves",
        _drain(weeks=4),
        "reserve balances drained in four weeks",
        "wednesday",
        _FOUR_WEEKS,
        rests_on=(_RESERVES_HELD,),
    ),
    # A cause of the drain above, known a week earlier: a flag, and not counted twice in the index.
    Indicator(
        "tga_rise_20d_pct",
        "drain",
        5,
        10,
        "% of reserves",
        query("account_rise", _QUERIES),
        "rise of the Treasury's account over 20 statement days",
        "fed",
        date(2009, 1, 15),
        in_index=False,
        rests_on=("tga_balance", _RESERVES_HELD),
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
        "nyse",
        _SHARES,
        rests_on=("index_prices/SPX",),
    ),
    Indicator(
        "small_cap_vol_pct",
        "equity",
        25,
        50,
        "%",
        _volatility("RUT"),
        "20-day volatility of the Russell 2000",
        "nyse",
        _SHARES,
        rests_on=("index_prices/RUT",),
    ),
    Indicator(
        "bitcoin_vol_pct",
        "crypto",
        60,
        120,
        "%",
        _volatility("BTC"),
        "20-day volatility of bitcoin",
        "utc",
        _COIN,
        rests_on=("crypto_prices/BTC",),
    ),
    Indicator(
        "high_yield_vol_pct",
        "credit",
        10,
        20,
        "%",
        _volatility("HYG"),
        "20-day volatility of high-yield bonds",
        "nyse",
        _FUND,
        rests_on=("index_prices/HYG",),
    ),
    # 500 bp is about the average since 1996, 800 bp the mark of recessions. FRED serves the last
    # three years only, just what a rank needs: an installation has ranks from its second day on
    # and none before. No part of the index, which must be the same everywhere.
    Indicator(
        "high_yield_spread_bp",
        "credit",
        500,
        800,
        "bp",
        query("credit_spread", _QUERIES),
        "high-yield credit spread",
        "sifma",
        None,
        in_index=False,
        rests_on=("market_series/BAMLH0A0HYM2",),
    ),
)

# What the index's value rests on.
INDEX_INPUTS = frozenset(each for gauge in INDICATORS if gauge.counts for each in gauge.rests_on)
