"""Facts that no service publishes as data, read from the CSV files of the reference folder.

A user adds rows or whole files; no code knows a fact. Every problem is reported with its file,
line and column. The universe of symbols is read by `universe`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from liquidity_pipeline.calendars import utc
from liquidity_pipeline.contracts.meta import PUBLISHED_TOTALS
from liquidity_pipeline.contracts.sources.policy import POLICY_EVENTS
from liquidity_pipeline.settings import SettingsError

if TYPE_CHECKING:
    import pyarrow as pa

EVENT_HEADER = (
    "event_date",
    "event_time",
    "kind",
    "subject",
    "value",
    "unit",
    "effective_date",
    "end_date",
    "detail",
    "source",
    "evidence",
)
EVIDENCE = ("published", "derived", "remembered")
SIGNS_FILE = "sign_conventions.csv"
SIGNS_HEADER = ("component", "convention", "sign", "note")
CONVENTIONS = ("reserves", "headline")
TOTALS_FILE = "published_totals.csv"
TOTALS_HEADER = ("period", "figure", "value", "unit", "tolerance", "source")
QUARTERLY_FIGURES = ("privately_held_net_borrowing", "quarter_end_cash")
WEEKLY_FIGURES = ("reserve_drain",)

# Where a file does not give the hour, the end of New York's business day is safe.
_END_OF_DAY = time(16, 0)


def read_policy_events(reference_dir: Path) -> pa.Table:
    """Return the rows of every file of events in the folder, in the columns of `policy_events`.

    A file of events has a column `event_date`; all columns of EVENT_HEADER are then expected.
    `known_at` is `event_date` at `event_time` in New York, 16:00 where that is empty. Raises
    SettingsError for a cell that cannot be read, and for two rows with the same key.
    """
    import pyarrow as pa

    if not reference_dir.is_dir():
        raise SettingsError(
            f"{reference_dir} is not a folder: it should hold the files of policy facts. "
            f"Set LIQUIDITY_REFERENCE_DIR to the folder that does."
        )
    seen: dict[tuple[object, ...], _Line] = {}
    rows = []
    for path in sorted(reference_dir.glob("*.csv")):
        if "event_date" not in _header(path):
            continue
        for line in _lines(path, EVENT_HEADER):
            row = _event(line)
            key = tuple(row[name] for name in POLICY_EVENTS.key)
            if key in seen:
                raise line.error(
                    ", ".join(POLICY_EVENTS.key),
                    f"a row of its own; the same is in {seen[key].place}",
                )
            seen[key] = line
            rows.append(row)
    return pa.Table.from_pylist(rows, schema=POLICY_EVENTS.arrow_schema)


def read_sign_conventions(reference_dir: Path) -> pa.Table:
    """Return (component, convention, sign, note): how each component counts as a drain.

    `sign` is -1, 0 or 1, for a component measured in its natural direction (a rise, a purchase, a
    net payment to the Treasury). Raises SettingsError unless every component has exactly one sign
    in both conventions.
    """
    import pyarrow as pa

    path = reference_dir / SIGNS_FILE
    signs: dict[tuple[str, str], tuple[int, str]] = {}
    for line in _lines(path, SIGNS_HEADER):
        component, convention = line.text("component"), line.choice("convention", CONVENTIONS)
        if (component, convention) in signs:
            raise line.error("component", f"one row for '{component}' in '{convention}'")
        signs[component, convention] = (
            int(line.choice("sign", ("-1", "0", "1"))),
            line.cells["note"],
        )
    for component, _ in signs:
        for convention in CONVENTIONS:
            if (component, convention) not in signs:
                raise SettingsError(
                    f"{path}: '{component}' has no row for the convention '{convention}'."
                )
    rows = [(*key, *value) for key, value in sorted(signs.items())]
    types = (pa.string(), pa.string(), pa.int64(), pa.string())
    schema = pa.schema(list(zip(SIGNS_HEADER, types, strict=True)))
    return pa.Table.from_pylist(
        [dict(zip(SIGNS_HEADER, row, strict=True)) for row in rows], schema=schema
    )


def read_published_totals(reference_dir: Path) -> pa.Table:
    """Return what others print about past periods, in the columns of `meta.published_totals`.

    A period is a quarter (2018Q3) or, for weekly figures, the Wednesday that ends the week. USD
    billions in the file, USD millions in the table. A folder without the file gives no rows: then
    nothing is compared. Raises SettingsError for a cell that cannot be read, and for two rows of
    one period and figure.
    """
    import pyarrow as pa

    path = reference_dir / TOTALS_FILE
    rows: dict[tuple[str, str], dict[str, object]] = {}
    for line in _lines(path, TOTALS_HEADER) if path.exists() else ():
        period, figure = (
            line.text("period"),
            line.choice("figure", QUARTERLY_FIGURES + WEEKLY_FIGURES),
        )
        if (period, figure) in rows:
            raise line.error("period", f"one row for '{figure}' of {period}")
        line.choice("unit", ("USD billions",))
        rows[period, figure] = {
            "period": period,
            "period_end": (
                line.wednesday("period") if figure in WEEKLY_FIGURES else line.quarter_end("period")
            ),
            "figure": figure,
            "value_usd_mn": 1000 * line.required_number("value"),
            "tolerance_usd_mn": 1000 * line.required_number("tolerance"),
            "source": line.text("source"),
        }
    return pa.Table.from_pylist(list(rows.values()), schema=PUBLISHED_TOTALS.arrow_schema)


# Days that are announced long before, and say nothing of what is decided on them.
_SCHEDULED = frozenset({"fomc_decision"})


@dataclass(frozen=True)
class _Line:
    """One line of a file; its readers raise SettingsError with file, line and column."""

    path: Path
    number: int
    cells: Mapping[str, str]

    @property
    def place(self) -> str:
        return f"{self.path.name} line {self.number}"

    def error(self, column: str, expected: str) -> SettingsError:
        got = self.cells.get(column)
        found = f"; got '{got}'" if got is not None else ""
        return SettingsError(
            f"{self.path}, line {self.number}, {column}: expected {expected}{found}."
        )

    def text(self, column: str) -> str:
        if not self.cells[column]:
            raise self.error(column, "some text")
        return self.cells[column]

    def choice(self, column: str, allowed: tuple[str, ...]) -> str:
        if self.cells[column] not in allowed:
            raise self.error(column, f"one of {', '.join(allowed)}")
        return self.cells[column]

    def optional_day(self, column: str) -> date | None:
        return self.day(column) if self.cells[column] else None

    def day(self, column: str) -> date:
        try:
            return date.fromisoformat(self.cells[column])
        except ValueError:
            raise self.error(column, "a day as YYYY-MM-DD") from None

    def optional_number(self, column: str) -> float | None:
        try:
            return float(self.cells[column]) if self.cells[column] else None
        except ValueError:
            raise self.error(column, "a number without thousands separators") from None

    def required_number(self, column: str) -> float:
        value = self.optional_number(column)
        if value is None:
            raise self.error(column, "a number")
        return value

    def quarter_end(self, column: str) -> date:
        year, _, quarter = self.cells[column].partition("Q")
        if not (year.isdigit() and quarter in ("1", "2", "3", "4")):
            raise self.error(column, "a quarter as 2026Q1")
        return date(int(year) + int(quarter) // 4, int(quarter) * 3 % 12 + 1, 1) - timedelta(days=1)

    def wednesday(self, column: str) -> date:
        found = self.day(column)
        if found.isoweekday() != 3:
            raise self.error(column, "a Wednesday, which ends a week of H.4.1")
        return found

    def optional_time(self, column: str, default: time) -> time:
        try:
            return time.fromisoformat(self.cells[column]) if self.cells[column] else default
        except ValueError:
            raise self.error(column, "a New York time as HH:MM, or nothing") from None


def _event(line: _Line) -> dict[str, object]:
    event_date = line.day("event_date")
    value = line.optional_number("value")
    return {
        "event_date": event_date,
        "kind": line.text("kind"),
        "subject": line.text("subject"),
        "value": value,
        "unit": line.text("unit") if value is not None else line.cells["unit"] or None,
        "effective_date": line.optional_day("effective_date"),
        "end_date": line.optional_day("end_date"),
        "detail": line.cells["detail"] or None,
        "source": line.text("source"),
        "evidence": line.choice("evidence", EVIDENCE),
        "known_at": _known_at(line, event_date),
    }


def _known_at(line: _Line, event_date: date) -> datetime:
    """Return when a fact was public: when it happened, or, of a scheduled day, when its year began.

    The Federal Reserve publishes the days of its meetings before the year in which they are held.
    """
    happened = utc(event_date, line.optional_time("event_time", _END_OF_DAY))
    if line.cells["kind"] not in _SCHEDULED or line.cells["value"]:
        return happened
    return utc(date(event_date.year, 1, 1), time())


def _header(path: Path) -> tuple[str, ...]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return tuple(next(csv.reader(file), ()))


def _lines(path: Path, header: tuple[str, ...]) -> Iterator[_Line]:
    """Yield the lines that are not blank, cells stripped; the header may be in any order."""
    if not path.exists():
        raise SettingsError(f"{path} does not exist; expected a file with {','.join(header)}.")
    found = _header(path)
    if sorted(found) != sorted(header):
        raise SettingsError(
            f"{path}, line 1: expected the columns {','.join(header)}; got {','.join(found)}."
        )
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        next(reader)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(found):
                raise SettingsError(
                    f"{path}, line {reader.line_num}: expected {len(found)} cells, got "
                    f"{len(cells)}; put double quotes around a text that has a comma."
                )
            stripped = [cell.strip() for cell in cells]
            yield _Line(path, reader.line_num, dict(zip(found, stripped, strict=True)))
