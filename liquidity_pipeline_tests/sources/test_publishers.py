"""One record per publisher is enough for everybody who needs to know about it."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from liquidity_pipeline.contracts.sources.federal_reserve import BALANCE_SHEET_SERIES
from liquidity_pipeline.contracts.sources.markets import MARKET_SERIES_IDS
from liquidity_pipeline.settings import Settings, SettingsError
from liquidity_pipeline.sources import publishers
from liquidity_pipeline.sources.answers import refusal
from liquidity_pipeline.sources.http import HttpClient
from liquidity_pipeline.sources.publishers import PUBLISHERS, Publisher
from liquidity_pipeline.sources.registry import SOURCES, pool
from liquidity_pipeline.universe import Universe

STAND_IN = "http://127.0.0.1:8765"
EVERY = pytest.mark.parametrize("publisher", PUBLISHERS.values(), ids=PUBLISHERS)


def test_publishers_and_sources_name_each_other():
    asked = {name for source in SOURCES.values() for name in source.publishers}
    assert asked == set(PUBLISHERS)


def test_the_universe_asks_only_publishers_of_its_sources(universe: Universe):
    for assets, source in ((universe.index, "index_prices"), (universe.crypto, "crypto_prices")):
        asked = {provider for asset in assets for provider, _ in asset.provider_symbols()}
        assert asked <= set(SOURCES[source].publishers)


@EVERY
def test_every_record_says_where_it_is_and_whose_group_it_joins(publisher: Publisher):
    assert publisher.live_url.startswith("https://")
    assert not publisher.live_url.endswith("/")
    assert publisher.group in {"treasury", "federal_reserve", "markets"}
    assert publisher.interval > 0
    assert 404 in publisher.not_there


@EVERY
def test_the_sandbox_answers_every_probe(publisher: Publisher, sandbox: str, tmp_path: Path):
    probe = publisher.probe
    client = HttpClient(Settings(tmp_path, endpoints=sandbox, http_retries=0))
    answer = client.get(publisher.name, probe.path, probe.params, form=probe.form)
    assert refusal(answer) is None
    assert answer.body


@pytest.mark.parametrize("series", [*BALANCE_SHEET_SERIES, *MARKET_SERIES_IDS])
def test_the_sandbox_serves_every_followed_series(series: str, sandbox: str, tmp_path: Path):
    client = HttpClient(Settings(tmp_path, endpoints=sandbox, http_retries=0))
    answer = client.get("fred", "/graph/fredgraph.csv", {"id": series}, form="csv")
    assert refusal(answer) is None
    assert answer.text().splitlines()[0].endswith(f",{series}")


def test_sources_that_share_a_publisher_share_a_pool():
    for one, other in combinations(SOURCES.values(), 2):
        if set(one.publishers) & set(other.publishers):
            assert pool(one) == pool(other), f"{one.name} and {other.name}"


def test_a_pool_holds_all_publishers_of_its_sources():
    assert pool(SOURCES["index_prices"]) == "cboe+fred+yahoo"
    assert pool(SOURCES["market_series"]) == "cboe+fred+yahoo"
    assert pool(SOURCES["crypto_prices"]) == "coinbase+kraken"


def test_the_live_address_is_used_unless_something_else_answers(tmp_path: Path):
    live = Settings(tmp_path, publisher_urls={"yahoo": "http://mirror.test/root"})
    assert publishers.base_url(live, "nyfed") == "https://markets.newyorkfed.org"
    assert publishers.base_url(live, "yahoo") == "http://mirror.test/root"
    stand_in = Settings(tmp_path, endpoints=STAND_IN)
    assert publishers.base_url(stand_in, "nyfed") == f"{STAND_IN}/nyfed"


def test_politeness_is_for_the_real_services(tmp_path: Path):
    assert publishers.interval(Settings(tmp_path), "yahoo") == 2.0
    assert publishers.interval(Settings(tmp_path, endpoints=STAND_IN), "yahoo") == 0.0
    assert publishers.interval(Settings(tmp_path, http_interval=0.5), "yahoo") == 0.5


def test_an_unknown_publisher_is_named_with_those_that_exist(tmp_path: Path):
    with pytest.raises(KeyError, match="'bloomberg'; there are fiscaldata, treasury, nyfed"):
        publishers.find("bloomberg")
    slip = Settings.from_env({"LIQUIDITY_URL_YAHO": "http://mirror.test"})
    with pytest.raises(SettingsError, match="LIQUIDITY_URL_YAHO: no publisher is called 'yaho'"):
        HttpClient(slip)
