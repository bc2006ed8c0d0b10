"""What is missing by the calendars, and which months are therefore fetched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from liquidity_pipeline import calendars
from liquidity_pipeline.calendars import CalendarName, Release
from liquidity_pipeline.contracts.sources.federal_reserve import REFERENCE_RATES
from liquidity_pipeline.contracts.sources.markets import CRYPTO_PRICES, INDEX_PRICES
from liquidity_pipeline.contracts.sources.treasury import TGA_BALANCE
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.ingestion.completeness import (
    Missing,
    missing,
    ranges_to_fetch,
    releases,
)
from liquidity_pipeline.ingestion.fetch_history import FetchHistory
from liquidity_pipeline.sources.fetch import Window, month_end
from liquidity_pipeline.sources.registry import Source
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline.universe import Universe
from liquidity_pipeline_tests.storage.example import EVENTS, LEVELS, SEEN, events, levels

NOBODY = Universe((), ())
# 10:00 in New York on 2026-08-21.
NOW = datetime.fromisoformat("2026-08-21 14:00")
DAILY, ONLY_EVENTS = Source((LEVELS,), (), ""), Source((EVENTS,), (), "")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def month(number: int) -> date:
    return date(2026, number, 1)


def window(first: int, last: int) -> Window:
    return Window.of_months(month(first), month(last))


def fill(
    lake: Lake,
    first: int,
    last: int,
    *,
    calendar: CalendarName = "fed",
    without: tuple[str, ...] = (),
    table: Table = LEVELS,
    until: date = date(2026, 8, 19),
) -> None:
    """Store a row of `a` for every day of the calendar, but for some days."""
    absent = {date.fromisoformat(text) for text in without}
    span = calendars.days(calendar, month(first), min(month_end(month(last)), until))
    rows = levels(*((day, "a", 1.0) for day in span if day not in absent))
    lake.store(table, rows, window(first, last).months, SEEN)


def fetched(
    lake: Lake,
    first: int,
    last: int,
    source: Source = DAILY,
    *,
    gaps: tuple[str, ...] = (),
    **months: Iterable[date],
) -> list[tuple[int, int]]:
    asked = FetchHistory(gaps, **{name: frozenset(some) for name, some in months.items()})
    spans = ranges_to_fetch(source, lake, NOBODY, window(first, last), NOW, asked=asked)
    assert all(span == Window.of_months(span.start, span.end) for span in spans)
    return [(span.start.month, span.end.month) for span in spans]


# --- what is missing -----------------------------------------------------------------------------


def absences(lake: Lake, table: Table, of: Window, now: datetime = NOW) -> list[Missing]:
    return missing(lake.present_days(table), table, NOBODY, of, now)


@pytest.mark.parametrize(("calendar", "absent"), [("fed", ["2026-04-03"]), ("sifma", [])])
def test_a_good_friday_is_a_day_of_the_treasury_and_not_of_the_repo_market(
    lake: Lake, calendar: CalendarName, absent: list[str]
):
    table = replace(LEVELS, releases={"a": Release(calendar, lag=1)})
    fill(lake, 3, 5, calendar="sifma", table=table)
    found = absences(lake, table, window(3, 5))
    assert [f"{day}" for gap in found for day in gap.days] == absent


def test_the_contracts_expect_a_statement_on_good_friday_and_no_sofr():
    good_friday, later = date(2026, 4, 3), datetime.fromisoformat("2026-05-01")
    rules = {
        "DTS": TGA_BALANCE.releases[""],
        "SOFR": REFERENCE_RATES.releases["SOFR"],
        "EFFR": REFERENCE_RATES.releases["EFFR"],
    }
    due = {name: bool(rule.due(good_friday, good_friday, later)) for name, rule in rules.items()}
    assert due == {"DTS": True, "SOFR": False, "EFFR": True}


def test_a_day_is_missing_from_the_minute_of_its_publication(lake: Lake):
    fill(lake, 8, 8)
    # LEVELS come out at 16:00 of the next day: that of 20 August on the 21st, 20:00 UTC.
    before = datetime.fromisoformat("2026-08-21 19:59")
    assert absences(lake, LEVELS, window(8, 8), before) == []
    (gap,) = absences(lake, LEVELS, window(8, 8), before.replace(hour=20, minute=0))
    assert gap.days == (date(2026, 8, 20),)


def test_each_entity_is_counted_by_itself(lake: Lake):
    table = replace(LEVELS, releases={"a": Release("fed", lag=1), "b": Release("fed", lag=1)})
    fill(lake, 2, 2, without=("2026-02-10",), table=table)
    gaps = {gap.entity: gap for gap in absences(lake, table, window(2, 2))}
    assert gaps["a"].days == (date(2026, 2, 10),)
    # February 2026 has 20 weekdays less Washington's birthday.
    assert (len(gaps["b"].days), gaps["b"].expected) == (19, 19)


def test_a_gap_is_named_in_one_line():
    days = (date(2026, 2, 10), date(2026, 2, 12))
    assert str(Missing("rates", "SOFR", days, 19)) == (
        "rates SOFR: 2 of 19 days missing (2026-02-10 … 2026-02-12)"
    )
    assert str(Missing("rates", "SOFR", days[:1], 19)).endswith("1 of 19 days missing (2026-02-10)")
    assert str(Missing("tga_balance", "", days, 2)).startswith("tga_balance: all 2 days missing")


def test_prices_are_expected_of_the_symbols_that_are_followed():
    def entry(symbol: str, kind: str, provider: str, since: str) -> dict[str, object]:
        return {
            "symbol": symbol,
            "name": symbol,
            "asset_class": kind,
            "since": since,
            "providers": [f"{provider}:{symbol}"],
        }

    universe = Universe.from_dict(
        {
            "index": [entry("SPX", "large_cap", "yahoo", "1990-01-02")],
            "crypto": [entry("SOL", "crypto", "kraken", "2021-06-17")],
        }
    )
    assert {k: r.since for k, r in releases(INDEX_PRICES, universe).items()} == {
        "SPX": date(1990, 1, 2)
    }
    crypto = releases(CRYPTO_PRICES, universe)
    assert (crypto["SOL"].since, crypto["SOL"].calendar) == (date(2021, 6, 17), "utc")


# --- what is fetched -----------------------------------------------------------------------------


def test_an_empty_lake_is_fetched_in_one_span(lake: Lake):
    assert fetched(lake, 1, 8) == [(1, 8)]


def test_complete_old_months_are_skipped_and_young_ones_always_fetched(lake: Lake):
    fill(lake, 1, 8)
    assert fetched(lake, 1, 8) == [(7, 8)]


def test_a_hole_is_fetched_again(lake: Lake):
    fill(lake, 1, 8, without=("2026-03-10",))
    assert fetched(lake, 1, 8) == [(3, 3), (7, 8)]


def test_a_hole_on_which_answers_agree_is_the_publishers(lake: Lake):
    fill(lake, 1, 8, without=("2026-03-10",))
    assert fetched(lake, 1, 8, answered=(month(3),)) == [(7, 8)]
    assert fetched(lake, 1, 8, answered=(month(2),)) == [(3, 3), (7, 8)]
    # That the newest fetch did not get it either says nothing about March.
    assert fetched(lake, 1, 8, gaps=("a: not served",)) == [(3, 3), (7, 8)]


def test_what_ends_early_is_not_asked_for_on_every_run_either(lake: Lake):
    fill(lake, 1, 3)
    assert fetched(lake, 1, 8) == [(4, 8)]
    assert fetched(lake, 1, 8, answered=(month(4), month(5))) == [(6, 8)]


def test_a_month_whose_file_is_gone_is_fetched_though_answers_agree(lake: Lake):
    fill(lake, 1, 8)
    lake.path(LEVELS, month(3)).unlink()
    history = FetchHistory(
        answered=frozenset(map(month, range(1, 9))),
        held={LEVELS.name: frozenset(map(month, range(1, 9)))},
    )
    spans = ranges_to_fetch(DAILY, lake, NOBODY, window(1, 8), NOW, asked=history)
    assert [span.start for span in spans] == [month(3), month(7)]


def test_a_month_of_events_that_was_silent_is_asked_for_again(lake: Lake):
    lake.store(EVENTS, events(("A", "2026-03-10", 1.0)), window(1, 8).months, SEEN)
    history = FetchHistory(silent={EVENTS.name: frozenset({month(2)})})
    spans = ranges_to_fetch(ONLY_EVENTS, lake, NOBODY, window(1, 8), NOW, asked=history)
    assert [span.start for span in spans] == [month(2), month(7)]


def test_months_on_the_basis_before_a_split_are_fetched_again(lake: Lake):
    fill(lake, 1, 8)
    assert fetched(lake, 1, 8, rebased=(month(3), month(4))) == [(3, 4), (7, 8)]


def test_months_of_which_a_request_failed_are_fetched_again_though_nothing_due_is_missing(
    lake: Lake,
):
    """What failed may have been a series that is due on no day."""
    fill(lake, 1, 8)
    assert fetched(lake, 1, 8) == [(7, 8)]
    assert fetched(lake, 1, 8, failed=(month(3),)) == [(3, 3), (7, 8)]


def test_neighbouring_months_are_one_request(lake: Lake):
    fill(lake, 1, 8, without=("2026-03-10", "2026-04-10", "2026-06-10"))
    assert fetched(lake, 1, 8) == [(3, 4), (6, 8)]


def test_spans_are_joined_over_the_turn_of_the_year(lake: Lake):
    whole = Window.of_months(date(2025, 11, 1), date(2026, 2, 1))
    assert ranges_to_fetch(DAILY, lake, NOBODY, whole, NOW) == [whole]


def test_the_future_is_not_asked_for(lake: Lake):
    assert fetched(lake, 7, 12) == [(7, 8)]


def test_on_the_first_of_a_month_in_new_york_the_month_before_is_still_young(lake: Lake):
    fill(lake, 1, 8, until=date(2026, 8, 31))
    # 03:00 UTC on 1 September is 23:00 on 31 August in New York.
    for text, young in (("2026-09-01 03:00", (7, 8)), ("2026-09-01 05:00", (8, 9))):
        now = datetime.fromisoformat(text)
        (span,) = ranges_to_fetch(DAILY, lake, NOBODY, window(1, 9), now)
        assert (span.start.month, span.end.month) == young


def test_months_of_events_are_fetched_once(lake: Lake):
    lake.store(EVENTS, events(("A", "2026-03-10", 1.0)), window(1, 8).months, SEEN)
    assert fetched(lake, 1, 8, ONLY_EVENTS) == [(7, 8)]


def test_a_month_of_events_that_was_fetched_while_it_ran_is_completed(lake: Lake):
    """The pipeline ran in March, then rested until August: the end of March is not there."""
    lake.store(EVENTS, events(("A", "2026-03-10", 1.0)), window(1, 3).months, SEEN)
    assert fetched(lake, 1, 8, ONLY_EVENTS) == [(3, 8)]


def test_a_month_of_events_that_was_only_asked_for_while_it_ran_is_completed(lake: Lake):
    """A run as of a day in March asked for its beginning; April had been there for long."""
    lake.store(EVENTS, events(("A", "2026-03-10", 1.0)), window(1, 8).months, SEEN)
    unfinished = (month(3), month(8))
    assert fetched(lake, 1, 8, ONLY_EVENTS, unfinished=unfinished) == [(3, 3), (7, 8)]
    assert fetched(lake, 4, 8, ONLY_EVENTS, unfinished=unfinished) == [(7, 8)]


def test_months_that_lack_a_part_are_fetched_where_no_calendar_tells(lake: Lake):
    fill(lake, 1, 8)
    lake.store(EVENTS, events(("A", "2026-03-10", 1.0)), window(1, 8).months, SEEN)
    assert fetched(lake, 1, 8, ONLY_EVENTS, missed=(month(3),)) == [(3, 3), (7, 8)]
    # LEVELS have entities: the calendar knows of each what is missing, and nothing is.
    assert fetched(lake, 1, 8, missed=(month(3),)) == [(7, 8)]


def test_all_tables_of_a_source_have_to_be_complete(lake: Lake):
    fill(lake, 1, 8)
    lake.store(EVENTS, events(), window(2, 8).months, SEEN)
    assert fetched(lake, 1, 8, Source((LEVELS, EVENTS), (), "")) == [(1, 1), (7, 8)]
