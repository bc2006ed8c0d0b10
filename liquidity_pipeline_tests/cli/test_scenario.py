"""`liquidity scenario` says horizon, day, and which intervals contain zero."""

from __future__ import annotations

from datetime import date

from liquidity_pipeline.cli import scenario
from liquidity_pipeline.cli.console import console
from liquidity_pipeline.models.assets.scenarios import Impact, Outlook


def impact(low: float, high: float) -> Impact:
    return Impact("continue", "SPX", 0.6, 134.1, -0.001, (low + high) / 2, low, high, 156)


def outlook(*impacts: Impact, **returns_through: date) -> Outlook:
    return Outlook(impacts, date(2026, 8, 19), returns_through or {"SPX": date(2026, 8, 19)})


def test_the_table_says_horizon_day_and_what_is_not_even_known_in_sign():
    with console.capture() as said:
        given = outlook(impact(-0.8, 0.4), impact(-0.9, -0.1))
        scenario._print(given, date(2026, 8, 21), 4)
    text = " ".join(said.get().split())
    assert "Over the next 4 weeks, as of 2026-08-21" in text
    assert "[-0.80, +0.40] *" in text
    assert "[-0.90, -0.10] │" in text
    assert "1 of 2 intervals contain zero" in text


def test_without_doubt_about_the_sign_none_is_claimed():
    assert scenario._doubt([impact(-0.9, -0.1)]).startswith("No interval contains zero.")
    assert scenario._crosses_zero(impact(0.0, 0.5))


def test_weeks_that_end_earlier_are_named_by_asset():
    whole = scenario._reach(outlook(SPX=date(2026, 8, 19), HYG=date(2026, 8, 19)))
    assert whole == (
        "Drains of H.4.1 weeks through 2026-08-19; slopes on returns through 2026-08-19."
    )
    parted = scenario._reach(outlook(SPX=date(2026, 8, 5), BTC=date(2026, 8, 19)))
    assert parted.endswith("returns through 2026-08-19 (BTC); 2026-08-05 (SPX).")
