"""Coverage: what a row, a question and an outage each tell of the days that are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from liquidity_pipeline.calendars import days, utc
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.ingestion.coverage import coverage, last_full_day
from liquidity_pipeline.settings import default_reference_dir
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.storage.fetch_notes import Asked
from liquidity_pipeline.storage.fetch_record import FetchRecord
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline.universe import Universe
from liquidity_pipeline_tests.models.world import leg, purchase

OPERATIONS = "/api/tsy/all/results/summary/search.json"
AUCTIONS = "/services/api/fiscal_service/v1/accounting/od/auctions_query"
BUYBACKS = "/services/api/fiscal_service/v1/accounting/od/buybacks_operations"
FEBRUARY = date(2026, 2, 1)


def evening(day: date) -> datetime:
    return utc(day, time(22))


def record(
    source: str,
    day: date,
    *paths: str,
    first: date = FEBRUARY,
    gone: Sequence[str] = (),
    gaps: Sequence[str] = (),
    error: str | None = None,
    moment: datetime | None = None,
) -> FetchRecord:
    """A fetch on an evening, from `first` to the month's end; `gone` paths answer 404."""
    at = moment or evening(day)
    answers = [
        {
            "publisher": "any",
            "path": path,
            "params": {},
            "status": 404 if path in gone else 200,
            "failure": None,
        }
        for path in paths
    ]
    return FetchRecord(source, Window.of_months(first, day), at, at, {}, answers, list(gaps), error)


def store(lake: Lake, table: str, rows: Sequence[Mapping[str, Any]], *months: date) -> None:
    contract = SOURCE_TABLES[table]
    complete = [{c.name: row.get(c.name) for c in contract.stored_columns} for row in rows]
    content = pa.Table.from_pylist(complete, schema=contract.arrow_schema)
    lake.store(contract, content, list(months) or [FEBRUARY], evening(FEBRUARY))


def statements(*held: date) -> list[dict[str, Any]]:
    return [
        {"record_date": day, "closing_usd_mn": 900_000.0, "known_at": known}
        for day, known in zip(
            held, SOURCE_TABLES["tga_balance"].releases[""].known_at(held), strict=True
        )
    ]


def known(
    lake: Lake, now: datetime, table: str, entity: str = "", *records: FetchRecord
) -> dict[str, Any]:
    by_source: dict[str, list[FetchRecord]] = {}
    for each in records:
        by_source.setdefault(each.source, []).append(each)
    asked = {name: Asked.of(fetches) for name, fetches in by_source.items()}
    rows = coverage(lake, asked, Universe.load(default_reference_dir()), now).to_pylist()
    (row,) = (r for r in rows if (r["table_name"], r["entity"]) == (table, entity))
    return row


def span(row: Mapping[str, Any]) -> tuple[date | None, date | None, date | None]:
    return row["known_from"], row["known_through"], row["expected_through"]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def test_a_day_with_a_calendar_is_known_by_its_row(lake: Lake) -> None:
    # On Friday 2026-02-13 at 22:00 the statement of Thursday is the newest that is out.
    store(lake, "tga_balance", statements(*days("fed", FEBRUARY, date(2026, 2, 12))))
    row = known(lake, evening(date(2026, 2, 13)), "tga_balance")
    assert span(row) == (date(2026, 2, 2), date(2026, 2, 12), date(2026, 2, 12))
    assert row["basis"] == "rows"


def test_a_series_that_has_ended_is_known_to_its_end_and_says_why(lake: Lake) -> None:
    store(lake, "tga_balance", statements(*days("fed", FEBRUARY, date(2026, 2, 5))))
    failed = record("tga_balance", date(2026, 2, 13), "/any", error="HTTP 500")
    row = known(lake, evening(date(2026, 2, 13)), "tga_balance", "", failed)
    assert span(row) == (date(2026, 2, 2), date(2026, 2, 5), date(2026, 2, 12))
    assert row["reason"] == "ends on 2026-02-05: fetch failed on 2026-02-13: HTTP 500"


def test_a_hole_that_nobody_was_asked_about_ends_what_is_known(lake: Lake) -> None:
    held = [d for d in days("fed", FEBRUARY, date(2026, 2, 12)) if d != date(2026, 2, 9)]
    store(lake, "tga_balance", statements(*held))
    row = known(lake, evening(date(2026, 2, 13)), "tga_balance")
    assert row["known_through"] == date(2026, 2, 8)
    assert "hole on 2026-02-09" in row["reason"]
    # Its publisher, asked later, has none: the day does not exist, and nothing is missing.
    asked = record("tga_balance", date(2026, 2, 13), "/any")
    row = known(lake, evening(date(2026, 2, 13)), "tga_balance", "", asked)
    assert row["known_through"] == date(2026, 2, 12)


