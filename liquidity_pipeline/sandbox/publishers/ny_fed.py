"""New York Fed Markets API: reference rates, Treasury operations, repo operations, SOMA.

Lists are newest first; rates and repo amounts are JSON numbers, amounts of Treasury operations and
SOMA are dollar strings. Repo operations and SOMA have modules of their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from liquidity_pipeline.sandbox import clock, days, policy
from liquidity_pipeline.sandbox.economy import Economy
from liquidity_pipeline.sandbox.fed_operations import Operation
from liquidity_pipeline.sandbox.funding import FIRST_DAY, PERCENTILES
from liquidity_pipeline.sandbox.publishers import ny_fed_repo, ny_fed_soma
from liquidity_pipeline.sandbox.publishers.ny_fed_wire import JSON, bad_request, day_given
from liquidity_pipeline.sandbox.publishers.wire import Reply, Request, World

PREFIX = "nyfed"
T = TypeVar("T")
_MN = 1_000_000
_RATE_ORDER = ("SOFRAI", "EFFR", "OBFR", "TGCR", "BGCR", "SOFR")
_GROUPS = {
    "all": _RATE_ORDER,
    "secured": ("SOFRAI", "TGCR", "BGCR", "SOFR"),
    "unsecured": ("EFFR", "OBFR"),
}
_AVERAGES_SINCE = days.day(2020, 3, 2)

# (day, rate, row text for all / type=rate / type=volume)
RateRow = tuple[int, str, tuple[str, str, str]]


def answer(world: World, request: Request) -> Reply:
    """Answer one request below `/nyfed`."""
    path = request.path
    if not path.startswith("api/") or not path.endswith(".json"):
        bad_request()
    parts = path.removeprefix("api/").removesuffix(".json").split("/")
    handlers: dict[str, Callable[[World, list[str], dict[str, str]], str]] = {
        "rates": _rates,
        "tsy": _treasury_operations,
        "rp": _repo_operations,
        "soma": ny_fed_soma.answer,
    }
    if parts[0] not in handlers:
        bad_request()
    return Reply(200, handlers[parts[0]](world, parts[1:], request.parameters), JSON)


def between(
    world: World, rows: list[T], day_of: Callable[[T], int], given: dict[str, str]
) -> list[T]:
    """Keep the rows of a search's dates; both default to today."""
    first = day_given(given.get("startDate"), world.today)
    last = day_given(given.get("endDate"), world.today)
    return [row for row in rows if first <= day_of(row) <= last]


def selected(
    world: World,
    rows: list[T],
    day_of: Callable[[T], int],
    tail: list[str],
    given: dict[str, str],
) -> list[T]:
    """Apply `search`, `last/{n}`, `lastTwoWeeks` or `latest` to rows that are newest first."""
    if tail == ["search"]:
        return between(world, rows, day_of, given)
    if tail == ["lastTwoWeeks"]:
        return [row for row in rows if day_of(row) >= world.today - 14]
    if tail == ["latest"]:
        return [row for row in rows if day_of(row) == day_of(rows[0])]
    return rows[: count(tail)]


def count(tail: list[str]) -> int:
    """Read the number of `last/{n}`."""
    if len(tail) != 2 or tail[0] != "last" or not re.fullmatch(r"[1-9][0-9]{0,5}", tail[1]):
        bad_request()
    return int(tail[1])


def _rates(world: World, parts: list[str], given: dict[str, str]) -> str:
    kind = {"": 0, "rate": 1, "volume": 2}.get(given.get("type", ""))
    if len(parts) < 2 or parts[0] not in _GROUPS or kind is None:
        bad_request()
    wanted, tail = _GROUPS[parts[0]], parts[1:]
    if parts[0] != "all":
        if tail[0] != "all":
            if tail[0].upper() not in wanted:
                bad_request()
            wanted = (tail[0].upper(),)
        tail = tail[1:]
    rows = [row for row in _public_rates(world) if row[1] in wanted]
    if tail == ["latest"] or tail[:1] == ["last"]:
        rows = _newest(rows, 1 if tail == ["latest"] else count(tail))
        if tail == ["latest"]:
            rows = sorted(rows, key=lambda row: _RATE_ORDER.index(row[1]))
    else:
        rows = selected(world, rows, lambda row: row[0], tail, given)
    texts = [text for row in rows if (text := row[2][kind])]
    return f'{{ "refRates": [ {", ".join(texts)} ] }}'


