"""Sharing a publication: what fails is said, and the file is published all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from liquidity_pipeline.pipeline import sharing
from liquidity_pipeline.settings import Settings


def test_a_machine_that_shares_nothing_has_nothing_to_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("LIQUIDITY_CATALOGUE", raising=False)
    assert sharing.share(Settings(tmp_path)) is None


def test_a_catalogue_that_cannot_be_used_is_a_problem_of_the_run_and_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Where there is no extension that is what fails, and otherwise that this is no database."""
    (tmp_path / "catalogue.sqlite").write_text("not a database at all" * 100)
    monkeypatch.setenv("LIQUIDITY_CATALOGUE", str(tmp_path / "catalogue.sqlite"))
    problem = sharing.share(Settings(tmp_path))
    assert problem is not None
    assert problem.startswith("published, but not shared: shared catalogue: ")
