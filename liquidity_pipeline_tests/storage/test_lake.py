"""The lake: what is written, what is left alone, and what a reader or a crash can meet."""

from __future__ import annotations

import hashlib
import os
import struct
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liquidity_pipeline.contracts.sources.policy import POLICY_EVENTS
from liquidity_pipeline.contracts.validation import ContractBreach
from liquidity_pipeline.storage.lake import Lake, Stored
from liquidity_pipeline.storage.row_hash import hash_rows
from liquidity_pipeline_tests.storage.example import (
    EVENTS,
    FEBRUARY,
    JANUARY,
    KNOWN,
    LEVELS,
    MARCH,
    SEEN,
    events,
    levels,
)

LATER = datetime.fromisoformat("2026-03-09 14:00")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def state(lake: Lake) -> dict[str, tuple[bytes, int]]:
    """Return bytes and time of every file under the lake."""
    files = [path for path in lake.root.rglob("*") if path.is_file()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def values(lake: Lake, name: str = "level_usd_mn") -> list[Any]:
    return lake.read(LEVELS, [name])[name].to_pylist()


def revisions(lake: Lake) -> list[tuple[Any, ...]]:
    columns = ("table_name", "row_key", "column_name", "change", "old_value", "new_value", "month")
    return sorted(
        tuple(row[name] for name in (*columns, "seen_at")) for row in lake.revisions().to_pylist()
    )


def test_each_month_is_a_file_of_its_own(lake: Lake):
    rows = levels(("2026-01-30", "a", 1.0), ("2026-02-02", "a", 2.0), ("2026-02-03", "a", 3.0))
    stored = lake.store(LEVELS, rows, [JANUARY, FEBRUARY], SEEN)
    assert [(part.month, part.rows, part.changed) for part in stored] == [
        (JANUARY, 1, True),
        (FEBRUARY, 2, True),
    ]
    assert lake.path(LEVELS, FEBRUARY) == (
        lake.root / "example_levels" / "month=2026-02" / "example_levels.parquet"
    )
    assert lake.months(LEVELS) == [JANUARY, FEBRUARY]
    assert lake.files(LEVELS) == [lake.path(LEVELS, JANUARY), lake.path(LEVELS, FEBRUARY)]
    assert values(lake) == [1.0, 2.0, 3.0]
    february = lake.read_months(LEVELS, [FEBRUARY, MARCH], ["date", "level_usd_mn"])
    assert february["level_usd_mn"].to_pylist() == [2.0, 3.0]


def test_the_file_carries_the_contract_s_columns(lake: Lake):
    lake.store(LEVELS, levels(("2026-01-30", "a", 1.0)), [JANUARY], SEEN)
    schema = pq.read_schema(lake.path(LEVELS, JANUARY))
    assert schema.names == list(LEVELS.column_names)
    assert schema.field("level_usd_mn").metadata[b"comment"] == b"Level [USD millions]"
    assert schema.field("date").type == pa.date32()


def test_an_absent_table_is_an_empty_one(lake: Lake):
    assert lake.read(LEVELS).schema.names == list(LEVELS.column_names)
    assert lake.read(LEVELS).num_rows == lake.revisions().num_rows == 0
    assert (lake.months(LEVELS), lake.files(LEVELS)) == ([], [])
    assert lake.version(LEVELS, JANUARY) is None


def test_unchanged_rows_leave_bytes_time_and_version_alone(lake: Lake):
    rows = levels(("2026-01-29", "a", 1.0), ("2026-01-30", "a", 2.0, 1.5, "x"))
    (first,) = lake.store(LEVELS, rows, [JANUARY], SEEN)
    before = state(lake)
    (second,) = lake.store(LEVELS, rows.take([1, 0]), [JANUARY], LATER)
    assert state(lake) == before
    assert second == replace(first, changed=False)
    assert second.version == lake.version(LEVELS, JANUARY)


def test_the_version_is_the_hash_of_the_rows_as_one_stream():
    """The same for every library and year: a stored version must never change by itself."""
    rows = pa.table({"s": pa.chunked_array([["a", None], ["b"]]), "n": [1.0, None, 3.0]})
    whole = pa.table({"s": ["a", None, "b"], "n": [1.0, None, 3.0]})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, whole.schema) as stream:
        stream.write_table(whole)
    assert hash_rows(rows) == hashlib.sha256(sink.getvalue()).hexdigest()
    empty = whole.schema.empty_table()
    assert hash_rows(empty) == hash_rows(rows.slice(0, 0))


