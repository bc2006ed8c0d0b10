"""The JSON Schema of a brief, for programs that read `brief.json`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("schema.json")


@cache
def json_schema() -> dict[str, Any]:
    """Return the schema of the version in `model.SCHEMA`."""
    schema: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return schema
