"""`liquidity rebuild`: nothing that it does, and no crash of it, may cost the only copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from liquidity_pipeline.cli import rebuild as cli_rebuild
from liquidity_pipeline.cli.main import main
from liquidity_pipeline.ingestion import rebuild as rebuilding
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.registry import SOURCES
from liquidity_pipeline.storage.archive import Archive
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline_tests.ingestion.test_ingest import BODY, content, run
from liquidity_pipeline_tests.storage.example import (
    EVENTS,
    EXAMPLE,
    FEBRUARY,
    JANUARY,
    LEVELS,
    SEEN,
    events,
    levels,
)

OK, INCOMPLETE, USAGE, NOT_PUBLISHED = 0, 1, 2, 3


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Give a data directory that one fetch has filled; the command's run after it does nothing."""
    monkeypatch.setitem(SOURCES, EXAMPLE.name, EXAMPLE)  # type: ignore[arg-type]

    def publish(*_: object) -> None:
        raise SystemExit(OK)

    monkeypatch.setattr(cli_rebuild, "run_and_exit", publish)
    settings = Settings(tmp_path / "data")
    settings.claim_data_dir()
    run(settings, BODY)
    return settings


def rebuild(settings: Settings, *words: str) -> Result:
    options = ["--data-dir", str(settings.data_dir), "--endpoints", settings.endpoints]
    return CliRunner().invoke(main, ["rebuild", *options, *words], env={"COLUMNS": "200"})


def lake(settings: Settings) -> Lake:
    return Lake(settings.lake_dir)


def test_the_lake_is_replaced_by_what_the_archive_gives(settings: Settings):
    before = content(lake(settings))
    lake(settings).store(LEVELS, levels(("2026-01-30", "a", 7.0)), [JANUARY], SEEN)
    assert rebuild(settings, "--check").exit_code == INCOMPLETE
    result = rebuild(settings)
    assert result.exit_code == OK, result.output
    assert content(lake(settings)) == before
    assert sorted(p.name for p in settings.data_dir.iterdir()) == [
        ".build",
        "archive",
        "endpoints.json",
        "lake",
        "locks",
    ]
    assert list(settings.scratch_dir.iterdir()) == []


def test_two_rebuilds_at_once_do_not_touch_each_other(settings: Settings):
    """`rebuild --check` takes no lock: it may run beside anything."""
    before = content(lake(settings))
    with Pipeline(settings).rebuilt_lake() as (one, _):
        with Pipeline(settings).rebuilt_lake() as (other, done):
            assert done.fetches == 1
            assert content(Lake(one)) == content(Lake(other)) == before
        assert content(Lake(one)) == before
    assert list(settings.scratch_dir.iterdir()) == []


@pytest.mark.parametrize("words", [(), ("--force",)])
def test_an_archive_without_fetches_replaces_nothing(settings: Settings, words: tuple[str, ...]):
    before = content(lake(settings))
    shutil.rmtree(settings.archive_dir)
    result = rebuild(settings, *words)
    assert result.exit_code == NOT_PUBLISHED
    assert "no fetch that could be run again" in result.output
    assert content(lake(settings)) == before


def test_a_richer_lake_is_replaced_by_force_only(settings: Settings):
    march = FEBRUARY.replace(month=3)
    more = levels(("2026-02-02", "a", 2.0, 1.5), ("2026-02-03", "a", 3.0), ("2026-03-02", "a", 4.0))
    lake(settings).store(LEVELS, more, [FEBRUARY, march], SEEN)
    before = content(lake(settings))
    result = rebuild(settings)
    assert result.exit_code == NOT_PUBLISHED
    assert "example_levels/month=2026-02/example_levels.parquet: 1 of 2 rows" in result.output
    assert "example_levels/month=2026-03/example_levels.parquet: missing" in result.output
    assert "--force" in result.output
    assert content(lake(settings)) == before
    assert rebuild(settings, "--force").exit_code == OK
    assert lake(settings).months(LEVELS) == [JANUARY, FEBRUARY]


def test_a_directory_of_other_endpoints_is_left_alone(settings: Settings):
    before = content(lake(settings))
    result = rebuild(Settings(settings.data_dir, endpoints="http://127.0.0.1:9"))
    assert result.exit_code == USAGE
    assert "never share a directory" in " ".join(result.output.replace("│", "").split())
    assert content(lake(settings)) == before


def test_a_record_that_cannot_be_run_again_is_named_and_the_rest_is_replaced(settings: Settings):
    damaged = Archive(settings.archive_dir).record_files()[0].with_name("2099-x.json")
    damaged.write_text("{")
    for words in (("--check",), ()):
        result = rebuild(settings, *words)
        assert result.exit_code == INCOMPLETE
        (line,) = (line for line in result.output.splitlines() if "not run again" in line)
        assert str(damaged) in line
    assert "not replaced" not in result.output
    assert lake(settings).read(EVENTS).num_rows == 2


def test_rows_of_a_record_that_cannot_be_run_again_are_not_lost(settings: Settings):
    before = content(lake(settings))
    Archive(settings.archive_dir).record_files()[0].write_text("{")
    assert rebuild(settings).exit_code == NOT_PUBLISHED
    assert content(lake(settings)) == before


@pytest.mark.parametrize("crash_at", [1, 2])
def test_a_crash_at_any_rename_leaves_a_lake_or_a_copy(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, crash_at: int
):
    before = content(lake(settings))
    rename, calls = Path.rename, []

    def crash(path: Path, target: Path) -> Path:
        calls.append(path)
        if len(calls) >= crash_at:
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", crash)
    rebuild(settings)
    assert len(calls) == crash_at
    monkeypatch.setattr(Path, "rename", rename)
    # Even where the archive has become useless in the meantime.
    archive = settings.archive_dir.rename(settings.data_dir / "elsewhere")
    assert rebuild(settings).exit_code == NOT_PUBLISHED
    assert content(lake(settings)) == before
    archive.rename(settings.archive_dir)
    assert rebuild(settings).exit_code == OK
    assert content(lake(settings)) == before


def test_a_rename_that_fails_puts_the_lake_back(settings: Settings, tmp_path: Path):
    before = content(lake(settings))
    for rebuilt in (tmp_path / "nothing", tmp_path / "file"):
        (tmp_path / "file").touch()
        with pytest.raises(FileNotFoundError):
            rebuilding.replace_lake(settings.lake_dir, rebuilt)
        assert content(lake(settings)) == before


def test_a_lake_that_was_left_aside_is_not_lost_to_one_that_was_begun_since(settings: Settings):
    """The crash came between the renames, and the next command was a run."""
    aside = Lake(settings.lake_dir.with_name(".replaced"))
    rows = events(("Z", "2025-12-30", 1.0))
    aside.store(EVENTS, rows, [JANUARY.replace(year=2025, month=12)], SEEN)
    assert "month=2025-12" in rebuild(settings).output
    assert aside.read(EVENTS).num_rows == 1
    assert rebuild(settings, "--force").exit_code == OK
    assert not aside.root.exists()
