"""Sharing a publication: what fails is said, and the file is published all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from liquidity_pipeline.pipeline import sharing
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.storage import shared_catalogue


def test_a_machine_that_shares_nothing_has_nothing_to_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("LIQUIDITY_CATALOGUE", raising=False)
    assert sharing.share(Settings(tmp_path)) is None


def test_a_catalogue_that_cannot_be_used_is_a_problem_of_the_run_and_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LIQUIDITY_CATALOGUE", str(tmp_path / "catalogue.sqlite"))
    monkeypatch.setattr(shared_catalogue, "_packaged", lambda name: tmp_path / "absent")
    problem = sharing.share(Settings(tmp_path))
    assert problem is not None
    assert problem.startswith("published, but not shared: shared catalogue: ")
    assert "liquidity-pipeline[ducklake]" in problem
