"""The page of hits and misses: rewritten between its markers only, misses included."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

import duckdb
import pyarrow as pa
import pytest

from liquidity_pipeline.contracts.marts import FAMILY_OF_MART, MART_TABLES
from liquidity_pipeline.scorecard import outlooks, replace_section
from liquidity_pipeline.scorecard.stress import scorecard

BEGIN, END = "<!-- part: begin -->", "<!-- part: end -->"

KNOWN = datetime.fromisoformat("2026-01-05 21:30")


@pytest.fixture
def marts() -> duckdb.DuckDBPyConnection:
    """Give the stress marts with one gauge that led one episode and missed another."""
    connection = duckdb.connect()
    connection.execute("create schema marts")
    for table in (t for t in MART_TABLES.values() if FAMILY_OF_MART[t.name] == "stress"):
        rows = ROWS.get(table.name, [])
        connection.register("rows", pa.Table.from_pylist(rows, schema=table.arrow_schema))
        connection.execute(f"create table marts.{table.name} as from rows")
    return connection


def _score(gauge: str, kind: str, episode: str, outcome: str, lead: float | None) -> dict:
    start = date(2019, 9, 16) if episode == "repo" else date(2023, 3, 8)
    return {
        "gauge": gauge,
        "gauge_kind": kind,
        "episode": episode,
        "episode_kind": "stress",
        "episode_start": start,
        "episode_end": start,
        "outcome": outcome,
        "lead_days": lead,
        "known_at": KNOWN,
    }


GAUGES = [("stress_index", "index")] + [
    (name, "segment") for name in ("funding", "reserves", "drain", "equity", "crypto", "credit")
]
ROWS = {
    "stress_scores": [
        _score(gauge, kind, episode, *outcome)
        for gauge, kind in GAUGES
        for episode, outcome in (
            ("repo", ("led", 12.0)),
            ("banks", ("missed", None)),
        )
        if episode == "banks" or gauge == "funding"
    ],
    "stress_gauges": [
        {
            "as_of": date(2025, 12, 31),
            "gauge": "funding",
            "gauge_kind": "segment",
            "years_observed": 8.0,
            "n_episodes": 2,
            "n_led": 1,
            "n_hit": 0,
            "n_missed": 1,
            "n_alarms": 5,
            "n_false_alarms": 4,
            "false_alarms_per_decade": 5.0,
            "false_alarms_low": 1.4,
            "false_alarms_high": 12.8,
            "level_correlation": -0.17,
            "level_low": -0.38,
            "level_high": 0.05,
            "level_n_eff": 81.0,
            "level_n_obs": 400,
            "change_n_obs": 60,
            "known_at": KNOWN,
        }
    ],
    "stress_index": [
        {"date": date(2019, 9, 20), "level": "stress", "index_value": 0.35},
        {"date": date(2021, 5, 4), "level": "severe", "index_value": 0.6},
        {"date": date(2021, 5, 5), "level": "stress", "index_value": 0.4},
        {"date": date(2021, 6, 4), "level": "watch", "index_value": 0.2},
    ],
}


def test_leads_and_misses_stand_side_by_side(marts: duckdb.DuckDBPyConnection) -> None:
    text = scorecard(marts, "live")
    assert "| repo | 2019-09-16 | · | +12 | · |" in text
    assert "| banks | 2023-03-08 | **miss** | **miss** |" in text


def test_no_estimate_without_its_interval_and_n(marts: duckdb.DuckDBPyConnection) -> None:
    text = scorecard(marts, "live")
    assert "| 4 of 5 | 5.0 (1.4 to 12.8) | -0.17 (-0.38 to 0.05); 400 (81) |" in text
    assert "n = 60, too few" in text


def test_false_alarms_of_the_index_are_listed(marts: duckdb.DuckDBPyConnection) -> None:
    text = scorecard(marts, "live")
    assert "| 2021-05 | 2 | severe | 0.600 |" in text
    assert "2019-09 |" not in text
    assert "2021-06" not in text


def test_synthetic_data_say_so(marts: duckdb.DuckDBPyConnection) -> None:
    assert "Synthetic" in scorecard(marts, "sandbox")


def test_only_what_stands_between_the_markers_is_replaced() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter"
    once = replace_section(page, "part", "new")
    assert once == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter"
    assert replace_section(once, "part", "new") == once


@pytest.mark.parametrize("page", ["", BEGIN, f"{END} {BEGIN}"])
def test_a_page_without_markers_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="part: begin"):
        replace_section(page, "part", "new")


@contextmanager
def marts_with(name: str, rows: list[dict]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a session with one mart of a few columns."""
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.register("rows", pa.Table.from_pylist(rows))
        connection.execute(f"create table marts.{name} as from rows")
        yield connection


def test_outlooks_are_compared_on_the_same_fridays() -> None:
    """Errors of 1 and 3 bn: median and mean 2.0; a Friday without last year's value is left out."""
    friday = date(2026, 1, 9)
    common = {"weeks_ahead": 1, "rollover_error_usd_mn": 4_000.0}
    rows = [
        {**common, "as_of_date": friday, "error_usd_mn": -1_000.0, "last_year_error_usd_mn": 5e3},
        {
            **common,
            "as_of_date": date(2026, 1, 16),
            "error_usd_mn": 3e3,
            "last_year_error_usd_mn": 7e3,
        },
        {
            **common,
            "as_of_date": date(2026, 1, 23),
            "error_usd_mn": 9e5,
            "last_year_error_usd_mn": None,
        },
    ]
    each = [{**row, "security_group": g} for row in rows for g in ("all", "bills", "coupons")]
    with marts_with("settlement_outlook_score", each) as connection:
        text = outlooks.settlements(connection, "live")
    assert "Recorded history, 2 Fridays from 2026-01-09 to 2026-01-16." in text
    assert "| 1 | 2.0 (2.0) | 2.0 (2.0) | 2.0 (2.0) | 6.0 / 6.0 / 6.0 | 4.0 / 4.0 / 4.0 |" in text


def test_a_band_counts_only_the_fridays_that_have_one() -> None:
    rows = [
        {
            "as_of_date": date(2026, 1, day),
            "weeks_ahead": 2,
            "component": component,
            "error_usd_mn": 10e3,
            "no_change_error_usd_mn": -20e3,
            "implied_error_usd_mn": 30e3 if component == "tga" else None,
            "is_in_band": inside,
        }
        for component in ("tga", "drain_reserves")
        for day, inside in ((2, None), (9, True), (16, False))
    ]
    with marts_with("drain_outlook_score", rows) as connection:
        text = outlooks.drains(connection, "sandbox")
    assert "Synthetic data of the sandbox, 3 Fridays" in text
    assert "| 2 | 10 / 20 / 30 | 50 % | 10 / 20 | 50 % |" in text