def test_a_version_does_not_depend_on_bytes_that_hold_no_value():
    """What lies in place of a NULL, or after the last bit, is whatever was in memory."""

    def numbers(behind_the_null: float, validity: int) -> pa.Array:
        values = pa.py_buffer(struct.pack("3d", 1.0, behind_the_null, 3.0))
        return pa.Array.from_buffers(pa.float64(), 3, [pa.py_buffer(bytes([validity])), values])

    def flags(bits: int) -> pa.Array:
        return pa.Array.from_buffers(pa.bool_(), 3, [None, pa.py_buffer(bytes([bits]))])

    plain = pa.table({"number": pa.array([1.0, None, 3.0]), "flag": pa.array([True, False, True])})
    for behind, extra in ((0.0, 0), (99.0, 0), (-0.0, 0b11111000)):
        same = pa.table({"number": numbers(behind, 0b101 | extra), "flag": flags(0b101 | extra)})
        assert same.equals(plain)
        assert hash_rows(same) == hash_rows(plain)
    other = pa.table({"number": pa.array([1.0, 0.0, 3.0]), "flag": plain["flag"]})
    assert hash_rows(other) != hash_rows(plain)


def test_a_changed_value_changes_the_version_of_its_month_only(lake: Lake):
    rows = levels(("2026-01-30", "a", 1.0), ("2026-02-02", "a", 2.0))
    january, february = lake.store(LEVELS, rows, [JANUARY, FEBRUARY], SEEN)
    assert lake.version(LEVELS, FEBRUARY) == february.version
    changed = levels(("2026-01-30", "a", 1.0), ("2026-02-02", "a", 2.5))
    same, different = lake.store(LEVELS, changed, [JANUARY, FEBRUARY], LATER)
    assert (same.version, same.changed) == (january.version, False)
    assert lake.version(LEVELS, FEBRUARY) == different.version != february.version
    assert (different.changed, different.revised) == (True, 1)


DAYS = [f"2026-01-{day:02d}" for day in range(1, 29)]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(DAYS),
        st.sampled_from("ab"),
        st.floats(0, 1e6),
        st.none() | st.floats(-1e6, 1e6),
        st.none() | st.text("xyz", max_size=3),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda row: row[:2],
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=ROWS, random=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_makes_no_difference(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]], random: Any
):
    found = []
    for shuffle in (False, True):
        lake = Lake(tmp_path_factory.mktemp("lake"))
        if shuffle:
            random.shuffle(rows)
        half = len(rows) // 2
        chunks = pa.concat_tables([levels(*rows[:half]), levels(*rows[half:])])
        (stored,) = lake.store(LEVELS, chunks, [JANUARY], SEEN)
        found.append((stored.version, lake.path(LEVELS, JANUARY).read_bytes()))
    assert found[0] == found[1]


def test_what_lies_under_a_null_makes_no_difference(lake: Lake):
    plain = levels(("2026-01-29", "a", 1.0, None), ("2026-01-30", "a", 2.0, 9.0))
    masked = pa.array(np.array([777.0, 9.0]), mask=np.array([True, False]))
    lake.store(LEVELS, plain, [JANUARY], SEEN)
    (again,) = lake.store(LEVELS, plain.set_column(3, "low_usd_mn", masked), [JANUARY], LATER)
    assert not again.changed


# --- breaches and crashes -------------------------------------------------------------------------


def test_a_breach_leaves_every_month_as_it_was(lake: Lake):
    good = levels(("2026-01-30", "a", 1.0), ("2026-02-02", "a", 2.0))
    lake.store(LEVELS, good, [JANUARY, FEBRUARY], SEEN)
    before = state(lake)
    half_bad = levels(("2026-01-30", "a", 5.0), ("2026-02-02", "a", -1.0))
    with pytest.raises(ContractBreach, match="level_usd_mn"):
        lake.store(LEVELS, half_bad, [JANUARY, FEBRUARY], LATER)
    assert state(lake) == before


