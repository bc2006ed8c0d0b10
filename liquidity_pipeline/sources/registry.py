"""All sources by name: which tables they fill, whom they ask, and the function that asks."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from liquidity_pipeline.contracts import itemised
from liquidity_pipeline.contracts import sources as contracts
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.sources.fetch import Collected, Fetch


@dataclass(frozen=True)
class Source:
    """One source. `tables[0]` carries its name; a snapshot source has no partitions.

    `collector` is `module:function`, imported when first used, because the modules bring heavy
    libraries with them.
    """

    tables: tuple[Table, ...]
    publishers: tuple[str, ...]
    collector: str
    partitioned: bool = True

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
        return collect(fetch)


SOURCES: Mapping[str, Source] = {
    source.name: source
    for source in (
        Source((contracts.TGA_BALANCE,), ("fiscaldata",), "fiscal_data:collect_tga_balance"),
        Source(
            (contracts.DEBT_SETTLEMENTS, contracts.MATURING_HOLDINGS),
            ("fiscaldata",),
            "treasury_auctions:collect_debt_settlements",
        ),
        Source(
            (contracts.UPCOMING_SETTLEMENTS,),
            ("fiscaldata",),
            "treasury_auctions:collect_upcoming_settlements",
            partitioned=False,
        ),
        Source(
            (contracts.DEBT_TRANSACTIONS,),
            ("fiscaldata",),
            "fiscal_data:collect_debt_transactions",
        ),
        Source((itemised.TGA_FLOWS,), ("fiscaldata",), "tga_flows:collect_tga_flows"),
        Source(
            (itemised.BUYBACKS, itemised.BUYBACK_SECURITIES),
            ("fiscaldata",),
            "buybacks_operations:collect_buybacks",
        ),
        Source((contracts.FED_OPERATIONS,), ("nyfed",), "ny_fed:collect_fed_operations"),
        Source((contracts.SOMA_HOLDINGS,), ("nyfed",), "ny_fed:collect_soma_holdings"),
        Source((itemised.SOMA_SECURITIES,), ("nyfed",), "soma:collect_soma_securities"),
        Source((contracts.REPO_OPERATIONS,), ("nyfed",), "ny_fed:collect_repo_operations"),
        Source((contracts.REFERENCE_RATES,), ("nyfed",), "ny_fed:collect_reference_rates"),
        Source((contracts.FED_BALANCE_SHEET,), ("fred",), "fred:collect_fed_balance_sheet"),
        Source((contracts.MARKET_SERIES,), ("fred",), "fred:collect_market_series"),
        Source(
            (contracts.INDEX_PRICES, contracts.PRICE_DISAGREEMENTS),
            ("yahoo", "cboe", "fred"),
            "prices:collect_index_prices",
        ),
        Source(
            (contracts.CRYPTO_PRICES, contracts.CRYPTO_DISAGREEMENTS),
            ("coinbase", "kraken"),
            "prices:collect_crypto_prices",
        ),
        Source((contracts.OFR_FSI,), ("ofr",), "ofr:collect_ofr_fsi"),
    )
}
