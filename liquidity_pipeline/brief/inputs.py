"""Inputs that are known less far than is due, in a reader's words: which, how far, and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from liquidity_pipeline.brief.model import N_, Message, counted, msg
from liquidity_pipeline.brief.terms import term

INPUTS = {
    "tga_balance": N_("the cash balance of the Daily Treasury Statement"),
    "tga_flows": N_("the deposits and withdrawals of the Daily Treasury Statement"),
    "debt_transactions": N_("the debt transactions of the Daily Treasury Statement"),
    "debt_settlements": N_("Treasury's auctions and buybacks"),
    "maturing_holdings": N_("Treasury's record of what the Fed holds"),
    "upcoming_settlements": N_("Treasury's announced auctions"),
    "buybacks": N_("Treasury's buyback operations"),
    "buyback_securities": N_("the securities that Treasury bought back"),
    "buyback_schedule": N_("Treasury's buyback schedule"),
    "fed_operations": N_("Fed purchases and sales of Treasuries"),
    "soma_holdings": N_("Fed holdings by kind of security"),
    "soma_securities": N_("Fed holdings by security"),
    "repo_operations": N_("the New York Fed's repo and reverse repo operations"),
    "reference_rates": N_("the New York Fed's reference rates"),
    "reserve_demand_elasticity": N_("the New York Fed's elasticity of reserve demand"),
    "fed_balance_sheet": N_("the Fed's weekly balance sheet, H.4.1"),
    "market_series": N_("rates, yields and spreads from FRED"),
    "index_prices": N_("prices of indices and funds"),
    "price_disagreements": N_("second prices of indices and funds"),
    "crypto_prices": N_("prices of coins"),
    "crypto_disagreements": N_("second prices of coins"),
    "ofr_fsi": N_("the OFR's stress index"),
    "policy_events": N_("policy events"),
}

# What closes the identity of an H.4.1 week, and what tells its drain apart by component.
RESERVES = "fed_balance_sheet/WRBWFRBL"
WEEK_INPUTS = (
    RESERVES,
    *(f"fed_balance_sheet/{line}" for line in ("WDTGAL", "WLRRAL", "WALCL")),
    "tga_balance",
    "fed_operations",
    "repo_operations/on_rrp",
)
# The parts of the drain that are known day by day.
DAY_INPUTS = frozenset({"tga_balance", "fed_operations", "repo_operations/on_rrp"})

_NAMED = 4
_DAY = r"(\d{4}-\d{2}-\d{2})"
_NOT_SERVED = N_("not served when it was asked for on {date}")
_NEVER_ASKED = N_("it was never asked for")
_NONE_OF_THAT_TIME = N_("nothing was served for that time when it was asked for later")
# How the HTTP client calls a failure that has no status.
_FAILURES = frozenset(
    {
        N_("an empty body"),
        N_("a page of HTML"),
        N_("broken JSON"),
        N_("no answer in time"),
        N_("no connection"),
    }
)
# What `meta.coverage` says, and how a reader is told: the first that fits, with its date.
_CAUSES: tuple[tuple[str, str], ...] = (
    (rf"last answered on {_DAY}", N_("last served on {date}, and not since")),
    (
        rf"fetch failed on {_DAY}: .*?got (HTTP \d+|[^,(]+)",
        N_("the request of {date} failed with {said}"),
    ),
    (rf"fetch failed on {_DAY}", N_("the request of {date} failed")),
    (
        rf"the fetch of {_DAY} lacked it.*?got (HTTP \d+|{'|'.join(sorted(_FAILURES))})",
        N_("the request of {date} failed with {said}"),
    ),
    # An answer of another form than was expected is no word on whether the publisher has it.
    (rf"the fetch of {_DAY} lacked it: .*?: expected ", N_("the request of {date} failed")),
    (rf"the fetch of {_DAY} lacked it", _NOT_SERVED),
    (rf"hole on {_DAY}", N_("nothing is held for {date}")),
    (rf"nothing newer was served on {_DAY}", N_("nothing newer was served on {date}")),
    (rf"serves nothing after {_DAY}", N_("the publisher answers, with nothing after {date}")),
    (r"never fetched", _NEVER_ASKED),
    (r"a later request for it failed", N_("a later request for it failed")),
    (r"nothing was served for that time", _NONE_OF_THAT_TIME),
)


@dataclass(frozen=True)
class Behind:
    """Series of one source table that are known equally far, for the same cause."""

    table: str
    entities: tuple[str, ...]
    through: date | None
    due: date | None
    cause: Message

    @property
    def never_served(self) -> bool:
        """Tell whether the publisher answered without it: no request for it has just failed."""
        absent = (_NOT_SERVED, _NEVER_ASKED, _NONE_OF_THAT_TIME)
        return self.through is None and self.cause["message"] in absent

    @property
    def many(self) -> bool:
        """Tell whether there are too many series to name."""
        return len(self.entities) > _NAMED

    @property
    def name(self) -> Message:
        """Name the input; of few series their codes too."""
        what, named = term(INPUTS, self.table), [each for each in self.entities if each]
        if self.many:
            return counted("{input} ({n} series)", "{input} ({n} series)", len(named), input=what)
        if not named:
            return what
        return msg(N_("{input} ({series})"), input=what, series={"list": named_cells(named)})

    @property
    def told(self) -> Message:
        """Say how far the input is known, and why no further."""
        if self.never_served:
            return msg(N_("nothing was ever served of {input}"), input=self.name)
        if self.through is None:
            return msg(
                N_("nothing is known of {input}: {cause}"), input=self.name, cause=self.cause
            )
        text = N_("nothing after {date} is known of {input}: {cause}")
        return msg(text, input=self.name, date=self.through, cause=self.cause)


def named_cells(names: Iterable[str]) -> list[dict[str, Any]]:
    """Return codes as cells."""
    return [{"code": name} for name in names]


def grouped(rows: Iterable[Mapping[str, Any]]) -> list[Behind]:
    """Group rows of `meta.coverage`: what failed or ended last comes first.

    What was never served comes last.
    """
    alike: dict[tuple[str, date | None, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        key = (row["table_name"], row["known_through"], str(cause(row["reason"])))
        alike.setdefault(key, []).append(row)
    found = [
        Behind(
            table,
            tuple(each["entity"] for each in members),
            through,
            members[0]["expected_through"],
            cause(members[0]["reason"]),
        )
        for (table, through, _), members in alike.items()
    ]
    return sorted(found, key=_news)


def merged(found: Iterable[Behind]) -> list[Behind]:
    """Join what ends on the same day for the same cause, as told of several figures."""
    alike: dict[tuple[str, date | None, str], dict[str, Behind]] = {}
    for one in found:
        members = alike.setdefault((one.table, one.through, str(one.cause)), {})
        members.update(dict.fromkeys(one.entities, one))
    joined = [
        replace(next(iter(members.values())), entities=tuple(sorted(members)))
        for members in alike.values()
    ]
    return sorted(joined, key=_news)


def _news(one: Behind) -> tuple[bool, int, str]:
    return one.never_served, -(one.through or date.max).toordinal(), one.table


def cause(reason: str) -> Message:
    """Return why an input ends, in words that can be translated; the record's own for others."""
    for pattern, text in _CAUSES:
        if match := re.search(pattern, reason):
            places: dict[str, Any] = {}
            if "{date}" in text:
                places["date"] = date.fromisoformat(match[1])
            if "{said}" in text:
                said = match[2].strip()
                places["said"] = msg(said) if said in _FAILURES else {"quote": said}
            return msg(text, **places)
    return msg(N_("{said}"), said={"quote": reason})
