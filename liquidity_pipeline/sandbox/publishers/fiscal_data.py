"""Fiscal Data: which path is which table."""

from __future__ import annotations

from collections.abc import Callable

from liquidity_pipeline.sandbox.publishers import (
    fiscal_auctions,
    fiscal_buybacks,
    fiscal_dts,
    fiscal_query,
)
from liquidity_pipeline.sandbox.publishers.fiscal_query import Table
from liquidity_pipeline.sandbox.publishers.wire import Reply, Request, World, not_found

PREFIX = "fiscaldata"
_PREFIX = "services/api/fiscal_service/v1/accounting/"
_OTHER_TABLES: dict[str, Callable[[World], Table]] = {
    "od/auctions_query": fiscal_auctions.auctions_query,
    "od/upcoming_auctions": fiscal_auctions.upcoming_auctions,
    "od/buybacks_operations": fiscal_buybacks.buybacks_operations,
    "od/buybacks_security_details": fiscal_buybacks.buybacks_security_details,
}


def answer(world: World, request: Request) -> Reply:
    """Answer one request below `/fiscaldata`."""
    path = request.path.removeprefix(_PREFIX).strip("/")
    if path == request.path:
        return not_found()
    name = path.removeprefix("dts/")
    if name != path and name in fiscal_dts.TABLES:
        return fiscal_query.answer(fiscal_dts.table(world, name), request)
    if path not in _OTHER_TABLES:
        return not_found()
    return fiscal_query.answer(_OTHER_TABLES[path](world), request)
