"""A noted content is that of the files as they are, or is not used."""

from __future__ import annotations

import json
import time
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liquidity_pipeline.models import build_stamp, lake_contents
from liquidity_pipeline.models.build_stamp import fingerprint
from liquidity_pipeline.models.lake_contents import LakeContents
from liquidity_pipeline.storage import held_files
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline_tests.storage.example import LEVELS

MONTHS = [date(2026, month, 1) for month in (1, 2, 3)]
NOW = datetime.fromisoformat("2026-04-01")
TABLES = {LEVELS.name: LEVELS}


def store(lake: Lake, month: date, value: float) -> None:
    row = {"date": month, "name": "a", "level_usd_mn": value, "known_at": NOW}
    row |= {"low_usd_mn": None, "note": None}
    lake.store(LEVELS, pa.Table.from_pylist([row], schema=LEVELS.arrow_schema), [month], NOW)


def taken(lake: Lake) -> dict[str, str]:
    """Return what a process finds that has just started."""
    build_stamp._content.cache_clear()
    return LakeContents(Lake(lake.root)).of(TABLES)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files whose content is hashed."""
    found: list[Path] = []
    read = build_stamp._content.__wrapped__

    def content(path: Path, *_mark: int) -> bytes:
        found.append(path)
        return read(path)

    monkeypatch.setattr(build_stamp, "_content", content)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("settled", [0, 10**18], ids=["noted at once", "never noted"])
def test_the_content_is_that_of_the_files_after_every_change(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, settled: int
) -> None:
    monkeypatch.setattr(held_files, "_SETTLED_NS", settled)
    steps = st.lists(st.tuples(st.sampled_from(MONTHS), st.integers(0, 2)), max_size=8)

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps)
    def follow(steps: list[tuple[date, int]]) -> None:
        lake = Lake(tmp_path_factory.mktemp("contents"))
        contents = LakeContents(lake)
        for month, value in steps:
            if value:
                store(lake, month, float(value))
            else:
                lake.path(LEVELS, month).unlink(missing_ok=True)
            expected = {LEVELS.name: fingerprint((lake.root, lake.files(LEVELS)))}
            assert contents.of(TABLES) == taken(lake) == expected

    follow()


def test_files_that_were_not_replaced_are_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: list[Path]
) -> None:
    monkeypatch.setattr(held_files, "_SETTLED_NS", 0)
    lake = Lake(tmp_path)
    for month in MONTHS:
        store(lake, month, 1.0)
    before = LakeContents(lake).of(TABLES)
    assert len(reads) == 3
    assert LakeContents(Lake(tmp_path)).of(TABLES) == before
    assert len(reads) == 3
    store(lake, MONTHS[0], 2.0)
    assert LakeContents(Lake(tmp_path)).of(TABLES) != before
    assert len(reads) == 6


def test_the_content_of_a_file_that_was_new_when_it_was_looked_at_is_not_noted(
    tmp_path: Path,
) -> None:
    """Another could have taken its place in the same step of the file system's clock.

    What counts is the moment of the look, however long the reading takes.
    """
    lake, note = Lake(tmp_path), tmp_path / ".contents.json"
    store(lake, MONTHS[0], 1.0)
    with lake.looking_once():
        lake.state(LEVELS)
        time.sleep(0.2)
        LakeContents(lake).of(TABLES)
    assert not note.exists()
    LakeContents(lake).of(TABLES)
    assert note.exists()


@pytest.mark.parametrize("note", ["", "[]", "{", '{"levels": 1}', '{"levels": ["a"]}'])
def test_a_note_that_is_not_understood_is_not_used(tmp_path: Path, note: str) -> None:
    lake = Lake(tmp_path)
    store(lake, MONTHS[0], 1.0)
    (tmp_path / ".contents.json").write_text(note)
    assert taken(lake) == {LEVELS.name: fingerprint((lake.root, lake.files(LEVELS)))}


def test_where_nothing_can_be_noted_the_contents_are_taken_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_files, "_SETTLED_NS", 0)
    lake = Lake(tmp_path)
    store(lake, MONTHS[0], 1.0)
    expected = taken(lake)
    (tmp_path / ".contents.json").unlink()

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(lake_contents, "replacing", refuse)
    assert taken(lake) == expected
    assert not (tmp_path / ".contents.json").exists()


def test_the_note_names_each_table_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_files, "_SETTLED_NS", 0)
    lake = Lake(tmp_path)
    store(lake, MONTHS[0], 1.0)
    found = taken(lake)
    noted = json.loads((tmp_path / ".contents.json").read_text())
    assert noted == {LEVELS.name: [lake.state(LEVELS), found[LEVELS.name]]}
