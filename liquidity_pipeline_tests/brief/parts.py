"""The parts of a brief's model, for tests that look through all of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping of a part of the model, those within others too."""
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from walk(part)
    elif isinstance(value, list):
        for part in value:
            yield from walk(part)


def messages(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every message of a part of the model, those within others too."""
    return (part for part in walk(value) if isinstance(part.get("message"), str))
