"""Dagster's UI through its real webserver in headless Chromium: what a data engineer clicks.

Screenshots are left in the folder that LIQUIDITY_SCREENSHOTS names, for looking at.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from liquidity_pipeline_tests.orchestration.test_ui import Ui, ui, wait_until

__all__ = ["ui"]

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
PATIENT = 120_000


@pytest.fixture
def page() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1600, "height": 1200})
        opened.set_default_timeout(PATIENT)
        yield opened
        browser.close()


def keep(page: Any, name: str) -> None:
    if folder := os.environ.get("LIQUIDITY_SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


@pytest.mark.campaign
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_a_month_is_clicked_published_and_looked_at(ui: Ui, page: Any):
    """Slow: a server, a daemon and two runs, on a sensor that ticks every half minute."""
    root = f"http://127.0.0.1:{ui.port}"
    see_the_graph(page, root)
    click_a_month(page, root, "2026-01")
    for file in ("liquidity.duckdb", "brief.html", "brief.zh.html"):
        wait_until((ui.folder / file).exists, f"the publication of what was clicked: {file}")
    see_one_publication(page, root)
    see_chart_and_lineage(page, f"{root}/assets/marts/tga_daily")
    see_checks(page, f"{root}/assets/sources/tga_balance?view=checks")
    see_the_schedules(page, root)


def see_the_graph(page: Any, root: str) -> None:
    page.goto(f"{root}/asset-groups")
    for group in ("publishers", "treasury", "settlements", "drains", "stress", "readers"):
        page.get_by_text(group, exact=True).first.wait_for()
    keep(page, "graph")


def click_a_month(page: Any, root: str, month: str) -> None:
    page.goto(f"{root}/assets/sources/tga_balance")
    page.get_by_role("button", name="Materialize").first.click()
    chosen = page.get_by_placeholder(re.compile("ex: 2005-10"))
    chosen.fill(month)
    chosen.press("Enter")
    page.get_by_role("button", name="Launch 1 run").click()
    page.get_by_role("button", name="Launch 1 run").wait_for(state="hidden")


def see_one_publication(page: Any, root: str) -> None:
    page.goto(f"{root}/runs")
    page.get_by_text("publish_what_is_new").first.wait_for()
    assert page.get_by_text("publish_what_is_new").count() == 1
    keep(page, "runs")


def see_chart_and_lineage(page: Any, address: str) -> None:
    page.goto(address)
    show(page, "chart")
    picture = page.locator("img[src^='data:image/svg+xml']")
    picture.wait_for()
    assert picture.evaluate("image => image.complete && image.naturalWidth") > 500
    keep(page, "chart")
    page.get_by_role("button", name="Close").click()
    # A short text is shown in the table itself.
    page.get_by_text("columns_rest_on", exact=True).scroll_into_view_if_needed()
    page.get_by_text("tga_balance.closing_usd_mn").first.wait_for()
    keep(page, "lineage")
    page.get_by_role("button", name="Plots").click()
    page.get_by_text("newest_closing_usd_mn").first.wait_for()
    keep(page, "plots")


def show(page: Any, entry: str) -> None:
    row = page.locator("tr", has=page.get_by_text(entry, exact=True))
    row.get_by_text("[Show Markdown]").click()


def see_checks(page: Any, address: str) -> None:
    page.goto(address)
    for check in ("contract", "complete"):
        page.get_by_text(check, exact=True).first.wait_for()
    keep(page, "checks")


def see_the_schedules(page: Any, root: str) -> None:
    page.goto(f"{root}/automation")
    for name in ("afternoon_statements", "publish_what_is_new", "send_alerts"):
        page.get_by_text(name).first.wait_for()
    page.get_by_text("At 04:45 PM").first.wait_for()
    keep(page, "automation")
