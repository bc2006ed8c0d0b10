"""A world of a few hand-written source rows, and the marts that follow from them.

Rows are stored through the lake, so they must keep the contracts that real rows keep.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from liquidity_pipeline import calendars
from liquidity_pipeline.calendars import utc
from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.contracts.meta import SIGN_CONVENTIONS
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.models import engine, reference
from liquidity_pipeline.models.reconciliations.reconciliation import (
    RECONCILIATIONS,
    ReconciliationResult,
    evaluate,
)
from liquidity_pipeline.settings import default_reference_dir
from liquidity_pipeline.sources.reference import read_published_totals, read_sign_conventions
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline.universe import Universe
from liquidity_pipeline_tests.models import known

Row = dict[str, Any]

TODAY = date(2026, 2, 27)
UNIVERSE = Universe.from_dict(
    {
        "index": [
            {
                "symbol": symbol,
                "name": symbol,
                "asset_class": asset_class,
                "since": "1990-01-02",
                "providers": [f"yahoo:{symbol}"],
            }
            for symbol, asset_class in (
                ("SPX", "large_cap"),
                ("IXIC", "growth"),
                ("RUT", "small_cap"),
                ("HYG", "high_yield"),
            )
        ],
        "crypto": [
            {
                "symbol": "BTC",
                "name": "Bitcoin",
                "asset_class": "crypto",
                "since": "2015-07-20",
                "providers": ["coinbase:BTC-USD"],
            }
        ],
    }
)


SYMBOLS = [asset.symbol for asset in (*UNIVERSE.index, *UNIVERSE.crypto)]


def end_of(day: date) -> datetime:
    """The last second of the New York day, in naive UTC: where a run as of the day stands."""
    return utc(day + timedelta(days=1), time()) - timedelta(seconds=1)


class World:
    """Source rows in a folder, seen from the end of `today`."""

    def __init__(self, folder: Path, today: date = TODAY) -> None:
        self.today = today
        self.folder = folder
        self.lake = Lake(folder / "lake")
        self.marts = Lake(folder / f"marts-{today}")
        self._rows: dict[str, list[Row]] = {}
        self._unstored: set[str] = set()
        self._built: dict[str, list[Row]] = {}
        self._through: dict[tuple[str, str], date | None] = {}

    def at(self, today: date) -> World:
        """The same rows, seen from the end of another day."""
        other = World(self.folder, today)
        other._rows, other._unstored = self._rows, self._unstored
        other._through = self._through
        return other

    def known(self, table: str, entity: str = "", *, through: date | None) -> World:
        """Say that an input is known through a day only, or not at all; all others are."""
        self._through[table, entity] = through
        self._built.clear()
        return self

    def add(self, table: str, *rows: Mapping[str, Any]) -> World:
        """Add rows; columns that are not given are NULL, `known_at` follows the contract."""
        self._rows.setdefault(table, []).extend(_complete(table, row) for row in rows)
        self._unstored.add(table)
        self._built.clear()
        return self

    def rows(self, table: str) -> list[Row]:
        """The rows of a source table as they were added."""
        return list(self._rows[table])

    def put(self, mart: str, rows: list[Row]) -> World:
        """Write a mart's rows by hand, for the marts that read it; what is not given is NULL."""
        schema = MART_TABLES[mart].arrow_schema
        relaxed = pa.schema([field.with_nullable(True) for field in schema])
        content = pa.Table.from_pylist(rows, schema=relaxed)
        path = self.marts.path(MART_TABLES[mart])
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(content, path)
        return self

    @contextmanager
    def session(self, wanted: frozenset[str] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """DuckDB on the wanted tables (all by default): public rows, and the marts built so far."""
        self._store()
        inputs = engine.Inputs(
            {
                name: self.lake.files(table)
                for name, table in SOURCE_TABLES.items()
                if wanted is None or table.qualified_name in wanted
            },
            {
                name: self.marts.path(table)
                for name, table in MART_TABLES.items()
                if self.marts.path(table).exists()
            },
            {
                "calendar_days": reference.calendar_days(self.today),
                "clock": reference.clock(end_of(self.today)),
                "universe": reference.universe_table(UNIVERSE),
                "coverage": known.everything(end_of(self.today), SYMBOLS, self._through),
                "sign_conventions": read_sign_conventions(default_reference_dir()).cast(
                    SIGN_CONVENTIONS.arrow_schema
                ),
                "published_totals": read_published_totals(default_reference_dir()),
            },
        )
        with engine.session(inputs) as connection:
            yield connection

    def query(self, sql: str) -> list[Row]:
        """Rows of a query in a session."""
        with self.session() as connection:
            return connection.sql(sql).to_arrow_table().to_pylist()

    def mart(self, name: str, **where: Any) -> list[Row]:
        """Build a mart after those that it reads; give its rows in which the columns match."""
        needed = _with_upstream(name) - set(self._built)
        if needed:
            self._build([each for each in engine.build_order() if each in needed])
        return [
            row
            for row in self._built[name]
            if all(row[key] == value for key, value in where.items())
        ]

    def _build(self, names: list[str]) -> None:
        """Build marts in order in one session: most cost less than opening one."""
        with self.session(frozenset().union(*map(engine.upstream, names))) as connection:
            for name in names:
                self._built[name] = engine.build(name, connection).to_pylist()
                self.put(name, self._built[name])
                engine.attach_mart(connection, name, self.marts.path(MART_TABLES[name]))

    def build(self, name: str) -> list[Row]:
        """Build a mart from the marts as they stand."""
        with self.session(engine.upstream(name)) as connection:
            return engine.build(name, connection).to_pylist()

    def one(self, name: str, **where: Any) -> Row:
        """The single row of a mart in which the columns match."""
        (row,) = self.mart(name, **where)
        return row

    def reconcile(self, name: str) -> ReconciliationResult:
        """Evaluate a reconciliation, after the marts that it reads."""
        (reconciliation,) = (each for each in RECONCILIATIONS if each.name == name)
        for table in reconciliation.reads:
            if table.startswith("marts."):
                self.mart(table.removeprefix("marts."))
        with self.session(reconciliation.reads) as connection:
            return evaluate(reconciliation, connection)

    def _store(self) -> None:
        while self._unstored:
            contract = SOURCE_TABLES[self._unstored.pop()]
            rows = pa.Table.from_pylist(self._rows[contract.name], schema=contract.arrow_schema)
            self.lake.store_snapshot(contract, rows, end_of(self.today))


def _with_upstream(name: str) -> set[str]:
    found = {name}
    for table in engine.upstream(name):
        if table.startswith("marts."):
            found |= _with_upstream(table.removeprefix("marts."))
    return found


def _complete(table: str, row: Mapping[str, Any]) -> Row:
    contract = SOURCE_TABLES[table]
    complete = {column.name: row.get(column.name) for column in contract.stored_columns}
    if unknown := set(row) - set(complete):
        raise ValueError(f"{table} has no {unknown}")
    if complete["known_at"] is None:
        entity = row[contract.entity] if contract.entity else ""
        release = contract.releases.get(entity) or contract.releases[""]
        (complete["known_at"],) = release.known_at([row[contract.day]])
    return complete


# --- rows ------------------------------------------------------------------------------------


def tga(day: date, closing: float, **others: Any) -> Row:
    """A statement of the Treasury's account."""
    return {"record_date": day, "closing_usd_mn": closing, **others}


def level(day: date, series: str, value: float) -> Row:
    """A line of H.4.1."""
    return {"observation_date": day, "series": series, "value_usd_mn": value}


def leg(
    leg: str, day: date, par: float, *, kind: str = "bill", cusip: str = "912797AA1", **others: Any
) -> Row:
    """A settlement leg, auctioned five days before at 13:00 and announced the day before that."""
    auctioned = others.pop("auction_date", day - timedelta(days=5))
    results = others.pop("results_at", utc(auctioned, time(13, 5)))
    announced = others.pop("announced_at", utc(auctioned - timedelta(days=1), time(11)))
    return {
        "settlement_date": day,
        "leg": leg,
        "record_id": f"{leg}/{cusip}/{auctioned}",
        "cusip": cusip,
        "security_class": kind,
        "auction_date": auctioned,
        "par_usd_mn": par,
        "announced_at": announced,
        "results_at": results,
        "known_at": results or announced,
        **others,
    }


def purchase(settled: date, accepted: float, **others: Any) -> Row:
    """An outright operation of the Desk, one day before it settles."""
    operated = settled - timedelta(days=1)
    return {
        "operation_id": f"TSY {settled} {accepted}",
        "operation_date": operated,
        "settlement_date": settled,
        "operation_type": "Outright Bill Purchase",
        "security_class": "bill",
        "direction": "purchase",
        "accepted_usd_mn": accepted,
        "is_small_value": False,
        "known_at": utc(operated, time(11)),
        **others,
    }


def repo(day: date, kind: str, accepted: float, **others: Any) -> Row:
    """A repo or reverse repo operation."""
    (known,) = calendars.ON_RRP.known_at([day])
    return {
        "operation_id": f"{kind} {day} {accepted}",
        "operation_date": day,
        "kind": kind,
        "accepted_usd_mn": accepted,
        "is_small_value": False,
        "known_at": known,
        **others,
    }


def rate(day: date, name: str, pct: float, **others: Any) -> Row:
    """A reference rate."""
    return {"effective_date": day, "rate": name, "rate_pct": pct, **others}


def series(day: date, name: str, value: float, unit: str = "percent") -> Row:
    """A market series; IOER has no release of its own and is announced like IORB."""
    known = utc(day - timedelta(days=1), time(16, 30)) if name in ("IORB", "IOER") else None
    return {
        "observation_date": day,
        "series": name,
        "value": value,
        "unit": unit,
        "known_at": known,
    }


def price(day: date, symbol: str, close: float, **others: Any) -> Row:
    """A daily bar of an index or a fund."""
    return {"trade_date": day, "symbol": symbol, "close": close, "source": "yahoo", **others}


def coin(day: date, close: float, symbol: str = "BTC") -> Row:
    """A closed UTC day of a coin."""
    return {"trade_date": day, "symbol": symbol, "close": close, "venue": "coinbase"}
