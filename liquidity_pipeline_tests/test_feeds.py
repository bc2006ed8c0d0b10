"""One feed of a source that fails costs that feed alone, and one healthy run makes it good.

Every feed (series, symbol of a provider, table of a statement, endpoint) of every source answers
503, hangs, or is gone, while all others answer. The rows of the others must be those of a healthy
run; what is held of the failed feed must stay; and what went wrong must be named.
"""

from __future__ import annotations

import io
import re
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests
from urllib3 import HTTPResponse

from liquidity_pipeline.contracts.sources.federal_reserve import NEVER_DUE
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings, default_reference_dir
from liquidity_pipeline.sources import publishers
from liquidity_pipeline.sources.answers import Answer
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.sources.http import HttpClient
from liquidity_pipeline.sources.publishers import Form, Params
from liquidity_pipeline.sources.registry import SOURCES, Source
from liquidity_pipeline.universe import Universe
from liquidity_pipeline_tests.campaign_faults import Ended, Tables, equal, run

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
def world(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(sandbox, tmp_path_factory.mktemp("feeds"))


def is_of(source: Source, feed: Feed) -> Callable[[str, Row], bool]:
    """Return what tells whether a row (table, row) can only be had from the feed."""
    ending = feed.endpoint.rpartition("/")[2]
    part = {
        "debt_settlements": lambda _, row: (
            (row.get("leg") == "buyback") is (ending == "buybacks_operations")
        ),
        "upcoming_settlements": lambda _, row: ending == "auctions_query" or row["leg"] == "issue",
        "debt_transactions": lambda _, row: (
            (row["dts_table"] == "II") is (ending == "deposits_withdrawals_operating_cash")
        ),
        # Without its operation a security has no day of settlement.
        "buybacks": lambda table, _: (
            ending == "buybacks_operations" or table == "buyback_securities"
        ),
        "market_series": lambda _, row: row["series"] == feed.entity,
        "fed_balance_sheet": lambda _, row: row["series"] == feed.entity,
        "index_prices": lambda _, row: row["symbol"] in symbols(feed),
        "crypto_prices": lambda _, row: row["symbol"] in symbols(feed),
    }
    return part.get(source.name, lambda *_: True)


@cache
def symbols(feed: Feed) -> frozenset[str]:
    """Return the followed symbols that a provider's feed serves."""
    universe = Universe.load(default_reference_dir())
    return frozenset(
        asset.symbol
        for asset in (*universe.index, *universe.crypto)
        for provider, symbol in asset.provider_symbols()
        if provider == feed.publisher and re.split(r"[/_]", feed.entity)[0] == symbol
    )


def others(tables: Tables, of_feed: Callable[[str, Row], bool]) -> dict[str, list[Row]]:
    """Return the rows that are not of a feed."""
    return {
        name: [row for row in table.to_pylist() if not of_feed(name, row)]
        for name, table in tables.items()
    }


def keys(tables: Tables, source: Source) -> set[tuple[Any, ...]]:
    """Return the keys of all rows of a source's tables."""
    return {
        (table.name, *(row[name] for name in table.key))
        for table in source.tables
        for row in tables[table.name].to_pylist()
    }


def problems(world: World, source: Source, feed: Feed, fault: str, kind: str) -> list[str]:
    """Run with the feed failing, then healthy; return what did not hold."""
    of_feed, good = is_of(source, feed), world.good(source, kind)
    settings = world.settings(world.directory(source, kind, "sick"))
    lake = Pipeline(settings).lake
    before = keys({table.name: lake.read(table) for table in source.tables}, source)
    ended = run(Pipeline(settings, OneFeedFails(settings, feed, fault)), source, WINDOW)
    found = []
    if others(ended.tables, of_feed) != others(good.tables, of_feed):
        found.append("rows of other feeds differ")
    # A snapshot is replaced whole.
    if source.partitioned and before - keys(ended.tables, source):
        found.append("rows were taken away")
    said = [*ended.errors, *ended.gaps]
    is_named = any(FAULTS[fault] in line or "not served" in line for line in said)
    # A line that is due on no day is missed by nobody where it is not served.
    if not is_named and not (fault == "404" and feed.entity in NEVER_DUE):
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


def test_coverage_ends_for_the_failed_feed_alone(world: World) -> None:
    source = SOURCES["debt_settlements"]
    (failing,) = (feed for feed in world.feeds(source) if feed.endpoint.endswith("operations"))
    settings = world.settings(world.directory(source, FILLED, "covered"))
    pipeline = Pipeline(settings, OneFeedFails(settings, failing, "503"))
    run(pipeline, source, WINDOW)
    known = {
        row["entity"]: (row["known_through"], row["reason"])
        for row in pipeline.coverage().to_pylist()
        if row["table_name"] == source.name
    }
    # 22:00 on 6 February, and on 20 January: the day's results were out.
    assert (known["auctions"][0], known["buybacks"][0]) == (TODAY, EARLIER)
    assert "HTTP 503" in known["buybacks"][1]


def test_a_feed_that_failed_on_many_runs_is_asked_for_again(world: World) -> None:
    """Months that are long over are else left alone after five answers that do not agree."""
    source = SOURCES["debt_settlements"]
    (failing,) = (feed for feed in world.feeds(source) if feed.endpoint.endswith("operations"))
    settings = world.settings(world.directory(source, FRESH, "long"))
    for _ in range(6):
        run(Pipeline(settings, OneFeedFails(settings, failing, "503")), source, WINDOW)
    healed = run(Pipeline(settings), source, WINDOW)
    assert equal(healed.tables, world.good(source, FRESH).tables)


class AllFails(OneFeedFails):
    """A client to which every request fails."""

    def __init__(self, settings: Settings, fault: str) -> None:
        super().__init__(settings, Feed("", ""), fault)

    def get(
        self, publisher: str, path: str, params: Params | None = None, *, form: Form = "json"
    ) -> Answer:
        self._feed = Feed.of(publisher, path, params or {})
        return super().get(publisher, path, params, form=form)


@pytest.mark.parametrize("fault", ["503", "timeout"])
@pytest.mark.parametrize("name", SOURCES)
def test_where_all_feeds_fail_the_source_fails_and_loses_nothing(
    world: World, name: str, fault: str
) -> None:
    source = SOURCES[name]
    settings = world.settings(world.directory(source, FILLED, "down"))
    lake = Pipeline(settings).lake
    before = {table.name: lake.read(table) for table in source.tables}
    ended = run(Pipeline(settings, AllFails(settings, fault)), source, WINDOW)
    assert ended.errors
    assert all(FAULTS[fault] in error for error in ended.errors)
    assert equal(ended.tables, before)
    healed = run(Pipeline(settings), source, WINDOW)
    assert equal(healed.tables, world.good(source, FILLED).tables)


@pytest.mark.campaign
@pytest.mark.parametrize("kind", [FRESH, FILLED])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", SOURCES)
def test_every_feed_with_every_fault(world: World, name: str, fault: str, kind: str) -> None:
    source, found = SOURCES[name], []
    for feed in world.feeds(source):
        found += problems(world, source, feed, fault, kind)
    assert found == []
