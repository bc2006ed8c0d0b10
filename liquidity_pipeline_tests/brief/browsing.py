"""The pages of a brief in Chromium without a network: opened, examined, printed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
# A4 less its margins, in CSS pixels: as wide as the page that is printed.
PAPER = 718
# Tables whose cells lie outside their column, and charts without a drawing.
FAULTS = """() => {
  const found = [];
  for (const table of document.querySelectorAll('.table')) {
    const cells = [...table.querySelectorAll('td, th')];
    // On paper a table may go on in the next column and then has several frames.
    const beyond = cell => {
      const frames = [...table.getClientRects()];
      const place = cell.getBoundingClientRect();
      const frame = frames.findLast(frame => frame.left <= place.left + 2) ?? frames[0];
      return place.right > frame.right + 2;
    };
    if (cells.some(beyond)) found.push(table.id);
  }
  for (const chart of document.querySelectorAll('figure svg')) {
    const low = chart.getBoundingClientRect().height < 60;
    if (low || chart.querySelectorAll('path').length < 5) found.push(chart.closest('figure').id);
  }
  return found;
}"""


@contextmanager
def chromium() -> Iterator[Any]:
    """Yield a browser of Playwright that drives the Chromium of this machine."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(browser: Any, address: str, width: int, scheme: str, said: list[str]) -> Any:
    """Open an address offline; what the page prints, raises or fails to fetch goes into `said`."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
    )
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("requestfailed", lambda asked: said.append(asked.url))
    page.goto(address)
    return page


def printed(browser: Any, address: str) -> tuple[int, list[str]]:
    """Print an address on A4; return the number of sheets' sides and the faults of its blocks."""
    page = opened(browser, address, PAPER, "light", [])
    page.emulate_media(media="print")
    faults = page.evaluate(FAULTS)
    document = page.pdf(prefer_css_page_size=True)
    page.context.close()
    return len(re.findall(rb"/Type\s*/Page\b", document)), faults