def _newest(rows: list[RateRow], number: int) -> list[RateRow]:
    """Keep so many rows of each rate."""
    seen: dict[str, int] = {}
    kept = []
    for row in rows:
        seen[row[1]] = seen.get(row[1], 0) + 1
        if seen[row[1]] <= number:
            kept.append(row)
    return kept


def _public_rates(world: World) -> list[RateRow]:
    secured = world.last_public(clock.SECURED_RATES)
    unsecured = world.last_public(clock.UNSECURED_RATES)
    averages = world.last_public(clock.Release(days.is_sifma, 0, 8))
    limits = {"EFFR": unsecured, "OBFR": unsecured, "SOFRAI": averages}
    rows = world.once("rates", lambda: _rate_rows(world))
    return [row for row in rows if row[0] <= limits.get(row[1], secured)]


def _rate_rows(world: World) -> list[RateRow]:
    funding, rows = world.economy.funding, list(_average_rows(world))
    lower, upper = policy.target_range(funding.days)
    for name, rate in funding.rate.items():
        first = max(world.start, FIRST_DAY[name])
        for i in np.flatnonzero(funding.days >= first).tolist():
            if name not in ("EFFR", "OBFR") and not funding.secured[i]:
                continue
            numbers = f' ,"percentRate": {rate[i]:.2f}'
            for percent, value in zip(PERCENTILES, funding.percentiles[name][i], strict=True):
                numbers += f' ,"percentPercentile{percent}": {value:.2f}'
            if name == "EFFR":
                numbers += f' ,"targetRateFrom": {lower[i]:.2f} ,"targetRateTo": {upper[i]:.2f}'
            volume = f' ,"volumeInBillions": {funding.volume[name][i]}'
            rows.append(_rate_row(int(funding.days[i]), name, numbers, volume))
    return sorted(rows, key=lambda row: (-row[0], _RATE_ORDER.index(row[1])))


def _rate_row(day: int, name: str, numbers: str, volume: str) -> RateRow:
    head = f'{{ "effectiveDate": "{days.iso(day)}", "type": "{name}"'
    tail = ' ,"revisionIndicator": "" }'
    return day, name, (head + numbers + volume + tail, head + numbers + tail, head + volume + tail)


def _average_rows(world: World) -> list[RateRow]:
    """Compound SOFR into its index and 30-, 90- and 180-day averages, on 360 days."""
    funding = world.economy.funding
    on = funding.secured & (funding.days >= FIRST_DAY["SOFR"])
    when, rate = funding.days[on], funding.rate["SOFR"][on]
    growth = 1 + rate[:-1] / 100 * np.diff(when) / 360
    index = np.concatenate([[1.0], np.cumprod(growth)])
    rows = []
    for i in np.flatnonzero(when >= max(world.start, _AVERAGES_SINCE)).tolist():
        numbers = ""
        for window in (30, 90, 180):
            past = np.interp(when[i] - window, when, index)
            average = (index[i] / past - 1) * 360 / window * 100
            numbers += f' ,"average{window}day": {average:.5f}'
        numbers += f' ,"index": {index[i]:.8f}'
        day, name, texts = _rate_row(int(when[i]), "SOFRAI", numbers, "")
        rows.append((day, name, (texts[0], texts[1], "")))  # the averages have no volume
    return rows


