"""The examples in the docstrings of the classes that others use give what they show."""

from __future__ import annotations

import doctest
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.sources.http import HttpClient
from liquidity_pipeline.sources.registry import SOURCES
from liquidity_pipeline.storage.archive import Archive
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline.universe import Universe


@pytest.mark.parametrize("described", [HttpClient, Lake, Archive, Pipeline])
def test_the_example_gives_what_it_shows(
    described: type, sandbox: str, universe: Universe, tmp_path: Path
) -> None:
    given: dict[str, Any] = {
        "sandbox_url": sandbox,
        "folder": tmp_path,
        "universe": universe,
        "client": HttpClient(Settings(tmp_path, endpoints=sandbox)),
        "window": Window.of_months(date(2026, 1, 1), date(2026, 1, 31)),
        "now": datetime.fromisoformat("2026-02-06 22:00"),
        "SOURCES": SOURCES,
        "Path": Path,
    }
    (example,) = doctest.DocTestFinder(recurse=False).find(described, extraglobs=given)
    assert example.examples, f"{described.__name__} shows no example"
    report: list[str] = []
    results = doctest.DocTestRunner(verbose=False).run(example, out=report.append)
    assert results.failed == 0, "".join(report)
