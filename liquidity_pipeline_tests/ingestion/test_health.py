"""One row per source table, and gaps that are known."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from liquidity_pipeline.ingestion.health import Gap, GapsError, health, read_gaps
from liquidity_pipeline.settings import default_reference_dir

DUE = date(2026, 2, 5)


def row(entity: str, *, missing: int = 0, behind: int = 0, table: str = "rates") -> dict[str, Any]:
    return {
        "table_name": table,
        "entity": entity,
        "last_day": DUE,
        "due_day": DUE,
        "days_behind": behind,
        "days_missing": missing,
        "is_stale": missing > 0,
        "fetched_at": datetime(2026, 2, 6),  # noqa: DTZ001
        "problem": "it said no" if missing else None,
    }


def test_a_table_is_fresh_when_all_of_its_series_are():
    (found,) = health([row("a"), row("b")], [])
    assert (found.fresh, found.series, found.stale, found.problem) == (True, 2, (), "")
    (found,) = health([row("a"), row("b", missing=3, behind=2), row("c", missing=1)], [])
    assert not found.fresh
    assert found.stale == ("b", "c")
    assert (found.days_missing, found.days_behind, found.problem) == (4, 2, "it said no")


def test_the_newest_day_is_that_of_a_series_that_is_held():
    """A price that was never served says nothing of the day through which the others are held."""
    never = row("a", missing=900, behind=900) | {"last_day": None}
    (found,) = health([never, row("b", missing=3, behind=3)], [])
    assert (found.newest, found.due, found.days_behind) == (DUE, DUE, 900)
    (found,) = health([never], [])
    assert found.newest is None


@pytest.mark.parametrize(
    ("gap", "missing", "behind", "fresh"),
    [
        (Gap("rates", "a", 1, "known"), 1, 0, True),
        (Gap("rates", "a", 1, "known"), 2, 0, False),
        (Gap("rates", "a", 1, "known"), 1, 1, False),
        (Gap("rates", "a", None, "never served"), 900, 900, True),
        (Gap("rates", "b", None, "another series"), 1, 0, False),
        (Gap("prices", "a", None, "another table"), 1, 0, False),
    ],
)
def test_a_known_gap_is_no_news_and_anything_beyond_it_is(gap, missing, behind, fresh):
    (found,) = health([row("a", missing=missing, behind=behind)], [gap])
    assert found.fresh is fresh
    assert found.acknowledged == (("a",) if fresh else ())


def test_the_committed_file_is_read_and_a_missing_one_is_none(tmp_path: Path):
    assert all(gap.reason for gap in read_gaps(default_reference_dir()))
    assert read_gaps(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[gap]]\ntable = 'rates'", "gap 1: a table and a reason are needed"),
        ("[[gap]]\ntable = 'rates'\nreason = 'x'\ndays = 0", "days is a whole number"),
        ("[[gap]]\ntable = 'rates'\nreason = 'x'\ndays = true", "days is a whole number"),
        ("[[gap]]\ntable = 'rates'\nreason = 'x'\nday = 1", "unknown day"),
        ("[[gap]]\ntable = 5\nreason = 'x'", "are texts"),
        ("[[gap", "acknowledged_gaps.toml"),
    ],
)
def test_a_bad_entry_is_named(tmp_path: Path, text: str, problem: str):
    (tmp_path / "acknowledged_gaps.toml").write_text(text)
    with pytest.raises(GapsError, match=problem):
        read_gaps(tmp_path)
