"""The note of a publication says what would be worked out, at any moment, or does not count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from liquidity_pipeline.contracts.registry import PUBLISHED
from liquidity_pipeline.ingestion import status_note
from liquidity_pipeline.ingestion.due_days import end_of_month
from liquidity_pipeline.ingestion.freshness import expectations, freshness
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.fetch import Fetch, Window
from liquidity_pipeline.storage.archive import Archive
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline.universe import Universe
from liquidity_pipeline_tests.sources.canned import Canned

# Early in a month with a holiday (Presidents' Day) and a change of what is due at each hour.
AS_OF = date(2026, 2, 3)
RATES = PUBLISHED["sources.reference_rates"]


def moment_of(text: str) -> datetime:
    """Return a naive UTC moment."""
    return datetime.fromisoformat(text)


class Place:
    """A data directory with some days of one source, and a fetch of another that failed."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(folder, as_of=AS_OF)
        self.lake, self.archive = (
            Lake(self.settings.lake_dir),
            Archive(self.settings.archive_dir),
        )
        self.universe = Universe.load(self.settings.reference_dir)
        self.store(date(2025, 12, 30), date(2026, 1, 29), date(2026, 2, 2))
        fetch = Fetch(Window(AS_OF, AS_OF), self.now, self.universe, Canned({}))
        fetch.gap("a part is not served")
        self.archive.keep("reference_rates", fetch, None)
        self.archive.keep("fed_operations", fetch, "nyfed: HTTP 503")
        self.settings.published_file.write_bytes(b"the file")

    @property
    def now(self) -> datetime:
        return self.settings.now.astimezone(UTC).replace(tzinfo=None)

    def store(self, *days: date) -> None:
        rows = pa.Table.from_pylist(
            [
                {"effective_date": day, "rate": rate, "rate_pct": 4.0, "known_at": self.now}
                for day in days
                for rate in ("SOFR", "EFFR")
            ],
            schema=RATES.arrow_schema,
        )
        self.lake.store(
            RATES, rows, sorted({day.replace(day=1) for day in days}), self.now, checked=True
        )

    def note(self) -> None:
        state = status_note.state_of_inputs(self.settings)
        expected = expectations(self.lake, self.archive, self.universe, self.now)
        built_at = moment_of("2026-02-03 22:00")
        status_note.write(
            self.settings, state, expected, self.now, built_at=built_at, made_of="these rows"
        )

    def worked_out(self, settings: Settings) -> list[dict[str, object]]:
        now = settings.now.astimezone(UTC).replace(tzinfo=None)
        rows: list[dict[str, object]] = freshness(
            self.lake, self.archive, self.universe, now
        ).to_pylist()
        return rows


@pytest.fixture
def directory(tmp_path: Path) -> Place:
    directory = Place(tmp_path / "data")
    directory.note()
    return directory


def test_the_note_says_on_every_day_of_the_month_what_would_be_worked_out(directory: Place):
    missing = set()
    for day in range(AS_OF.day, 29):
        later = replace(directory.settings, as_of=date(2026, 2, day))
        noted = status_note.freshness(later)
        assert noted == directory.worked_out(later)
        missing.add(sum(row["days_missing"] for row in directory.worked_out(later)))  # type: ignore[misc]
    assert len(missing) > 10, "more is due from day to day"


@pytest.mark.slow
def test_the_note_says_at_every_quarter_of_an_hour_what_would_be_worked_out(directory: Place):
    expected = list(
        expectations(directory.lake, directory.archive, directory.universe, directory.now)
    )
    for step in range(1, 4 * 24 * 2):
        moment = directory.now + timedelta(minutes=15 * step)
        worked_out = freshness(
            directory.lake, directory.archive, directory.universe, moment
        ).to_pylist()
        assert [one.row(moment) for one in expected] == worked_out


def test_the_note_counts_in_no_other_month(directory: Place):
    for day in (date(2026, 3, 1), date(2026, 2, 2)):
        assert status_note.freshness(replace(directory.settings, as_of=day)) is None
    # The month ends in New York, five hours after it does in UTC.
    assert end_of_month(directory.now) == moment_of("2026-03-01 05:00")
    assert end_of_month(moment_of("2026-03-01 04:59")) == moment_of("2026-03-01 05:00")
    assert end_of_month(moment_of("2026-03-01 05:00")) == moment_of("2026-04-01 04:00")


def _new_month(directory: Place) -> None:
    directory.store(date(2026, 1, 30))


def _lost_month(directory: Place) -> None:
    directory.lake.path(RATES, date(2025, 12, 1)).unlink()


def _new_fetch(directory: Place) -> None:
    fetch = Fetch(Window(AS_OF, AS_OF), directory.now, directory.universe, Canned({}))
    directory.archive.keep("fed_operations", fetch, None)


def _damaged_note(directory: Place) -> None:
    (directory.settings.data_dir / "status.json").write_text("{")


def _lost_note(directory: Place) -> None:
    (directory.settings.data_dir / "status.json").unlink()


@pytest.mark.parametrize("change", [_new_month, _lost_month, _new_fetch, _damaged_note, _lost_note])
def test_the_note_does_not_count_after_a_change(directory: Place, change: Callable[[Place], None]):
    assert status_note.freshness(directory.settings) is not None
    change(directory)
    assert status_note.freshness(directory.settings) is None
    directory.note()
    assert status_note.freshness(directory.settings) == directory.worked_out(directory.settings)


def test_other_symbols_are_other_expectations(directory: Place, tmp_path: Path):
    own = tmp_path / "reference"
    own.mkdir()
    text = (directory.settings.reference_dir / "universe.toml").read_text()
    (own / "universe.toml").write_text(text + "\n# edited\n")
    assert status_note.freshness(replace(directory.settings, reference_dir=own)) is None


def test_the_moment_of_publication_is_that_of_the_same_file(directory: Place):
    assert status_note.built_at(directory.settings) == moment_of("2026-02-03 22:00").replace(
        tzinfo=UTC
    )
    other = directory.settings.data_dir / "other"
    other.write_bytes(b"the file")
    other.replace(directory.settings.published_file)
    assert status_note.built_at(directory.settings) is None
    directory.settings.published_file.unlink()
    assert status_note.built_at(directory.settings) is None
