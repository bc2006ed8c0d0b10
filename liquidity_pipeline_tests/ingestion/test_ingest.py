"""One source, one window: what the archive and the lake hold after success, failure and crash."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from liquidity_pipeline import calendars
from liquidity_pipeline.contracts.sources.markets import MARKET_SERIES
from liquidity_pipeline.contracts.validation import ContractBreach
from liquidity_pipeline.ingestion import answer_summary
from liquidity_pipeline.ingestion import ingest as module
from liquidity_pipeline.ingestion.fetch_history import summarize
from liquidity_pipeline.ingestion.ingest import Rebuilt, ingest, rebuild
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.errors import EmptyAnswerError, NotServedError, TransientError
from liquidity_pipeline.sources.fetch import Collected, Fetch, Window
from liquidity_pipeline.sources.registry import SOURCES
from liquidity_pipeline.storage.archive import Archive
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline.universe import Universe
from liquidity_pipeline_tests.sources.canned import DOWN, Canned, yahoo_chart
from liquidity_pipeline_tests.storage.example import (
    EVENTS,
    EXAMPLE,
    FEBRUARY,
    JANUARY,
    LEVELS,
    ExampleSource,
    events,
)

pytestmark = pytest.mark.slow

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


NOBODY = Universe((), ())


def content(lake: Lake) -> dict[str, bytes]:
    paths = [path for path in lake.root.rglob("*") if path.is_file()]
    return {str(path.relative_to(lake.root)): path.read_bytes() for path in paths}


def run(
    settings: Settings,
    reply: Any,
    window: Window = WINDOW,
    source: Any = EXAMPLE,
    universe: Universe = NOBODY,
) -> module.Ingested:
    return ingest(
        source,
        window,
        reply if isinstance(reply, Canned) else Canned({"nyfed/example": reply}),
        lake=Lake(settings.lake_dir),
        archive=Archive(settings.archive_dir),
        universe=universe,
        now=settings.now.astimezone(UTC).replace(tzinfo=None),
    )


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
    assert rebuild(Archive(settings.archive_dir), rebuilt) == Rebuilt(5, [])
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
    rebuild(Archive(settings.archive_dir), rebuilt)
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
    rebuild(Archive(settings.archive_dir), rebuilt)
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
    done = run(as_of, crypto(DOWN), window, source, Universe.load(tmp_path))
    assert [part.rows for part in done.stored] == [2, 0]
    assert any("no answer in time" in gap for gap in done.gaps)
    rebuilt = Lake(tmp_path / "rebuilt")
    assert rebuild(Archive(as_of.archive_dir), rebuilt) == Rebuilt(1, [])
    assert content(rebuilt) == content(Lake(settings.lake_dir))


@pytest.fixture
def crypto(tmp_path: Path) -> Callable[[Any], Canned]:
    """Give a transport on which Coinbase replies as told and Kraken has BTC.

    Of the last of the three days no venue can be believed yet: none shows a later one.
    """
    (tmp_path / "universe.toml").write_text(
        '[[crypto]]\nsymbol = "BTC"\nname = "Bitcoin"\nasset_class = "crypto"\n'
        'since = 2015-07-20\nproviders = ["coinbase:BTC-USD", "kraken:XBTUSD"]\n'
    )
    days = (1769904000, 1769990400, 1770076800)  # 2026-02-01 to 2026-02-03, 00:00 UTC
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
    rebuild(Archive(settings.archive_dir), rebuilt)
    assert rebuilt.read(LEVELS).num_rows == rebuilt.read(EVENTS).num_rows == 2


# --- fetches that asked for less than the month -------------------------------------------------


def event_ids(settings: Settings) -> list[str]:
    return sorted(Lake(settings.lake_dir).read(EVENTS)["event_id"].to_pylist())


def assert_rebuilt(settings: Settings, tmp_path: Path) -> None:
    rebuilt = Lake(tmp_path / "rebuilt")
    assert rebuild(Archive(settings.archive_dir), rebuilt).failures == []
    assert content(rebuilt) == content(Lake(settings.lake_dir))


def test_a_fetch_as_of_an_earlier_day_keeps_what_came_later(settings: Settings, tmp_path: Path):
    later = [["C", "2026-02-20", 7.0], ["D", "2026-02-21", 8.0]]
    run(settings, BODY | {"events": BODY["events"] + later})
    run(replace(settings, as_of=date(2026, 2, 10)), BODY | {"events": [["B", "2026-02-04", 6.0]]})
    # A was withdrawn in January, but nobody empties a month of events.
    assert event_ids(settings) == ["A", "B", "C", "D"]
    run(replace(settings, as_of=date(2026, 2, 20)), BODY | {"events": [["B", "2026-02-04", 6.0]]})
    assert event_ids(settings) == ["A", "B", "D"]
    before = content(Lake(settings.lake_dir))
    run(replace(settings, as_of=date(2026, 2, 10)), BODY | {"events": [["B", "2026-02-04", 6.0]]})
    assert content(Lake(settings.lake_dir)) == before
    assert_rebuilt(settings, tmp_path)


def test_a_fetch_of_today_withdraws_what_lies_ahead(settings: Settings):
    """An auction that is announced and postponed has a day to come."""
    month = settings.today.replace(day=1)
    window = Window.of_months(month, month)
    ahead = [["A", f"{month}", 1.0], ["B", f"{window.end}", 2.0]]
    run(settings, BODY | {"events": ahead}, window)
    run(settings, BODY | {"events": ahead[:1]}, window)
    assert event_ids(settings) == ["A"]


@dataclass(frozen=True)
class TwoParts(ExampleSource):
    """Asks for more events beside the example; they may not be served, or be left out."""

    def collect(self, fetch: Fetch) -> Collected:
        rows = dict(super().collect(fetch))
        more = fetch.or_gap(lambda: fetch.get("nyfed", "/more").json(), [], "more events")
        for event in more:
            if event[2] is None:
                fetch.gap(f"more events: {event[0]} has no amount, left out")
        kept = events(*(tuple(event) for event in more if event[2] is not None))
        rows["example_events"] = pa.concat_tables([rows["example_events"], kept])
        return rows


TWO_PARTS = TwoParts((LEVELS, EVENTS), ("nyfed",), "none:none")
MORE = [["X", "2026-02-05", 1.0], ["Y", "2026-02-06", 2.0]]
GONE = (404, "<html>Not Found")


@pytest.fixture
def pipeline(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    monkeypatch.setitem(SOURCES, EXAMPLE.name, TWO_PARTS)  # type: ignore[arg-type]
    return Pipeline(settings, Canned({"nyfed/example": BODY, "nyfed/more": MORE}))


def reply(pipeline: Pipeline, more: Any, window: Window = WINDOW) -> module.Ingested:
    pipeline.client.replies["nyfed/more"] = more  # type: ignore[attr-defined]
    return pipeline.ingest(TWO_PARTS, window)


def test_a_part_that_is_not_served_removes_nothing(pipeline: Pipeline, tmp_path: Path):
    reply(pipeline, MORE)
    before = content(pipeline.lake)
    done = reply(pipeline, GONE)
    assert done.gaps == ["more events: HTTP 404"]
    assert content(pipeline.lake) == before
    reply(pipeline, MORE[:1])
    assert event_ids(pipeline.settings) == ["A", "B", "X"]
    assert_rebuilt(pipeline.settings, tmp_path)


def test_a_row_that_is_left_out_and_named_is_withdrawn(pipeline: Pipeline):
    """It was announced with an amount and cancelled: to keep it would count what never was."""
    reply(pipeline, MORE)
    done = reply(pipeline, [MORE[0], ["Y", "2026-02-06", None]])
    assert done.gaps == ["more events: Y has no amount, left out"]
    assert event_ids(pipeline.settings) == ["A", "B", "X"]


def test_months_without_a_part_are_asked_for_again_once_it_is_served(pipeline: Pipeline):
    today = pipeline.now.date()
    young = Window.of_months(today.replace(day=1) - timedelta(days=1), today)

    def missed() -> frozenset[date]:
        return summarize(pipeline.archive.good(TWO_PARTS.name)).missed

    reply(pipeline, GONE)
    assert missed() == frozenset()
    reply(pipeline, GONE, young)
    assert missed() == frozenset()
    reply(pipeline, MORE, young)
    assert missed() == {JANUARY, FEBRUARY}
    reply(pipeline, MORE)
    assert missed() == frozenset()


def test_a_month_that_was_asked_for_in_its_middle_is_asked_for_again(pipeline: Pipeline):
    source = ExampleSource((EVENTS,), ("nyfed",), "none:none")
    span = Window.of_months(JANUARY, FEBRUARY)
    early = replace(pipeline, settings=replace(pipeline.settings, as_of=date(2026, 2, 10)))
    for window in (span, Window.of_months(date(2026, 3, 1), date(2026, 3, 1))):
        pipeline.lake.store(EVENTS, events(), window.months, pipeline.now)
    fetch = Fetch(span, early.now, pipeline.universe, pipeline.client)
    pipeline.archive.keep(source.name, fetch, None)
    assert summarize(pipeline.archive.good(source.name)).unfinished == {FEBRUARY}
    assert pipeline.ranges_to_fetch(source, span) == [Window.of_months(FEBRUARY, FEBRUARY)]
    pipeline.archive.keep(source.name, replace(fetch, now=pipeline.now), None)
    assert pipeline.ranges_to_fetch(source, span) == []


# --- records that cannot be run again -----------------------------------------------------------


def test_a_record_that_cannot_be_run_again_stops_no_other(settings: Settings, tmp_path: Path):
    """Damaged, asked for otherwise, against a tighter contract, of a source that is gone."""
    run(settings, BODY)
    archive = Archive(settings.archive_dir)
    negative = BODY | {"levels": [["2026-01-30", "a", -7.0]]}
    fetch = Fetch(WINDOW, next(archive.records()).now, Universe((), ()), Canned({}))
    archive.keep(EXAMPLE.name, fetch, None)
    archive.keep("abandoned", fetch, None)
    breach = replace(fetch, transport=Canned({"nyfed/example": negative}), answers=[])
    breach.get("nyfed", "/example", {"start": f"{WINDOW.start}", "end": f"{WINDOW.end}"})
    archive.keep(EXAMPLE.name, breach, None)
    damaged = archive.record_files()[0].with_name("20990101T000000000000-x.json")
    damaged.write_text("{")
    run(settings, BODY | {"events": [["B", "2026-02-04", 7.0]]})

    rebuilt = Lake(tmp_path / "rebuilt")
    done = rebuild(Archive(settings.archive_dir), rebuilt)
    assert done.fetches == 2
    assert content(rebuilt) == content(Lake(settings.lake_dir))
    lines = [str(failure) for failure in done.failures]
    for line, words in zip(
        lines,
        ("asks differently", "abandoned", "ContractBreach", "is not a fetch record"),
        strict=True,
    ):
        assert words in line
        assert "\n" not in line
    assert lines[0].startswith("example_levels 2026-01-01 … 2026-02-28: NotRecordedError")


# --- rows that are broken, postponed, worse than what is held, or on another basis ------------


def test_one_broken_row_is_left_out_and_named_and_costs_no_other(
    settings: Settings, tmp_path: Path
):
    three = [["2026-01-28", "a", 1.0], ["2026-01-29", "a", 2.0], ["2026-01-30", "a", 3.0]]
    run(settings, BODY | {"levels": three})
    broken = [["2026-01-28", "a", 1.5], ["2026-01-29", "a", -7.0], ["2026-01-30", "a", 3.0]]
    done = run(settings, BODY | {"levels": broken})
    (gap,) = done.gaps
    assert "1 of 3 rows are left out" in gap
    assert "-7.0" in gap
    # What was held of the day stays.
    assert Lake(settings.lake_dir).read(LEVELS)["level_usd_mn"].to_pylist() == [1.5, 2.0, 3.0]
    assert_rebuilt(settings, tmp_path)


def test_of_two_different_rows_of_a_key_neither_is_believed(settings: Settings):
    doubled = [["A", "2026-01-28", 5.0], ["A", "2026-01-28", 6.0], ["B", "2026-02-03", 6.0]]
    same = [["C", "2026-02-04", 1.0], ["C", "2026-02-04", 1.0]]
    done = run(settings, BODY | {"events": doubled + same})
    assert event_ids(settings) == ["B", "C"]
    assert "rows share their key" in done.gaps[0]


def closes(settings: Settings, table: Any) -> dict[str, tuple[float, str]]:
    rows = Lake(settings.lake_dir).read(table).to_pylist()
    return {f"{row['trade_date']}": (row["close"], row[table.provider]) for row in rows}


def test_a_provider_that_is_down_in_a_refetch_keeps_its_rows(
    settings: Settings, tmp_path: Path, crypto: Callable[[Any], Canned]
):
    source, window = SOURCES["crypto_prices"], Window.of_months(FEBRUARY, FEBRUARY)
    as_of = replace(settings, reference_dir=tmp_path, as_of=date(2026, 2, 3))
    universe = Universe.load(tmp_path)
    days = (1769904000, 1769990400, 1770076800)
    prices = zip(days, (2.01, 2.02, 2.03), strict=True)
    candles = [[day, 1.0, 3.0, 2.0, close, 10.0] for day, close in prices]
    run(as_of, crypto(candles), window, source, universe)
    before = closes(as_of, source.tables[0])
    assert before == {"2026-02-01": (2.01, "coinbase"), "2026-02-02": (2.02, "coinbase")}
    run(as_of, crypto(DOWN), window, source, universe)
    assert closes(as_of, source.tables[0]) == before
    done = run(as_of, crypto([candles[0], candles[2]]), window, source, universe)
    assert closes(as_of, source.tables[0]) == before
    assert any("coinbase has no bar of BTC on 1 of 3 days (2026-02-02)" in g for g in done.gaps)
    rebuilt = Lake(tmp_path / "rebuilt")
    assert rebuild(Archive(as_of.archive_dir), rebuilt).failures == []
    assert content(rebuilt) == content(Lake(as_of.lake_dir))


def test_a_month_that_was_deleted_is_put_back_from_the_archive(pipeline: Pipeline):
    reply(pipeline, MORE)
    reply(pipeline, MORE[:1])
    before = content(pipeline.lake)
    pipeline.lake.path(EVENTS, FEBRUARY).unlink()
    pipeline.lake.path(LEVELS, JANUARY).unlink()
    pipeline.ranges_to_fetch(TWO_PARTS, WINDOW)
    assert content(pipeline.lake) == before


def test_a_deleted_month_that_the_archive_lost_as_well_is_fetched(pipeline: Pipeline):
    reply(pipeline, MORE)
    pipeline.lake.path(EVENTS, FEBRUARY).unlink()
    for body in (pipeline.settings.archive_dir / "blobs").rglob("*.gz"):
        body.write_bytes(b"damaged")
    spans = pipeline.ranges_to_fetch(TWO_PARTS, WINDOW)
    assert FEBRUARY in [month for span in spans for month in span.months]


def splitting(tmp_path: Path) -> tuple[Universe, Callable[..., Canned]]:
    """Give a universe of TLT, and a Yahoo that knows it before and after a split on 9 February."""
    (tmp_path / "universe.toml").write_text(
        '[[index]]\nsymbol = "TLT"\nname = "Bonds"\nasset_class = "long_treasury"\n'
        'since = 2002-07-30\nproviders = ["yahoo:TLT"]\n'
    )
    on = int(datetime(2026, 2, 9, 14, 30, tzinfo=UTC).timestamp())

    def make(split: bool, *, tells: bool = True) -> Canned:
        def chart(params: dict[str, Any]) -> dict[str, Any]:
            first, last = (
                datetime.fromtimestamp(params[name], UTC).date() for name in ("period1", "period2")
            )
            days = calendars.days("nyse", first, last - timedelta(days=1))
            stamps = [
                int(datetime(d.year, d.month, d.day, 15, tzinfo=UTC).timestamp()) for d in days
            ]
            price = [50.0 if split or stamp >= on else 100.0 for stamp in stamps]
            known = split and tells and params["period1"] <= on < params["period2"]
            events = {"splits": {str(on): {"date": on, "splitRatio": "2:1"}}} if known else {}
            return yahoo_chart("TLT", stamps, price, events=events)

        return Canned({"yahoo/v8/finance/chart/TLT": chart})

    return Universe.load(tmp_path), make


@pytest.mark.parametrize("tells", [True, False])
def test_a_split_sets_older_rows_aside_and_fetches_them_again(
    settings: Settings, tmp_path: Path, tells: bool
):
    """Also one of which the provider does not tell: it adjusts its history without a word."""
    _, yahoo = splitting(tmp_path)
    source = SOURCES["index_prices"]
    before = replace(settings, reference_dir=tmp_path, as_of=date(2026, 2, 6))
    Pipeline(before, yahoo(False)).ingest(source, WINDOW)
    assert {close for close, _ in closes(before, source.tables[0]).values()} == {100.0}
    after = replace(before, as_of=date(2026, 2, 10))
    silent_or_not = yahoo(True, tells=tells)
    Pipeline(after, silent_or_not).ingest(source, Window.of_months(FEBRUARY, FEBRUARY))
    found = closes(after, source.tables[0])
    assert {close for close, _ in found.values()} == {50.0}
    assert min(found) == "2026-01-02"
    assert_rebuilt(after, tmp_path)


@pytest.mark.parametrize("first", [JANUARY, FEBRUARY])
def test_a_run_as_of_a_day_before_a_split_has_all_prices_on_one_basis(
    settings: Settings, tmp_path: Path, first: date
):
    """Whether the answer that tells of the split reaches back to the rows held or not."""
    _, yahoo = splitting(tmp_path)
    source = SOURCES["index_prices"]
    before = replace(settings, reference_dir=tmp_path, as_of=date(2026, 2, 5))
    Pipeline(before, yahoo(False)).ingest(source, WINDOW)
    after = replace(before, as_of=date(2026, 2, 10))
    Pipeline(after, yahoo(True)).ingest(source, Window.of_months(first, FEBRUARY))
    revisions = Lake(settings.lake_dir).revisions()
    assert set(revisions["change"].to_pylist()) == {"rebased"}
    # Of 6 February the first fetch knew nothing: it is on the new basis alone.
    for day in (date(2026, 2, 5), date(2026, 2, 6), date(2026, 2, 10)):
        with Pipeline(replace(settings, as_of=day)).session() as connection:
            found = connection.execute("select distinct close from sources.index_prices").fetchall()
        assert found == [(50.0,)], day


def test_no_row_on_the_old_basis_is_left_where_fetching_again_fails(
    settings: Settings, tmp_path: Path
):
    universe, yahoo = splitting(tmp_path)
    source = SOURCES["index_prices"]
    before = replace(settings, reference_dir=tmp_path, as_of=date(2026, 2, 6))
    Pipeline(before, yahoo(False)).ingest(source, WINDOW)
    after = replace(before, as_of=date(2026, 2, 10))
    run(after, yahoo(True), Window.of_months(FEBRUARY, FEBRUARY), source, universe)
    assert min(closes(after, source.tables[0])) == "2026-02-02", "January is set aside"
    spans = Pipeline(after, yahoo(True)).ranges_to_fetch(source, WINDOW)
    assert spans == [WINDOW]
    assert_rebuilt(after, tmp_path)


def test_a_day_that_lacks_what_came_on_its_other_usual_days_makes_the_month_doubtful() -> None:
    """The offering rate of the reverse repo facility, which is due on no day, over two months."""
    due = calendars.days("sifma", date(2025, 8, 1), date(2025, 9, 30))
    rows = [
        {
            "observation_date": day,
            "series": "RRPONTSYAWARD",
            "value": 4.25,
            "unit": "percent",
            "known_at": datetime.fromisoformat("2025-10-01 12:00"),
        }
        for day in due
        if day != date(2025, 8, 19)
    ]
    months = [date(2025, 8, 1), date(2025, 9, 1)]
    rows.append({**rows[0], "series": "IOER"})
    given = pa.Table.from_pylist(rows, schema=MARKET_SERIES.arrow_schema)
    assert answer_summary.doubtful(MARKET_SERIES, given, months) == ["2025-08"]
    # One value of each, and then none of the older rate on reserves, which is due on no day either.
    few = pa.concat_tables([given.slice(0, 1), given.slice(len(rows) - 1)])
    assert answer_summary.doubtful(MARKET_SERIES, few, months) == []
    assert answer_summary.doubtful(MARKET_SERIES, given.slice(0, 40), months) == [
        "2025-08",
        "2025-09",
    ]


def test_a_field_that_a_snapshot_lost_is_named(settings: Settings):
    whole = replace(EXAMPLE, partitioned=False)
    events = [[name, "2026-01-28", 5.0] for name in "ABC"]
    assert run(settings, {"levels": [], "events": events}, source=whole).gaps == []
    lost = [[*event[:2], None] for event in events]
    (gap,) = run(settings, {"levels": [], "events": lost}, source=whole).gaps
    assert "example_events: amount_usd_mn is empty in all 3 rows" in gap
    assert "filled in the answer before" in gap


def test_a_snapshot_without_rows_is_no_answer(settings: Settings):
    """What was held would stay, and its age would be that of the empty answer."""
    whole = replace(EXAMPLE, partitioned=False)
    run(settings, BODY, source=whole)
    before = content(Lake(settings.lake_dir))
    with pytest.raises(EmptyAnswerError, match="without rows"):
        run(settings, {"levels": [], "events": []}, source=whole)
    assert content(Lake(settings.lake_dir)) == before
    last = Archive(settings.archive_dir).of(EXAMPLE.name)[-1]
    assert last.error is not None
