"""A complete build says from what it was made, and until when it is valid."""

import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from liquidity_pipeline.models.build_stamp import BuildStamps, Stamp, fingerprint

NOW = datetime(2026, 2, 6, 22)  # noqa: DTZ001 - naive UTC, as everywhere in storage
HOUR = timedelta(hours=1)


@pytest.fixture
def stamps(tmp_path: Path) -> BuildStamps:
    stamps = BuildStamps(tmp_path)
    stamps.add({"a": Stamp("inputs", NOW, NOW + 2 * HOUR), "b": Stamp("inputs", NOW, NOW)})
    return stamps


def test_the_same_inputs_hold_until_the_next_publication(stamps: BuildStamps):
    stamp = stamps.read()["a"]
    assert stamp.holds("inputs", NOW)
    assert stamp.holds("inputs", NOW + HOUR)
    assert not stamp.holds("inputs", NOW + 2 * HOUR)


def test_other_inputs_or_an_earlier_moment_do_not_hold(stamps: BuildStamps):
    stamp = stamps.read()["a"]
    assert not stamp.holds("others", NOW)
    assert not stamp.holds("inputs", NOW - HOUR), "a run as of an earlier day knows less"


def test_a_build_that_began_and_did_not_end_has_no_stamp(stamps: BuildStamps, tmp_path: Path):
    stamps.clear(["a", "c"])
    stamps.clear(["a"])
    assert list(stamps.read()) == ["b"]
    for damaged in ("{", "[]", '{"marts": {"b": 1}}', '{"inputs": "of an earlier version"}'):
        (tmp_path / "built.json").write_text(damaged)
        assert stamps.read() == {}


def of(folder: Path) -> str:
    return fingerprint((folder, folder.iterdir()))


def test_a_file_that_came_went_or_changed_changes_the_fingerprint(tmp_path: Path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("1")
    single = of(tmp_path)
    other.write_text("2")
    assert of(tmp_path) != single
    other.unlink()
    assert of(tmp_path) == single
    one.write_text("3")
    assert of(tmp_path) != single


def test_a_copied_directory_has_the_same_fingerprint(tmp_path: Path):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    (here / "one").write_text("1")
    shutil.copytree(here, there)
    os.utime(there / "one", (0, 0))
    assert of(there) == of(here)
