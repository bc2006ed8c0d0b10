"""How long a run can wait for publishers of which every endpoint fails, on a clock that is ours.

The bounds are arithmetic, and stand in docs/operations.md, "How long an outage holds up a run".
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from urllib3 import HTTPResponse

from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources import publishers
from liquidity_pipeline.sources.errors import PublisherError
from liquidity_pipeline.sources.fetch import Fetch, Window
from liquidity_pipeline.sources.http import HttpClient
from liquidity_pipeline.sources.publishers import PUBLISHERS
from liquidity_pipeline.sources.registry import SOURCES

TODAY = date(2026, 2, 6)
THREE_YEARS = Window.of_months(date(2023, 2, 1), TODAY)
ATTEMPTS, TIMEOUT = 5, 30.0
# Doubled from two seconds on, after a second attempt at once, each with a quarter more at most.
PAUSES = 0 + 2.25 + 4.25 + 8.25
# Of twenty endpoints two are asked only once another has answered.
ENDPOINTS = 18


class Clock:
    """Time that passes only where somebody waits."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the clock by which the client waits; two requests at once would wait together."""
    clock = Clock()
    ours = SimpleNamespace(sleep=clock.sleep, monotonic=clock.monotonic)
    for module in ("liquidity_pipeline.sources.http", "liquidity_pipeline.sources.outages"):
        monkeypatch.setattr(f"{module}.time", ours)
    monkeypatch.setattr("urllib3.util.retry.time", ours)
    monkeypatch.setattr(Fetch, "each", lambda _, items, collect, threads=1: [*map(collect, items)])
    return clock


class Failing(HttpClient):
    """A client whose every request fails, and that counts them by endpoint."""

    def __init__(self, settings: Settings, fail: Callable[[], requests.Response]) -> None:
        super().__init__(settings)
        self.attempts: Counter[str] = Counter()
        self._session.get = lambda url, **_: self._count(url) or fail()  # type: ignore[method-assign]

    def _count(self, url: str) -> None:
        name = next(n for n, p in PUBLISHERS.items() if url.startswith(f"{p.live_url}/"))
        path = url.removeprefix(PUBLISHERS[name].live_url).partition("?")[0]
        self.attempts[f"{name}{publishers.endpoint(name, path)}"] += 1


def status(code: int, **headers: str) -> requests.Response:
    answer = requests.Response()
    answer.status_code = code
    answer.raw = HTTPResponse(io.BytesIO(b""), headers=headers, preload_content=False)
    return answer


def run(folder: Path, clock: Clock, fail: Callable[[], requests.Response]) -> tuple[float, Failing]:
    """Ask every source once, as a first run does; return the seconds and the client."""
    settings = Settings(folder, as_of=TODAY)
    client = Failing(settings, fail)
    pipeline = Pipeline(settings, client)
    began = clock.seconds
    for source in SOURCES.values():
        with suppress(PublisherError):
            pipeline.ingest(source, THREE_YEARS)
    return clock.seconds - began, client


def test_a_run_that_gets_503_everywhere_waits_once_for_each_endpoint(tmp_path: Path, clock: Clock):
    seconds, client = run(tmp_path, clock, lambda: status(503))
    assert len(client.attempts) == ENDPOINTS
    # One request with all attempts, and one attempt each time that something is asked afterwards.
    assert max(client.attempts.values()) <= ATTEMPTS + 4
    intervals = sum(client.attempts.values()) * max(p.interval for p in PUBLISHERS.values())
    assert seconds <= ENDPOINTS * PAUSES + intervals


@pytest.mark.parametrize("error", [requests.ReadTimeout, requests.ConnectTimeout])
def test_a_run_in_which_everything_hangs_waits_once_for_each_publisher(
    tmp_path: Path, clock: Clock, error: type[Exception]
):
    def hang() -> Any:
        clock.sleep(TIMEOUT)
        raise error

    seconds, client = run(tmp_path, clock, hang)
    asked = Counter(name for source in SOURCES.values() for name in source.publishers)
    # All attempts of one request to each publisher, then single ones: two before it is left alone,
    # and one more whenever another source asks for it.
    single = sum(2 + visits - 1 for visits in asked.values())
    assert sum(client.attempts.values()) <= len(PUBLISHERS) * ATTEMPTS + single
    assert seconds <= len(PUBLISHERS) * (ATTEMPTS * TIMEOUT + PAUSES) + single * TIMEOUT


def test_a_refused_connection_costs_pauses_only(tmp_path: Path, clock: Clock):
    def refuse() -> Any:
        raise requests.ConnectionError

    seconds, client = run(tmp_path, clock, refuse)
    assert seconds <= len(PUBLISHERS) * PAUSES + sum(client.attempts.values()) * 2.0


def test_a_publisher_that_asks_for_a_pause_gets_it_once(tmp_path: Path, clock: Clock):
    """Two minutes are the longest that is waited for, however much is asked for."""
    seconds, client = run(tmp_path, clock, lambda: status(429, **{"Retry-After": "3600"}))
    assert seconds <= len(PUBLISHERS) * (ATTEMPTS - 1) * 120 + 100
    # A publisher that is asked for by a later source is tried once more after ten minutes.
    assert max(client.attempts.values()) <= ATTEMPTS + 1
