"""Revisions: what a publisher changed after the fact is kept, with both values and the moment."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa

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
