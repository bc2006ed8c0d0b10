"""Contracts of the outlook on the drain of the coming weeks, and of its past errors."""

from __future__ import annotations

from dataclasses import replace

from liquidity_pipeline.contracts.drains.inputs import AUCTIONS, RESERVES
from liquidity_pipeline.contracts.reach import Input, public_share
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
    "settlements: what the public pays for Treasury debt; other_treasury: the account's "
    "other flows (taxes, spending, interest, buybacks, the Fed's run-off); tga: the sum of "
    "both, which is the rise of the account; rest_of_balance_sheet: all other lines of "
    "H.4.1; drain_reserves: the sum of tga and rest_of_balance_sheet",
    allowed=OUTLOOK_COMPONENTS,
)

DRAIN_OUTLOOK = Table(
    "marts",
    "drain_outlook",
    "The drain that was expected on each Friday up to each of the next six Wednesdays, "
    "cumulated from the latest Wednesday of H.4.1, by component.",
    key=("as_of_date", "weeks_ahead", "component"),
    reach="as_of_date",
    rests_on=(
        replace(AUCTIONS, by="week_ending", looks_ahead=True),
        # What a Friday led to expect rests on what was known of the holdings then.
        *public_share(replace(AUCTIONS, looks_ahead=True)),
        Input(
            "upcoming_settlements", "auctions", is_current=True, only_ahead=True, by="week_ending"
        ),
        Input("tga_balance", looks_ahead=True),
        replace(RESERVES, looks_ahead=True),
    ),
    columns=(
        day("as_of_date", "Friday at the end of which the value was expected"),
        integer("weeks_ahead", "Number of Wednesdays after start_date", low=1, unit="weeks"),
        _OUTLOOK_COMPONENT,
        day("start_date", "Latest Wednesday of H.4.1 known at that time; sums begin after it"),
        day("week_ending", "Wednesday ahead"),
        usd(
            "expected_usd_mn",
            "Expected sum of the component; a positive value drains",
            nullable=False,
        ),
        usd(
            "expected_low_usd_mn",
            "Lower end of the 90 % band, from past errors; given for tga and drain_reserves, and "
            "NULL until there are 52 errors",
        ),
        usd("expected_high_usd_mn", "Upper end of the 90 % band"),
        usd(
            "start_level_usd_mn",
            "Level of the TGA or of reserve balances on start_date; NULL for the other components",
        ),
        usd("expected_level_usd_mn", "Expected level on week_ending"),
        MART_KNOWN_AT,
    ),
)

DRAIN_OUTLOOK_SCORE = Table(
    "marts",
    "drain_outlook_score",
    "Past Fridays' expectations for the TGA and for reserves compared with what happened, "
    "with the errors of two alternatives: no change, and the path that Treasury's assumed "
    "balance implied.",
    key=("as_of_date", "weeks_ahead", "component"),
    columns=(
        day("as_of_date", "Friday at the end of which the value was expected"),
        integer("weeks_ahead", "Number of Wednesdays after the start", low=1, unit="weeks"),
        text(
            "component",
            "tga: rise of the account; drain_reserves: fall of reserve balances",
            allowed=("tga", "drain_reserves"),
        ),
        day("week_ending", "Wednesday for which the value was expected"),
        usd("expected_usd_mn", "Expected sum", nullable=False),
        usd("actual_usd_mn", "Actual sum", nullable=False),
        usd("error_usd_mn", "Actual less expected", nullable=False),
        usd(
            "no_change_error_usd_mn",
            "Error of an expectation of no change: the actual sum itself",
            nullable=False,
        ),
        usd(
            "implied_error_usd_mn",
            "Actual less the path to Treasury's assumed balance; NULL for reserves, and where no "
            "refunding statement covers the date",
        ),
        flag(
            "is_in_band",
            "The actual sum was within the band; NULL where there is no band",
            nullable=True,
        ),
        MART_KNOWN_AT,
    ),
)
