"""Contracts of the market tables: series, prices, and the index of stress to compare with."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from liquidity_pipeline import calendars
from liquidity_pipeline.contracts.table import KNOWN_AT, Table, day, number, text

# FRED id: (meaning, unit, release).
MARKET_SERIES_IDS = {
    "IORB": (
        "interest rate on reserve balances",
        "percent",
        replace(calendars.ADMINISTERED_RATE, since=date(2021, 7, 29)),
    ),
    "IOER": (
        "interest rate on excess reserves, until 2021-07-28",
        "percent",
        replace(calendars.ADMINISTERED_RATE, since=date(2008, 10, 9)),
    ),
    "RRPONTSYAWARD": (
        "offering rate of the overnight reverse repo facility",
        "percent",
        replace(calendars.ON_RRP, since=date(2013, 9, 23)),
    ),
    "BAMLC0A0CM": ("investment-grade credit spread", "percent", calendars.CREDIT_SPREADS),
    "BAMLH0A0HYM2": ("high-yield credit spread", "percent", calendars.CREDIT_SPREADS),
    "DGS2": ("2-year Treasury par yield", "percent", calendars.BOND_YIELDS),
    "DGS10": ("10-year Treasury par yield", "percent", calendars.BOND_YIELDS),
    "DGS30": (
        "30-year Treasury par yield",
        "percent",
        replace(calendars.BOND_YIELDS, since=date(2006, 2, 9)),
    ),
    "VIXCLS": ("VIX close", "index points", calendars.VOLATILITY),
    "TLAACBW027SBOG": ("total assets of commercial banks (H.8)", "USD billions", calendars.H8),
    "TOTLL": ("loans and leases of commercial banks (H.8)", "USD billions", calendars.H8),
}

MARKET_SERIES = Table(
    "sources",
    "market_series",
    "Administered rates, credit spreads, par yields, volatility, and the banks' balance sheet. "
    + "; ".join(f"{name}: {meaning}" for name, (meaning, _, _) in MARKET_SERIES_IDS.items())
    + ".",
    key=("observation_date", "series"),
    day="observation_date",
    entity="series",
    origin="FRED (Board of Governors, ICE, Cboe)",
    releases={
        name: release
        for name, (_, _, release) in MARKET_SERIES_IDS.items()
        # The one has ended; the other has a value only on days with an operation.
        if name not in ("IOER", "RRPONTSYAWARD")
    },
    on_occasion={"RRPONTSYAWARD": MARKET_SERIES_IDS["RRPONTSYAWARD"][2]},
    keep_vanished=True,
    columns=(
        day("observation_date", "Day of the observation"),
        text("series", "FRED identifier", allowed=tuple(MARKET_SERIES_IDS)),
        number("value", "Value", nullable=False, low=-10, high=100_000, unit="see column unit"),
        text("unit", "Unit of the value", allowed=("percent", "index points", "USD billions")),
        KNOWN_AT,
    ),
)

_BAR_COLUMNS = (
    number("open", "Opening price or level", low=0, unit="price"),
    number("high", "Highest price or level", low=0, unit="price"),
    number("low", "Lowest price or level", low=0, unit="price"),
    number("close", "Closing price or level", nullable=False, low=0, unit="price"),
)

INDEX_PRICES = Table(
    "sources",
    "index_prices",
    "Daily prices of indices and exchange-traded funds, adjusted for splits. Dividends are "
    "in a column of their own, so that no published price is ever revised for them.",
    key=("trade_date", "symbol"),
    day="trade_date",
    entity="symbol",
    origin="Yahoo, Cboe, FRED; see the column source",
    releases={"": calendars.NYSE_CLOSE},
    keep_vanished=True,
    # A fallback knows closes only: an outage must not turn full bars into bare closes.
    fullness="open",
    provider="source",
    columns=(
        day("trade_date", "NYSE session"),
        text("symbol", "Symbol in the universe file"),
        *_BAR_COLUMNS,
        number(
            "dividend",
            "Dividends per share with this ex-date, or with one since the bar before",
            low=0,
            unit="price",
        ),
        number("volume", "Volume as published", low=0, unit="shares or contracts"),
        text("source", "Provider of the row"),
        KNOWN_AT,
    ),
)

CRYPTO_PRICES = Table(
    "sources",
    "crypto_prices",
    "Daily prices in US dollars of completed UTC days. The newest is taken when its venue serves a "
    "later one too, or two venues agree on it.",
    key=("trade_date", "symbol"),
    day="trade_date",
    entity="symbol",
    origin="Coinbase, Kraken; see the column venue",
    releases={"": calendars.UTC_CLOSE},
    keep_vanished=True,
    provider="venue",
    columns=(
        day("trade_date", "UTC day"),
        text("symbol", "Symbol in the universe file"),
        *_BAR_COLUMNS,
        number("volume", "Volume as published", low=0, unit="coins"),
        text("venue", "Exchange of the row"),
        KNOWN_AT,
    ),
)

PRICE_DISAGREEMENTS = Table(
    "sources",
    "price_disagreements",
    "Quarantine: days on which two providers disagree on a close by more than the symbol's "
    "tolerance. Such a day is not stored in the price table.",
    key=("trade_date", "symbol"),
    day="trade_date",
    entity="symbol",
    can_become_empty=True,
    origin="Comparison of the providers in the universe file",
    columns=(
        day("trade_date", "Session or UTC day"),
        text("symbol", "Symbol in the universe file"),
        text("source", "Provider that comes first in the universe file"),
        number("close", "Close of the first provider", nullable=False, unit="price"),
        text("other_source", "Provider that disagrees"),
        number("other_close", "Close of the provider that disagrees", nullable=False, unit="price"),
        number("relative_difference", "other_close / close - 1", nullable=False, unit="ratio"),
        KNOWN_AT,
    ),
)

CRYPTO_DISAGREEMENTS = replace(PRICE_DISAGREEMENTS, name="crypto_disagreements")

OFR_FSI = Table(
    "sources",
    "ofr_fsi",
    "OFR Financial Stress Index: an outside benchmark for marts.stress_index and never an "
    "input to it. Zero is the long-run average by the publisher's definition. The five "
    "categories add up to the index, and so do the three regions.",
    key=("date",),
    day="date",
    origin="Office of Financial Research; latest vintage, earlier ones are not published",
    releases={"": calendars.STRESS_INDEX},
    keep_vanished=True,
    columns=(
        day("date", "Day of the market data"),
        number("fsi", "The index", nullable=False, low=-50, high=100, unit="index points"),
        *(
            number(name, f"Part of {what}", low=-50, high=100, unit="index points")
            for name, what in (
                ("credit", "credit spreads"),
                ("equity_valuation", "stock valuation"),
                ("safe_assets", "safe assets"),
                ("funding", "funding"),
                ("volatility", "volatility"),
                ("us", "the United States"),
                ("other_advanced", "other advanced economies"),
                ("emerging", "emerging markets"),
            )
        ),
        KNOWN_AT,
    ),
)
