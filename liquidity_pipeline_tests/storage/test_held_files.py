"""A lake sees its files as they are, looks once where it is told to, and reads each once."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liquidity_pipeline.storage import recent_files
from liquidity_pipeline.storage.held_files import every_file, look
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline.storage.recent_files import RecentFiles
from liquidity_pipeline_tests.storage.example import LEVELS

JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)
NOW = datetime.fromisoformat("2026-03-01")
NAMES = ["month=2026-01", "month=2026-02", "month=2025-12", "backup", ".unfinished", "levels"]


def rows_of(month: date, value: float, days: int = 2) -> pa.Table:
    rows = [
        {
            "date": month + timedelta(days=i),
            "name": "a",
            "level_usd_mn": value,
            "low_usd_mn": None,
            "note": None,
            "known_at": NOW,
        }
        for i in range(days)
    ]
    return pa.Table.from_pylist(rows, schema=LEVELS.arrow_schema)


def store(lake: Lake, month: date, value: float) -> None:
    lake.store(LEVELS, rows_of(month, value), [month], NOW)


def levels(lake: Lake, months: list[date]) -> list[float]:
    found: list[float] = lake.read_months(LEVELS, months)["level_usd_mn"].to_pylist()
    return found


@pytest.mark.slow
def test_a_look_finds_the_files_of_months_and_no_others(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    steps = st.lists(st.tuples(st.sampled_from(NAMES), st.booleans(), st.booleans()), max_size=12)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps)
    def follow(steps: list[tuple[str, bool, bool]]) -> None:
        folder = tmp_path_factory.mktemp("held") / LEVELS.name
        before = look(folder)
        assert before.names == before.paths == before.marks == ()
        for name, is_there, has_file in steps:
            (folder / name).mkdir(parents=True, exist_ok=True)
            file = folder / name / f"{LEVELS.name}.parquet"
            file.unlink(missing_ok=True)
            if is_there and has_file:
                file.write_text(name)
            before = look(folder, before)
            expected = sorted(folder.glob(f"month=*/{LEVELS.name}.parquet"))
            assert list(before.paths) == expected
            assert before == look(folder)
            assert [f"{month:%Y-%m}" for month in before.months] == [
                path.parent.name.removeprefix("month=") for path in expected
            ]
            assert [mark[1] for mark in before.marks] == [path.stat().st_size for path in expected]

    follow()


def test_every_file_of_a_folder_counts_where_they_are_no_months(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    store(lake, JANUARY, 1.0)
    store(lake, JANUARY, 2.0)
    (name,) = every_file(tmp_path / "revisions").names
    assert name.startswith(f"{LEVELS.name}-2026-01-")
    assert every_file(tmp_path / LEVELS.name) == look(tmp_path / LEVELS.name)


def test_in_a_block_only_what_this_lake_writes_is_seen(tmp_path: Path) -> None:
    lake, other = Lake(tmp_path), Lake(tmp_path)
    store(other, JANUARY, 1.0)
    with lake.looking_once():
        state = lake.state(LEVELS)
        store(other, FEBRUARY, 2.0)
        with lake.looking_once():
            assert lake.months(LEVELS) == [JANUARY]
        assert lake.state(LEVELS) == state
        store(lake, JANUARY, 3.0)
        assert lake.months(LEVELS) == [JANUARY, FEBRUARY]
        assert lake.state(LEVELS) == other.state(LEVELS) != state
    store(other, date(2026, 3, 1), 4.0)
    assert len(lake.months(LEVELS)) == 3


def test_each_look_outside_a_block_is_a_new_one(tmp_path: Path) -> None:
    lake, other = Lake(tmp_path), Lake(tmp_path)
    states = set()
    for value in range(5):
        store(other, JANUARY, float(value))
        states.add(lake.state(LEVELS))
        assert levels(lake, [JANUARY]) == [float(value)] * 2
    assert len(states) == 5


def test_a_month_is_read_once_until_it_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, opened = recent_files.read_file, []
    monkeypatch.setattr(
        recent_files,
        "read_file",
        lambda t, path, names: opened.append(path) or read(t, path, names),
    )
    lake, other = Lake(tmp_path), Lake(tmp_path)
    store(other, JANUARY, 1.0)
    for _ in range(3):
        assert levels(lake, [JANUARY]) == [1.0, 1.0]
        assert lake.read_months(LEVELS, [JANUARY], ["name"]).column_names == ["name"]
    assert opened == [lake.path(LEVELS, JANUARY)]
    store(other, JANUARY, 2.0)
    assert levels(lake, [JANUARY]) == [2.0, 2.0]


def test_a_file_that_was_damaged_after_it_was_read_is_named(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    store(lake, JANUARY, 1.0)
    assert levels(lake, [JANUARY]) == [1.0, 1.0]
    path = lake.path(LEVELS, JANUARY)
    path.write_bytes(b"PAR1 nothing")
    with pytest.raises(ValueError, match=f"{path} is damaged"):
        lake.read(LEVELS)


def test_few_and_small_files_are_kept(tmp_path: Path) -> None:
    """What is kept is bounded, however long a process lives and however large a table is."""
    recent = RecentFiles()
    for i in range(40):
        path = tmp_path / f"{i}.parquet"
        pq.write_table(rows_of(JANUARY, float(i)), path)
        assert recent.read(LEVELS, path, ["level_usd_mn"]).column(0).to_pylist() == [float(i)] * 2
    assert len(recent._rows) == recent_files._KEPT
    large = tmp_path / "large.parquet"
    rows = pa.concat_tables([rows_of(JANUARY, float(i), 31) for i in range(2000)])
    pq.write_table(rows, large, compression="none", use_dictionary=False)
    assert os.path.getsize(large) > recent_files._LARGEST_BYTES  # noqa: PTH202
    assert recent.read(LEVELS, large, ["date"]).num_rows == rows.num_rows
    assert large not in recent._rows
