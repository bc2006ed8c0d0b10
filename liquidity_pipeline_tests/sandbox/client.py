"""A plain client for both servers, and what it compares: bodies reduced to their form."""

from __future__ import annotations

import json
import re
from typing import Any

import requests

FISCAL = "/fiscaldata/services/api/fiscal_service/v1/accounting"
AGENT = {"User-Agent": "liquidity-pipeline-tests"}
# What belongs to the server program and not to the publisher.
_OWN_HEADERS = {"date", "server", "content-length", "connection", "vary", "etag", "last-modified"}


def get(
    root: str, path: str, headers: dict[str, str] | None = None, **parameters: str
) -> requests.Response:
    """Ask once, without retries; `page_size` and `page_number` stand for the bracketed names."""
    query = {re.sub("^page_(.*)$", r"page[\1]", name): value for name, value in parameters.items()}
    return requests.get(root + path, params=query, headers=AGENT | (headers or {}), timeout=20)


def rows(root: str, table: str, **parameters: str) -> list[dict[str, str]]:
    """Read all rows of a Fiscal Data table that match."""
    answer = get(root, f"{FISCAL}/{table}", **({"page_size": "10000"} | parameters))
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert document["meta"]["total-pages"] <= 1
    found: list[dict[str, str]] = document["data"]
    return found


def series(root: str, name: str, **parameters: str) -> dict[str, str]:
    """Read a FRED series as {date: text}."""
    text = get(root, "/fred/graph/fredgraph.csv", id=name, **parameters).text
    header, *lines = text.splitlines()
    assert header == f"observation_date,{name}"
    return dict(line.split(",") for line in lines)


def headers_of(answer: requests.Response) -> dict[str, str]:
    """Keep the headers that a publisher decides."""
    return {k.lower(): v for k, v in answer.headers.items() if k.lower() not in _OWN_HEADERS}


def form(value: Any) -> Any:
    """Reduce a JSON value to its form: keys in order, types, and what strings look like."""
    if isinstance(value, dict):
        return tuple((key, form(item)) for key, item in value.items())
    if isinstance(value, list):
        return ("list", *sorted({repr(form(item)) for item in value}))
    if isinstance(value, str):
        return text_form(value)
    return type(value).__name__


def text_form(text: str) -> str:
    """Name what a string is: a date, a whole number, a number with so many decimals, a text."""
    if text in {"", "null", "NA"}:
        return text or "empty"
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return "date"
    if re.fullmatch(r"-?\d+", text):
        return "whole"
    if found := re.fullmatch(r"-?\d+\.(\d+)", text):
        return f"decimals {len(found[1])}"
    return "text"


def skeleton(text: str) -> str:
    """Replace every number by a nine of its decimals: what is left is punctuation and names."""
    return re.sub(r"-?\d+(\.\d+)?", lambda m: "9" + re.sub(r"\d", "9", m[1] or ""), text)


def keys_in_order(text: str) -> list[str]:
    """List all JSON keys in the order of the body."""
    found: list[str] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found.extend(key for key, _ in pairs)
        return dict(pairs)

    json.loads(text, object_pairs_hook=note)
    return found
