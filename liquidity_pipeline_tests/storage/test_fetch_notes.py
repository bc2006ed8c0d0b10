"""Notes of fetches say what all records say together, though most records are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liquidity_pipeline.ingestion import coverage, fetch_history
from liquidity_pipeline.ingestion.fetch_history import summarize
from liquidity_pipeline.sources.fetch import Fetch, Window
from liquidity_pipeline.sources.registry import SOURCES
from liquidity_pipeline.storage import fetch_notes
from liquidity_pipeline.storage.archive import Archive
from liquidity_pipeline.storage.fetch_notes import Asked, FetchNote, compact
from liquidity_pipeline.storage.fetch_record import FetchRecord
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline.universe import Universe
from liquidity_pipeline_tests.sources.canned import Canned

BEGIN = datetime(2026, 1, 15, 23)  # noqa: DTZ001 - naive UTC, as everywhere in the archive
MONTHS = [date(2025 + n // 12, n % 12 + 1, 1) for n in range(10, 22)]
PARTS = ("part/a", "part/b")
SPLIT = ("yahoo", "QUAL", date(2026, 3, 2), "2:1")


def note(at: datetime, first: date, last: date, **more: Any) -> FetchNote:
    """Return the note of a fetch that got everything, but for what `more` says."""
    window = Window.of_months(first, last)
    return FetchNote(
        **{
            "window": window,
            "now": at,
            "kept_at": at,
            "gaps": [],
            "error": None,
            "splits": frozenset(),
            "present": {"example": {f"{month:%Y-%m}": "rows" for month in window.months}},
            "doubtful": {},
            "missed": frozenset(),
            "served": frozenset(PARTS),
            "paths": frozenset(PARTS),
            "failed": False,
            "refused": False,
            "unread": False,
            **more,
        }
    )


@dataclass(frozen=True)
class Stretch:
    """Some days on which a source is asked for the same months before today, and ends alike."""

    days: int
    months_back: int
    span: int
    as_of_days_back: int
    said: dict[str, Any]
    digest: str


stretches = st.lists(
    st.builds(
        Stretch,
        days=st.sampled_from([1, 1, 2, 5, 9, 12, 40]),
        months_back=st.sampled_from([1, 1, 1, 2, 4]),
        span=st.sampled_from([1, 2, 2, 3]),
        as_of_days_back=st.sampled_from([0, 0, 0, 0, 9, 70]),
        digest=st.sampled_from(["", "rows", "rows", "more"]),
        said=st.fixed_dictionaries(
            {},
            optional={
                "gaps": st.sampled_from([["A: no rows"], ["B: no rows"], ["A: 1", "B: 2"]]),
                "error": st.sampled_from([None, "down"]),
                "splits": st.just(frozenset({SPLIT})),
                "doubtful": st.just({"example": ["2026-03", "2026-04"]}),
                "missed": st.sampled_from([frozenset(), frozenset({"part/a"})]),
                "paths": st.sampled_from([frozenset(PARTS), frozenset({"part/b"})]),
                "failed": st.booleans(),
                "refused": st.booleans(),
                "unread": st.booleans(),
            },
        ),
    ),
    min_size=1,
    max_size=8,
)


def told(parts: Sequence[Stretch]) -> list[FetchNote]:
    """Return the notes of a source that was asked once a day, stretch after stretch."""
    notes, day = [], BEGIN
    for part in parts:
        for _ in range(part.days):
            place = next(
                n for n, m in enumerate(MONTHS) if (m.year, m.month) == day.timetuple()[:2]
            )
            first = max(0, place - part.months_back)
            last = min(place, first + part.span - 1)
            months = [f"{month:%Y-%m}" for month in MONTHS[first : last + 1]]
            present = {month: part.digest for month in months if part.digest}
            said = {"missed": frozenset(), **part.said}
            served = frozenset(PARTS) - said["missed"]
            one = note(
                day, MONTHS[first], MONTHS[last], present={"example": present}, served=served
            )
            back = timedelta(days=part.as_of_days_back)
            notes.append(replace(one, **said, now=day - back))
            day += timedelta(days=1)
            if day.date() > date(2026, 10, 15):
                return notes
    return notes


def history(asked: Asked, now: datetime) -> Any:
    """Return what coverage takes from the fetches of a source, of which every month is held."""
    lake = cast(Lake, SimpleNamespace(months=lambda _: MONTHS, files=lambda _: [Path("a file")]))
    source = SOURCES["buybacks"]
    one = coverage._History(source, source.tables[0], lake, asked, now)
    inputs = [("", None), ("A", None), ("B", None), ("", "part/a"), ("", "part/b")]
    snapshots = replace(one, source=replace(source, partitioned=False))
    return (
        [one.answered(*each) for each in inputs],
        [one.why(*each) for each in inputs],
        [one.answered_before(now - timedelta(days=back)) for back in (0, 3, 40, 100)],
        [coverage._answered_before(snapshots, *each) for each in inputs],
    )


@given(stretches, st.integers(0, 400), st.integers(1, 60))
@settings(max_examples=300, deadline=None)
def test_what_is_left_out_changes_nothing(
    parts: list[Stretch], days_later: int, noted_every: int
) -> None:
    notes = told(parts)
    now = max(one.kept_at for one in notes) + timedelta(days=days_later)
    few: list[FetchNote] = []
    for start in range(0, len(notes), noted_every):
        few = compact([*few, *notes[start : start + noted_every]])
    every = Asked.of(notes)
    short = Asked(few, every.good_at)
    today = now.date()
    assert summarize(short.good, today) == summarize(every.good, today)
    assert history(short, now) == history(every, now)


def test_as_many_answers_are_kept_as_the_longest_wait_for_a_hole_needs() -> None:
    assert fetch_notes._KEPT_PER_MONTH >= fetch_history._AGREEING + fetch_history._LONGEST_DOUBLINGS
    assert fetch_notes._KEPT_PER_MONTH >= fetch_history._ENOUGH


def test_years_of_daily_fetches_leave_some_for_each_month() -> None:
    day, notes = datetime(2016, 1, 5, 23), []  # noqa: DTZ001
    while day.year < 2026:
        before = (day.replace(day=1) - timedelta(days=1)).date()
        notes.append(note(day, before.replace(day=1), day.date().replace(day=1)))
        day += timedelta(days=1)
    assert (
        len(compact(notes)) <= fetch_notes._KEPT_PER_MONTH * 10 * 12 + fetch_notes._KEPT_PER_MONTH
    )


@pytest.mark.parametrize(
    "less",
    [
        {"gaps": ["A: not served"]},
        {"missed": frozenset({"part/a"})},
        {"paths": frozenset({"part/b"})},
        {"present": {"example": {}}},
    ],
    ids=lambda less: next(iter(less)),
)
def test_an_answer_is_not_superseded_by_answers_that_say_less(less: dict[str, Any]) -> None:
    full = note(BEGIN, MONTHS[2], MONTHS[2])
    later = [note(BEGIN + timedelta(days=n), MONTHS[2], MONTHS[2], **less) for n in range(1, 30)]
    kept = compact([full, *later])
    assert kept == [full, *later[-fetch_notes._KEPT_PER_MONTH :]]


def test_the_first_sight_of_a_split_is_kept() -> None:
    after = [note(BEGIN + timedelta(days=n), MONTHS[2], MONTHS[2]) for n in range(1, 30)]
    first = note(BEGIN, MONTHS[2], MONTHS[2], splits=frozenset({SPLIT}))
    again = note(BEGIN + timedelta(hours=1), MONTHS[2], MONTHS[2], splits=frozenset({SPLIT}))
    assert compact([first, again, *after]) == [first, *after[-fetch_notes._KEPT_PER_MONTH :]]


def test_fetches_as_of_earlier_days_replace_none_of_a_later_day() -> None:
    last = note(BEGIN + timedelta(days=30), MONTHS[2], MONTHS[2])
    earlier = [
        replace(last, now=BEGIN, kept_at=last.kept_at + timedelta(minutes=n)) for n in range(1, 30)
    ]
    assert compact([last, *earlier])[0] == last


# --- the file -------------------------------------------------------------------------------------


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """An archive with twelve fetches of one source, one of which failed."""
    archive = Archive(tmp_path)
    for number in range(12):
        fetch = Fetch(
            Window.of_months(MONTHS[2], MONTHS[3]),
            BEGIN + timedelta(days=number),
            Universe((), ()),
            Canned({}),
        )
        if number % 2:
            fetch.gap(f"A: {number}")
        archive.keep("example", fetch, "down" if number == 5 else None)
    return archive


def notes_of(archive: Archive) -> list[FetchNote]:
    return [FetchNote.of(record) for record in archive.of("example")]


def test_notes_that_were_written_are_those_of_the_records(archive: Archive, tmp_path: Path):
    asked = archive.asked("example")
    assert list(asked.fetches) == compact(notes_of(archive))
    assert (tmp_path / ".notes" / "example.json").exists()
    again = Archive(tmp_path).asked("example")
    assert again == asked
    assert len(again.good_at) == 11


def test_records_are_read_once(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked = archive.asked("example")
    monkeypatch.setattr(FetchRecord, "load", lambda path: pytest.fail(f"{path} was read"))
    assert Archive(tmp_path).asked("example") == asked


def test_a_new_fetch_is_added_to_the_notes(archive: Archive, tmp_path: Path):
    archive.asked("example")
    later = BEGIN + timedelta(days=40)
    fetch = Fetch(Window.of_months(MONTHS[4], MONTHS[4]), later, Universe((), ()), Canned({}))
    archive.keep("example", fetch, None)
    for each in (archive, Archive(tmp_path)):
        assert each.asked("example").fetches[-1].window.start == MONTHS[4]


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"count": 3, "made_of": "", "notes": []}'])
def test_notes_that_are_of_no_use_are_made_again(archive: Archive, tmp_path: Path, content: str):
    asked = archive.asked("example")
    (tmp_path / ".notes" / "example.json").write_text(content)
    assert Archive(tmp_path).asked("example") == asked


def test_notes_of_a_record_that_has_gone_are_made_again(archive: Archive, tmp_path: Path):
    archive.asked("example")
    archive.record_files()[-1].unlink()
    assert len(Archive(tmp_path).asked("example").good_at) == 10


def test_for_an_earlier_moment_every_record_counts(archive: Archive):
    by = BEGIN + timedelta(days=3)
    assert len(archive.asked("example", by=by).fetches) == 12
    assert len(archive.asked("example", by=datetime.now(UTC).replace(tzinfo=None)).fetches) < 12
