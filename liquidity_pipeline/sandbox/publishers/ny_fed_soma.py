"""SOMA on the New York Fed's API: weekly totals by kind, and each week's holdings by CUSIP.

Values are strings, in dollars; a missing one is empty. The holdings of a week add up to its totals,
inflation compensation included.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from liquidity_pipeline.sandbox import clock, days
from liquidity_pipeline.sandbox.balance_sheet import weekly
from liquidity_pipeline.sandbox.days import IntArray
from liquidity_pipeline.sandbox.debt import SOMA_CLASSES
from liquidity_pipeline.sandbox.economy import Economy
from liquidity_pipeline.sandbox.publishers.ny_fed_wire import bad_request, day_given
from liquidity_pipeline.sandbox.publishers.wire import World
from liquidity_pipeline.sandbox.schedule import Auction

_MN = 1_000_000
_SOMA_SINCE = days.day(2003, 7, 9)
_REDEEMED_AT_FACE = 14
_TYPES = {"bill": "Bills", "cmb": "Bills", "frn": "FRN", "tips": "TIPS"}


def answer(world: World, parts: list[str], given: dict[str, str]) -> str:  # noqa: ARG001
    """Answer one request below `/api/soma`."""
    last = world.last_public(clock.BALANCE_SHEET)
    if len(parts) == 4 and parts[:3] == ["tsy", "get", "asof"]:
        wanted = day_given(parts[3], last)
        holdings = [] if wanted > last else _holdings(world, wanted)
        return json.dumps({"soma": {"holdings": holdings}})
    rows = [row for row in world.once("soma", lambda: _totals(world)) if row[0] <= last]
    dates = [days.iso(day) for day, _ in reversed(rows)]
    if parts == ["summary"]:
        return json.dumps({"soma": {"summary": [row for _, row in rows]}})
    if parts == ["asofdates", "list"]:
        return json.dumps({"soma": {"asOfDates": dates}})
    if parts != ["asofdates", "latest"]:
        bad_request()
    return json.dumps({"soma": {"asOfDate": dates[0] if dates else ""}})


def _totals(world: World) -> list[tuple[int, dict[str, str]]]:
    """Write SOMA's holdings of each Wednesday; the total leaves inflation compensation out."""
    economy = world.economy
    levels = {
        name: weekly(economy.days, economy.debt.soma[:, i]).level
        for i, name in enumerate(SOMA_CLASSES)
    }
    mbs = weekly(economy.days, economy.sheet.mbs)
    inflation = weekly(economy.days, economy.sheet.inflation_compensation).level
    rows = []
    for i, day in enumerate(mbs.wednesdays.tolist()):
        if day < max(world.start, _SOMA_SINCE):
            continue
        total = mbs.level[i] + sum(level[i] for level in levels.values())
        row = {"asOfDate": days.iso(day), "mbs": f"{mbs.level[i] * _MN}.00", "cmbs": ""}
        row["tips"], row["frn"] = (str(levels[name][i] * _MN) for name in ("tips", "frn"))
        row["tipsInflationCompensation"] = f"{inflation[i] * _MN}.00"
        row["notesbonds"] = str(levels["notesbonds"][i] * _MN)
        row["bills"], row["agencies"] = str(levels["bills"][i] * _MN), ""
        row["total"] = f"{total * _MN}.00"
        rows.append((day, row))
    return rows


def _holdings(world: World, day: int) -> list[dict[str, Any]]:
    """Write the holdings of a Wednesday, one row per CUSIP; other days have none."""
    if days.weekday(day) != days.WEDNESDAY or day < max(world.start, _SOMA_SINCE):
        return []
    economy = world.economy
    held, outstanding = _state(economy, day)
    week_ago, year_ago = (_state(economy, day - before)[0] for before in (7, 364))
    inflation = _inflation(economy, day, held)
    rows = []
    for row in np.flatnonzero(held > 0).tolist():
        auction, par = economy.auctions[row], int(held[row])
        rows.append(
            {
                "asOfDate": days.iso(day),
                "cusip": auction.cusip,
                "maturityDate": days.iso(auction.matures),
                "issuer": "",
                "spread": "0.1500" if auction.security_class == "frn" else "",
                "coupon": _coupon(economy, row),
                "parValue": str(par * _MN),
                "inflationCompensation": inflation.get(row, ""),
                "percentOutstanding": f"{par / outstanding[row]:.16f}",
                "changeFromPriorWeek": str(int(par - week_ago[row]) * _MN),
                "changeFromPriorYear": str(int(par - year_ago[row]) * _MN),
                "securityType": _type(auction),
            }
        )
    return sorted(rows, key=lambda row: (row["securityType"], row["maturityDate"], row["cusip"]))


def _state(economy: Economy, day: int) -> tuple[IntArray, IntArray]:
    """Return what SOMA holds and what is outstanding at a day's close, by row of the auctions."""
    moves = economy.debt.moves
    row = int(np.searchsorted(economy.days, day, side="right")) - 1
    past = moves[: int(np.searchsorted(moves[:, 0], row, side="right"))]
    held, outstanding = (np.zeros(len(economy.auctions), dtype=np.int64) for _ in range(2))
    np.add.at(outstanding, past[:, 1], past[:, 2])
    np.add.at(held, past[:, 1], past[:, 3])
    return held, outstanding


def _inflation(economy: Economy, day: int, held: IntArray) -> dict[int, str]:
    """Spread the inflation compensation over the TIPS by par; the last takes the remainder.

    In this economy TIPS are redeemed at face: one that matures within a fortnight has none, unless
    no other is held.
    """
    row = int(np.searchsorted(economy.days, day, side="right")) - 1
    total = int(economy.sheet.inflation_compensation[row]) * _MN
    tips = [
        i for i in np.flatnonzero(held > 0).tolist()
        if economy.auctions[i].security_class == "tips"
    ]  # fmt: skip
    tips = [i for i in tips if economy.auctions[i].matures > day + _REDEEMED_AT_FACE] or tips
    par = sum(int(held[i]) for i in tips)
    parts = {i: total * int(held[i]) // par for i in tips}
    if tips:
        parts[tips[-1]] += total - sum(parts.values())
    return {i: str(amount) for i, amount in parts.items()}


def _coupon(economy: Economy, row: int) -> str:
    coupon = float(economy.prices.coupon[row])
    return "" if np.isnan(coupon) else f"{coupon:.3f}"


def _type(auction: Auction) -> str:
    return _TYPES.get(auction.security_class, "NotesBonds")
