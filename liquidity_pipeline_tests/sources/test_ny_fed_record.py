"""The New York Fed source on real answers: recorded bodies and the recorded history."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from liquidity_pipeline import calendars
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.validation import validate
from liquidity_pipeline.sources import ny_fed
from liquidity_pipeline.sources.fetch import Fetch
from liquidity_pipeline_tests.sources.test_ny_fed import Stub, answer

MakeFetch = Callable[..., Fetch]


def test_recorded_latest_rates_are_read(payloads: Path) -> None:
    body = (payloads / "nyfed/rates_all_latest__2026-10-08.json").read_bytes()
    found = {row["rate"]: row for row in ny_fed.parse_reference_rates(answer(body))}
    assert set(found) == {"SOFR", "TGCR", "BGCR", "EFFR", "OBFR"}
    assert (found["EFFR"]["target_from_pct"], found["EFFR"]["target_to_pct"]) == (3.75, 4.0)
    assert (found["SOFR"]["p99_pct"], found["SOFR"]["volume_usd_bn"]) == (3.96, 2968)


def test_recorded_first_week_of_tgcr_is_read(payloads: Path, make_fetch: MakeFetch) -> None:
    body = (payloads / "nyfed/rates_secured_tgcr_search__2018-04-02_2018-04-06.json").read_bytes()
    fetch = make_fetch(Stub(body), date(2018, 4, 1), date(2018, 4, 30))
    found = ny_fed.collect_reference_rates(fetch)["reference_rates"].sort_by("effective_date")
    assert found["effective_date"].to_pylist() == [date(2018, 4, day) for day in range(2, 7)]
    assert found["rate_pct"].to_pylist() == [1.77, 1.81, 1.70, 1.70, 1.70]
    assert found["volume_usd_bn"].to_pylist() == [329, 321, 327, 331, 336]


def test_recorded_operations_are_read(payloads: Path) -> None:
    rows = json.loads((payloads / "nyfed/rows_captured_live_2026.json").read_text())
    (purchase,) = ny_fed.parse_fed_operations(
        answer(rows["tsy_all_results_summary__row_2026-08-31"])
    )
    (week,) = ny_fed.parse_soma_holdings(answer(rows["soma_summary__row_2026-07-08"]))
    (reverse,) = ny_fed.parse_repo_operations(
        answer(rows["rp_reverserepo_fixed_results_last__row_2026-07-10"])
    )
    (standing,) = ny_fed.parse_repo_operations(
        answer(rows["rp_repo_allotment_results_last__row_2026-09-03_shape"])
    )
    assert purchase["accepted_usd_mn"] == 4243
    assert week["total_usd_mn"] == pytest.approx(6344428.1750831, abs=1e-6)
    # This one has no term: Friday to Monday is overnight.
    assert (reverse["kind"], reverse["accepted_usd_mn"]) == ("on_rrp", 545)
    assert (standing["kind"], standing["accepted_usd_mn"]) == ("srf", 1)


@pytest.fixture
def history(replay: Callable[..., str], make_fetch: MakeFetch) -> Callable[[date, date], Fetch]:
    return lambda start, end: make_fetch(replay(), start, end)


@pytest.mark.replay
def test_the_repo_market_of_2019_09_17_is_reproduced(
    history: Callable[[date, date], Fetch],
) -> None:
    found = ny_fed.collect_reference_rates(history(date(2019, 9, 1), date(2019, 9, 30)))
    rows = validate(SOURCE_TABLES["reference_rates"], found["reference_rates"]).to_pylist()
    (day,) = [r for r in rows if r["rate"] == "SOFR" and r["effective_date"] == date(2019, 9, 17)]
    percentiles = [day[column] for column in ("p1_pct", "p25_pct", "p75_pct", "p99_pct")]
    assert day["rate_pct"] == 5.25
    assert percentiles == [2.25, 5.00, 5.85, 9.00]
    assert day["volume_usd_bn"] == 1177


@pytest.mark.replay
def test_each_rate_has_exactly_the_days_of_its_calendar(
    history: Callable[[date, date], Fetch],
) -> None:
    start, end = date(2024, 1, 1), date(2026, 6, 30)
    rows = ny_fed.collect_reference_rates(history(start, end))["reference_rates"].to_pylist()
    for rate_name, calendar in (("SOFR", "sifma"), ("EFFR", "fed"), ("OBFR", "fed")):
        got = sorted(row["effective_date"] for row in rows if row["rate"] == rate_name)
        assert got == calendars.days(calendar, start, end)  # type: ignore[arg-type]


@pytest.mark.replay
def test_take_up_of_the_standing_repo_facility_is_reproduced(
    history: Callable[[date, date], Fetch],
) -> None:
    found = ny_fed.collect_repo_operations(history(date(2025, 10, 1), date(2026, 2, 28)))
    rows = validate(SOURCE_TABLES["repo_operations"], found["repo_operations"]).to_pylist()
    taken: dict[date, float] = {}
    for row in rows:
        if row["kind"] == "srf" and not row["is_small_value"]:
            day = row["operation_date"]
            taken[day] = taken.get(day, 0) + row["accepted_usd_mn"]
    assert taken[date(2025, 12, 31)] == pytest.approx(74_600, abs=50)
    assert taken[date(2025, 10, 31)] == pytest.approx(50_350)  # 20.35 bn and 30 bn
    assert taken[date(2025, 10, 8)] < 97  # the exercise of that day took 97 mn


@pytest.mark.replay
def test_outright_operations_and_holdings_of_the_record_keep_their_contracts(
    history: Callable[[date, date], Fetch],
) -> None:
    whole = history(date(2005, 10, 1), date(2026, 8, 21))
    operations = ny_fed.collect_fed_operations(whole)["fed_operations"]
    holdings_ = ny_fed.collect_soma_holdings(whole)["soma_holdings"]
    assert validate(SOURCE_TABLES["fed_operations"], operations).num_rows == 431
    assert validate(SOURCE_TABLES["soma_holdings"], holdings_).num_rows == 205
    small = [r for r in operations.to_pylist() if r["is_small_value"] and r["direction"] == "sale"]
    assert any(
        r["operation_date"] == date(2025, 9, 9) and r["accepted_usd_mn"] == 50 for r in small
    )
