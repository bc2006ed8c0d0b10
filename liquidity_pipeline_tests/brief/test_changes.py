"""What changed since the last brief: newer, revised, lost, found, withdrawn, or nothing."""

from __future__ import annotations

import copy
import gzip
import json
from datetime import date

import pytest

from liquidity_pipeline.brief import edition
from liquidity_pipeline.brief.compute import compute
from liquidity_pipeline.brief.render import to_markdown


@pytest.fixture
def earlier(brief):
    """The same brief, as if published two days before."""
    kept = copy.deepcopy(brief)
    kept["publication"]["as_of"] = "2026-02-04"
    return kept


def told(published, earlier):
    brief = compute(published, earlier)
    return brief, next(s for s in brief["sections"] if s["id"] == "changes")["blocks"]


def test_nothing_changed(published, earlier):
    _, (block,) = told(published, earlier)
    assert block["message"]["message"].startswith("No gauge has changed")


@pytest.mark.parametrize(
    ("before", "what"),
    [
        ({"value": 1.0}, "revision of the same value"),
        ({"value": 1.0, "date": "2026-01-02"}, "newer value"),
        ({"value": None}, "now known"),
        ({"date": "2026-12-31"}, "the newer value is no longer known"),
    ],
)
def test_a_changed_gauge_is_told_with_what_was_said_then(published, earlier, before, what):
    earlier["figures"]["tga"].update(before)
    brief, (block,) = told(published, earlier)
    (row,) = block["rows"]
    assert row["cells"][-1]["message"] == what
    quoted = brief["figures"]["previous.tga"]
    assert quoted["value"] == earlier["figures"]["tga"]["value"]
    assert quoted["query"] == "select previous_value from meta.brief_figures where id = 'tga'"
    assert what in to_markdown(brief, "en")


def test_what_is_no_longer_known_is_told(published, earlier):
    earlier["figures"]["tga_gap"]["value"] = 1.0
    brief = compute(published, earlier)
    assert brief["previous_as_of"] == "2026-02-04"


def test_the_figures_of_the_last_brief_are_in_the_file(briefed, brief, tmp_path):
    earlier = copy.deepcopy(brief)
    earlier["publication"]["as_of"] = "2026-02-04"
    earlier["figures"]["tga"].update(value=123_456.0, date="2026-02-03")
    making = edition.Edition(earlier)
    target = tmp_path / "liquidity.duckdb"
    with edition.reading(briefed.settings.published_file) as connection:
        rows = {row["id"]: row for row in making.figures(connection).to_pylist()}
    assert (rows["tga"]["previous_value"], str(rows["tga"]["previous_date"])) == (
        123_456.0,
        "2026-02-03",
    )
    making.write(target, tmp_path / "briefs")
    assert edition.read(tmp_path / "brief.json")["previous_as_of"] == "2026-02-04"


def test_the_last_brief_is_the_newest_of_an_earlier_day(brief, tmp_path):
    def of(day: str) -> bytes:
        kept = copy.deepcopy(brief)
        kept["publication"]["as_of"] = day
        return json.dumps(kept).encode()

    for day in ("2026-01-30", "2026-02-02"):  # as they were kept before they were compressed
        (tmp_path / f"{day}.json").write_bytes(of(day))
    for day in ("2026-02-02", "2026-02-03", "2026-02-06"):
        (tmp_path / f"{day}.json.gz").write_bytes(gzip.compress(of(day)))
    (tmp_path / "2026-02-05.json").write_text("{half a fi")
    whole = gzip.compress(of("2026-02-05"))
    flipped = bytes([*whole[:2000], whole[2000] ^ 1, *whole[2001:]])
    for damaged in (b"", b"no gzip", whole[:1000], flipped, gzip.compress(b"{half a fi")):
        (tmp_path / "2026-02-05.json.gz").write_bytes(damaged)
        found = edition.previous(tmp_path, date(2026, 2, 6))
        assert found["publication"]["as_of"] == "2026-02-03", "the damaged ones are passed over"
    assert edition.previous(tmp_path, date(2026, 2, 3))["publication"]["as_of"] == "2026-02-02"
    assert edition.previous(tmp_path, date(2026, 1, 30)) is None


def test_a_brief_that_cannot_be_computed_keeps_no_data_back(briefed, monkeypatch, tmp_path):
    def broken(*_):
        raise ValueError("no")

    monkeypatch.setattr("liquidity_pipeline.brief.compute.compute", broken)
    making = edition.Edition(None)
    with edition.reading(briefed.settings.published_file) as connection:
        assert making.figures(connection).num_rows == 0
    making.write(tmp_path / "liquidity.duckdb", None)
    assert list(tmp_path.iterdir()) == []
