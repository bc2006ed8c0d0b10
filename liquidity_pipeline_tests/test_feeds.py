"""One feed of a source that fails costs that feed alone, and one healthy run makes it good.

Every feed (series, symbol of a provider, table of a statement, endpoint) of every source answers
503, hangs, or is gone, while all others answer. The rows of the others must be those of a healthy
run; what is held of the failed feed must stay; and what went wrong must be named.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests
from urllib3 import HTTPResponse

from liquidity_pipeline.contracts.sources.federal_reserve import NEVER_DUE
from liquidity_pipeline.ingestion.coverage import coverage
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources import publishers
from liquidity_pipeline.sources.answers import Answer
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.sources.http import HttpClient
from liquidity_pipeline.sources.publishers import Form, Params
from liquidity_pipeline.sources.registry import SOURCES, Source
from liquidity_pipeline_tests.campaign_faults import Ended, equal, run

SINCE, EARLIER, TODAY = date(2025, 11, 1), date(2026, 1, 20), date(2026, 2, 6)
WINDOW = Window.of_months(SINCE, TODAY)
FAULTS = {"503": "HTTP 503", "timeout": "no answer in time", "404": "HTTP 404"}
FRESH, FILLED = "fresh", "filled"
Row = dict[str, Any]


@dataclass(frozen=True)
class Feed:
    """What is served as one: an endpoint, or one series or symbol of it."""

    publisher: str
    endpoint: str
    entity: str = ""

    @classmethod
    def of(cls, publisher: str, path: str, params: Params) -> Feed:
        endpoint = publishers.endpoint(publisher, path)
        # Days are in the path of SOMA only, and are no feeds of their own.
        symbol = "" if publisher == "nyfed" else path.removeprefix(endpoint)
        return cls(publisher, endpoint, symbol or str(params.get("id") or params.get("pair") or ""))


class OneFeedFails(HttpClient):
    """A client to which all requests of one feed fail, each at the network."""

    def __init__(self, settings: Settings, feed: Feed, fault: str) -> None:
        super().__init__(settings)
        self._feed, self._fault, self._here = feed, fault, threading.local()
        get = self._session.get
        self._session.get = lambda url, **more: (  # type: ignore[method-assign]
            self._fail(url) if self._here.is_sick else get(url, **more)
        )

    def get(
        self, publisher: str, path: str, params: Params | None = None, *, form: Form = "json"
    ) -> Answer:
        self._here.is_sick = Feed.of(publisher, path, params or {}) == self._feed
        return super().get(publisher, path, params, form=form)

    def _fail(self, url: str) -> requests.Response:
        if self._fault == "timeout":
            raise requests.ReadTimeout
        answer = requests.Response()
        answer.url, answer.status_code = url, int(self._fault)
        answer.raw = HTTPResponse(io.BytesIO(b"<html>"), preload_content=False)
        return answer


class Noting(HttpClient):
    """A client that notes the feeds that it is asked for."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.feeds: dict[Feed, None] = {}

    def get(
        self, publisher: str, path: str, params: Params | None = None, *, form: Form = "json"
    ) -> Answer:
        self.feeds[Feed.of(publisher, path, params or {})] = None
        return super().get(publisher, path, params, form=form)


@dataclass(frozen=True)
class World:
    """A sandbox, and per source a directory of an earlier day, its feeds, and healthy ends."""

    url: str
    folder: Path

    def settings(self, folder: Path) -> Settings:
        return Settings(folder, endpoints=self.url, as_of=TODAY, http_retries=1, http_backoff=0.001)

    @cache  # noqa: B019 - as long as the module's fixture
    def feeds(self, source: Source) -> tuple[Feed, ...]:
        """Return the feeds of a source, and leave what a healthy run leaves."""
        client = Noting(self.settings(self.directory(source, FRESH, "noting")))
        run(Pipeline(client._settings, client), source, WINDOW)
        return tuple(client.feeds)

    @cache  # noqa: B019
    def good(self, source: Source, kind: str) -> Ended:
        """Return how a healthy run ends."""
        return run(Pipeline(self.settings(self.directory(source, kind, "well"))), source, WINDOW)

    @cache  # noqa: B019
    def earlier(self, source: Source) -> Path:
        """Return a directory of an earlier day."""
        folder = self.folder / source.name / "earlier"
        early = replace(self.settings(folder), as_of=EARLIER)
        Pipeline(early).ingest(source, Window.of_months(SINCE, EARLIER))
        return folder

    def directory(self, source: Source, kind: str, name: str) -> Path:
        folder = self.folder / source.name / f"{name}-{kind}"
        shutil.rmtree(folder, ignore_errors=True)
        if kind == FILLED:
            shutil.copytree(self.earlier(source), folder)
        return folder


