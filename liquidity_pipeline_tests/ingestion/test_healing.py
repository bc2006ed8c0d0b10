"""One healthy run makes good what a sick publisher left, however old the months are.

A run over months that are long over meets a publisher that blanks, drops or refuses; the next one
meets a healthy one, asks for what the pipeline itself thinks is worth asking, and ends with the
tables of a run that was healthy from the beginning.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from liquidity_pipeline.contracts.sources.federal_reserve import NEVER_DUE
from liquidity_pipeline.contracts.sources.markets import MARKET_SERIES
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.answers import Answer
from liquidity_pipeline.sources.errors import PublisherError, TransientError
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.sources.http import HttpClient
from liquidity_pipeline.sources.publishers import Form, Params
from liquidity_pipeline.sources.registry import SOURCES

TODAY = date(2026, 2, 6)
WINDOW = Window.of_months(date(2025, 7, 1), TODAY)
DATED = [name for name, source in SOURCES.items() if source.partitioned]
NUMBER_FIELDS = {
    "percentPercentile25",
    "volumeInBillions",
    "total_accepted",
    "soma_accepted",
    "close_today_bal",
    "open_today_bal",
    "close",
    "open",
}


@pytest.fixture(scope="module")
def longer_sandbox() -> Iterator[str]:
    """Give a sandbox with months that were over long before its day."""
    from liquidity_pipeline.sandbox.options import Options
    from liquidity_pipeline.sandbox.server import start

    with start(Options(today=TODAY, start=date(2025, 7, 1))) as running:
        yield running.url


@dataclass
class Sick:
    """A transport that spoils answers as told."""

    client: HttpClient
    spoil: Callable[[Answer], Answer]

    def get(
        self, publisher: str, path: str, params: Params | None = None, *, form: Form = "json"
    ) -> Answer:
        return self.spoil(self.client.get(publisher, path, params, form=form))


def blank(random: Random) -> Callable[[Answer], Answer]:
    """Blank one cell in twenty: of CSV lines the last, of JSON the numbers that matter."""

    def cells(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: None
                if name in NUMBER_FIELDS and not isinstance(inner, list) and random.random() < 0.05
                else cells(inner)
                for name, inner in value.items()
            }
        if isinstance(value, list):
            prices = all(isinstance(item, float | None) for item in value)
            return [None if prices and random.random() < 0.05 else cells(item) for item in value]
        return value

    def spoil(answer: Answer) -> Answer:
        if answer.body.lstrip()[:1] in (b"{", b"["):
            return replace(answer, body=json.dumps(cells(json.loads(answer.body))).encode())
        first, *lines = answer.body.split(b"\n")
        spoiled = [
            line.rsplit(b",", 1)[0] + b"," if line and random.random() < 0.05 else line
            for line in lines
        ]
        return replace(answer, body=b"\n".join([first, *spoiled]))

    return spoil


def down(random: Random) -> Callable[[Answer], Answer]:
    """Let one request in three find nobody."""

    def spoil(answer: Answer) -> Answer:
        if random.random() < 0.34:
            raise TransientError("no answer in time", publisher=answer.publisher, url=answer.url)
        return answer

    return spoil


def silent(random: Random) -> Callable[[Answer], Answer]:
    """Answer one request in three as if there were nothing: no lines, empty lists, a count of 0."""

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: 0 if name in ("count", "total-count") else without(inner)
                for name, inner in value.items()
            }
        return [] if isinstance(value, list) else value

    def spoil(answer: Answer) -> Answer:
        if random.random() >= 0.34:
            return answer
        if answer.body.lstrip()[:1] in (b"{", b"["):
            return replace(answer, body=json.dumps(without(json.loads(answer.body))).encode())
        return replace(answer, body=answer.body.split(b"\n", 1)[0] + b"\n")

    return spoil


@contextmanager
def pipeline(folder: Path, url: str) -> Iterator[Pipeline]:
    yield Pipeline(Settings(folder, endpoints=url, as_of=TODAY, http_retries=0))


def run(folder: Path, url: str, name: str, spoil: Callable[[Answer], Answer] | None = None) -> None:
    """Do what an incremental run does for one source."""
    with pipeline(folder, url) as at_work:
        if spoil is not None:
            at_work.transport = Sick(HttpClient(at_work.settings), spoil)
        source = SOURCES[name]
        for span in at_work.ranges_to_fetch(source, WINDOW):
            try:
                at_work.ingest(source, span)
            except PublisherError:
                assert spoil is not None, "a healthy publisher fails nobody"


def tables(folder: Path, url: str, name: str) -> dict[str, list[dict[str, Any]]]:
    with pipeline(folder, url) as at_work:
        return {table.name: at_work.lake.read(table).to_pylist() for table in SOURCES[name].tables}


@pytest.fixture(scope="module")
def well(
    longer_sandbox: str, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], dict[str, list[dict[str, Any]]]]:
    """Give `well(source)`: the tables of a run that was healthy from the beginning."""

    @cache
    def healthy(name: str) -> dict[str, list[dict[str, Any]]]:
        folder = tmp_path_factory.mktemp("well")
        run(folder, longer_sandbox, name)
        return tables(folder, longer_sandbox, name)

    return healthy


@pytest.mark.parametrize("ill", [blank, down, silent], ids=lambda ill: ill.__name__)
@pytest.mark.parametrize("name", DATED)
def test_one_healthy_run_heals(
    longer_sandbox: str,
    well: Callable[[str], dict[str, list[dict[str, Any]]]],
    tmp_path: Path,
    name: str,
    ill: Callable[[Random], Any],
):
    # Two answers that agree on a hole would be believed for a month.
    for seed in (0, 2):
        run(tmp_path, longer_sandbox, name, ill(Random(seed)))  # noqa: S311 - repeatable
    run(tmp_path, longer_sandbox, name)
    assert tables(tmp_path, longer_sandbox, name) == well(name)


@pytest.mark.parametrize("name", ["index_prices", "market_series"])
def test_one_healthy_run_heals_what_was_down_in_the_same_places_twice(
    longer_sandbox: str,
    well: Callable[[str], dict[str, list[dict[str, Any]]]],
    tmp_path: Path,
    name: str,
):
    for _ in range(2):
        run(tmp_path, longer_sandbox, name, down(Random(0)))  # noqa: S311 - repeatable
    run(tmp_path, longer_sandbox, name)
    assert tables(tmp_path, longer_sandbox, name) == well(name)


def unreachable(answer: Answer) -> Answer:
    raise TransientError("no answer in time", publisher=answer.publisher, url=answer.url)


def refused(answer: Answer) -> Answer:
    return replace(answer, status=403, body=b"Forbidden")


def header_alone(answer: Answer) -> Answer:
    return replace(answer, body=answer.body.splitlines(keepends=True)[0])


@pytest.mark.parametrize("ill", [unreachable, refused, header_alone])
@pytest.mark.parametrize("series", [*MARKET_SERIES.on_occasion, *sorted(NEVER_DUE)])
def test_one_healthy_run_heals_a_series_that_is_due_on_no_day(
    longer_sandbox: str,
    well: Callable[[str], dict[str, list[dict[str, Any]]]],
    tmp_path: Path,
    series: str,
    ill: Callable[[Answer], Answer],
):
    """No calendar misses it, so only the record of the fetches can tell that it is not there.

    A file with a header alone is an answer: only a second one shows that it was none.
    """
    name = "market_series" if series in MARKET_SERIES.on_occasion else "fed_balance_sheet"
    run(tmp_path, longer_sandbox, name, lambda got: ill(got) if series in got.url else got)
    assert tables(tmp_path, longer_sandbox, name) != well(name)
    run(tmp_path, longer_sandbox, name)
    assert tables(tmp_path, longer_sandbox, name) == well(name)


@pytest.mark.parametrize("status", [0, 401, 403])
def test_closed_months_are_taken_from_the_first_provider_after_it_was_down_once(
    longer_sandbox: str,
    well: Callable[[str], dict[str, list[dict[str, Any]]]],
    tmp_path: Path,
    status: int,
):
    def first_is_down(answer: Answer) -> Answer:
        if answer.publisher != "coinbase":
            return answer
        if status:
            return replace(answer, status=status, body=b'{"message": "Unauthorized"}')
        raise TransientError("no answer in time", publisher="coinbase", url=answer.url)

    run(tmp_path, longer_sandbox, "crypto_prices", first_is_down)
    ill = tables(tmp_path, longer_sandbox, "crypto_prices")
    assert {row["venue"] for row in ill["crypto_prices"]} == {"kraken"}
    run(tmp_path, longer_sandbox, "crypto_prices")
    assert tables(tmp_path, longer_sandbox, "crypto_prices") == well("crypto_prices")


@pytest.mark.parametrize("name", DATED)
def test_healthy_runs_become_incremental_at_once_or_after_one_more(
    longer_sandbox: str, tmp_path: Path, name: str
):
    for _ in range(2):
        run(tmp_path, longer_sandbox, name)
    with pipeline(tmp_path, longer_sandbox) as at_work:
        spans = at_work.ranges_to_fetch(SOURCES[name], WINDOW)
    assert spans == [Window.of_months(date(2026, 1, 1), TODAY)]
