"""Sections and tables of a page in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from liquidity_pipeline.settings import SANDBOX


def replace_section(text: str, name: str, section: str) -> str:
    """Return the text with a section between its two markers; raise ValueError without them."""
    first, last = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, begin, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise ValueError(f"the page needs the lines {first} and {last}, in this order")
    return f"{before}{first}\n\n{section}\n\n{last}{after}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table with a line per row."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def origin(endpoints: str) -> str:
    """Say whose data these are."""
    return "Synthetic data of the sandbox" if endpoints == SANDBOX else "Recorded history"
