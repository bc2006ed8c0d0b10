"""A sandbox that stands on the replay's last full day, and the world behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import pytest

from liquidity_pipeline.sandbox import days
from liquidity_pipeline.sandbox.economy import Economy, simulate
from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.publishers.wire import World
from liquidity_pipeline.sandbox.server import make_world, start

TODAY = date(2026, 8, 21)
# Early enough for all three eras of the Daily Treasury Statement's labels.
OPTIONS = Options(today=TODAY, start=date(2019, 1, 2), symbols=3)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[str]:
    """Give the root URL of a running sandbox."""
    with start(OPTIONS) as running:
        yield running.url


@pytest.fixture(scope="session")
def world() -> World:
    """Give the same world without a server."""
    return make_world(OPTIONS)


@pytest.fixture(scope="session")
def economy() -> Economy:
    """Give a whole economy of seed 1."""
    return simulate(1, days.day(2027, 12, 31))


@pytest.fixture(scope="session")
def both(sandbox: str, replay: Callable[..., str]) -> tuple[str, str]:
    """Give the roots of the sandbox and of the replay, standing on the same evening."""
    return sandbox, replay(TODAY.isoformat())
