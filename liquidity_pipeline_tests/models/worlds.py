"""Small simulated worlds: weekly and daily drivers and returns with a known truth, in DuckDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time

import duckdb
import numpy as np
import pyarrow as pa

from liquidity_pipeline import calendars
from liquidity_pipeline.contracts.meta import CLOCK, UNIVERSE
from liquidity_pipeline.models import reference
from liquidity_pipeline_tests.models import known

CLASSES = {
    "BTC": "crypto",
    "RUT": "small_cap",
    "SPX": "large_cap",
    "TLT": "long_treasury",
}
Series = Mapping[str, np.ndarray]
NOW = datetime.combine(date(2025, 1, 5), time())


def wednesdays(count: int, last: date = date(2024, 12, 25)) -> list[date]:
    """Give consecutive Wednesdays up to the last one."""
    return [date.fromordinal(last.toordinal() - 7 * i) for i in range(count)][::-1]


def sessions(count: int, last: date = date(2024, 12, 31)) -> list[date]:
    """Give consecutive New York sessions up to the last one."""
    return calendars.days("nyse", date(2005, 10, 3), last)[-count:]


def world(
    *,
    weekly: tuple[Sequence[date], Series, Series] | None = None,
    daily: tuple[Sequence[date], Series, Series] | None = None,
    now: datetime = NOW,
) -> duckdb.DuckDBPyConnection:
    """Give a session with `marts.driver_changes`, `marts.sampled_returns` and meta tables.

    `weekly` and `daily` are (dates, drivers by name, returns in % by asset); NaN is left out.
    """
    connection = duckdb.connect()
    connection.execute("create schema marts; create schema meta")
    _table(connection, "meta.calendar_days", reference.calendar_days(now.date()))
    clock = {"now": [now], "today": [now.date()]}
    _table(connection, "meta.clock", pa.table(clock, schema=CLOCK.arrow_schema))
    universe = [
        {
            "asset": a,
            "name": a,
            "asset_class": c,
            "is_crypto": c == "crypto",
            "providers": "x",
            "since": date(1990, 1, 2),
        }
        for a, c in CLASSES.items()
    ]
    _table(
        connection, "meta.universe", pa.Table.from_pylist(universe, schema=UNIVERSE.arrow_schema)
    )
    _table(connection, "meta.coverage", known.everything(now, CLASSES))
    given = [("weekly", weekly), ("daily", daily)]
    drivers = [_long(f, part[0], part[1]) for f, part in given if part]
    returns = [_long(f, part[0], part[2]) for f, part in given if part]
    _table(connection, "long_drivers", pa.concat_tables(drivers))
    _table(connection, "long_returns", pa.concat_tables(returns))
    connection.execute(
        "create table marts.driver_changes as select frequency, long_drivers.date,"
        " long_drivers.name as driver, value, 'USD bn' as unit, known_by as known_at"
        " from long_drivers"
        " join meta.calendar_days as days on days.date = long_drivers.date"
    )
    connection.execute(
        "create table marts.sampled_returns as select frequency, long_returns.date,"
        " long_returns.name as asset, asset_class, value as return_pct, known_by as known_at"
        " from long_returns"
        " join meta.universe on asset = long_returns.name"
        " join meta.calendar_days as days on days.date = long_returns.date"
    )
    return connection


def _long(frequency: str, dates: Sequence[date], series: Series) -> pa.Table:
    parts = []
    for name, values in series.items():
        known = ~np.isnan(values)
        days = np.array(dates, dtype="datetime64[D]")[known]
        columns = [[frequency] * len(days), days, [name] * len(days), values[known]]
        parts.append(pa.table(columns, names=["frequency", "date", "name", "value"]))
    return pa.concat_tables(parts)


def _table(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    connection.register("rows_to_store", rows)
    connection.execute(f"create table {name} as from rows_to_store")
    connection.unregister("rows_to_store")
