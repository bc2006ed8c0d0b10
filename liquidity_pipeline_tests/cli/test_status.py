"""`liquidity status`: the verdict first, one screen, names whole, and the same for machines."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from liquidity_pipeline.cli.exits import INCOMPLETE, OK
from liquidity_pipeline.sources.registry import SOURCES
from liquidity_pipeline_tests.cli.commands import liquidity

AS_OF = {"LIQUIDITY_AS_OF": "2026-02-06"}


def test_all_is_well_in_one_line_and_one_screen(place):
    result = liquidity("status", *place, **AS_OF, COLUMNS="80")
    assert result.exit_code == OK, result.output
    lines = result.output.splitlines()
    tables = [table.name for source in SOURCES.values() for table in source.tables]
    assert lines[0].startswith("published ")
    assert ", as of 2026-02-06; " in lines[0]
    assert f"{len(tables)} of {len(tables)} sources fresh; 0 checks failing" in lines[0]
    assert len(lines) <= 40
    words = result.output.split()
    assert all(name in words for name in tables), "no name is cut"
    assert "next schedule" in result.output


def test_what_is_stale_is_said_once_and_ends_with_1(place):
    # Ten days later nothing newer is held.
    result = liquidity("status", *place, LIQUIDITY_AS_OF="2026-02-16", COLUMNS="80")
    assert result.exit_code == INCOMPLETE
    assert "tga_balance: " in result.output
    assert "days missing" in result.output


def test_the_same_as_json_and_for_prometheus(place):
    found = json.loads(liquidity("status", *place, "--format", "json", **AS_OF).output)
    assert found["well"] is True
    assert found["verdict"].startswith("published ")
    assert {source["table"] for source in found["sources"]} >= set(SOURCES)
    metrics = liquidity("status", *place, "--format", "prometheus", **AS_OF).output.splitlines()
    values = dict(line.rsplit(" ", 1) for line in metrics if not line.startswith("#"))
    assert float(values["liquidity_well"]) == 1
    assert float(values['liquidity_source_fresh{table="tga_balance"}']) == 1
    assert float(values["liquidity_checks_failing"]) == 0
    # Six digits would put the moment an hour away.
    published = datetime.fromisoformat(found["published_at"]).timestamp()
    stated = float(values["liquidity_published_timestamp_seconds"])
    assert stated == pytest.approx(published, abs=0.01)


@pytest.mark.parametrize("form", ["table", "json", "prometheus"])
def test_a_directory_without_anything_is_said_to_be_empty(form: str, tmp_path: Path):
    result = liquidity("status", "--data-dir", str(tmp_path), "--format", form)
    assert result.exit_code == INCOMPLETE, result.output
    assert list(tmp_path.iterdir()) == [], "asking changes nothing"
