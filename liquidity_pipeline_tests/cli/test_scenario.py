"""`liquidity scenario` says horizon, day, and which intervals contain zero."""

from __future__ import annotations

from datetime import date

from liquidity_pipeline.cli import scenario
from liquidity_pipeline.cli.console import console
from liquidity_pipeline.models.assets.scenarios import Impact


def impact(low: float, high: float) -> Impact:
    return Impact("continue", "SPX", 0.6, 134.1, -0.001, (low + high) / 2, low, high, 156)


def test_the_table_says_horizon_day_and_what_is_not_even_known_in_sign():
    with console.capture() as said:
        scenario._print([impact(-0.8, 0.4), impact(-0.9, -0.1)], date(2026, 8, 21), 4)
    text = " ".join(said.get().split())
    assert "Over the next 4 weeks, as of 2026-08-21" in text
    assert "[-0.80, +0.40] *" in text
    assert "[-0.90, -0.10] │" in text
    assert "1 of 2 intervals contain zero" in text


def test_without_doubt_about_the_sign_none_is_claimed():
    assert scenario._doubt([impact(-0.9, -0.1)]).startswith("No interval contains zero.")
    assert scenario._crosses_zero(impact(0.0, 0.5))
