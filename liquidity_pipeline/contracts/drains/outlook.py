"""Contracts of the outlook on the drain of the coming weeks, and of its past errors."""

from __future__ import annotations

from dataclasses import replace

from liquidity_pipeline.contracts.drains.inputs import AUCTIONS, RESERVES
from liquidity_pipeline.contracts.reach import Input
from liquidity_pipeline.contracts.table import MART_KNOWN_AT, Table, day, flag, integer, text, usd

OUTLOOK_COMPONENTS = (
    "settlements",
    "other_treasury",
    "tga",
    "rest_of_balance_sheet",
    "drain_reserves",
)

_OUTLOOK_COMPONENT = text(
    "component",
    "settlements: what the public pays for Treasury debt; other_treasury: the account's other "
    "flows (taxes, spending, interest, buybacks, the Fed's run-off); tga: both, the rise of the "
    "account; rest_of_balance_sheet: all else in H.4.1; drain_reserves: tga and the rest",
    allowed=OUTLOOK_COMPONENTS,
)

DRAIN_OUTLOOK = Table(
    "marts",
    "drain_outlook",
    "On each Friday, what is expected to drain until each of the six Wednesdays ahead, cumulated "
    "from the last Wednesday of H.4.1, by component.",
    key=("as_of_date", "weeks_ahead", "component"),
    reach="as_of_date",
    rests_on=(
        replace(AUCTIONS, by="week_ending", looks_ahead=True),
        Input(
            "upcoming_settlements", "auctions", is_current=True, only_ahead=True, by="week_ending"
        ),
        Input("tga_balance", looks_ahead=True),
        replace(RESERVES, looks_ahead=True),
    ),
    columns=(
        day("as_of_date", "Friday at whose end it was expected"),
        integer("weeks_ahead", "Wednesdays after start_date", low=1, unit="weeks"),
        _OUTLOOK_COMPONENT,
        day("start_date", "Last Wednesday of H.4.1 then known: sums begin after it"),
        day("week_ending", "Wednesday ahead"),
        usd("expected_usd_mn", "Expected sum of the component; a rise drains", nullable=False),
        usd(
            "expected_low_usd_mn",
            "Lower end of the 90 % band of past errors; for tga and drain_reserves, NULL before 52",
        ),
        usd("expected_high_usd_mn", "Upper end of the band"),
        usd("start_level_usd_mn", "TGA, or reserve balances, on start_date; NULL for parts"),
        usd("expected_level_usd_mn", "The same on week_ending, as expected"),
        MART_KNOWN_AT,
    ),
)

DRAIN_OUTLOOK_SCORE = Table(
    "marts",
    "drain_outlook_score",
    "What past Fridays expected of the TGA and of reserves, against what happened; beside it "
    "expecting no change, and the path that Treasury's assumption implied.",
    key=("as_of_date", "weeks_ahead", "component"),
    columns=(
        day("as_of_date", "Friday at whose end it was expected"),
        integer("weeks_ahead", "Wednesdays after the start", low=1, unit="weeks"),
        text(
            "component",
            "tga: rise of the account; drain_reserves: fall of reserve balances",
            allowed=("tga", "drain_reserves"),
        ),
        day("week_ending", "Wednesday that was ahead"),
        usd("expected_usd_mn", "Expected sum", nullable=False),
        usd("actual_usd_mn", "Actual sum", nullable=False),
        usd("error_usd_mn", "Actual less expected", nullable=False),
        usd("no_change_error_usd_mn", "Error of expecting no change: the actual", nullable=False),
        usd(
            "implied_error_usd_mn",
            "Actual less the path to Treasury's assumed balance; NULL for reserves, and where no "
            "statement reaches so far",
        ),
        flag("is_in_band", "The actual lay within the band; NULL without one", nullable=True),
        MART_KNOWN_AT,
    ),
)
