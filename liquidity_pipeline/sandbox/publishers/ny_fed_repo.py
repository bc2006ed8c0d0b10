"""Repo and reverse repo operations of the New York Fed, as rows of its API.

The standing repo facility has one operation a day, two from 2025-06-26, and full allotment from
2025-12-11. Amounts are JSON numbers in full dollars.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from liquidity_pipeline.sandbox import clock, days, policy
from liquidity_pipeline.sandbox.balance_sheet import REVERSE_REPO_FACILITY
from liquidity_pipeline.sandbox.clock import Release
from liquidity_pipeline.sandbox.funding import STANDING_REPO_FACILITY
from liquidity_pipeline.sandbox.publishers.wire import World

REPO, REVERSE_REPO = "Repo", "Reverse Repo"
_METHODS = {
    "fixed": "Fixed Rate", "single": "Single Price", "multiple": "Multiple Price",
    "allotment": "Full Allotment",
}  # fmt: skip
_TWICE_A_DAY = days.day(2025, 6, 26)
_FULL_ALLOTMENT = days.day(2025, 12, 11)
_HIGHER_NUMBERS = days.day(2026, 3, 1)
_MN = 1_000_000
_TREASURY_SHARE_PCT = 75  # of repo collateral, the rest is mortgage-backed


@dataclass(frozen=True)
class RepoOperation:
    """One operation: `accepted` in USD mn, `slot` 1 to 3 in the order of the day."""

    kind: str
    method: str
    day: int
    slot: int
    accepted: int
    rate: float

    @property
    def release(self) -> Release:
        """When the result is public."""
        slots = (clock.REPO_MORNING, clock.REVERSE_REPO, clock.REPO_AFTERNOON)
        return slots[self.slot - 1]

    def proposition(self) -> dict[str, Any]:
        """Write the short row of `propositions`."""
        return {
            "operationId": self._id(),
            "operationDate": days.iso(self.day),
            "operationType": self.kind,
            "note": "",
            "totalAmtAccepted": self.accepted * _MN,
        }

    def result(self) -> dict[str, Any]:
        """Write the full row."""
        matures = days.shift(self.day, 1, days.is_sifma)
        opens, closes, updated = (
            ("08:15", "08:30", "08:31:12"),
            ("12:45", "13:15", "13:15:48"),
            ("13:30", "13:45", "13:46:05"),
        )[self.slot - 1]
        row = {
            "operationId": self._id(),
            "auctionStatus": "Results",
            "operationDate": days.iso(self.day),
            "settlementDate": days.iso(self.day),
            "maturityDate": days.iso(matures),
            "operationType": self.kind,
            "operationMethod": self.method,
            "settlementType": "Same Day",
            "termCalenderDays": matures - self.day,
            "term": "Overnight",
            "releaseTime": opens,
            "closeTime": closes,
            "note": "",
            "lastUpdated": f"{days.iso(self.day)} {updated}",
        }
        if self.kind == REVERSE_REPO:
            parties = 3 + self.accepted // 4000 % 90
            row |= {"participatingCpty": parties, "acceptedCpty": parties}
        amount = self.accepted * _MN
        row |= {"totalAmtSubmitted": amount, "totalAmtAccepted": amount}
        return row | {"details": self._details()}

    def _id(self) -> str:
        number = self.slot + (24 if self.day >= _HIGHER_NUMBERS else 0)
        return f"RP {days.date_of(self.day):%m%d%y} {number}"

    def _details(self) -> list[dict[str, Any]]:
        if self.kind == REVERSE_REPO:
            amounts = {"amtSubmitted": self.accepted * _MN, "amtAccepted": self.accepted * _MN}
            rates = {"percentOfferingRate": self.rate, "percentAwardRate": self.rate}
            return [{"securityType": "Treasury"} | amounts | rates]
        treasury = self.accepted * _TREASURY_SHARE_PCT // 100
        parts = (
            ("Treasury", treasury),
            ("Agency", 0),
            ("Mortgage-Backed", self.accepted - treasury),
        )
        return [self._collateral(kind, amount * _MN) for kind, amount in parts]

    def _collateral(self, kind: str, amount: int) -> dict[str, Any]:
        row = {"securityType": kind, "amtSubmitted": amount, "amtAccepted": amount}
        if self.method == _METHODS["allotment"]:
            return row | {"percentOfferingRate": self.rate}
        row |= {"minimumBidRate": self.rate}
        names = ("percentHighRate", "percentLowRate", "percentStopOutRate")
        won = (*names, "percentWeightedAverageRate") if amount else ()
        return row | dict.fromkeys(won, self.rate)


def operations(world: World) -> list[RepoOperation]:
    """Return the operations whose results are public, newest first."""
    now = world.now
    rows = world.once("repo operations", lambda: _operations(world))
    return [row for row in rows if row.release.known_at(row.day) <= now]


def of_kind(rows: list[RepoOperation], kind: str, method: str) -> list[RepoOperation] | None:
    """Keep the operations of a path's `{all|repo|reverserepo}/{method}`; None if unknown."""
    kinds = {"all": (REPO, REVERSE_REPO), "repo": (REPO,), "reverserepo": (REVERSE_REPO,)}
    methods = {name: (text,) for name, text in _METHODS.items()}
    methods["all"] = tuple(_METHODS.values())  # type: ignore[assignment]
    if kind not in kinds or method not in methods:
        return None
    return [row for row in rows if row.kind in kinds[kind] and row.method in methods[method]]


def matching(rows: list[RepoOperation], given: dict[str, str]) -> list[RepoOperation] | None:
    """Apply a search's `operationTypes`, `method` and `term`; None for a value it does not know."""
    kinds = _listed(given.get("operationTypes", ""), {"repo": REPO, "reverserepo": REVERSE_REPO})
    methods = _listed(given.get("method", ""), _METHODS)
    if kinds is None or methods is None:
        return None
    if given.get("term", "overnight").lower() != "overnight":
        return []
    return [
        r for r in rows if (not kinds or r.kind in kinds) and (not methods or r.method in methods)
    ]


def _listed(text: str, known: dict[str, str]) -> set[str] | None:
    names = [item.strip().lower().replace(" ", "") for item in text.split(",") if item.strip()]
    return {known[name] for name in names} if all(name in known for name in names) else None


def _operations(world: World) -> list[RepoOperation]:
    economy = world.economy
    funding, sheet = economy.funding, economy.sheet
    _, upper = policy.target_range(economy.days)
    floor = policy.reverse_repo_rate(economy.days)
    rows = []
    first = max(world.start, REVERSE_REPO_FACILITY)
    for i in np.flatnonzero((economy.days >= first) & funding.secured).tolist():
        day = int(economy.days[i])
        rate = round(float(floor[i]), 2)
        rows.append(
            RepoOperation(REVERSE_REPO, _METHODS["fixed"], day, 2, int(sheet.on_rrp[i]), rate)
        )
        rows += _repos(
            day, int(funding.repo_morning[i]), int(funding.repo_afternoon[i]), float(upper[i])
        )
    return sorted(rows, key=lambda row: (-row.day, -row.slot))


def _repos(day: int, morning: int, afternoon: int, rate: float) -> list[RepoOperation]:
    if day < STANDING_REPO_FACILITY:
        return []
    method = _METHODS["allotment" if day >= _FULL_ALLOTMENT else "multiple"]
    if day < _TWICE_A_DAY:
        return [RepoOperation(REPO, method, day, 3, morning + afternoon, rate)]
    return [
        RepoOperation(REPO, method, day, 1, morning, rate),
        RepoOperation(REPO, method, day, 3, afternoon, rate),
    ]
