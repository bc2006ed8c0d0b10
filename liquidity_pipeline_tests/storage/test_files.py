"""A file is replaced whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from liquidity_pipeline.storage import files
from liquidity_pipeline.storage.files import replacing


def test_the_new_file_takes_the_place_of_the_old_one(tmp_path: Path):
    target = tmp_path / "deep" / "table.parquet"
    for content in ("old", "new"):
        with replacing(target, tmp_path / ".unfinished") as path:
            path.write_text(content)
        assert target.read_text() == content
    assert list((tmp_path / ".unfinished").iterdir()) == []


def test_a_failure_leaves_the_old_file_and_no_trace(tmp_path: Path):
    target, scratch = tmp_path / "file.duckdb", tmp_path / ".build"
    target.write_text("old")

    def half_written() -> None:
        with replacing(target, scratch) as path:
            path.write_text("half")
            path.with_name(f"{path.name}.wal").write_text("a write-ahead log")
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        half_written()
    assert target.read_text() == "old"
    assert list(scratch.iterdir()) == []


def test_the_content_is_on_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    steps: list[tuple[str, bool]] = []
    target = tmp_path / "table.parquet"
    monkeypatch.setattr(files, "sync", lambda path: steps.append((path.name, target.exists())))
    with replacing(target, tmp_path / ".unfinished") as path:
        path.write_text("new")
    assert steps == [(path.name, False), (tmp_path.name, True)]
