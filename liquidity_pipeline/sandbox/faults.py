"""Troubles on demand: which request is hit by which fault, and what that does to an answer.

Faults of transport (`timeout`, `reset`, `truncate`, `slow`) are carried out by `server`; faults of
content are done here to the finished answer, so that no publisher knows of them.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from liquidity_pipeline.sandbox.publishers.wire import HTML, Reply, compact

TIMEOUT, RESET, TRUNCATE, SLOW = "timeout", "reset", "truncate", "slow"
LATE, DUPLICATE_PAGE = "late", "duplicate_page"
_MAINTENANCE = (
    '<!DOCTYPE html>\n<html lang="en">\n<head><title>Scheduled maintenance</title></head>\n'
    "<body><h1>We will be back soon</h1></body>\n</html>\n"
)
_STATUS_REPLIES = {
    "429": Reply(429, "Too Many Requests", "text/plain;charset=utf-8", {"Retry-After": "1"}),
    "500": Reply(500, '{"error":"Internal Server Error"}', "application/json"),
    "503": Reply(503, "<html><body><h1>503 Service Unavailable</h1></body></html>", "text/html"),
    "html200": Reply(200, _MAINTENANCE, HTML),
}
_NEW_LABELS = {
    "fiscaldata": [
        ("Account (TGA) Closing Balance", "Account (TGA) Ending Balance"),
        ("Public Debt Cash", "Treasury Debt Cash"),
        ('"cusip":', '"cusip_nbr":'),
    ],
    "nyfed": [
        ('"percentRate"', '"ratePercent"'),
        ("Outright Bill", "Outright T-Bill"),
        ('"totalAmtAccepted"', '"totalAmountAccepted"'),
        ('"bills"', '"tbills"'),
    ],
    "fred": [("observation_date,", "obs_date,ID_")],
    "yahoo": [('"close":', '"last":')],
    "cboe": [("CLOSE", "LAST"), ("DATE,SPX", "DATE,INDEX"), ("DATE,RUT", "DATE,INDEX")],
    "kraken": [("XXBTZUSD", "XBT/USD"), ("XETHZUSD", "ETH/USD")],
    "ofr": [("OFR FSI", "FSI")],
    "nyfed_research": [("50th percentile", "median")],
    "treasury": [("BuyBackCalendar>", "BuybackSchedule>")],
}
# The column that a reader needs most, in the order of looking for it.
_COLUMNS_TO_LOSE = (
    "open_today_bal", "transaction_today_amt", "adj_today_amt", "total_accepted", "offering_amt",
    "total_par_amt_accepted", "percentRate", "totalParAmtAccepted", "totalAmtAccepted", "bills",
    "close",
)  # fmt: skip
_CORRECTED_SHARE, _CORRECTION, _OTHER_UNIT = 0.05, 1.01, 1000

Cell = tuple[Any, Any]  # a container and the key or index of an amount in it


class FaultError(ValueError):
    """A fault that does not exist, or a rate that is none."""


@dataclass(frozen=True)
class Fault:
    """One fault and the share of requests that it hits."""

    name: str
    rate: float


def parse(text: str) -> list[Fault]:
    """Read `name:rate,name:rate`; a name alone hits every request."""
    faults = []
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, rate = item.partition(":")
        if name not in NAMES:
            raise FaultError(f"Fault '{name}' does not exist; there are {', '.join(NAMES)}.")
        try:
            faults.append(Fault(name, float(rate or 1)))
        except ValueError:
            raise FaultError(f"The rate of fault '{name}' is '{rate}', not a number.") from None
    if any(not 0 <= fault.rate <= 1 for fault in faults) or sum(f.rate for f in faults) > 1:
        raise FaultError(f"Rates lie between 0 and 1 and add up to 1 at most: {text}.")
    return faults


def draw(faults: list[Fault], seed: int, number: int) -> str | None:
    """Choose the fault of the nth request, at most one: the same in every run."""
    pick = random.Random(f"{seed} {number}").random()  # noqa: S311 - not a secret
    for fault in faults:
        pick -= fault.rate
        if pick < 0:
            return fault.name
    return None


def status_reply(name: str) -> Reply | None:
    """Return the answer of a fault that needs no publisher."""
    return _STATUS_REPLIES.get(name)


def spoil(name: str, publisher: str, reply: Reply, number: int) -> Reply:
    """Do a fault of content to a good answer; others pass unchanged."""
    change = _CONTENT_FAULTS.get(name)
    if change is None or reply.status != 200 or not isinstance(reply.body, str):
        return reply
    return replace(reply, body=change(publisher, reply.body, random.Random(number)))  # noqa: S311


def repeat_page(previous: Reply, wanted: Reply) -> Reply:
    """Give the rows of the page before under the page number that was asked for."""
    document = json.loads(str(wanted.body))
    document["data"] = json.loads(str(previous.body))["data"]
    return replace(wanted, body=compact(document))


def _rename_label(publisher: str, body: str, chance: random.Random) -> str:  # noqa: ARG001
    for old, new in _NEW_LABELS.get(publisher, []):
        body = body.replace(old, new)
    return body


def _change_unit(publisher: str, body: str, chance: random.Random) -> str:  # noqa: ARG001
    return _rewritten(publisher, body, lambda rows: _scale_all(rows, _OTHER_UNIT))


def _correct_rows(publisher: str, body: str, chance: random.Random) -> str:
    """Show a first print of some rows: the next honest answer is their correction."""

    def change(rows: list[list[Cell]]) -> None:
        many = max(1, round(len(rows) * _CORRECTED_SHARE))
        _scale_all(chance.sample(rows, min(many, len(rows))), _CORRECTION)

    return _rewritten(publisher, body, change)


def _lose_column(publisher: str, body: str, chance: random.Random) -> str:  # noqa: ARG001
    if body.startswith("<"):
        return re.sub(r"<SettlementDate>.*\n", "", body)
    if not body.startswith(("{", "[")):
        return "".join(line.rpartition(",")[0] + "\n" for line in body.splitlines())
    document = json.loads(body)
    rows = list(_records(publisher, document))
    for record in rows:
        if isinstance(record, list):
            del record[4]
        elif lost := next((c for c in _COLUMNS_TO_LOSE if c in record), None):
            del record[lost]
    return compact(document)


_CONTENT_FAULTS: dict[str, Callable[[str, str, random.Random], str]] = {
    "renamed_label": _rename_label,
    "changed_unit": _change_unit,
    "corrected_rows": _correct_rows,
    "missing_column": _lose_column,
}
NAMES = (*_STATUS_REPLIES, TIMEOUT, RESET, TRUNCATE, SLOW, LATE, DUPLICATE_PAGE, *_CONTENT_FAULTS)


def _rewritten(publisher: str, body: str, change: Callable[[list[list[Cell]]], None]) -> str:
    """Apply a change to the amounts of a JSON, XML or CSV body."""
    if body.startswith("<"):
        cells = re.split(r"(?<=AmountDollars>)(\d+)(?=<)", body)
        change([[(cells, i)] for i in range(1, len(cells), 2)])
        return "".join(cells)
    if body.startswith(("{", "[")):
        document = json.loads(body)
        change(list(_amounts(publisher, document)))
        return compact(document)
    lines = [line.split(",") for line in body.splitlines()]
    change([[(line, i) for i in range(1, len(line))] for line in lines[1:]])
    return "".join(",".join(line) + "\n" for line in lines)


def _records(publisher: str, document: Any) -> Iterator[Any]:
    """Find the rows of a JSON body: mappings, or lists of columns."""
    if publisher == "fiscaldata":
        yield from document["data"]
    elif publisher == "yahoo":
        yield document["chart"]["result"][0]["indicators"]["quote"][0]
    elif publisher == "coinbase":
        yield from document
    elif publisher == "kraken":
        yield from next(v for k, v in document["result"].items() if k != "last")
    else:
        while isinstance(document, dict):
            document = next(iter(document.values()))
        yield from (record for record in document if isinstance(record, dict))


def _amounts(publisher: str, document: Any) -> Iterator[list[Cell]]:
    """Find the amounts of a JSON body, row by row."""
    kinds = document["meta"]["dataTypes"] if publisher == "fiscaldata" else {}
    for record in _records(publisher, document):
        if publisher == "yahoo":
            yield from ([(col, i) for col in record.values()] for i in range(len(record["close"])))
        elif isinstance(record, list):
            yield [(record, i) for i in range(1, len(record))]
        else:
            yield [(record, key) for key in record if kinds.get(key, "NUMBER") in _AMOUNT_KINDS]


_AMOUNT_KINDS = ("CURRENCY0", "NUMBER")


def _scale_all(rows: list[list[Cell]], factor: float) -> None:
    for row in rows:
        for container, key in row:
            container[key] = _scaled(container[key], factor)


def _scaled(value: Any, factor: float) -> Any:
    """Multiply a number, or a text that is one, and keep its decimals."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return type(value)(round(value * factor, 6))
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    decimals = len(value.partition(".")[2])
    return f"{number * factor:.{decimals}f}"