@pytest.mark.parametrize("function", ["replace", "fsync"])
def test_a_crash_before_the_rename_leaves_the_old_file(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, function: str
):
    lake.store(LEVELS, levels(("2026-01-30", "a", 1.0)), [JANUARY], SEEN)
    path = lake.path(LEVELS, JANUARY)
    before = path.read_bytes()

    def crash(*_: object) -> None:
        raise OSError("no space left on device")

    if function == "replace":
        monkeypatch.setattr(Path, "replace", crash)
    else:
        monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(OSError, match="no space"):
        lake.store(LEVELS, levels(("2026-01-30", "a", 2.0)), [JANUARY], LATER)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [p for p in lake.root.rglob("*") if ".unfinished" in str(p) and p.is_file()] == []
    (again,) = lake.store(LEVELS, levels(("2026-01-30", "a", 2.0)), [JANUARY], LATER)
    assert (again.changed, values(lake)) == (True, [2.0])


def test_no_glob_over_a_table_meets_an_unfinished_file(lake: Lake, monkeypatch: pytest.MonkeyPatch):
    lake.store(LEVELS, levels(("2026-01-30", "a", 1.0)), [JANUARY], SEEN)
    folder, met = lake.root / LEVELS.name, []
    rename = Path.replace

    def look_first(unfinished: Path, target: Path) -> Path:
        met.append(sorted(path for path in folder.rglob("*") if path.is_file()))
        assert unfinished.exists()
        return rename(unfinished, target)

    monkeypatch.setattr(Path, "replace", look_first)
    lake.store(LEVELS, levels(("2026-02-02", "a", 2.0)), [FEBRUARY], SEEN)
    assert met == [[lake.path(LEVELS, JANUARY)]]


def test_a_damaged_file_is_named_with_the_way_out(lake: Lake):
    lake.store(LEVELS, levels(("2026-01-30", "a", 1.0)), [JANUARY], SEEN)
    path = lake.path(LEVELS, JANUARY)
    path.write_bytes(path.read_bytes()[:-20])
    for read in (
        lambda: lake.read(LEVELS),
        lambda: lake.store(LEVELS, levels(("2026-01-30", "a", 2.0)), [JANUARY], LATER),
    ):
        with pytest.raises(ValueError, match=r"month=2026-01.*damaged.*liquidity rebuild"):
            read()


def test_a_file_of_an_older_contract_is_not_the_publisher_s_fault(lake: Lake):
    lake.store(LEVELS, levels(("2026-01-30", "a", 1.0)), [JANUARY], SEEN)
    path = lake.path(LEVELS, JANUARY)
    pq.write_table(pq.read_table(path, partitioning=None).drop_columns(["note"]), path)
    with pytest.raises(ValueError, match="another version of the contract") as error:
        lake.store(LEVELS, levels(("2026-01-30", "a", 2.0)), [JANUARY], LATER)
    assert not isinstance(error.value, ContractBreach)


# --- rows that come, go and change ---------------------------------------------------------------


def test_a_daily_series_keeps_the_rows_that_are_not_sent_again(lake: Lake):
    lake.store(LEVELS, levels(("2026-01-28", "a", 1.0), ("2026-01-29", "a", 2.0)), [JANUARY], SEEN)
    (stored,) = lake.store(
        LEVELS, levels(("2026-01-29", "a", 2.5), ("2026-01-30", "a", 3.0)), [JANUARY], LATER
    )
    assert values(lake) == [1.0, 2.5, 3.0]
    assert (stored.rows, stored.revised) == (3, 1)


def test_rows_that_add_up_are_replaced_by_day_and_kept_on_other_days(lake: Lake):
    """A restated week loses its sold securities; a week that did not come keeps all of its own."""
    weeks = replace(LEVELS, keep_vanished=False, whole_days=True, fullness=None)
    first = [("2026-01-07", "a", 1.0), ("2026-01-07", "b", 2.0), ("2026-01-14", "a", 3.0)]
    lake.store(weeks, levels(*first), [JANUARY], SEEN)
    restated = [("2026-01-07", "b", 2.5), ("2026-01-21", "b", 4.0)]
    (stored,) = lake.store(weeks, levels(*restated), [JANUARY], LATER)
    rows = lake.read(weeks, ["date", "name", "level_usd_mn"]).to_pylist()
    assert [(f"{row['date']}", row["name"], row["level_usd_mn"]) for row in rows] == [
        ("2026-01-07", "b", 2.5), ("2026-01-14", "a", 3.0), ("2026-01-21", "b", 4.0),
    ]  # fmt: skip
    # A value changed and a row vanished.
    assert stored.revised == 2


def test_a_daily_series_is_never_emptied(lake: Lake):
    lake.store(LEVELS, levels(("2026-01-28", "a", 1.0)), [JANUARY], SEEN)
    before = state(lake)
    assert lake.store(LEVELS, levels(), [JANUARY, FEBRUARY], LATER) == []
    assert state(lake) == before


