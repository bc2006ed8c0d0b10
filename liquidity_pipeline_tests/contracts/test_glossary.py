"""The glossary: one list of terms, and labels for everything that is shown."""

from pathlib import Path

from liquidity_pipeline.contracts.drains.components import COMPONENTS
from liquidity_pipeline.contracts.glossary import COMPONENT_LABELS, TERMS, page

PAGE = Path(__file__).parents[2] / "docs" / "glossary.md"


def test_the_page_is_written_from_the_terms():
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_every_component_has_a_label():
    assert set(COMPONENT_LABELS) == {*COMPONENTS, "total"}


def test_terms_are_in_alphabetical_order():
    assert list(TERMS) == sorted(TERMS, key=str.casefold)
