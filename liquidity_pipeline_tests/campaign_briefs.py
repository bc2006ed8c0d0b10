"""The brief of 24 past days, from the lake of today: is anything from later, is all of it readable?

    python -m liquidity_pipeline_tests.campaign_briefs --data-dir DIR --endpoints URL
        [--as-of YYYY-MM-DD] [--first YYYY-MM-DD] [--dates 24]

Builds all marts as of each day, which takes half a minute a day on twenty years, and looks at every
figure, at the data of every chart and at every day that a sentence or a table names. Only the
section on what is coming may name a later day, and no day more than four weeks later. Prints every
page in Chromium: it must take two sides of A4, and no table may reach beyond its column. Prints a
line per day, and exits 1 when anything is found.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from liquidity_pipeline.brief.edition import PAGES, write_pages
from liquidity_pipeline.brief.model import Brief
from liquidity_pipeline.brief.render import to_markdown
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings
from liquidity_pipeline_tests.brief.browsing import chromium, printed

AHEAD = timedelta(weeks=4)
# Of one sheet.
_SIDES = 2


def leaks(brief: Brief, day: date) -> list[str]:
    """Return what in a brief of `day` is of a later day."""
    as_of = brief["publication"]["as_of"]
    found = [] if as_of == day.isoformat() else [f"the brief is of {as_of}"]
    for name, figure in brief["figures"].items():
        latest = day + AHEAD if name.startswith("coming") else day
        if (figure["date"] or "") > latest.isoformat():
            found.append(f"figure {name} describes {figure['date']}")
    for section in brief["sections"]:
        latest = day + AHEAD if section["id"] == "coming" else day
        for block in section["blocks"]:
            found += [
                f"{section['id']}/{block['id']} names {named}"
                for named in days(block)
                if named > latest.isoformat()
            ]
    return found


def days(value: Any) -> Iterator[str]:
    """Yield every day of a block: those that its messages name, and those of a chart's data."""
    if isinstance(value, dict):
        for name, part in value.items():
            if name in ("date", "through") and isinstance(part, str):
                yield part
            elif name != "query":
                yield from days(part)
    elif isinstance(value, list):
        for part in value:
            yield from days(part)


def spread(first: date, last: date, count: int) -> list[date]:
    """Return days at equal distances, the last one included."""
    step = (last - first) / max(count - 1, 1)
    return [first + step * place for place in range(count)]


def main(words: Sequence[str] | None = None) -> int:
    """Run the campaign; return 1 when a day's brief has a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--endpoints", required=True)
    parser.add_argument("--as-of", type=date.fromisoformat, default=date(2026, 8, 21))
    parser.add_argument("--first", type=date.fromisoformat, default=date(2012, 3, 14))
    parser.add_argument("--dates", type=int, default=24)
    given = parser.parse_args(words)
    pipeline = Pipeline(Settings(given.data_dir.absolute(), given.endpoints, as_of=given.as_of))
    worst = 0
    with chromium() as browser, TemporaryDirectory() as folder:
        for day in spread(given.first, given.as_of - timedelta(days=28), given.dates):
            brief = pipeline.brief_as_of(day)
            found = leaks(brief, day) + unreadable(brief, browser, Path(folder))
            known = sum(figure["value"] is not None for figure in brief["figures"].values())
            print(f"{day}: {known} figures known, {len(found)} faults", *found[:5], sep="\n  ")  # noqa: T201
            sys.stdout.flush()
            worst = max(worst, len(found))
    return min(worst, 1)


def unreadable(brief: Brief, browser: Any, folder: Path) -> list[str]:
    """Return which pages of a brief are empty, too long or cut when they are printed."""
    found = [f"{language}: no Markdown" for language in PAGES if not to_markdown(brief, language)]
    for page in write_pages(brief, folder / "liquidity.duckdb"):
        sides, cut = printed(browser, page.as_uri())
        found += [f"{page.name} takes {sides} sides of A4"] if sides != _SIDES else []
        found += [f"{page.name}: {name} is cut or empty" for name in cut]
    return found


if __name__ == "__main__":
    sys.exit(main())
