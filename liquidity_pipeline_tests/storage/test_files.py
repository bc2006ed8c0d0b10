"""A file is replaced whole or not at all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from liquidity_pipeline.storage import files
from liquidity_pipeline.storage.files import replacing, unfinished


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


# Makes a file, or a folder with a file, and waits to be killed.
KILLED = """
import sys, time
from pathlib import Path
from liquidity_pipeline.storage.files import unfinished
with unfinished(Path(sys.argv[1]), ".duckdb") as path:
    path.write_text("half")
    Path(f"{path}.wal").write_text("a write-ahead log")
    with unfinished(Path(sys.argv[1])) as folder:
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / "table.parquet").write_text("half")
        print("made", flush=True)
        time.sleep(300)
"""


def test_what_a_killed_process_left_goes_with_the_next_write_and_not_before(tmp_path: Path):
    scratch, target = tmp_path / ".build", tmp_path / "new.json"
    words = [sys.executable, "-c", KILLED, str(scratch)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "made\n"
        alive = sorted(scratch.rglob("*"))
        with replacing(target, scratch) as path:
            path.write_text("{}")
        assert sorted(scratch.rglob("*")) == alive
        process.kill()
    with replacing(target, scratch) as path:
        path.write_text("{}")
    assert list(scratch.iterdir()) == []


def test_what_is_not_ours_stays(tmp_path: Path):
    (tmp_path / "debug").mkdir()
    (tmp_path / "debug" / "program").touch()
    (tmp_path / "abc.lock").touch()
    before = sorted(tmp_path.rglob("*"))
    with unfinished(tmp_path, ".md"):
        pass
    assert sorted(tmp_path.rglob("*")) == before
