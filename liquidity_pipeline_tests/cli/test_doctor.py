"""The doctor: whatever is wrong is a finding, never a traceback."""

from __future__ import annotations

import queue
import socket
import time
from pathlib import Path

import duckdb
import pytest

from liquidity_pipeline.cli import doctor
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.publishers import PUBLISHERS


def published(folder: Path) -> doctor.Finding:
    """Return what the doctor says of the published file."""
    (finding,) = (f for f in doctor._files(Settings(folder)) if f.what == "published file")
    return finding


def test_a_damaged_published_file_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "liquidity.duckdb").write_bytes(b"broken" * 1000)
    finding = published(tmp_path)
    assert not finding.good
    assert "not a valid DuckDB database" in finding.detail


def test_a_file_that_is_no_publication_is_a_finding(tmp_path: Path) -> None:
    duckdb.connect(tmp_path / "liquidity.duckdb").close()
    finding = published(tmp_path)
    assert not finding.good
    assert "publication" in finding.detail


def test_a_directory_without_a_publication_is_in_order(tmp_path: Path) -> None:
    finding = published(tmp_path)
    assert finding.good
    assert finding.detail.startswith("none yet")


def test_a_log_beside_the_published_file_must_go(tmp_path: Path) -> None:
    (tmp_path / "liquidity.duckdb.wal").touch()
    assert not published(tmp_path).good


def test_the_shared_catalogue_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def finding() -> doctor.Finding:
        found = doctor._files(Settings(tmp_path))
        (catalogue,) = (f for f in found if f.what == "shared catalogue")
        return catalogue

    monkeypatch.setenv("LIQUIDITY_CATALOGUE", str(tmp_path / "catalogue.sqlite"))
    assert finding().good
    assert "the next publication creates it" in finding().detail
    # With an extension of DuckDB this is no database, and without one that is what fails.
    (tmp_path / "catalogue.sqlite").write_text("no database " * 500)
    assert not finding().good


@pytest.mark.slow
def test_silent_publishers_are_asked_at_once_and_not_waited_for(tmp_path: Path) -> None:
    """A listener that never answers: ten publishers, one wait."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        findings = list(doctor.examine(Settings(tmp_path, endpoints=url)))
    (failure,) = (finding for finding in findings if not finding.good)
    assert failure.what == f"all {len(PUBLISHERS)} publishers"
    assert failure.detail.startswith(f"no answer within {doctor._SECONDS} seconds: {url}")
    # One after the other, with one attempt each, would be ten times as long.
    assert time.monotonic() - began < 4 * doctor._SECONDS


def failures(settings: Settings) -> list[doctor.Finding]:
    """Return what the doctor finds wrong."""
    return [finding for finding in doctor.examine(settings) if not finding.good]


def test_a_sandbox_that_does_not_run_is_said_once_with_what_to_do(tmp_path: Path) -> None:
    (failure,) = failures(Settings(tmp_path, endpoints="sandbox"))
    assert failure.what == f"all {len(PUBLISHERS)} publishers"
    assert "start it with `liquidity sandbox`" in failure.detail


def test_a_stand_in_that_does_not_run_is_said_once_with_its_address(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    (failure,) = failures(Settings(tmp_path, endpoints=url))
    assert url in failure.detail
    assert "start it first" in failure.detail


def test_publishers_that_fail_for_different_reasons_are_told_apart(tmp_path: Path) -> None:
    """Two that refuse alike are one finding; a third with a reason of its own is another."""
    first, second, third, *others = PUBLISHERS.values()
    answers: queue.Queue[doctor.Finding] = queue.Queue()
    for publisher in (first, second):
        answers.put(doctor.Finding(publisher.title, False, "expected CSV, got no connection (x)"))
    answers.put(doctor.Finding(third.title, False, "HTTP 403"))
    for publisher in others:
        answers.put(doctor.Finding(publisher.title, True, "answers"))
    found = [each for each in doctor._answers(answers, Settings(tmp_path)) if not each.good]
    assert {finding.what for finding in found} == {
        ", ".join(sorted((first.title, second.title))),
        third.title,
    }