def test_a_row_that_was_not_public_yet_is_not_known(lake: Lake) -> None:
    store(lake, "tga_balance", statements(*days("fed", FEBRUARY, date(2026, 2, 12))))
    row = known(lake, evening(date(2026, 2, 6)), "tga_balance")
    assert span(row)[1:] == (date(2026, 2, 5), date(2026, 2, 5))


def test_what_was_never_served_is_not_known_at_all(lake: Lake) -> None:
    gone = record("fed_balance_sheet", date(2026, 2, 13), "/x", gaps=["WLFN: not served by fred"])
    row = known(lake, evening(date(2026, 2, 13)), "fed_balance_sheet", "WLFN", gone)
    assert span(row)[:2] == (None, None)
    assert "not served by fred" in row["reason"]


def test_an_empty_answer_is_knowledge_and_no_answer_is_not(lake: Lake) -> None:
    store(lake, "fed_operations", [])
    asked = record("fed_operations", date(2026, 2, 13), OPERATIONS)
    row = known(lake, evening(date(2026, 2, 13)), "fed_operations", "", asked)
    assert span(row) == (FEBRUARY, date(2026, 2, 13), date(2026, 2, 13))
    assert row["basis"] == "answered"
    failed = record("fed_operations", date(2026, 2, 13), OPERATIONS, error="HTTP 500")
    row = known(lake, evening(date(2026, 2, 13)), "fed_operations", "", failed)
    assert span(row)[:2] == (None, None)


def test_rows_of_events_say_nothing_about_days_that_were_not_answered(lake: Lake) -> None:
    store(lake, "fed_operations", [purchase(date(2026, 2, 5), 8_000.0)])
    asked = record("fed_operations", date(2026, 2, 5), OPERATIONS)
    failed = record("fed_operations", date(2026, 2, 13), OPERATIONS, error="HTTP 500")
    row = known(lake, evening(date(2026, 2, 13)), "fed_operations", "", asked, failed)
    assert span(row)[:2] == (FEBRUARY, date(2026, 2, 5))
    assert row["reason"] == "ends on 2026-02-05: fetch failed on 2026-02-13: HTTP 500"


def test_a_day_is_known_when_its_results_are_out(lake: Lake) -> None:
    store(lake, "fed_operations", [])
    morning = utc(date(2026, 2, 13), time(10))
    asked = record("fed_operations", date(2026, 2, 13), OPERATIONS, moment=morning)
    row = known(lake, evening(date(2026, 2, 13)), "fed_operations", "", asked)
    assert row["known_through"] == date(2026, 2, 12)
    assert last_full_day(utc(date(2026, 2, 13), time(18))) == date(2026, 2, 13)


def test_a_part_that_answers_404_is_unknown_and_the_other_is_not(lake: Lake) -> None:
    store(lake, "debt_settlements", [leg("issue", date(2026, 2, 12), 90_000.0)])
    asked = record("debt_settlements", date(2026, 2, 13), AUCTIONS, BUYBACKS, gone=[BUYBACKS])
    now = evening(date(2026, 2, 13))
    row = known(lake, now, "debt_settlements", "auctions", asked)
    assert row["known_through"] == date(2026, 2, 13)
    assert known(lake, now, "debt_settlements", "buybacks", asked)["known_through"] is None


def test_a_service_that_stands_still_is_not_believed(lake: Lake) -> None:
    # Bills are issued every week: nothing since the 5th means that the service has stopped.
    store(lake, "debt_settlements", [leg("issue", date(2026, 2, 5), 90_000.0)])
    asked = record("debt_settlements", date(2026, 2, 27), AUCTIONS, BUYBACKS)
    row = known(lake, evening(date(2026, 2, 27)), "debt_settlements", "auctions", asked)
    assert row["known_through"] == date(2026, 2, 11)
    assert "serves nothing after" in row["reason"]


def test_a_service_that_fails_says_nothing_against_its_earlier_answers(lake: Lake) -> None:
    """On the 10th it had served the statement of the 9th, all that was due; then it went down."""
    store(lake, "tga_balance", statements(*days("fed", FEBRUARY, date(2026, 2, 9))))
    store(lake, "debt_settlements", [leg("issue", date(2026, 2, 10), 90_000.0)])
    asked = record("debt_settlements", date(2026, 2, 10), AUCTIONS, BUYBACKS)
    down = record("debt_settlements", date(2026, 2, 14), error="HTTP 500")
    row = known(lake, evening(date(2026, 2, 14)), "debt_settlements", "auctions", asked, down)
    assert row["known_through"] == date(2026, 2, 10)
    assert row["reason"] == "ends on 2026-02-10: fetch failed on 2026-02-14: HTTP 500"
    # One that answers on the 14th with nothing newer has stopped; what it said before still holds.
    still = record("debt_settlements", date(2026, 2, 14), AUCTIONS, BUYBACKS)
    row = known(lake, evening(date(2026, 2, 14)), "debt_settlements", "auctions", asked, still)
    assert row["known_through"] == date(2026, 2, 10)
    row = known(lake, evening(date(2026, 2, 14)), "debt_settlements", "auctions", still)
    assert row["known_through"] == date(2026, 2, 9)


