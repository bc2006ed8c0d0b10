"""Texts as literals of SQL."""

from __future__ import annotations

from pathlib import Path


def quoted(text: str | Path) -> str:
    """Return a text or a path between quotation marks, those inside it doubled."""
    return "'" + str(text).replace("'", "''") + "'"
