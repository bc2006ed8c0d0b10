"""Reserve Demand Elasticity: daily estimates in one file, CSV by content and a workbook by name.

Published on the third Thursday of a month with data through the Friday before; the blackouts of
the FOMC, which move that Thursday, are not simulated. A path that does not exist is redirected to
a page of the site.
"""

from __future__ import annotations

import numpy as np

from liquidity_pipeline.sandbox import days
from liquidity_pipeline.sandbox.funding import demand_elasticity
from liquidity_pipeline.sandbox.publishers.wire import HTML, Reply, Request, World

PREFIX = "nyfed_research"
_FILE = "medialibrary/Research/Interactives/Data/elasticity/elasticity-data.xlsx"
_HOME = "index.html"
_PAGE = "<!DOCTYPE html>\n<html><head><title>Research</title></head><body></body></html>\n"
_RANKS = ("50th", "2.5th", "97.5th", "16th", "84th")
# Half the widths of the bands, in standard errors, by the order of _RANKS; the standard error in
# basis points, where reserves are abundant and per basis point of the estimate.
_WIDTHS = (0.0, -1.96, 1.96, -1.0, 1.0)
_ERROR_BP, _ERROR_SHARE = 0.05, 0.15
_FIRST_FILE = days.day(2024, 10, 17)


def answer(world: World, request: Request) -> Reply:
    """Answer one request below `/nyfed_research`."""
    if request.path == _HOME:
        return Reply(200, _PAGE, HTML)
    last = _last_day(world.now) if request.path == _FILE else None
    if last is None:
        return Reply(302, "", HTML, {"Location": f"/{PREFIX}/{_HOME}"})
    return Reply(200, world.once(f"elasticity {last}", lambda: _body(world, last)), "text/csv")


def _last_day(now: int) -> int | None:
    """Return the last day of the newest file, None before the first one."""
    month = days.date_of(now // 86400)
    for back in (0, -1):
        first = days.add_months(days.day(month.year, month.month, 1), back)
        when = days.date_of(first)
        thursday = days.nth_weekday(when.year, when.month, days.THURSDAY, 3)
        published = days.new_york_time(days.on_or_after(thursday), 10)
        if published <= now and thursday >= _FIRST_FILE:
            return thursday - 6
    return None


def _body(world: World, last: int) -> str:
    economy = world.economy
    shown = (economy.days >= world.start) & (economy.days <= last)
    median = demand_elasticity(economy.funding.scarcity[shown])
    error = _ERROR_BP + _ERROR_SHARE * np.abs(median)
    columns = median[:, None] + error[:, None] * np.array(_WIDTHS)
    lines = [",".join(["Date", *(f"{rank} percentile" for rank in _RANKS)])]
    for day, cells in zip(economy.days[shown].tolist(), columns.tolist(), strict=True):
        lines.append(",".join([days.iso(day), *(f"{cell:.6f}" for cell in cells)]))
    return "\n".join(lines) + "\n"