def _treasury_operations(world: World, parts: list[str], given: dict[str, str]) -> str:
    known = {"results", "announcements", "operations"}
    if (
        len(parts) < 4
        or parts[0] not in {"all", "purchases", "sales"}
        or parts[1] not in known
        or parts[2] not in {"summary", "details"}
    ):
        bad_request()
    sides = {"all": (1, -1), "purchases": (1,), "sales": (-1,)}[parts[0]]
    last = world.last_public(clock.MORNING_OPERATION)
    rows = [
        operation
        for operation in reversed(world.economy.operations)
        if world.start <= operation.traded <= last and operation.sign in sides
    ]
    if parts[1] != "results" or given.get("securityType") == "agency":
        rows = []
    rows = selected(world, rows, lambda row: row.traded, parts[3:], given)
    detailed = parts[2] == "details"
    auctions = [_operation(world.economy, row, detailed=detailed) for row in rows]
    return json.dumps({"treasury": {"auctions": auctions}})


def _operation(economy: Economy, row: Operation, *, detailed: bool) -> dict[str, Any]:
    when = days.date_of(row.traded)
    number = 25 if row.traded >= days.day(2026, 3, 1) else 1
    out: dict[str, Any] = {
        "operationId": f"OR {when:%m%d%y} {number}",
        "auctionStatus": "Results",
        "operationType": row.kind,
        "operationDate": days.iso(row.traded),
        "settlementDate": days.iso(row.settles),
        "maturityRangeStart": days.iso(row.maturity_from),
        "maturityRangeEnd": days.iso(row.maturity_to),
        "operationDirection": "P" if row.sign > 0 else "S",
        "auctionMethod": "Multiple Price",
        "releaseTime": "09:00",
        "closeTime": "09:20",
        "totalParAmtSubmitted": str(row.submitted * _MN),
        "totalParAmtAccepted": str(row.accepted * _MN),
        "note": "",
        "lastUpdated": f"{days.iso(row.traded)} 09:20:55",
    }
    if detailed:
        out["details"] = [_fill(economy, security, par) for security, par in row.fills]
    return out


def _fill(economy: Economy, security: int, par: int) -> dict[str, str]:
    """One security of an operation; for bills the price fields hold the discount rate."""
    auction, prices = economy.auctions[security], economy.prices
    price = prices.discount_rate[security] if auction.is_bill else prices.price[security]
    kind = "T-BILL" if auction.is_bill else f"T {prices.coupon[security]:.3f}"
    return {
        "cusip": auction.cusip,
        "securityDescription": f"{kind} {days.date_of(auction.matures):%m/%d/%y}",
        "parAmountAccepted": str(par * _MN),
        "weightedAvgAccptPrice": f"{price:.3f}",
        "leastFavoriteAccptPrice": f"{price:.3f}",
        "percentAllottedleastFavoriteAccptPrice": "NA",
        "inclusionIndicator": "I",
    }


def _repo_operations(world: World, parts: list[str], given: dict[str, str]) -> str:
    rows = ny_fed_repo.operations(world)
    if parts == ["reverserepo", "propositions", "search"]:
        rows = [row for row in rows if row.kind == ny_fed_repo.REVERSE_REPO]
        rows = between(world, rows, lambda row: row.day, given)
        found = [row.proposition() for row in rows]
    elif parts == ["results", "search"]:
        rows = between(world, rows, lambda row: row.day, given)
        wanted = ny_fed_repo.matching(rows, given)
        found = bad_request() if wanted is None else [row.result() for row in wanted]
    else:
        found = _repo_results(world, rows, parts)
    return json.dumps({"repo": {"operations": found}})


def _repo_results(
    world: World, rows: list[ny_fed_repo.RepoOperation], parts: list[str]
) -> list[dict[str, Any]]:
    if len(parts) < 4 or parts[2] not in {"results", "announcements"} or parts[3] == "search":
        bad_request()
    wanted = ny_fed_repo.of_kind(rows, parts[0], parts[1])
    if wanted is None or (parts[3] == "last" and count(parts[3:]) > 500):
        bad_request()
    wanted = wanted if parts[2] == "results" else []
    return [row.result() for row in selected(world, wanted, lambda r: r.day, parts[3:], {})]
