"""funding_conditions: spreads in basis points, facilities summed, month-end and -start marked."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from liquidity_pipeline_tests.models.world import World, rate, repo, series

DAY = date(2026, 2, 5)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_repo_stress_of_2019_is_measured_against_excess_reserves(world: World) -> None:
    # SOFR as in ../shared/replay/answers.md; IOER was 2.10 until 2019-09-18.
    day = date(2019, 9, 17)
    world.add("reference_rates", rate(day, "SOFR", 5.25, p25_pct=5.0, p99_pct=9.0))
    world.add("market_series", series(day, "IOER", 2.10))
    row = world.one("funding_conditions")
    assert row["iorb_pct"] == 2.10
    assert row["sofr_iorb_bp"] == 315
    assert row["sofr_p99_p25_bp"] == 400


def test_rates_are_spread_over_the_rate_on_reserves(world: World) -> None:
    world.add(
        "reference_rates",
        rate(DAY, "SOFR", 3.66, volume_usd_bn=3_251),
        rate(DAY, "TGCR", 3.63),
        rate(DAY, "EFFR", 3.64, target_to_pct=3.75),
    )
    world.add("market_series", series(DAY, "IORB", 3.65))
    row = world.one("funding_conditions")
    spreads = ("sofr_iorb_bp", "tgcr_iorb_bp", "effr_iorb_bp", "sofr_p99_p25_bp")
    assert [row[name] for name in spreads] == [1, -2, -1, None]
    assert (row["sofr_volume_usd_bn"], row["target_to_pct"]) == (3_251, 3.75)


def test_without_a_rate_on_reserves_there_is_no_spread(world: World) -> None:
    row = world.add("reference_rates", rate(DAY, "SOFR", 3.66)).one("funding_conditions")
    assert (row["sofr_pct"], row["sofr_iorb_bp"]) == (3.66, None)


def test_the_two_repo_operations_of_a_day_are_one_take_up(world: World) -> None:
    world.add("reference_rates", rate(DAY, "SOFR", 3.66))
    world.add(
        "repo_operations",
        repo(DAY, "srf", 1_000.5),
        repo(DAY, "srf", 2_500),
        repo(DAY, "srf", 10, is_small_value=True),
        repo(DAY, "on_rrp", 2_175),
        repo(DAY, "repo", 400),
    )
    row = world.one("funding_conditions")
    assert (row["srf_usd_mn"], row["on_rrp_usd_mn"]) == (3_500.5, 2_175)


def test_only_the_last_and_first_day_of_a_month_are_marked(world: World) -> None:
    days = [date(2026, 1, 29), date(2026, 1, 30), date(2026, 2, 2), date(2026, 2, 3)]
    new_year = [date(2025, 12, 31), date(2026, 1, 2)]
    world.add("reference_rates", *(rate(day, "EFFR", 3.64) for day in (*new_year, *days)))
    rows = {row["date"]: row for row in world.mart("funding_conditions")}
    assert [rows[day]["is_month_end"] for day in days] == [False, True, True, False]
    assert [rows[day]["is_quarter_end"] for day in days] == [False] * 4
    assert [rows[day]["is_quarter_end"] for day in new_year] == [True, True]


def test_a_day_on_which_the_bond_market_rests_has_no_row(world: World) -> None:
    # Good Friday 2025: federal funds traded, repo did not.
    world.add("reference_rates", rate(date(2025, 4, 18), "EFFR", 4.33))
    assert world.mart("funding_conditions") == []


def test_a_row_waits_for_the_last_of_its_rates(world: World) -> None:
    # Thursday's SOFR comes out on Monday, its EFFR on Good Friday.
    thursday = date(2025, 4, 17)
    world.add("reference_rates", rate(thursday, "SOFR", 4.3), rate(thursday, "EFFR", 4.33))
    world.add("market_series", series(thursday, "IORB", 4.40))
    assert world.at(date(2025, 4, 18)).mart("funding_conditions") == []
    assert world.at(date(2025, 4, 21)).one("funding_conditions")["sofr_iorb_bp"] == -10
