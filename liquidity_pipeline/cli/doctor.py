"""Examine the surroundings of a run, each finding with what to do about it."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from liquidity_pipeline.settings import PUBLISHERS, Settings, SettingsError
from liquidity_pipeline.sources.http import Form, HttpClient, Params, refusal

_PACKAGES = ("dagster", "duckdb", "pandas", "pyarrow", "pandera", "requests", "sqlglot")
# The smallest question that each publisher answers.
_PROBES: Mapping[str, tuple[str, Params, Form]] = {
    "fiscaldata": (
        "/services/api/fiscal_service/v1/accounting/dts/operating_cash_balance",
        {"page[size]": 1, "sort": "-record_date"},
        "json",
    ),
    "nyfed": ("/api/rates/secured/sofr/last/1.json", {}, "json"),
    "fred": ("/graph/fredgraph.csv", {"id": "SOFR", "cosd": "2026-01-02"}, "csv"),
    "yahoo": (
        "/v8/finance/chart/^GSPC",
        {"interval": "1d", "period1": 1767312000, "period2": 1767744000},
        "json",
    ),
    "cboe": ("/api/global/us_indices/daily_prices/VIX_History.csv", {}, "csv"),
    "coinbase": (
        "/products/BTC-USD/candles",
        {"granularity": 86400, "start": "2026-01-02", "end": "2026-01-03"},
        "json",
    ),
    "ofr": ("/financial-stress-index/data/fsi.csv", {}, "csv"),
    "kraken": ("/0/public/OHLC", {"pair": "XBTUSD", "interval": 1440}, "json"),
}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    good: bool
    detail: str


def examine(settings: Settings) -> list[Finding]:
    """Return all findings; nothing is changed."""
    return [*_surroundings(), *_files(settings), *_reference(settings), *_publishers(settings)]


def _surroundings() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", sys.version_info >= (3, 11), f"{version} (3.11 or later is needed)")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    yield Finding("packages", True, versions)


def _files(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    parent = next(path for path in (folder, *folder.parents) if path.exists())
    writable = os.access(parent, os.W_OK)
    yield Finding("data directory", writable, f"{folder}{'' if writable else ' is not writable'}")
    yield _try("origin of the data", lambda: _origin(settings))
    published = settings.published_file
    log = published.with_name(published.name + ".wal")
    if log.exists():
        yield Finding("published file", False, f"{log} must go: some program opened it for writing")
    elif published.exists():
        yield _try("published file", lambda: _publication(settings))
    else:
        yield Finding("published file", True, "none yet: `liquidity run` makes it")


def _origin(settings: Settings) -> str:
    mark = settings.data_dir / "endpoints.json"
    if not mark.exists():
        return f"new directory, for '{settings.endpoints}'"
    settings.claim_data_dir()
    return f"'{settings.endpoints}', as this command asks"


def _publication(settings: Settings) -> str:
    from liquidity_pipeline.storage.warehouse import reading

    with reading(settings.published_file) as published:
        ((as_of, built_at, version),) = published.execute(
            "select as_of, built_at, duckdb_version from meta.publication"
        ).fetchall()
    return f"as of {as_of}, built {built_at:%Y-%m-%d %H:%M} UTC with DuckDB {version}"


def _reference(settings: Settings) -> Iterator[Finding]:
    from liquidity_pipeline.sources.reference import read_policy_events
    from liquidity_pipeline.universe import Universe

    def events() -> str:
        return f"{read_policy_events(settings.reference_dir).num_rows} facts"

    def symbols() -> str:
        universe = Universe.load(settings.reference_dir)
        return f"{len(universe.index)} indices and funds, {len(universe.crypto)} coins"

    yield _try("reference facts", events)
    yield _try("universe", symbols)


def _publishers(settings: Settings) -> Iterator[Finding]:
    client = HttpClient(settings)

    def ask(name: str) -> str:
        path, params, form = _PROBES[name]
        answer = client.get(name, path, params, form=form)
        if (error := refusal(answer)) is not None:
            raise error
        return f"answers ({len(answer.body):,} bytes)"

    for name in _PROBES:
        yield _try(PUBLISHERS[name].title, partial(ask, name))


def _try(what: str, look: Callable[[], str]) -> Finding:
    import duckdb

    from liquidity_pipeline.sources.errors import PublisherError

    try:
        return Finding(what, True, look())
    except (PublisherError, SettingsError, duckdb.Error, OSError, ValueError) as error:
        return Finding(what, False, str(error))
