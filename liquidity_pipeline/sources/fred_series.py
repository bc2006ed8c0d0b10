"""One series of FRED as served: ask for its CSV and read it.

One series per request, because FRED answers series of mixed frequency with a ZIP archive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from liquidity_pipeline.sources import csv_rows
from liquidity_pipeline.sources.answers import Answer
from liquidity_pipeline.sources.boundary import Name, declared, nobody, report
from liquidity_pipeline.sources.csv_rows import Layout
from liquidity_pipeline.sources.errors import (
    UnexpectedPayloadError,
)
from liquidity_pipeline.sources.fetch import Fetch

if TYPE_CHECKING:
    import pyarrow as pa

PUBLISHER = "fred"

PATH = "/graph/fredgraph.csv"


@dataclass(frozen=True)
class Series:
    """One series as served: `rows` has observation_date (day) and value (as published)."""

    name: str
    url: str
    rows: pa.Table

    @property
    def days(self) -> list[date]:
        """Observation days, ascending."""
        return list(self.rows["observation_date"].to_pylist())

    @property
    def values(self) -> list[float]:
        """Published values, in the order of the days."""
        return list(self.rows["value"].to_pylist())

    def within(self, low: float, high: float, name: Name = nobody) -> Series:
        """Return the series without values beyond the bounds, which are named.

        Raises UnexpectedPayloadError where they are more than half: the unit has changed.
        """
        return self.without(
            [
                (day, f"{value:g} on {day}; expected {low:g} to {high:g}. Its unit has changed.")
                for day, value in zip(self.days, self.values, strict=True)
                if not low <= value <= high
            ],
            name,
        )

    def without(self, problems: Sequence[tuple[date, str]], name: Name) -> Series:
        """Return the series without the days that have a problem, each of which is named."""
        import pyarrow as pa
        import pyarrow.compute as pc

        report([self.unexpected(problem) for _, problem in problems], self.rows.num_rows, name)
        bad = pa.array([day for day, _ in problems], pa.date32())
        kept = pc.invert(pc.is_in(self.rows["observation_date"], value_set=bad))
        return Series(self.name, self.url, self.rows.filter(kept))

    def unexpected(self, problem: str) -> UnexpectedPayloadError:
        """Return the error that names this series and its URL."""
        return UnexpectedPayloadError(f"{self.name}: {problem}", publisher=PUBLISHER, url=self.url)

    def unclear(self, problem: str) -> UnclearUnitError:
        """Return the error of a series that has nothing to be measured by."""
        return UnclearUnitError(f"{self.name}: {problem}", publisher=PUBLISHER, url=self.url)


class UnclearUnitError(UnexpectedPayloadError):
    """The yardstick is missing, and a series' own size does not tell its unit."""


def collect_series(fetch: Fetch, series_id: str, start: date, end: date) -> Series:
    """Return the observations of one series from start to end; missing values are left out."""
    # Without cosd some series are served for the default window of their graph only.
    params = {"id": series_id, "cosd": start.isoformat(), "coed": end.isoformat()}
    answer = fetch.get(PUBLISHER, PATH, params, form="csv")
    series = parse_series(answer, series_id, fetch.left_out(f"fred's {series_id}"))
    import pyarrow.compute as pc

    observed = series.rows["observation_date"]
    inside = pc.and_(pc.greater_equal(observed, start), pc.less_equal(observed, end))
    return Series(series_id, series.url, series.rows.filter(inside))


@declared("lines of a day and a number", publisher=PUBLISHER)
def parse_series(answer: Answer, series_id: str, name: Name = nobody) -> Series:
    """Read `<date column>,<id>` lines; an empty cell, today, or a dot, formerly, is no value.

    A few lines that cannot be read, and days that come twice with two values, are left out and
    named; raises UnexpectedPayloadError where they are more than half.
    """
    header, _, body = answer.text().partition("\n")
    columns = header.strip().split(",")
    expected = f"{series_id}: a line for each ISO day and a number"
    layout = Layout(("observation_date", "value"), "%Y-%m-%d", expected, PUBLISHER, ("", "."))
    if len(columns) != 2 or columns[1] != series_id:
        empty = Series(series_id, answer.url, csv_rows.read(b"", layout, answer.url, name))
        raise empty.unexpected(
            f"the header is '{header.strip()[:80]}'; expected a date column and '{series_id}'."
        )
    rows = csv_rows.read(body.encode(), layout, answer.url, name)
    return Series(series_id, answer.url, rows.drop_null())
