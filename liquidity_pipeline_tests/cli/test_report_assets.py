"""The terminal's table of assets: all between the same two moments, which it names."""

from __future__ import annotations

from datetime import date
from io import StringIO
from typing import Any

from rich.console import Console

from liquidity_pipeline.cli import report
from liquidity_pipeline_tests.models import hand_made, known
from liquidity_pipeline_tests.models.world import end_of


def returned(asset: str, day: date, five: float | None) -> dict[str, Any]:
    return {
        "asset": asset,
        "asset_class": "crypto" if asset == "BTC" else "large_cap",
        "date": day,
        "new_york_5d_from": date.fromordinal(day.toordinal() - 7),
        "return_5d_pct": 99.0,
        "return_5d_new_york_pct": five,
        "return_5_sessions_new_york_pct": five,
    }


def correlated(asset: str, day: date) -> dict[str, Any]:
    names = ("correlation", "correlation_low", "correlation_high")
    values = dict(zip(names, (-0.2, -0.4, 0.1), strict=True))
    row = {"asset": asset, "date": day, "driver": "reserve_drain_estimate", "window_days": 60}
    return row | values | {"n_obs": 60}


def printed(
    returns: list[dict[str, Any]],
    correlations: list[dict[str, Any]] | None = None,
    ended: dict[tuple[str, str], date | None] | None = None,
) -> str:
    text = StringIO()
    tables = {"asset_returns": returns, "rolling_correlations": correlations or []}
    with hand_made.session("2026-02-09 04:00", tables) as published:
        published.execute("create table meta.publication as select date '2026-02-08' as as_of")
        published.execute(
            "create table meta.universe as from (values ('BTC', 'crypto', true), "
            "('SPX', 'large_cap', false)) as t(asset, asset_class, is_crypto)"
        )
        coverage = known.everything(end_of(date(2026, 2, 8)), ["BTC", "SPX"], ended or {})
        published.register("coverage_given", coverage)
        published.execute("create or replace table meta.coverage as from coverage_given")
        report._assets(published, Console(file=text, width=200))
    return text.getvalue()


FRIDAY = date(2026, 2, 6)


def test_both_moments_are_named_and_a_coin_stops_where_the_shares_do() -> None:
    sunday = returned("BTC", date(2026, 2, 8), None)
    text = printed([sunday, returned("BTC", FRIDAY, -16.13), returned("SPX", FRIDAY, -0.1)])
    assert "from the close of 2026-01-30 to that of 2026-02-06" in text
    assert "-16.13" in text
    assert "99" not in text
    assert "coins 00:00 UTC" in text


def test_no_asset_is_shown_on_another_day_than_the_rest() -> None:
    # The share's Friday is missing: the coin is shown on Thursday, where both are known.
    thursday = date(2026, 2, 5)
    both = [returned("BTC", thursday, -20), returned("SPX", thursday, -1)]
    text = printed([*both, returned("BTC", FRIDAY, -16.13)])
    assert "to that of 2026-02-05" in text
    assert "-20.00" in text
    assert "-16.13" not in text


def test_an_older_correlation_has_its_own_date() -> None:
    text = printed(
        [returned("SPX", FRIDAY, -0.1)],
        [correlated("SPX", date(2025, 12, 5)), correlated("SPX", date(2026, 2, 8))],
    )
    assert "2025-12-05" in text
    assert "2026-02-08" not in text


def test_without_recent_returns_it_says_so() -> None:
    said = printed([returned("SPX", date(2026, 1, 5), 1)])
    assert "not known in the last two weeks: what is held is too short" in said


def test_shares_do_not_fall_back_to_the_day_on_which_the_coins_ended() -> None:
    earlier = date(2026, 1, 30)
    both = [returned("BTC", earlier, -20), returned("SPX", earlier, -1)]
    text = printed(
        [*both, returned("SPX", FRIDAY, -0.1)], ended={("crypto_prices", "BTC"): earlier}
    )
    assert "to that of 2026-02-06" in text
    assert "-20.00" not in text
    assert "not known on 2026-02-06: BTC: crypto_prices: taken away by the test" in text


def test_coins_do_not_fall_back_to_the_day_on_which_the_shares_ended() -> None:
    earlier = date(2026, 1, 30)
    both = [returned("BTC", earlier, -20), returned("SPX", earlier, -1)]
    text = printed([*both, returned("BTC", FRIDAY, -5)], ended={("index_prices", "SPX"): earlier})
    assert "to that of 2026-02-06" in text
    assert "not known on 2026-02-06: SPX: index_prices: taken away by the test" in text