def test_the_better_provider_is_not_replaced_by_a_fallback(lake: Lake):
    lake.store(
        LEVELS, levels(("2026-01-28", "a", 1.0, 0.9), ("2026-01-29", "a", 2.0)), [JANUARY], SEEN
    )
    bare = levels(("2026-01-28", "a", 1.1), ("2026-01-29", "a", 2.1), ("2026-01-30", "a", 3.0))
    lake.store(LEVELS, bare, [JANUARY], LATER)
    assert values(lake) == [1.0, 2.1, 3.0]
    assert values(lake, "low_usd_mn") == [0.9, None, None]
    lake.store(LEVELS, levels(("2026-01-28", "a", 1.2, 1.1)), [JANUARY], LATER)
    assert values(lake) == [1.2, 2.1, 3.0]


def test_an_answer_replaces_the_month_of_events(lake: Lake):
    lake.store(EVENTS, events(("A", "2026-01-28", 1.0), ("B", "2026-01-29", 2.0)), [JANUARY], SEEN)
    lake.store(EVENTS, events(("B", "2026-01-30", 2.0)), [JANUARY], LATER)
    assert lake.read(EVENTS)["event_id"].to_pylist() == ["B"]


def test_stored_events_of_days_that_were_not_asked_for_are_kept(lake: Lake):
    rows = [("A", "2026-01-12", 1.0), ("B", "2026-01-13", 2.0), ("C", "2026-01-14", 3.0)]
    lake.store(EVENTS, events(*rows, ("D", "2026-01-15", 4.0)), [JANUARY], SEEN)
    # A and B are withdrawn, D is corrected, and of C the answer says nothing.
    (stored,) = lake.store(
        EVENTS, events(("D", "2026-01-15", 5.0)), [JANUARY], LATER, keep_after=date(2026, 1, 13)
    )
    found = lake.read(EVENTS).to_pylist()
    assert [(row["event_id"], row["amount_usd_mn"]) for row in found] == [("C", 3.0), ("D", 5.0)]
    assert sorted(row[3] for row in revisions(lake)) == ["changed", "vanished", "vanished"]
    before = state(lake)
    (again,) = lake.store(
        EVENTS, events(("D", "2026-01-15", 5.0)), [JANUARY], LATER, keep_after=date(2026, 1, 13)
    )
    assert again == replace(stored, changed=False, revised=0)
    assert state(lake) == before


def test_a_kept_event_that_moved_to_another_month_is_not_there_twice(lake: Lake):
    rows = [("A", "2026-01-28", 1.0), ("B", "2026-01-29", 2.0)]
    lake.store(EVENTS, events(*rows), [JANUARY], SEEN)
    moved = events(("C", "2026-01-27", 3.0), ("B", "2026-02-02", 2.0))
    lake.store(EVENTS, moved, [JANUARY, FEBRUARY], LATER, keep_after=date.min)
    assert sorted(lake.read(EVENTS)["event_id"].to_pylist()) == ["A", "B", "C"]


def test_a_month_without_events_is_remembered_and_events_do_not_evaporate(lake: Lake):
    rows = events(("A", "2026-01-28", 1.0))
    stored = lake.store(EVENTS, rows, [JANUARY, FEBRUARY], SEEN)
    assert [part.rows for part in stored] == [1, 0]
    assert lake.months(EVENTS) == [JANUARY, FEBRUARY]
    before = state(lake)
    assert lake.store(EVENTS, events(), [JANUARY, FEBRUARY], LATER) == []
    assert state(lake) == before


def test_a_quarantine_may_become_empty(lake: Lake):
    quarantine = replace(EVENTS, name="example_quarantine", can_become_empty=True)
    lake.store(quarantine, events(("A", "2026-01-28", 1.0)), [JANUARY], SEEN)
    (stored,) = lake.store(quarantine, events(), [JANUARY], LATER)
    assert (stored.rows, stored.changed, lake.read(quarantine).num_rows) == (0, True, 0)


