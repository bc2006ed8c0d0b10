"""The project's terms and labels: one meaning per term, and one label per quantity.

The terminal, the published dimension tables and `docs/glossary.md` all take their words from here.
`python -m liquidity_pipeline.contracts.glossary PAGE` writes the page; `make docs` calls it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

COMPONENT_LABELS: Mapping[str, str] = {
    "tga": "Treasury General Account rises",
    "on_rrp": "Overnight reverse repo rises",
    "foreign_rrp": "Foreign reverse repo pool rises",
    "other_liabilities": "Currency and other liabilities rise",
    "fed_bill_purchases": "The Fed buys bills",
    "fed_other_assets": "The Fed's other assets rise",
    "settlement": "Net settlement paid by the public",
    "total": "Total drain",
}

TERMS: Mapping[str, str] = {
    "add-on": "An amount of a new Treasury security that the Fed takes in exchange for a maturing "
    "one, on top of what the public is offered. No cash moves.",
    "as of": "A run as of a day uses only what was public at the end of that day in New York.",
    "bill": "A Treasury security of up to one year, sold at a discount. Cash-management bills are "
    "bills with irregular terms.",
    "buyback": "Treasury's purchase of its own outstanding securities. It adds reserves.",
    "coupon": "A Treasury security that pays interest: notes, bonds, inflation-protected and "
    "floating-rate securities.",
    "coverage": "For each input, the span of days through which everything is known, and why it "
    "ends. See meta.coverage.",
    "drain": "A fall of reserve balances, or a flow that by itself makes them fall.",
    "driver": "A measure of liquidity whose changes asset returns are compared with.",
    "IORB": "Interest on reserve balances, the rate that the Fed pays banks.",
    "known_at": "The moment at which a publisher made a row public, in UTC.",
    "market convention": "How market commentary counts a drain: settlements drain, and the Fed's "
    "bill purchases tighten. It does not add up to the change of reserves.",
    "month-end day": "The last or first bond-market day of a month, when funding rates move for "
    "reasons of reporting dates.",
    "net settlement": "What the public pays for new Treasury securities on a day, less what it "
    "receives for maturing ones.",
    "ON RRP": "The Fed's overnight reverse repo facility. Cash placed there leaves reserves.",
    "reconciliation": "A check that the same dollars, stated by two publishers, agree.",
    "reserve accounting": "How the Fed's balance sheet counts a drain: every component adds up to "
    "the fall of reserve balances.",
    "reserve demand elasticity": "By how much the federal funds rate moves against interest on "
    "reserves when reserves rise by one percent of bank assets, as the New York Fed estimates it.",
    "roll-over": "The replacement of a maturing security by a new one.",
    "session": "A trading day of the New York Stock Exchange, or a UTC day for coins.",
    "SOFR": "Secured Overnight Financing Rate, the price of overnight cash against Treasuries.",
    "SOMA": "System Open Market Account, the Fed's portfolio of securities.",
    "SRF": "Standing Repo Facility, at which the Fed lends overnight cash. Its use signals a "
    "shortage.",
    "tentative buyback": "An operation on Treasury's schedule for the quarter that it has not yet "
    "announced. It may be changed or dropped.",
    "TGA": "Treasury General Account, the Treasury's cash balance at the Fed. When it rises, "
    "reserves fall.",
    "vintage": "What a publisher said about a day at one moment; a revision is a new vintage.",
}

_HEAD = """# Glossary

One meaning per term. This page is written from `liquidity_pipeline/contracts/glossary.py` by
`make docs`; a test fails when it is stale.

| term | meaning |
| --- | --- |
"""


def page() -> str:
    """Return the whole page as Markdown."""
    rows = (f"| {term} | {meaning} |" for term, meaning in TERMS.items())
    return _HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
