"""What a buyback buys: the class of security behind the labels that Treasury gives an operation."""

from __future__ import annotations

import re

NOMINAL, TIPS = "Nominal Coupons", "TIPS"
EXPECTED = "expected TIPS or Nominal Coupons, and a bucket like 20Y to 30Y"

_LONGEST = re.compile(r"to ([0-9]+(?:\.[0-9]+)?) ?Y")


def security_class(security_type: str, bucket: str) -> str | None:
    """Return tips, or for nominal coupons bond where the bucket reaches beyond ten years.

    A bucket up to ten years is called note, though old bonds may be in it as well. None for labels
    that are not known.
    """
    longest = _LONGEST.search(bucket)
    if security_type not in (NOMINAL, TIPS) or longest is None:
        return None
    if security_type == TIPS:
        return "tips"
    return "bond" if float(longest[1]) > 10 else "note"