@pytest.fixture(scope="module")
def world(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    yield World(sandbox, tmp_path_factory.mktemp("feeds"))


def is_of(source: Source, feed: Feed) -> Callable[[str, Row], bool]:
    """Return what tells whether a row (table, row) can only be had from the feed."""
    if source.name == "debt_settlements":
        bought = feed.endpoint.endswith("/buybacks_operations")
        return lambda table, row: (row.get("leg") == "buyback") is bought
    if feed.endpoint.endswith("/upcoming_auctions"):
        return lambda table, row: row["leg"] == "issue"
    if source.name == "debt_transactions":
        table_two = feed.endpoint.endswith("/deposits_withdrawals_operating_cash")
        return lambda table, row: row["dts_table"] == ("II" if table_two else "IIIA")
    if feed.endpoint.endswith("/buybacks_security_details"):
        return lambda table, row: table == "buyback_securities"
    if source.name in ("market_series", "fed_balance_sheet"):
        return lambda table, row: row["series"] == feed.entity
    if source.name in ("index_prices", "crypto_prices"):
        return lambda table, row: row["symbol"] in symbols(feed)
    return lambda table, row: True


@cache
def symbols(feed: Feed) -> frozenset[str]:
    """Return the followed symbols that a provider's feed serves."""
    universe = Pipeline(Settings(Path("unused"))).universe
    return frozenset(
        asset.symbol
        for asset in (*universe.index, *universe.crypto)
        for provider, symbol in asset.provider_symbols()
        if provider == feed.publisher and re.search(rf"\b{re.escape(symbol)}\b|\^", feed.entity)
        if symbol in feed.entity
    )


def rows(ended: Ended, keep: Callable[[str, Row], bool]) -> dict[str, list[str]]:
    return {
        name: sorted(json.dumps(row, default=str) for row in table.to_pylist() if keep(name, row))
        for name, table in ended.tables.items()
    }


def keys(ended: Ended, source: Source) -> set[tuple[Any, ...]]:
    return {
        (table.name, *(row[name] for name in table.key))
        for table in source.tables
        for row in ended.tables[table.name].to_pylist()
    }


def problems(world: World, source: Source, feed: Feed, fault: str, kind: str) -> list[str]:
    """Run with the feed failing, then healthy; return what did not hold."""
    of_feed, good = is_of(source, feed), world.good(source, kind)
    folder = world.directory(source, kind, "sick")
    settings = world.settings(folder)
    before = Ended({t.name: Pipeline(settings).lake.read(t) for t in source.tables}, [], set())
    ended = run(Pipeline(settings, OneFeedFails(settings, feed, fault)), source, WINDOW)
    found = []
    others = lambda table, row: not of_feed(table, row)  # noqa: E731
    if rows(ended, others) != rows(good, others):
        found.append("rows of other feeds differ")
    # A snapshot is replaced whole, and an answer may withdraw what is held only if it came.
    if source.partitioned and keys(before, source) - keys(ended, source):
        found.append("rows were taken away")
    said = [*ended.errors, *ended.gaps]
    if not any(FAULTS[fault] in line or "not served" in line for line in said) and not (
        fault == "404" and feed.entity in NEVER_DUE
    ):
        found.append(f"not named: {said}")
    healed = run(Pipeline(settings), source, WINDOW)
    if not equal(healed.tables, good.tables):
        found.append("not healed")
    return [f"{feed}, {fault}, {kind} directory: {problem}" for problem in found]


SEVERAL_FEEDS = (
    "debt_settlements", "upcoming_settlements", "debt_transactions", "buybacks", "tga_flows",
    "soma_securities",
)  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
def test_a_feed_that_fails_costs_no_other_and_heals(world: World, name: str) -> None:
    """The short form: each feed meets one fault, on a fresh or a filled directory, in turns."""
    source, found = SOURCES[name], []
    for number, feed in enumerate(world.feeds(source)):
        kind = (FRESH, FILLED)[number % 2]
        found += problems(world, source, feed, list(FAULTS)[number % 3], kind)
    assert found == []


@pytest.mark.parametrize("kind", [FRESH, FILLED])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", SEVERAL_FEEDS)
def test_a_table_or_endpoint_that_fails_costs_no_other_and_heals(
    world: World, name: str, fault: str, kind: str
) -> None:
    source, found = SOURCES[name], []
    for feed in world.feeds(source):
        found += problems(world, source, feed, fault, kind)
    assert found == []


@pytest.mark.campaign
@pytest.mark.parametrize("kind", [FRESH, FILLED])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", SOURCES)
def test_every_feed_with_every_fault(world: World, name: str, fault: str, kind: str) -> None:
    source, found = SOURCES[name], []
    for feed in world.feeds(source):
        found += problems(world, source, feed, fault, kind)
    assert found == []
