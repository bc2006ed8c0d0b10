"""A gathered file holds what its files hold, whatever was replaced, added, removed or damaged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liquidity_pipeline.contracts.meta import REVISIONS
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.storage import lake as lake_module
from liquidity_pipeline.storage import recent_files
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline_tests.storage.example import LEVELS

MONTHS = [date(2020 + i // 12, i % 12 + 1, 1) for i in range(18)]
NOW = datetime.fromisoformat("2026-01-01")


def store(lake: Lake, month: date, value: float) -> None:
    """Store three days of a month that all hold one value."""
    days = [month + timedelta(days=i) for i in range(3)]
    rows = [
        {
            "date": day,
            "name": "a",
            "level_usd_mn": value,
            "low_usd_mn": None,
            "note": None,
            "known_at": datetime.combine(day, NOW.time()),
        }
        for day in days
    ]
    lake.store(LEVELS, pa.Table.from_pylist(rows, schema=LEVELS.arrow_schema), [month], NOW)


def directly(lake: Lake) -> pa.Table:
    """Read every file by itself."""
    parts = [pq.ParquetFile(path).read() for path in lake.files(LEVELS)]
    return pa.concat_tables(parts).cast(LEVELS.arrow_schema)


def opened_files(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return a list of the files that are read from now on."""
    opened: list[Path] = []
    read = recent_files.read_file

    def counted(table: Table, path: Path, names: Sequence[str]) -> pa.Table:
        opened.append(path)
        return read(table, path, names)

    monkeypatch.setattr(lake_module, "read_file", counted)
    monkeypatch.setattr(recent_files, "read_file", counted)
    return opened


def filled(folder: Path) -> Lake:
    lake = Lake(folder / "lake")
    for i, month in enumerate(MONTHS[:15]):
        store(lake, month, float(i))
    return lake


@pytest.mark.slow
def test_gathered_rows_follow_every_change(tmp_path_factory: pytest.TempPathFactory) -> None:
    changes = st.lists(
        st.tuples(st.sampled_from(MONTHS), st.integers(0, 3), st.booleans()), max_size=6
    )

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(changes)
    def follow(steps: list[tuple[date, int, bool]]) -> None:
        lake = filled(tmp_path_factory.mktemp("gathered"))
        for month, value, is_gone in steps:
            lake.path(LEVELS, month).unlink(missing_ok=True)
            if not is_gone:
                store(lake, month, float(value))
            assert lake.read(LEVELS).equals(directly(lake))
            assert lake.read_months(LEVELS, MONTHS).equals(directly(lake))

    follow()


def test_many_months_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = filled(tmp_path)
    monkeypatch.setattr("liquidity_pipeline.storage.held_files._SETTLED_NS", 0)
    (path,) = lake.gathered(LEVELS)
    opened = opened_files(monkeypatch)
    assert lake.read(LEVELS).num_rows == 45
    assert opened == [path]
    store(lake, MONTHS[3], 99.0)
    opened.clear()
    assert lake.read(LEVELS)["level_usd_mn"].to_pylist().count(99.0) == 3
    assert opened == [lake.path(LEVELS, MONTHS[3]), path]


def test_many_revisions_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a file for each corrected month: thousands after years of daily runs."""
    lake = Lake(tmp_path)
    for value in range(40):
        store(lake, MONTHS[0], float(value))
    folder = tmp_path / "revisions"
    files = sorted(folder.glob("*.parquet"))
    directly = pa.concat_tables(
        [pq.read_table(file).select(REVISIONS.column_names) for file in files]
    )
    assert lake.revisions().equals(directly.cast(REVISIONS.arrow_schema))
    monkeypatch.setattr("liquidity_pipeline.storage.held_files._SETTLED_NS", 0)
    lake.revisions()
    opened = opened_files(monkeypatch)
    assert Lake(tmp_path).revisions().num_rows == directly.num_rows == 39 * 3
    assert len(opened) == 1
    assert len(lake.revisions(until=datetime(2020, 1, 1))) == 0  # noqa: DTZ001


def test_file_of_another_contract_or_a_damaged_one_is_made_again(tmp_path: Path) -> None:
    lake = filled(tmp_path)
    (path,) = lake.gathered(LEVELS)
    expected = directly(lake)
    for content in (b"", b"PAR1 nothing", path.read_bytes()[:-300]):
        path.write_bytes(content)
        assert lake.read(LEVELS).equals(expected)
    kept = pq.read_table(path)
    fewer = kept.drop_columns(["level_usd_mn"]).replace_schema_metadata(kept.schema.metadata)
    pq.write_table(fewer, path)
    assert lake.read(LEVELS).equals(expected)


def test_damaged_month_is_named_and_leaves_the_months_to_be_read_one_by_one(tmp_path: Path) -> None:
    lake = filled(tmp_path)
    lake.gathered(LEVELS)
    damaged = lake.path(LEVELS, MONTHS[2])
    damaged.write_bytes(damaged.read_bytes()[:40])
    assert lake.gathered(LEVELS) == lake.files(LEVELS)
    with pytest.raises(ValueError, match=str(damaged)):
        lake.read(LEVELS)


def test_nothing_is_gathered_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = filled(tmp_path)

    def refuse(*_: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr("liquidity_pipeline.storage.gathered.replacing", refuse)
    assert lake.gathered(LEVELS) == lake.files(LEVELS)
    assert lake.read(LEVELS).equals(directly(lake))
