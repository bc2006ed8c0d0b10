"""Write what the models were worth into a page, from the marts of a data directory.

    python -m liquidity_pipeline.scorecard docs/methodology.md

The sections between the markers are replaced; the same marts give the same text. The data directory
is the one of the settings (LIQUIDITY_DATA_DIR). Nothing is estimated here.
"""

from __future__ import annotations

from pathlib import Path

from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.scorecard import outlooks, stress
from liquidity_pipeline.scorecard.markdown import replace_section
from liquidity_pipeline.settings import Settings

__all__ = ["replace_section", "write_scorecard"]


def write_scorecard(page: Path, settings: Settings) -> None:
    """Replace the sections of a page by what the marts say now.

    Raises ValueError when the page lacks a marker, duckdb.Error when a mart was never built.
    """
    text = page.read_text(encoding="utf-8")
    with Pipeline(settings).session(stress.READS | outlooks.READS) as connection:
        sections = {
            "validation": stress.scorecard(connection, settings.endpoints),
            "settlement outlook": outlooks.settlements(connection, settings.endpoints),
            "drain outlook": outlooks.drains(connection, settings.endpoints),
        }
    for name, section in sections.items():
        text = replace_section(text, name, section)
    page.write_text(text, encoding="utf-8")
