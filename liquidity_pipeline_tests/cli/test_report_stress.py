"""What the terminal says about stress: every figure dated, and what is not known named."""

from __future__ import annotations

from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from liquidity_pipeline.cli import report
from liquidity_pipeline.models.engine import sources_behind
from liquidity_pipeline.models.statements import tables
from liquidity_pipeline.models.stress.indicators import INDEX_INPUTS, INDICATORS, Indicator
from liquidity_pipeline_tests.models import hand_made, known
from liquidity_pipeline_tests.models.world import end_of

NAMES = [gauge.name for gauge in INDICATORS]


def flag(name: str, day: date = date(2026, 2, 5), level: str = "normal") -> dict[str, Any]:
    """Return a row whose next one is due two days later."""
    return {
        "indicator": name,
        "date": day,
        "level": level,
        "reason": f"{name} in words",
        "next_due_at": end_of(day + timedelta(days=2)),
    }


def printed(flags: list[dict[str, Any]], index: list[dict[str, Any]] | None = None) -> str:
    text = StringIO()
    tables = {"stress_flags": flags, "stress_index": index or []}
    with hand_made.session("2026-02-07 04:00", tables) as published:
        published.execute("create table meta.publication as select date '2026-02-06' as as_of")
        report._stress(published, Console(file=text, width=500))
    return text.getvalue()


def test_calm_says_what_was_evaluated_and_when() -> None:
    flags = [flag(name) for name in NAMES]
    flags[0]["date"] = date(2026, 2, 4)  # of the week, with the next one still to come
    text = printed(flags)
    count = f"{len(NAMES)} evaluated between 2026-02-04 and 2026-02-05"
    assert f"no stress indicator is active: {count}" in text
    assert "not known:" not in text.split("\n", 1)[1]


def test_without_rows_nothing_is_called_calm() -> None:
    text = printed([])
    assert "no stress indicator is active" not in text
    assert all(name in text for name in NAMES)


def test_old_rows_are_not_known_and_not_calm() -> None:
    text = printed([flag(name, date(2025, 11, 2)) for name in NAMES])
    assert "no stress indicator is active" not in text
    assert f"{NAMES[0]} (normal on 2025-11-02)" in text


def test_a_flag_of_which_a_newer_one_is_due_is_not_active_now() -> None:
    """Tuesday's value, of which the next was due by Thursday, and now it is Friday."""
    flags = [flag(NAMES[0], date(2026, 2, 3), "severe"), *map(flag, NAMES[1:])]
    text = printed(flags)
    assert f"severe {NAMES[0]}" not in text
    assert f"not known now: {NAMES[0]} (severe on 2026-02-03)" in text


def test_an_active_indicator_is_named_with_its_day() -> None:
    text = printed([flag(name) for name in NAMES[1:]] + [flag(NAMES[0], level="severe")])
    assert f"severe {NAMES[0]} on 2026-02-05" in text
    assert "no stress indicator is active" not in text


def test_the_index_comes_with_rank_number_and_segments_or_is_not_known() -> None:
    row = {
        "date": date(2026, 2, 5),
        "index_value": 0.25,
        "level": "watch",
        "rank": 0.9,
        "n_history": 750,
        "segments": "funding, reserves",
    }
    text = printed([], [row])
    assert "Stress index on 2026-02-05: 0.250 of 1, watch; above 90% of 750 sessions" in text
    assert "(funding, reserves)" in text
    assert "Stress index: not known" in printed([])


@pytest.mark.parametrize("gauge", INDICATORS, ids=lambda gauge: gauge.name)
def test_each_gauge_names_inputs_that_its_query_reads(gauge: Indicator) -> None:
    stated = {each.partition("/")[0] for each in gauge.rests_on}
    assert stated
    assert stated <= set(sources_behind(tables(gauge.query)))


def printed_without(
    entity: tuple[str, str], flags: list[dict[str, Any]] | None = None, newest: date | None = None
) -> str:
    ended = known.everything(end_of(date(2026, 2, 6)), [], {entity: newest})
    text = StringIO()
    tables: dict[str, list[dict[str, Any]]] = {"stress_flags": flags or [], "stress_index": []}
    with hand_made.session("2026-02-07 04:00", tables) as published:
        published.execute("create table meta.publication as select date '2026-02-06' as as_of")
        published.register("ended", ended)
        published.execute("create or replace table meta.coverage as from ended")
        report._stress(published, Console(file=text, width=500))
    return text.getvalue()


def test_why_the_index_is_not_known_names_what_has_ended() -> None:
    text = printed_without(("reference_rates", "SOFR"))
    assert "Stress index: not known: reference_rates: taken away by the test" in text


def test_a_series_that_no_gauge_reads_is_no_reason() -> None:
    # Loans of banks are not served: that is not why the credit spread is not known.
    text = printed_without(("market_series", "TOTLL"))
    assert "taken away by the test" not in text
    assert "each needs three years of its inputs" in text


def test_a_gauge_that_ended_names_the_input_that_ended() -> None:
    flags = [flag(name) for name in NAMES]
    flags[NAMES.index("srf_usd_mn")] = flag("srf_usd_mn", date(2026, 1, 12))
    text = printed_without(("repo_operations", "srf"), flags, date(2026, 1, 12))
    assert "not known now: srf_usd_mn (normal on 2026-01-12): repo_operations: taken away" in text
    # Where no input has ended, none is blamed.
    other = printed_without(("market_series", "TOTLL"), flags)
    assert "srf_usd_mn (normal on 2026-01-12): no later value could be ranked" in other


def test_a_coin_is_no_reason_for_what_is_not_known_of_the_index() -> None:
    assert "large_cap_vol_pct" in {gauge.name for gauge in INDICATORS if gauge.counts}
    assert not any(each.startswith("crypto_prices") for each in INDEX_INPUTS)
    assert "index_prices/SPX" in INDEX_INPUTS
