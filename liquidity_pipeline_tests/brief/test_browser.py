"""The pages of the brief in a real browser without a network: screen, phone, dark, and paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from liquidity_pipeline.brief.compute import compute
from liquidity_pipeline.brief.edition import PAGES, write_pages
from liquidity_pipeline_tests.brief.browsing import CHROMIUM, FAULTS, chromium, opened, printed
from liquidity_pipeline_tests.brief.test_brief import undone

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def pages(brief: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    write_pages(brief, folder / "liquidity.duckdb")
    return folder


@pytest.fixture(params=PAGES)
def address(pages: Path, request: pytest.FixtureRequest) -> str:
    return (pages / PAGES[request.param]).as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 1000])
def test_on_a_screen_nothing_is_cut_and_nothing_is_asked_of_a_network(
    browser, address, width, scheme
):
    said: list[str] = []
    page = opened(browser, address, width, scheme, said)
    assert page.evaluate(FAULTS) == []
    assert page.locator("figure svg").count() == 7
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_the_page_does_not_scroll_sideways(browser, address, scheme):
    """A wide table scrolls by itself."""
    said: list[str] = []
    page = opened(browser, address, 390, scheme, said)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator("figure svg").count() == 7
    assert said == []


def test_by_night_text_and_lines_are_light(browser, address):
    colours = {}
    for scheme in ("light", "dark"):
        page = opened(browser, address, 1280, scheme, [])
        colours[scheme] = [
            page.evaluate(f"getComputedStyle(document.querySelector('{part}')).{colour}")
            for part, colour in (("body", "backgroundColor"), ("body", "color"))
        ]
    day, night = ([brightness(colour) for colour in colours[s]] for s in ("light", "dark"))
    assert day[0] > 240
    assert day[1] < 80
    assert night[0] < 40
    assert night[1] > 200


def test_it_prints_on_two_pages(browser, address):
    assert printed(browser, address) == (2, [])


def test_a_day_of_stress_prints_on_two_pages(browser, brief, copied, tmp_path):
    """Eight gauges are flagged, and all vitals are newer than in the last brief."""
    earlier = deepcopy(brief)
    earlier["publication"]["as_of"] = "2026-01-30"
    for figure in earlier["figures"].values():
        figure["date"] = "2026-01-28"
    with undone(copied):
        copied.execute(
            "update marts.stress_flags set level = 'severe' where indicator in "
            "(select distinct indicator from marts.stress_flags order by all limit 8)"
        )
        shown = compute(copied, earlier)
        write_pages(shown, tmp_path / "liquidity.duckdb")
    rows = {
        block["id"]: len(block["rows"])
        for section in shown["sections"]
        for block in section["blocks"]
        if block["kind"] == "table"
    }
    assert rows["raised"] == 8
    assert rows["changes"] == rows["vitals"]
    for name in PAGES.values():
        assert printed(browser, (tmp_path / name).as_uri()) == (2, [])


def brightness(colour: str) -> float:
    red, green, blue = map(int, re.findall(r"\d+", colour)[:3])
    return 0.299 * red + 0.587 * green + 0.114 * blue


@pytest.mark.parametrize("width", [1280, 1000])
def test_causes_of_an_outage_are_not_cut(browser, copied, tmp_path, width):
    """FRED fails: seven rows of long names with a cause each."""
    with undone(copied):
        for entity, day in (("IORB", 4), ("RRPONTSYAWARD", 3), ("TLAACBW027SBOG", 2), ("DGS2", 1)):
            copied.execute(
                f"update meta.coverage set known_through = date '2026-02-0{day}', reason = 'ends "
                f"on 2026-02-0{day}: fetch failed on 2026-02-06: fred: expected CSV, got HTTP 500' "
                f"where entity = '{entity}'"
            )
        # With this the section has two columns.
        copied.execute(
            "update meta.coverage set known_from = null, known_through = null, "
            "reason = 'no row is held: the fetch of 2026-02-06 lacked it: HTTP 404' "
            "where entity = 'QUAL'"
        )
        copied.execute(
            "update meta.coverage set known_through = date '2025-12-02', "
            "reason = 'hole on 2025-12-03: not held' where table_name = 'soma_holdings'"
        )
        write_pages(compute(copied), tmp_path / "liquidity.duckdb")
    for name in PAGES.values():
        said: list[str] = []
        page = opened(browser, (tmp_path / name).as_uri(), width, "light", said)
        assert page.locator("#stale tbody tr").count() >= 5
        assert page.evaluate(FAULTS) == []