def test_a_month_whose_file_is_gone_is_not_known(lake: Lake) -> None:
    months = [date(2025, 12, 1), date(2026, 1, 1), FEBRUARY]
    store(lake, "fed_operations", [], *months)
    asked = record("fed_operations", date(2026, 2, 13), OPERATIONS, first=months[0])
    now = evening(date(2026, 2, 13))
    assert known(lake, now, "fed_operations", "", asked)["known_through"] == date(2026, 2, 13)
    lake.path(SOURCE_TABLES["fed_operations"], date(2026, 1, 1)).unlink()
    row = known(lake, now, "fed_operations", "", asked)
    assert span(row)[:2] == (date(2025, 12, 1), date(2025, 12, 31))
    assert "hole on 2026-01-01" in row["reason"]


def test_why_a_past_day_lacks_an_input_names_no_later_day(lake: Lake) -> None:
    """It is asked on 20 February what was known of an account on the 6th, and none is served."""
    unserved = record("tga_balance", date(2026, 2, 20), gaps=["tga_balance: HTTP 404"])
    row = known(lake, evening(date(2026, 2, 6)), "tga_balance", "", unserved)
    assert span(row)[:2] == (None, None)
    assert row["reason"].startswith("no row is held: nothing was served for that time")
    failed = record("tga_balance", date(2026, 2, 20), error="fiscaldata: got HTTP 500")
    row = known(lake, evening(date(2026, 2, 6)), "tga_balance", "", failed)
    assert row["reason"].endswith("a later request for it failed: fiscaldata: got HTTP 500")
    heard = known(lake, evening(date(2026, 2, 20)), "tga_balance", "", unserved)
    assert heard["reason"].endswith("the fetch of 2026-02-20 lacked it: tga_balance: HTTP 404")


def test_the_tables_of_a_statement_are_known_each_by_itself(lake: Lake) -> None:
    """Of 5 February only the cash table is held: face values end on the 4th."""
    lines = [
        {
            "record_date": date(2026, 2, number),
            "dts_table": table,
            "transaction_type": "Issues",
            "security_market": "All",
            "security_type": "Bills",
            "amount_usd_mn": 1.0,
            "known_at": evening(date(2026, 2, number)),
        }
        for table, last in (("II", 5), ("IIIA", 4))
        for number in range(2, last + 1)
    ]
    store(lake, "debt_transactions", lines)
    asked = record("debt_transactions", date(2026, 2, 6))
    now = evening(date(2026, 2, 6))
    through = {
        table: known(lake, now, "debt_transactions", table, asked)["known_through"]
        for table in ("II", "IIIA")
    }
    assert through == {"II": date(2026, 2, 5), "IIIA": date(2026, 2, 4)}


def test_a_later_fetch_tells_what_an_earlier_day_was(lake: Lake) -> None:
    store(lake, "fed_operations", [])
    asked = record("fed_operations", date(2026, 2, 27), OPERATIONS)
    row = known(lake, evening(date(2026, 2, 13)), "fed_operations", "", asked)
    assert span(row) == (FEBRUARY, date(2026, 2, 13), date(2026, 2, 13))


def test_an_older_snapshot_is_of_its_own_day(lake: Lake) -> None:
    contract = SOURCE_TABLES["upcoming_settlements"]
    lake.store_snapshot(contract, contract.arrow_schema.empty_table(), evening(FEBRUARY))
    path = AUCTIONS.replace("auctions_query", "upcoming_auctions")
    asked = record("upcoming_settlements", date(2026, 2, 5), AUCTIONS, path)
    row = known(lake, evening(date(2026, 2, 13)), "upcoming_settlements", "auctions", asked)
    assert span(row) == (date(2026, 2, 5), date(2026, 2, 5), date(2026, 2, 13))


