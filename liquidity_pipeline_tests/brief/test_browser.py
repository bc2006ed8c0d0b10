"""The pages of the brief in a real browser without a network: screen, phone, dark, and paper."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from liquidity_pipeline.brief.compute import compute
from liquidity_pipeline.brief.edition import PAGES, write_pages
from liquidity_pipeline_tests.brief.test_brief import undone

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

# A4 less its margins, in CSS pixels: as wide as the page that is printed.
PAPER = 718
# Tables whose cells lie outside their column, and charts without a drawing.
FAULTS = """() => {
  const found = [];
  for (const table of document.querySelectorAll('.table')) {
    const edge = table.getBoundingClientRect().right;
    const cells = [...table.querySelectorAll('td, th')];
    if (cells.some(cell => cell.getBoundingClientRect().right > edge + 2)) found.push(table.id);
  }
  for (const chart of document.querySelectorAll('figure svg')) {
    const low = chart.getBoundingClientRect().height < 60;
    if (low || chart.querySelectorAll('path').length < 5) found.push(chart.closest('figure').id);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def pages(brief: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    write_pages(brief, folder / "liquidity.duckdb")
    return folder


@pytest.fixture(params=PAGES)
def address(pages: Path, request: pytest.FixtureRequest) -> str:
    return (pages / PAGES[request.param]).as_uri()


def opened(browser: Any, address: str, width: int, scheme: str, said: list[str]) -> Any:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
    )
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("requestfailed", lambda asked: said.append(asked.url))
    page.goto(address)
    return page


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


def test_it_prints_on_two_pages(browser, address, tmp_path):
    page = opened(browser, address, PAPER, "light", [])
    page.emulate_media(media="print")
    assert page.evaluate(FAULTS) == []
    printed = page.pdf(path=str(tmp_path / "brief.pdf"), prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 2


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
            "reason = 'no row is held: not served on 2026-02-06: HTTP 404' where entity = 'QUAL'"
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
