"""Revisions: what a publisher changed after the fact is kept, with both values and the moment."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa

from liquidity_pipeline.contracts.sources.itemised import BUYBACK_SCHEDULE
from liquidity_pipeline.contracts.sources.markets import OFR_FSI
from liquidity_pipeline.contracts.sources.treasury import DEBT_SETTLEMENTS
from liquidity_pipeline.storage.lake import Lake

MONTH = date(2026, 8, 1)
FIRST, SECOND = (
    datetime.fromisoformat("2026-08-20 12:00"),
    datetime.fromisoformat("2026-08-21 12:00"),
)


def index(**by_day: float) -> pa.Table:
    rows = [
        {"date": date(2026, 8, int(day[1:])), "fsi": value, "known_at": FIRST}
        for day, value in by_day.items()
    ]
    return pa.Table.from_pylist(rows, schema=OFR_FSI.arrow_schema)


def test_a_changed_value_is_noted_with_old_new_and_when(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.store(OFR_FSI, index(d18=-2.661, d19=-2.624), [MONTH], FIRST)
    stored = lake.store(OFR_FSI, index(d18=-2.661, d19=-2.5), [MONTH], SECOND)
    assert stored[0].revised == 1
    (found,) = lake.revisions().to_pylist()
    assert found == {
        "table_name": "ofr_fsi",
        "row_key": json.dumps({"date": "2026-08-19"}),
        "column_name": "fsi",
        "change": "changed",
        "old_value": "-2.624",
        "new_value": "-2.5",
        "month": MONTH,
        "seen_at": SECOND,
    }


def test_a_new_day_is_news_and_no_revision(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.store(OFR_FSI, index(d18=-2.661), [MONTH], FIRST)
    lake.store(OFR_FSI, index(d18=-2.661, d19=-2.624), [MONTH], SECOND)
    assert lake.revisions().num_rows == 0


def test_every_later_change_of_a_value_is_kept(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    for day, value in enumerate((1.0, 2.0, 1.0), start=20):
        lake.store(OFR_FSI, index(d18=value), [MONTH], datetime.fromisoformat(f"2026-08-{day}"))
    changes = [(r["old_value"], r["new_value"]) for r in lake.revisions().to_pylist()]
    assert sorted(changes) == [("1.0", "2.0"), ("2.0", "1.0")]


def test_two_changes_seen_at_the_same_moment_are_both_kept(tmp_path: Path) -> None:
    # Every run as of a past day stands at the end of that day.
    lake = Lake(tmp_path)
    for value in (1.0, 2.0, 3.0):
        lake.store(OFR_FSI, index(d18=value), [MONTH], SECOND)
    assert lake.revisions().num_rows == 2


def test_a_withdrawn_record_is_noted_as_vanished(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    rows = [
        {
            "settlement_date": date(2026, 8, 18),
            "leg": "issue",
            "record_id": name,
            "security_class": "bill",
            "auction_date": date(2026, 8, 13),
            "known_at": FIRST,
        }
        for name in ("kept", "postponed")
    ]
    schema = DEBT_SETTLEMENTS.arrow_schema
    lake.store(DEBT_SETTLEMENTS, pa.Table.from_pylist(rows, schema=schema), [MONTH], FIRST)
    lake.store(DEBT_SETTLEMENTS, pa.Table.from_pylist(rows[:1], schema=schema), [MONTH], SECOND)
    (found,) = lake.revisions().to_pylist()
    assert (found["change"], found["column_name"]) == ("vanished", "*")
    assert json.loads(found["row_key"]) == {"record_id": "postponed"}


def schedule(version: str, **maxima: float | None) -> pa.Table:
    """Return a version of the tentative buybacks of a month; keys are like d0918."""
    rows = [
        {
            "operation_date": date(2026, int(day[1:3]), int(day[3:])), "start_time": "13:40",
            "settlement_date": date(2026, int(day[1:3]), int(day[3:]) + 1),
            "operation_type": "Liquidity Support", "security_type": "TIPS",
            "maturity_bucket": "1Y to 10Y", "security_class": "tips", "maximum_usd_mn": maximum,
            "schedule": version, "known_at": FIRST,
        }
        for day, maximum in maxima.items()
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=BUYBACK_SCHEDULE.arrow_schema)


def test_a_schedule_that_is_replaced_tells_what_was_revised(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.store_snapshot(BUYBACK_SCHEDULE, schedule("V1", d0908=500, d0918=500, d1002=750), FIRST)
    lake.store_snapshot(BUYBACK_SCHEDULE, schedule("V1", d0908=500, d1002=None), SECOND)
    found = {
        (json.loads(row["row_key"])["operation_date"], row["change"], row["column_name"]):
        (row["old_value"], row["new_value"], row["month"])
        for row in lake.revisions().to_pylist()
    }  # fmt: skip
    assert found == {
        ("2026-09-18", "vanished", "*"): (None, None, date(2026, 9, 1)),
        ("2026-10-02", "changed", "maximum_usd_mn"): ("750.0", None, date(2026, 10, 1)),
    }


def test_the_schedule_of_another_quarter_revises_nothing(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.store_snapshot(BUYBACK_SCHEDULE, schedule("May V2", d0702=500, d0801=500), FIRST)
    lake.store_snapshot(BUYBACK_SCHEDULE, schedule("August V1", d0818=500, d0901=500), SECOND)
    assert lake.revisions().num_rows == 0
    assert lake.read(BUYBACK_SCHEDULE).num_rows == 2


def test_a_file_that_is_gone_replaces_nothing(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    empty = BUYBACK_SCHEDULE.arrow_schema.empty_table()
    assert lake.store_snapshot(BUYBACK_SCHEDULE, empty, FIRST).rows == 0
    lake.store_snapshot(BUYBACK_SCHEDULE, schedule("V1", d0908=500), FIRST)
    kept = lake.store_snapshot(BUYBACK_SCHEDULE, empty, SECOND)
    assert (kept.rows, kept.changed) == (1, False)
    assert lake.read(BUYBACK_SCHEDULE).num_rows == 1
