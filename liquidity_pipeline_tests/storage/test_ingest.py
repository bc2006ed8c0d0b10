"""One source, one window: what the archive and the lake hold after success, failure and crash."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from liquidity_pipeline.contracts.validation import ContractBreach
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.errors import NotServedError, TransientError
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.sources.registry import SOURCES
from liquidity_pipeline.storage import ingest as module
from liquidity_pipeline.storage.archive import Archive
from liquidity_pipeline.storage.ingest import ingest, rebuild
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline_tests.sources.canned import DOWN, Canned
from liquidity_pipeline_tests.storage.example import EVENTS, EXAMPLE, FEBRUARY, JANUARY, LEVELS

WINDOW = Window.of_months(JANUARY, FEBRUARY)
BODY = {
    "levels": [["2026-01-30", "a", 1.0], ["2026-02-02", "a", 2.0, 1.5]],
    "events": [["A", "2026-01-28", 5.0], ["B", "2026-02-03", 6.0]],
}
# What a publisher may do next: correct, stop sending, withdraw, send nothing at all.
LATER_BODIES = [
    {
        "levels": [["2026-01-30", "a", 1.25], ["2026-02-02", "a", 2.0], ["2026-02-03", "a", 3.0]],
        "events": [["B", "2026-02-04", 7.0]],
    },
    {"levels": [], "events": []},
    BODY,
]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setitem(SOURCES, EXAMPLE.name, EXAMPLE)  # type: ignore[arg-type]
    return Settings(tmp_path / "data")


def content(lake: Lake) -> dict[str, bytes]:
    paths = [path for path in lake.root.rglob("*") if path.is_file()]
    return {str(path.relative_to(lake.root)): path.read_bytes() for path in paths}


def run(settings: Settings, reply: Any, window: Window = WINDOW) -> module.Ingested:
    return ingest(EXAMPLE, window, settings, Canned({"nyfed/example": reply}))


def test_rows_are_stored_and_what_came_is_archived(settings: Settings):
    done = run(settings, BODY)
    assert [(part.table.name, part.month, part.rows) for part in done.stored] == [
        ("example_levels", JANUARY, 1),
        ("example_levels", FEBRUARY, 1),
        ("example_events", JANUARY, 1),
        ("example_events", FEBRUARY, 1),
    ]
    archive = Archive(settings.archive_dir)
    record = archive.last(EXAMPLE.name)
    assert record is not None
    assert record.error is None
    assert json.loads(archive.body(record.answers[0]["sha256"])) == BODY


def test_the_lake_is_rebuilt_from_the_archive_alone_byte_for_byte(
    settings: Settings, tmp_path: Path
):
    for body in (BODY, *LATER_BODIES):
        run(settings, body)
    with pytest.raises(TransientError):
        run(settings, DOWN)
    run(settings, BODY, Window.of_months(FEBRUARY, FEBRUARY))
    original, rebuilt = Lake(settings.lake_dir), Lake(tmp_path / "rebuilt")
    assert rebuild(settings, rebuilt) == 5
    assert content(rebuilt) == content(original)
    # There and back again: the level of January, and the day and the amount of event B.
    assert original.revisions().num_rows == 2 * 3
    assert any(name.startswith("revisions") for name in content(rebuilt))


def test_runs_as_of_one_day_are_rebuilt_in_the_order_in_which_they_ran(
    settings: Settings, tmp_path: Path
):
    """All of them stand at the same moment, so the moment does not tell the order."""
    as_of = replace(settings, as_of=date(2026, 2, 27))
    for level in (1.0, 2.0, 3.0, 4.0, 5.0, 6.0):
        run(as_of, BODY | {"levels": [["2026-01-30", "a", level]]})
    rebuilt = Lake(tmp_path / "rebuilt")
    rebuild(settings, rebuilt)
    assert content(rebuilt) == content(Lake(settings.lake_dir))
    assert rebuilt.read(LEVELS)["level_usd_mn"].to_pylist() == [6.0]
    assert rebuilt.revisions().num_rows == 5


@pytest.mark.parametrize(
    ("reply", "error", "kept"),
    [
        ((404, "no such path"), NotServedError, b"no such path"),
        ({"levels": [["2026-01-30", "a", -7.0]], "events": []}, ContractBreach, b"-7.0"),
        ({"levels": []}, KeyError, b'{"levels": []}'),
        ({"levels": [["yesterday"]], "events": []}, ValueError, b"yesterday"),
    ],
    ids=["refused", "breach", "column gone", "unreadable"],
)
def test_a_failure_keeps_the_old_rows_and_archives_what_came(
    settings: Settings, reply: Any, error: type[Exception], kept: bytes
):
    run(settings, BODY)
    before = content(Lake(settings.lake_dir))
    with pytest.raises(error) as raised:
        run(settings, reply)
    assert content(Lake(settings.lake_dir)) == before
    archive = Archive(settings.archive_dir)
    record = archive.last(EXAMPLE.name)
    assert record is not None
    assert record.error == str(raised.value)
    assert kept in archive.body(record.answers[0]["sha256"])


def test_the_page_that_came_instead_of_data_is_archived_too(settings: Settings):
    failure = TransientError("a page of HTML", publisher="nyfed", url="http://test/nyfed/example")
    failure.status, failure.body = 200, b"<html>maintenance</html>"
    with pytest.raises(TransientError):
        run(settings, failure)
    archive = Archive(settings.archive_dir)
    record = archive.last(EXAMPLE.name)
    assert record is not None
    assert "a page of HTML" in str(record.error)
    assert archive.body(record.answers[0]["sha256"]) == b"<html>maintenance</html>"


def test_a_breach_in_the_second_table_leaves_the_first_alone(settings: Settings, tmp_path: Path):
    run(settings, BODY)
    before = content(Lake(settings.lake_dir))
    half_bad = {"levels": [["2026-01-30", "a", 9.0]], "events": [["A", "2026-01-28", -1.0]]}
    with pytest.raises(ContractBreach, match="example_events"):
        run(settings, half_bad)
    assert content(Lake(settings.lake_dir)) == before
    rebuilt = Lake(tmp_path / "rebuilt")
    rebuild(settings, rebuilt)
    assert content(rebuilt) == before


def test_nothing_is_in_the_lake_whose_bytes_the_archive_lacks(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    kept_first: list[bool] = []
    store = module._store

    def look(*args: Any) -> Any:
        kept_first.append(Archive(settings.archive_dir).last(EXAMPLE.name) is not None)
        return store(*args)

    monkeypatch.setattr(module, "_store", look)
    run(settings, BODY)
    assert kept_first == [True]


def test_an_interrupted_fetch_is_archived(settings: Settings):
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(settings, interrupt)
    record = Archive(settings.archive_dir).last(EXAMPLE.name)
    assert record is not None
    assert record.error == "KeyboardInterrupt"


def test_a_provider_that_was_down_is_down_again_when_the_fetch_is_rebuilt(
    settings: Settings, tmp_path: Path, crypto: Callable[[Any], Canned]
):
    """A price source goes on without a provider; its record has to tell that as well."""
    source, window = SOURCES["crypto_prices"], Window.of_months(FEBRUARY, FEBRUARY)
    as_of = replace(settings, reference_dir=tmp_path, as_of=date(2026, 2, 3))
    done = ingest(source, window, as_of, crypto(DOWN))
    assert [part.rows for part in done.stored] == [2, 0]
    assert any("no answer in time" in gap for gap in done.gaps)
    rebuilt = Lake(tmp_path / "rebuilt")
    assert rebuild(as_of, rebuilt) == 1
    assert content(rebuilt) == content(Lake(settings.lake_dir))


@pytest.fixture
def crypto(tmp_path: Path) -> Callable[[Any], Canned]:
    """Give a transport on which Coinbase replies as told and Kraken has two days of BTC."""
    (tmp_path / "universe.toml").write_text(
        '[[crypto]]\nsymbol = "BTC"\nname = "Bitcoin"\nasset_class = "crypto"\n'
        'since = 2015-07-20\nproviders = ["coinbase:BTC-USD", "kraken:XBTUSD"]\n'
    )
    days = (1769904000, 1769990400)  # 2026-02-01 and 2026-02-02, 00:00 UTC
    bars = [[day, "1.0", "3.0", "0.5", "2.0", "1.5", "10.0", 7] for day in days]
    kraken = {"error": [], "result": {"XXBTZUSD": bars, "last": days[-1]}}

    def make(coinbase: Any) -> Canned:
        return Canned(
            {
                "coinbase/products/BTC-USD/candles": coinbase,
                "kraken/0/public/OHLC": kraken,
            }
        )

    return make


def test_every_table_of_the_source_is_rebuilt_from_one_record(settings: Settings, tmp_path: Path):
    run(settings, BODY)
    rebuilt = Lake(tmp_path / "rebuilt")
    rebuild(settings, rebuilt)
    assert rebuilt.read(LEVELS).num_rows == rebuilt.read(EVENTS).num_rows == 2
