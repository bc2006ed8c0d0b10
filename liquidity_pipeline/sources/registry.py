"""All sources by name: the tables they fill, the publishers they use, and their collector."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from liquidity_pipeline.contracts.sources import federal_reserve, itemised, markets, treasury
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.sources.fetch import Collected, Fetch
from liquidity_pipeline.sources.timetable import (
    AFTERNOON,
    EVENING,
    MIDNIGHT,
    MORNING,
    TIMINGS,
    Timing,
)


@dataclass(frozen=True)
class Source:
    """One source. `tables[0]` carries its name; a snapshot source has no partitions.

    `publishers`: all that it may ask, the one that matters most first. `also_at`: schedules that
    refresh it besides the evening's, which refreshes every source. `collector` is
    `module:function`, imported when first used, because the modules bring heavy libraries with
    them.
    """

    tables: tuple[Table, ...]
    publishers: tuple[str, ...]
    collector: str
    partitioned: bool = True
    also_at: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the asset and of its first table."""
        return self.tables[0].name

    def collect(self, fetch: Fetch) -> Collected:
        """Fetch and parse the window; raise a PublisherError when that is not possible."""
        module, _, function = self.collector.partition(":")
        collect: Callable[[Fetch], Collected] = getattr(
            importlib.import_module(f"liquidity_pipeline.sources.{module}"), function
        )
        expected = f"rows of {self.name} from {', '.join(self.publishers)}"
        return fetch.understood(expected, lambda: collect(fetch))


SOURCES: Mapping[str, Source] = {
    source.name: source
    for source in (
        Source(
            (treasury.TGA_BALANCE,),
            ("fiscaldata",),
            "fiscal_data:collect_tga_balance",
            also_at=(AFTERNOON.name,),
        ),
        Source(
            (treasury.DEBT_SETTLEMENTS, treasury.MATURING_HOLDINGS),
            ("fiscaldata",),
            "debt_settlements:collect_debt_settlements",
            also_at=(AFTERNOON.name,),
        ),
        Source(
            (treasury.UPCOMING_SETTLEMENTS,),
            ("fiscaldata",),
            "debt_settlements:collect_upcoming_settlements",
            partitioned=False,
        ),
        Source(
            (treasury.DEBT_TRANSACTIONS,),
            ("fiscaldata",),
            "fiscal_data:collect_debt_transactions",
            also_at=(AFTERNOON.name,),
        ),
        Source((itemised.TGA_FLOWS,), ("fiscaldata",), "tga_flows:collect_tga_flows"),
        Source(
            (itemised.BUYBACKS, itemised.BUYBACK_SECURITIES),
            ("fiscaldata",),
            "buybacks_operations:collect_buybacks",
        ),
        Source(
            (itemised.BUYBACK_SCHEDULE,),
            ("treasury",),
            "buyback_schedule:collect_buyback_schedule",
            partitioned=False,
        ),
        Source(
            (federal_reserve.FED_OPERATIONS,),
            ("nyfed",),
            "ny_fed:collect_fed_operations",
            also_at=(MORNING.name,),
        ),
        Source((federal_reserve.SOMA_HOLDINGS,), ("nyfed",), "ny_fed:collect_soma_holdings"),
        Source((itemised.SOMA_SECURITIES,), ("nyfed",), "soma:collect_soma_securities"),
        Source(
            (federal_reserve.REPO_OPERATIONS,),
            ("nyfed",),
            "ny_fed:collect_repo_operations",
            also_at=(MORNING.name,),
        ),
        Source(
            (federal_reserve.REFERENCE_RATES,),
            ("nyfed",),
            "ny_fed:collect_reference_rates",
            also_at=(MORNING.name,),
        ),
        Source(
            (federal_reserve.RESERVE_DEMAND_ELASTICITY,),
            ("nyfed_research",),
            "reserve_demand:collect_reserve_demand",
            partitioned=False,
        ),
        Source(
            (federal_reserve.FED_BALANCE_SHEET,),
            ("fred",),
            "fred:collect_fed_balance_sheet",
            also_at=(AFTERNOON.name,),
        ),
        Source(
            (markets.MARKET_SERIES,),
            ("fred",),
            "fred:collect_market_series",
            also_at=(MORNING.name,),
        ),
        Source(
            (markets.INDEX_PRICES, markets.PRICE_DISAGREEMENTS),
            ("yahoo", "cboe", "fred"),
            "prices:collect_index_prices",
        ),
        Source(
            (markets.CRYPTO_PRICES, markets.CRYPTO_DISAGREEMENTS),
            ("coinbase", "kraken"),
            "prices:collect_crypto_prices",
            also_at=(MIDNIGHT.name,),
        ),
        Source((markets.OFR_FSI,), ("ofr",), "ofr:collect_ofr_fsi"),
    )
}


def timings(source: Source) -> list[Timing]:
    """Return the schedules that refresh a source; the evening's refreshes every one."""
    return [each for each in TIMINGS if each is EVENING or each.name in source.also_at]


def pool(source: Source, sources: Mapping[str, Source] = SOURCES) -> str:
    """Return the pool in which a source waits for its turn: its publishers' names, sorted.

    Sources that share a publisher share a pool, or two runs could ask it at once; so do those that
    are linked by others in between.
    """
    linked = set(source.publishers)
    while (
        wider := {
            name
            for other in sources.values()
            if linked & set(other.publishers)
            for name in other.publishers
        }
        - linked
    ):
        linked |= wider
    return "+".join(sorted(linked))