def test_a_part_that_the_newest_snapshot_lacks_was_answered_before(lake: Lake) -> None:
    contract = SOURCE_TABLES["upcoming_settlements"]
    lake.store_snapshot(contract, contract.arrow_schema.empty_table(), evening(FEBRUARY))
    path = AUCTIONS.replace("auctions_query", "upcoming_auctions")
    whole = record("upcoming_settlements", date(2026, 2, 5), AUCTIONS, path)
    lacking = record("upcoming_settlements", date(2026, 2, 12), AUCTIONS)
    now = evening(date(2026, 2, 13))
    row = known(lake, now, "upcoming_settlements", "announcements", whole, lacking)
    assert span(row) == (None, None, date(2026, 2, 13))
    assert row["reason"].startswith(
        "last answered on 2026-02-05, and replaced since: the fetch of 2026-02-12 lacked it: "
    )
    never = known(lake, now, "upcoming_settlements", "announcements", lacking)
    assert never["reason"].startswith("never answered: ")


ELASTICITY = SOURCE_TABLES["reserve_demand_elasticity"]


def estimates(*held: date) -> pa.Table:
    rows = [
        {"date": day, "p50_bp": -0.1, "known_at": known_at}
        for day, known_at in zip(held, ELASTICITY.releases[""].known_at(held), strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=ELASTICITY.arrow_schema)


@pytest.mark.parametrize(
    ("held", "through", "reason"),
    [
        # The file of 15 January 2026 reaches the 9th; the next one reaches 13 February.
        ([date(2025, 12, 12), date(2026, 1, 9)], date(2026, 2, 10), "known as far as is due"),
        # That file did not come: nothing is known from its last day on.
        ([date(2025, 11, 14), date(2025, 12, 12)], date(2026, 1, 8), "ends on 2025-12-12"),
        # A later file without the last day of an earlier one.
        ([date(2025, 11, 14), date(2026, 1, 9)], date(2025, 12, 11), "hole on 2025-12-12"),
    ],
)
def test_a_file_that_is_replaced_monthly_is_known_until_the_next_one_reaches(
    lake: Lake, held: list[date], through: date, reason: str
) -> None:
    lake.store_snapshot(ELASTICITY, estimates(*held), evening(FEBRUARY))
    row = known(lake, evening(date(2026, 2, 10)), ELASTICITY.name)
    assert span(row) == (held[0], through, date(2026, 2, 10))
    assert row["reason"].startswith(reason)


def test_of_a_monthly_file_that_never_came_it_is_said_how_far_it_should_reach(lake: Lake) -> None:
    row = known(lake, evening(date(2026, 2, 10)), ELASTICITY.name)
    assert span(row) == (None, None, date(2026, 2, 10))


def test_a_later_version_of_a_file_does_not_tell_what_an_earlier_one_said(lake: Lake) -> None:
    contract = SOURCE_TABLES["buyback_schedule"]
    row = {
        "operation_date": date(2026, 2, 18), "start_time": "13:40",
        "settlement_date": date(2026, 2, 19), "operation_type": "Liquidity Support",
        "security_type": "TIPS", "maturity_bucket": "1Y to 10Y", "security_class": "tips",
        "schedule": "February V1", "known_at": utc(date(2026, 2, 4), time(8, 30)),
    }  # fmt: skip
    rows = pa.Table.from_pylist([row], schema=contract.arrow_schema)
    lake.store_snapshot(contract, rows, evening(date(2026, 2, 5)))
    asked = record(contract.name, date(2026, 2, 5), "/files/Tentative-Buyback-Schedule.xml")
    day = date(2026, 2, 4)
    assert span(known(lake, evening(day), contract.name, "", asked)) == (day, day, day)
    before = known(lake, evening(date(2026, 2, 3)), contract.name, "", asked)
    assert span(before) == (None, None, date(2026, 2, 3))
    assert before["reason"] == "replaced since: what is held was published on 2026-02-04"


def test_a_series_with_values_on_occasion_is_known_by_the_question(lake: Lake) -> None:
    # No operation on the 11th to 13th: the answered month knows that; an unanswered one does not.
    award = {"series": "RRPONTSYAWARD", "value": 3.5, "unit": "percent"}
    values = [
        {**award, "observation_date": day, "known_at": evening(day)}
        for day in days("sifma", FEBRUARY, date(2026, 2, 10))
    ]
    store(lake, "market_series", values)
    now = evening(date(2026, 2, 13))
    good = record("market_series", date(2026, 2, 13), "/fredgraph.csv")
    asked = known(lake, now, "market_series", "RRPONTSYAWARD", good)
    assert span(asked) == (FEBRUARY, date(2026, 2, 13), date(2026, 2, 13))
    before = record("market_series", date(2026, 2, 10), "/fredgraph.csv")
    gone = record("market_series", date(2026, 2, 13), gaps=["RRPONTSYAWARD: HTTP 404"])
    ended = known(lake, now, "market_series", "RRPONTSYAWARD", before, gone)
    assert span(ended) == (FEBRUARY, date(2026, 2, 10), date(2026, 2, 13))
