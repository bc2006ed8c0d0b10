"""The brief's own SQL, by name, from the files in `queries/`."""

from __future__ import annotations

from pathlib import Path

from liquidity_pipeline.models import statements

FOLDER = Path(__file__).parent / "queries"


def query(name: str, /, **values: object) -> str:
    """Return a statement of the brief with its values in place; raise KeyError as `statements`."""
    return statements.query(name, FOLDER, **values)