def test_what_changed_is_noted_value_by_value(lake: Lake):
    lake.store(
        LEVELS,
        levels(("2026-01-28", "a", 1.0, None, "old"), ("2026-01-29", "a", 2.0)),
        [JANUARY],
        SEEN,
    )
    lake.store(
        LEVELS,
        levels(("2026-01-28", "a", 1.5, 1.25, None), ("2026-01-30", "a", 9.0)),
        [JANUARY],
        LATER,
    )
    key = '{"date": "2026-01-28", "name": "a"}'
    assert revisions(lake) == [
        ("example_levels", key, "level_usd_mn", "changed", "1.0", "1.5", JANUARY, LATER),
        ("example_levels", key, "low_usd_mn", "changed", None, "1.25", JANUARY, LATER),
        ("example_levels", key, "note", "changed", "old", None, JANUARY, LATER),
    ]


def test_an_event_that_vanished_is_noted_and_news_and_volumes_are_not(lake: Lake):
    lake.store(
        EVENTS, events(("A", "2026-01-28", 1.0), ("B", "2026-01-29", 2.0, 5.0)), [JANUARY], SEEN
    )
    (stored,) = lake.store(
        EVENTS, events(("B", "2026-01-29", 2.0, 6.0), ("C", "2026-01-30", 3.0)), [JANUARY], LATER
    )
    assert (stored.changed, stored.revised) == (True, 1)
    assert revisions(lake) == [
        ("example_events", '{"event_id": "A"}', "*", "vanished", None, None, JANUARY, LATER)
    ]


def test_all_revisions_are_kept(lake: Lake):
    for level, seen in ((1.0, SEEN), (2.0, SEEN), (3.0, LATER)):
        lake.store(LEVELS, levels(("2026-01-28", "a", level)), [JANUARY], seen)
    assert [row[4:6] for row in revisions(lake)] == [("1.0", "2.0"), ("2.0", "3.0")]


def test_a_revision_whose_write_was_interrupted_is_noted_once(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
):
    """It is noted before the partition is written; the next write finds the old value again."""
    lake.store(LEVELS, levels(("2026-02-04", "a", 1.0)), [FEBRUARY], SEEN)
    write = Lake._write

    def interrupted(self: Lake, path: Path, rows: pa.Table) -> None:
        if path.parent.name.startswith("month="):
            raise KeyboardInterrupt
        write(self, path, rows)

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "_write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            lake.store(LEVELS, levels(("2026-02-04", "a", 2.0)), [FEBRUARY], SEEN)
    assert values(lake) == [1.0]
    assert len(revisions(lake)) == 1
    (stored,) = lake.store(LEVELS, levels(("2026-02-04", "a", 2.0)), [FEBRUARY], LATER)
    assert stored.revised == 1
    assert values(lake) == [2.0]
    assert [(row[4], row[5], row[7]) for row in revisions(lake)] == [("1.0", "2.0", SEEN)]
    # What is really revised twice is noted twice.
    for value in (1.0, 2.0):
        seen_at = LATER.replace(hour=14 + int(value))
        lake.store(LEVELS, levels(("2026-02-04", "a", value)), [FEBRUARY], seen_at)
    assert len(revisions(lake)) == 3


def test_a_snapshot_is_replaced_and_keeps_no_revisions(lake: Lake):
    lake.store_snapshot(EVENTS, events(("A", "2026-01-28", 1.0)), SEEN)
    stored = lake.store_snapshot(EVENTS, events(("B", "2027-01-28", 2.0)), LATER)
    assert lake.files(EVENTS) == [lake.root / "example_events" / "example_events.parquet"]
    assert lake.read(EVENTS)["event_id"].to_pylist() == ["B"]
    assert isinstance(stored, Stored)
    assert (stored.month, stored.changed, lake.revisions().num_rows) == (None, True, 0)
    assert stored.version == lake.version(EVENTS)


def test_times_and_days_survive(lake: Lake):
    lake.store(LEVELS, levels(("2026-01-28", "a", 1.0)), [JANUARY], SEEN)
    (row,) = lake.read(LEVELS).to_pylist()
    assert (row["date"].isoformat(), row["known_at"]) == ("2026-01-28", KNOWN)


def test_a_snapshot_of_an_older_contract_is_replaced_without_being_read(tmp_path: Path):
    older = replace(POLICY_EVENTS, columns=POLICY_EVENTS.columns[1:], key=("kind",), day=None)
    lake = Lake(tmp_path)
    lake.store_snapshot(older, older.arrow_schema.empty_table(), SEEN)
    stored = lake.store_snapshot(POLICY_EVENTS, POLICY_EVENTS.arrow_schema.empty_table(), SEEN)
    assert stored.changed
    assert lake.read(POLICY_EVENTS).schema.names == list(POLICY_EVENTS.column_names)
