"""Contracts of the returns of each asset, by session and on the dates of liquidity."""

from __future__ import annotations

from liquidity_pipeline.contracts.assets.columns import KNOWN_AT
from liquidity_pipeline.contracts.reach import PRICES, Input
from liquidity_pipeline.contracts.table import MART_KNOWN_AT, Table, day, number, text

ASSET_RETURNS = Table(
    "marts",
    "asset_returns",
    "Returns by asset and session, dividends included. To compare assets with each other, "
    "use the columns named new_york, which all run between the same two New York sessions: "
    "shares from close to close at 16:00 New York time, coins at the UTC close of the same "
    "date, 3 to 4 hours later (19:00 or 20:00 in New York).",
    key=("date", "asset"),
    columns=(
        day("date", "Session or UTC day"),
        text("asset", "Symbol in the universe file"),
        text("asset_class", "Class in the universe file"),
        text(
            "session_kind",
            "Kind of session of the asset: New York session, which closes at 16:00 there, or UTC "
            "day, which closes at 00:00 UTC of the next day",
            allowed=("New York session", "UTC day"),
        ),
        number("close", "Closing price or level", nullable=False, low=0, unit="price"),
        number("return_1d_pct", "Return over one of the asset's own sessions", low=-100),
        number("return_5d_pct", "5-day return (t/t-5) over the asset's own sessions", low=-100),
        number(
            "return_5_sessions_pct",
            "5-session return (t/t-4), from the first to the last close of five of the asset's own "
            "sessions",
            low=-100,
        ),
        number("return_20d_pct", "Return over twenty of the asset's own sessions", low=-100),
        *(
            number(f"return_{span}_new_york_pct", f"{words}; NULL on other days", low=-100)
            for span, words in (
                ("1d", "Return over one New York session"),
                ("5d", "5-day return (t/t-5) over New York sessions"),
                (
                    "5_sessions",
                    "5-session return (t/t-4), from the first to the last close of five New "
                    "York sessions",
                ),
                ("20d", "Return over twenty New York sessions"),
            )
        ),
        day(
            "new_york_5d_from",
            "New York session whose close is the base of return_5d_new_york_pct",
            nullable=True,
        ),
        number(
            "drawdown_pct",
            "Distance of the close below the highest close since drawdown_since, without dividends",
            low=-100,
            high=0,
        ),
        number(
            "drawdown_with_dividends_pct",
            "Distance below the highest value since drawdown_since, with dividends reinvested",
            low=-100,
            high=0,
        ),
        day("drawdown_since", "Day of the first close that this file holds"),
        number("vol_20d_pct", "Annualised standard deviation of 20 daily returns", low=0),
        MART_KNOWN_AT,
    ),
)

ASSET = Input(PRICES, entity_column="asset")

CLASS_INPUT = Input(PRICES, class_column="asset_class")

SAMPLED_RETURNS = Table(
    "marts",
    "sampled_returns",
    "Returns on the dates on which liquidity is measured: by New York session, and by H.4.1 "
    "week (Thursday to Wednesday, not overlapping), for all assets between the same two "
    "sessions. Coins are sampled at the UTC close, 3 to 4 hours after stocks.",
    key=("frequency", "date", "asset"),
    reach="date",
    rests_on=(ASSET,),
    columns=(
        text("frequency", "Sampling", allowed=("daily", "weekly")),
        day("date", "Session, or the Wednesday that ends the week"),
        text("asset", "Symbol"),
        text("asset_class", "Class in the universe file"),
        number("return_pct", "Return, dividends included", nullable=False, low=-100),
        KNOWN_AT,
    ),
)
