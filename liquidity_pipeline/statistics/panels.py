"""Marts as aligned arrays: time down, assets or drivers across, NaN where nothing is known.

Also here are the dates at which estimates are frozen. Estimation itself is in `inference` and in
the module of each mart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa

from liquidity_pipeline.statistics.inference import Floats, Integers

if TYPE_CHECKING:
    import duckdb


Frequency = Literal["daily", "weekly"]


@dataclass(frozen=True)
class Panel:
    """Values (rows: `dates` ascending, columns: `names`)."""

    dates: Sequence[date]
    names: tuple[str, ...]
    values: Floats

    def on(self, dates: Sequence[date]) -> Panel:
        """Return the panel on other dates, NaN where it has none of them."""
        at = {day: i for i, day in enumerate(self.dates)}
        values = np.full((len(dates), len(self.names)), np.nan)
        rows = [(i, at[day]) for i, day in enumerate(dates) if day in at]
        if rows:
            to, from_ = zip(*rows, strict=True)
            values[list(to)] = self.values[list(from_)]
        return Panel(dates, self.names, values)

    def column(self, name: str) -> Floats:
        """Return one column; raise ValueError if there is none of that name."""
        return self.values[:, self.names.index(name)]


@dataclass(frozen=True)
class AsOf:
    """A date at which estimates are frozen: the last Wednesday of a month."""

    date: date
    known_at: datetime


def returns(connection: duckdb.DuckDBPyConnection, frequency: Frequency) -> Panel:
    """Return the sampled returns in percent, one column per asset."""
    return _panel(
        connection,
        "select date, asset, return_pct from marts.sampled_returns where frequency = ?",
        frequency,
    )


def drivers(connection: duckdb.DuckDBPyConnection, frequency: Frequency) -> Panel:
    """Return the changes of liquidity, one column per driver, in USD bn or basis points."""
    return _panel(
        connection,
        "select date, driver, value from marts.driver_changes where frequency = ?",
        frequency,
    )


def asset_classes(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the class of each asset of the universe."""
    rows = connection.execute("select asset, asset_class from meta.universe order by 1").fetchall()
    return dict(rows)


def class_means(panel: Panel, classes: dict[str, str]) -> Panel:
    """Return the equally weighted mean of the class's assets that have a value."""
    names = tuple(sorted({classes[name] for name in panel.names}))
    columns = []
    for name in names:
        members = panel.values[:, [classes[asset] == name for asset in panel.names]]
        known = ~np.isnan(members)
        count = known.sum(axis=1)
        total = np.where(known, members, 0.0).sum(axis=1)
        columns.append(np.where(count > 0, total / np.maximum(count, 1), np.nan))
    values = np.column_stack(columns) if columns else np.empty((len(panel.dates), 0))
    return Panel(panel.dates, names, values)


def week_numbers(dates: Sequence[date]) -> Integers:
    """Return for each date the number of its H.4.1 week; Thursday 1970-01-01 opens week 0."""
    return np.array(dates, dtype="datetime64[D]").astype(np.int64) // 7


def sessions(connection: duckdb.DuckDBPyConnection) -> list[date]:
    """Return the New York sessions whose daily records are all public at the clock."""
    rows = connection.execute(
        "select days.date from meta.calendar_days as days, meta.clock as clock "
        "where days.is_nyse and days.known_by <= clock.now order by 1"
    ).fetchall()
    return [day for (day,) in rows]


def known_by(connection: duckdb.DuckDBPyConnection) -> dict[date, datetime]:
    """Return for each calendar day when all its records are public."""
    return dict(connection.execute("select date, known_by from meta.calendar_days").fetchall())


def every_week(first: date, last: date) -> list[date]:
    """Return the Wednesdays from first to last, both of them Wednesdays."""
    days = np.arange(np.datetime64(first), np.datetime64(last) + 1, 7)
    return list(days.astype(object))


def as_of_dates(
    connection: duckdb.DuckDBPyConnection, every: Literal["monthly", "quarterly"] = "monthly"
) -> list[AsOf]:
    """Return the dates at which estimates are frozen, public at the clock, oldest first.

    They depend on the calendar alone, so that a run at any moment freezes the same ones.
    """
    rows = connection.execute(
        """
        select days.date, days.known_by
        from meta.calendar_days as days, meta.clock as clock
        where days.known_by <= clock.now
            and days.date = days.week_ending
            and month(days.date) <> month(days.date + interval 7 day)
        order by days.date"""
    ).fetchall()
    dates = [AsOf(day, known) for day, known in rows]
    return [a for a in dates if every == "monthly" or is_quarterly(a.date)]


def is_quarterly(day: date) -> bool:
    """Tell whether estimates on the whole past are frozen here: December; from 2024 each quarter.

    They cost the most and move the least: the far past once a year is enough.
    """
    return day.month == 12 or (day.year >= 2024 and day.month % 3 == 0)


def _panel(connection: duckdb.DuckDBPyConnection, query: str, frequency: Frequency) -> Panel:
    rows = connection.execute(f"{query} order by 1, 2", [frequency]).to_arrow_table()
    days = rows.column(0).to_numpy().astype("datetime64[D]")
    names = rows.column(1).to_numpy(zero_copy_only=False).astype(str)
    dates, row = np.unique(days, return_inverse=True)
    labels, column = np.unique(names, return_inverse=True)
    values = np.full((len(dates), len(labels)), np.nan)
    values[row, column] = rows.column(2).to_numpy()
    return Panel(list(dates.astype(object)), tuple(labels.tolist()), values)


def from_columns(
    columns: Mapping[str, Sequence[object] | np.ndarray], schema: pa.Schema
) -> pa.Table:
    """Return columns as a table of the schema; NaN, which is never published, becomes NULL."""
    arrays = [pa.array(columns[field.name], field.type, from_pandas=True) for field in schema]
    return pa.table(arrays, schema=schema)


def table(rows: Sequence[Mapping[str, object]], schema: pa.Schema) -> pa.Table:
    """Return rows as a table of the schema; NaN becomes NULL."""
    return from_columns({name: [row[name] for row in rows] for name in schema.names}, schema)
