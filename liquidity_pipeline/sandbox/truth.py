"""The answer key: what is true in a sandbox's world, for tests that compare estimates with it."""

from __future__ import annotations

from typing import Any

import numpy as np

from liquidity_pipeline.sandbox import days, funding
from liquidity_pipeline.sandbox.assets import COIN
from liquidity_pipeline.sandbox.balance_sheet import weekly
from liquidity_pipeline.sandbox.economy import Economy
from liquidity_pipeline.sandbox.publishers.wire import World

IDENTITIES = (
    "DTS table I: opening + deposits - withdrawals = closing balance; the next opening = closing",
    "DTS table II: items of a side add up to its total, which is table I's",
    "DTS tables IIIA - IIIB: issues less adjustments = the public debt cash row of table II",
    "H.4.1 WDTGAL = DTS closing balance of the Wednesday; WTREGEN = its seven-day average",
    "H.4.1 WALCL = WLFN + WLRRAL + WDTGAL + WRBWFRBL + other liabilities and capital",
    "H.4.1 WLDLCL = WLODLL + WDTGAL + WDFOL + other deposits; WLODLL = WRBWFRBL",
    "H.4.1 WLTLECL = WLFN + WLRRAL + WLDLCL + other liabilities; WALCL = WLTLECL + capital",
    "H.4.1 WLRRAL = WLRRAFOIAL + WLRRAOL; WLRRAOL = RRPONTSYD of the Wednesday",
    "drain_reserves = d_tga + d_rrp + d_currency + d_other + d_fed_assets, residual 0",
    "auctions: competitive + noncompetitive + FIMA + SOMA accepted = total accepted",
    "table IIIA of a day = auctions settled and matured on it, plus buybacks settled",
    "buybacks: the securities of an operation add up to what it accepted",
    "the tentative schedule has the operations that are held, at the maxima that they announce",
    "the elasticity of reserve demand is the slope of unsecured rates in reserves / bank assets",
    "SOMA by CUSIP: sums by kind, and of inflation compensation, are the summary's",
    "SOMA: total = bills + notes and bonds + TIPS + FRN + MBS; TREAST adds inflation compensation",
)


def truth(world: World) -> dict[str, Any]:
    """Return the answer key from the first served day to the clock; JSON-able.

    Amounts in USD mn, a positive drain takes reserve balances away. Loadings are % of log return
    for USD 100 bn that reserve balances rise.
    """
    economy, today = world.economy, world.today
    return {
        "synthetic": True,
        "seed": economy.seed,
        "loading_scale": economy.loading_scale,
        "served_from": days.iso(world.start),
        "today": days.iso(today),
        "identities": list(IDENTITIES),
        "weekly_drains": weekly_drains(economy, world.start, today),
        "settlements": settlements(economy, world.start, today),
        "loadings": loadings(economy),
        "episodes": episodes(economy, world.start, today),
        "funding": funding.COEFFICIENTS | {"scarce_below_bank_assets": funding.SCARCE_BELOW},
    }


def weekly_drains(economy: Economy, first: int, last: int) -> list[dict[str, Any]]:
    """Return the drain of each week from Wednesday to Wednesday, by component."""
    drains = economy.sheet.drains()
    # A component's level is the sum of its changes: its Wednesday levels differ by the week's.
    sums = {name: weekly(economy.days, np.cumsum(change)) for name, change in drains.items()}
    wednesdays = sums["drain_reserves"].wednesdays
    changes = {name: np.diff(found.level) for name, found in sums.items()}
    rows = []
    for i, day in enumerate(wednesdays[1:].tolist()):
        if first <= day - 7 and day <= last:
            row: dict[str, Any] = {"week_ending": days.iso(day)}
            row |= {f"{name}_usd_mn": int(change[i]) for name, change in changes.items()}
            rows.append(row)
    return rows


def settlements(economy: Economy, first: int, last: int) -> list[dict[str, Any]]:
    """Return issues, redemptions (buybacks included) and the public's net of each day, at par."""
    issued, redeemed = economy.debt.issued.sum(axis=1), economy.debt.redeemed.sum(axis=1)
    active = (issued != 0) | (redeemed != 0)
    shown = np.flatnonzero(active & (economy.days >= first) & (economy.days <= last)).tolist()
    return [
        {
            "settlement_date": days.iso(int(economy.days[i])),
            "issued_usd_mn": int(issued[i]),
            "redeemed_usd_mn": int(redeemed[i]),
            "net_public_usd_mn": int(economy.settlement[i]),
        }
        for i in shown
    ]


def loadings(economy: Economy) -> list[dict[str, Any]]:
    """Return how each symbol answers to liquidity, and after how many of its sessions."""
    out = []
    for symbol in economy.markets.symbols():
        asset = economy.markets.asset(symbol)
        if asset is not None:
            loading = asset.loading * economy.loading_scale
            out.append(
                {
                    "symbol": symbol,
                    "calendar": "utc" if asset.kind == COIN else "nyse",
                    "loading_pct_per_100bn": loading,
                    "lag_sessions": asset.lag,
                }
            )
    return out


def episodes(economy: Economy, first: int, last: int) -> list[dict[str, Any]]:
    """Return the stress episodes; `drained` is what reserve balances really lost in them."""
    drained = np.concatenate([[0], np.cumsum(economy.sheet.drains()["drain_reserves"])])
    out = []
    for episode in economy.episodes:
        if not first <= episode.start <= last:
            continue
        begin, end = np.searchsorted(economy.days, [episode.start, min(episode.end, last) + 1])
        out.append(
            {
                "cause": episode.cause,
                "start_date": days.iso(episode.start),
                "end_date": days.iso(episode.end),
                "undone_by": days.iso(episode.undone),
                "planned_usd_mn": episode.size,
                "drained_usd_mn": int(drained[end] - drained[begin]),
            }
        )
    return out
