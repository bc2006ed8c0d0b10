"""OFR Financial Stress Index: one CSV file with the whole history, two business days late."""

from __future__ import annotations

from liquidity_pipeline.sandbox import clock, days
from liquidity_pipeline.sandbox.indicators import FSI_PARTS, FSI_REGIONS
from liquidity_pipeline.sandbox.publishers.wire import Reply, Request, World, not_found

PREFIX = "ofr"
_REGION_PERCENT = (50, 30)  # of the index; emerging markets take the rest


def answer(world: World, request: Request) -> Reply:
    """Answer one request below `/ofr`."""
    if request.path != "financial-stress-index/data/fsi.csv":
        return not_found()
    last = world.last_public(clock.STRESS_INDEX)
    return Reply(200, world.once(f"ofr {last}", lambda: _file(world, last)), "text/csv")


def _file(world: World, last: int) -> str:
    found = world.economy.indicators
    lines = [",".join(["Date", "OFR FSI", *FSI_PARTS, *FSI_REGIONS])]
    for day, parts in zip(found.fsi_days.tolist(), found.fsi.tolist(), strict=True):
        if world.start <= day <= last:
            total = sum(parts)
            regions = [total * percent // 100 for percent in _REGION_PERCENT]
            cells = [total, *parts, *regions, total - sum(regions)]
            lines.append(",".join([days.iso(day), *(_thousandths(cell) for cell in cells)]))
    return "\n".join(lines) + "\n"


def _thousandths(value: int) -> str:
    """Write thousandths as the file does, without trailing zeros."""
    return f"{value / 1000:.3f}".rstrip("0").rstrip(".")
