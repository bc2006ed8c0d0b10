"""What is said about how current each source is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from liquidity_pipeline.contracts.meta import FRESHNESS
from liquidity_pipeline.contracts.sources.treasury import DEBT_SETTLEMENTS
from liquidity_pipeline.contracts.validation import validate
from liquidity_pipeline.ingestion import freshness as module
from liquidity_pipeline.ingestion.freshness import freshness
from liquidity_pipeline.sources.fetch import Fetch, Window
from liquidity_pipeline.sources.registry import SOURCES
from liquidity_pipeline.storage.archive import Archive
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline.universe import Universe
from liquidity_pipeline_tests.sources.canned import Canned
from liquidity_pipeline_tests.storage.example import (
    EXAMPLE,
    FEBRUARY,
    JANUARY,
    LEVELS,
    SEEN,
    levels,
)

NOBODY = Universe((), ())
# Noon in New York on Friday 2026-02-06: the level of Wednesday is the newest that is public.
NOW = datetime.fromisoformat("2026-02-06 17:00")
JANUARY_DAYS = [5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 20, 21, 22, 23, 26, 27, 28, 29, 30]


class Place:
    """A lake and an archive in which only the example source exists."""

    def __init__(self, root: Path) -> None:
        self.lake, self.archive = Lake(root / "lake"), Archive(root / "archive")

    def store(self, *days: date) -> None:
        rows = levels(*((day, "a", 1.0) for day in days))
        self.lake.store(LEVELS, rows, [JANUARY, FEBRUARY], SEEN)

    def fetched(self, error: str | None = None, gap: str | None = None) -> None:
        fetch = Fetch(Window(JANUARY, FEBRUARY), NOW, NOBODY, Canned({}))
        if gap:
            fetch.gap(gap)
        self.archive.keep(EXAMPLE.name, fetch, error)

    def rows(self, now: datetime = NOW) -> dict[str, dict[str, Any]]:
        found = freshness(self.lake, self.archive, NOBODY, now)
        assert validate(FRESHNESS, found).num_rows == found.num_rows
        return {row["table_name"]: row for row in found.to_pylist()}


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(module, "SOURCES", {EXAMPLE.name: EXAMPLE})
    return Place(tmp_path)


def all_days(*february: int) -> list[date]:
    january = [date(2026, 1, 2), *(date(2026, 1, day) for day in JANUARY_DAYS)]
    return january + [date(2026, 2, day) for day in february]


def test_a_current_table_has_nothing_behind_and_no_problem(directory: Place):
    directory.store(*all_days(2, 3, 4))
    directory.fetched()
    row = directory.rows()["example_levels"]
    assert (row["entity"], row["last_day"], row["due_day"]) == (
        "a", date(2026, 2, 4), date(2026, 2, 4),
    )  # fmt: skip
    assert (row["days_behind"], row["days_missing"], row["is_stale"]) == (0, 0, False)
    assert row["problem"] is None
    assert row["fetched_at"] is not None


def test_what_came_since_is_behind_and_holes_are_missing(directory: Place):
    directory.store(*(day for day in all_days(2) if day != date(2026, 1, 20)))
    directory.fetched()
    row = directory.rows()["example_levels"]
    assert (row["last_day"], row["due_day"]) == (date(2026, 2, 2), date(2026, 2, 4))
    assert (row["days_behind"], row["days_missing"], row["is_stale"]) == (2, 3, True)


def test_a_table_becomes_stale_by_the_minute_of_publication(directory: Place):
    directory.store(*all_days(2, 3, 4))
    directory.fetched()
    at_four = datetime.fromisoformat("2026-02-06 21:00")
    assert not directory.rows(at_four.replace(hour=20, minute=59))["example_levels"]["is_stale"]
    assert directory.rows(at_four)["example_levels"]["is_stale"]


def test_the_last_failure_is_told_beside_the_last_success(directory: Place):
    directory.store(*all_days(2, 3, 4))
    directory.fetched(gap="b is not served")
    good = directory.rows()["example_levels"]
    assert good["problem"] == "b is not served"
    directory.fetched(error="nyfed: HTTP 503")
    row = directory.rows()["example_levels"]
    assert (row["problem"], row["fetched_at"]) == ("nyfed: HTTP 503", good["fetched_at"])
    assert not row["is_stale"]


def test_events_are_stale_when_they_could_not_be_asked_for(directory: Place):
    directory.fetched()
    assert not directory.rows()["example_events"]["is_stale"]
    directory.fetched(error="nyfed: HTTP 503")
    assert directory.rows()["example_events"]["is_stale"]


@pytest.mark.parametrize(
    ("asked", "moment", "stale"),
    [
        # Asked at noon in New York on Friday 6 February. The evening's refresh begins at 21:30 and
        # has 45 minutes: until then Friday's auctions are not due.
        ("2026-02-06 17:00", "2026-02-07 03:14", False),
        ("2026-02-06 17:00", "2026-02-07 03:15", True),
        # Asked when Friday's results were out: nothing happens until Monday evening.
        ("2026-02-06 23:30", "2026-02-08 23:00", False),
        ("2026-02-06 23:30", "2026-02-10 03:14", False),
        ("2026-02-06 23:30", "2026-02-10 03:15", True),
        # Monday 16 February was Presidents' Day.
        ("2026-02-13 23:30", "2026-02-17 12:00", False),
        ("2026-02-13 23:30", "2026-02-18 03:15", True),
        # Nobody asked for months.
        ("2025-11-06 17:00", "2026-02-07 12:00", True),
    ],
)
def test_events_that_nobody_asked_for_are_stale(directory: Place, asked, moment, stale):
    asked = datetime.fromisoformat(asked)
    fetch = Fetch(Window(JANUARY, FEBRUARY), asked, NOBODY, Canned({}))
    directory.archive.keep(EXAMPLE.name, fetch, None)
    rows = directory.rows(datetime.fromisoformat(moment))
    assert rows["example_events"]["is_stale"] == stale


def test_events_of_which_a_part_was_not_answered_are_stale(directory: Place):
    # Treasury's auctions came, its buybacks were not served: no row is due, and none is fresh.
    directory.fetched(gap="Treasury buybacks: HTTP 404")
    record = directory.archive.last(EXAMPLE.name)
    assert record is not None
    auctions = {
        "path": "/fiscaldata/od/auctions_query",
        "params": {},
        "status": 200,
        "failure": None,
    }
    buybacks = {**auctions, "path": "/fiscaldata/od/buybacks_operations"}
    assert module._failed(DEBT_SETTLEMENTS, replace(record, answers=[auctions]))
    assert not module._failed(DEBT_SETTLEMENTS, replace(record, answers=[auctions, buybacks]))


def test_a_table_that_was_never_fetched_says_so(directory: Place):
    for row in directory.rows().values():
        assert (row["problem"], row["fetched_at"], row["last_day"]) == ("never fetched", None, None)
        assert row["is_stale"]


def test_every_source_and_entity_has_its_row(tmp_path: Path, universe: Universe):
    found = freshness(Lake(tmp_path / "lake"), Archive(tmp_path / "archive"), universe, NOW)
    pairs = {(row["table_name"], row["entity"]) for row in found.to_pylist()}
    assert len(pairs) == found.num_rows
    assert {("tga_balance", ""), ("reference_rates", "SOFR"), ("crypto_prices", "BTC")} <= pairs
    assert ("index_prices", "SPX") in pairs


def test_a_file_that_is_replaced_whole_is_as_fresh_as_its_last_day(
    directory: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = SOURCES["reserve_demand_elasticity"]
    monkeypatch.setattr(module, "SOURCES", {source.name: source})
    assert directory.rows()[source.name]["is_stale"], "never fetched"
    (contract,) = source.tables
    for held, is_stale, missing in ((date(2025, 12, 12), True, 1), (date(2026, 1, 9), False, 0)):
        days = [date(2025, 11, 14), date(2025, 12, 12), held]
        rows = [{"date": day, "p50_bp": -0.1, "known_at": SEEN} for day in dict.fromkeys(days)]
        table = pa.Table.from_pylist(rows, schema=contract.arrow_schema)
        directory.lake.store_snapshot(contract, table, SEEN)
        row = directory.rows()[source.name]
        # The file of 15 January 2026 reached the 9th.
        assert (row["last_day"], row["due_day"]) == (held, date(2026, 1, 9))
        assert (row["is_stale"], row["days_missing"]) == (is_stale, missing)
