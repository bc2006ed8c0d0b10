"""Take one input away and publish the same day again: what differs from the good day.

An outage is done to the lake and to the archive's records, the way reality does it: what was
fetched before it stays as it stood then, and every later fetch answers nothing. Everything else
is the good day's. Then each value of each mart is equal to the good one, or NULL, or absent.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.contracts.meta import SIGN_CONVENTIONS
from liquidity_pipeline.contracts.reach import PRICE_TABLES, PRICES, REFINEMENTS
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.ingestion.coverage import coverage
from liquidity_pipeline.models import engine, reference
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.sources.reference import read_sign_conventions
from liquidity_pipeline.sources.registry import SOURCES
from liquidity_pipeline.storage.archive import Archive
from liquidity_pipeline.storage.fetch_notes import Asked
from liquidity_pipeline.storage.fetch_record import FetchRecord
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline.universe import Universe

Marts = Mapping[str, pa.Table]
# What an auction or a buyback adds to its announcement.
_RESULTS = {
    "soma_usd_mn",
    "public_usd_mn",
    "price_per100",
    "offered_usd_mn",
    "accepted_usd_mn",
    "issues_accepted",
    "results_at",
}
Records = Mapping[str, Sequence[FetchRecord]]


@dataclass(frozen=True)
class Outage:
    """Parts of sources that end with a day, or were never there (`after` None).

    `gone` are (source, entity): an empty entity is the whole source, else a rate, series, symbol,
    kind, a part that is served apart (see `Table.parts`), or a table of the source. With `begins`,
    whole sources were only asked for from the first day of that month on; then what is said of the
    days before is compared, because ranks and seasons of later days rest on less history, and say
    so.
    """

    gone: tuple[tuple[str, str], ...]
    after: date | None
    begins: date | None = None

    def __str__(self) -> str:
        """Name it as a test does."""
        names = " and ".join(f"{source}/{entity}".rstrip("/") for source, entity in self.gone)
        if self.begins:
            return f"{names} began {self.begins}"
        return f"{names} {'never' if self.after is None else f'ended {self.after}'}"


@dataclass
class Compared:
    """How many values were compared with the good ones, and which differ.

    `marts` are the marts as they were built under the outage.
    """

    values: int = 0
    absent: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    marts: Marts = field(default_factory=dict)


class Publication:
    """One good day: its lake, its records and its marts, and what outages make of them."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self.folder = settings, folder
        self.now = settings.now.astimezone(UTC).replace(tzinfo=None)
        self.universe = Universe.load(settings.reference_dir)
        archive = Archive(settings.archive_dir)
        self.records: Records = {name: archive.of(name) for name in SOURCES}
        self.lake = self._compacted(Lake(settings.lake_dir), folder / "good")
        self.known = self._known(self.lake, self.records)
        self.good: Marts = {}
        self.good = self.build(self.lake, self.known)

    def build(self, lake: Lake, known: pa.Table, touched: frozenset[str] | None = None) -> Marts:
        """Build all marts, or those whose inputs differ from the good ones.

        `touched` are the source tables whose rows or coverage differ. A mart that reads none of
        them, rests on none of them and reads no mart that differs would come out as it did.
        """
        inputs = engine.Inputs(
            {name: lake.files(table) for name, table in SOURCE_TABLES.items()},
            {},
            {
                "calendar_days": reference.calendar_days(self.settings.today),
                "clock": reference.clock(self.now),
                "universe": reference.universe_table(self.universe),
                "sign_conventions": read_sign_conventions(self.settings.reference_dir).cast(
                    SIGN_CONVENTIONS.arrow_schema
                ),
                "coverage": known,
            },
        )
        built: dict[str, pa.Table] = {}
        with engine.session(inputs) as connection:
            different: set[str] = set()
            for name in engine.build_order():
                if touched is None or _is_reached(name, touched, different):
                    rows = built[name] = engine.build(name, connection)
                    if name not in self.good or not rows.equals(self.good[name]):
                        different.add(name)
                else:
                    rows = self.good[name]
                connection.register(f"{name}_built", rows)
                connection.execute(f"create view marts.{name} as from {name}_built")
        return built

    def known_under(self, outage: Outage) -> pa.Table:
        """Return the coverage under an outage."""
        lake, records, _ = self._cut(outage)
        return self._known(lake, records)

    def marts_under(self, outage: Outage) -> Marts:
        """Publish the day again under an outage."""
        lake, records, touched = self._cut(outage)
        known = self._known(lake, records)
        return self.build(lake, known, frozenset(touched | _changed(self.known, known)))

    def _cut(self, outage: Outage) -> tuple[Lake, Records, set[str]]:
        """Return the lake and the records under an outage, and the tables whose rows differ."""
        folder = self.folder / "cut"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder / "good", folder, copy_function=os.link)
        lake, records = Lake(folder), dict(self.records)
        touched: set[str] = set()
        for source, entity in outage.gone:
            if outage.begins:
                touched |= _begin(lake, source, outage.begins)
                records[source] = list(_asked_from(records[source], outage.begins))
                continue
            own = [each for each in SOURCES[source].tables if each.name == entity]
            for table in own or SOURCES[source].tables:
                if self._cut_rows(lake, table, "" if own else entity, outage.after):
                    touched.add(table.name)
            records[source] = self._cut_records(records[source], source, entity, outage.after)
        return lake, records, touched

    def under(self, outage: Outage) -> Compared:
        """Publish the day again under an outage, and compare all marts that it can reach."""
        marts = self.marts_under(outage)
        result = Compared(marts=marts)
        with duckdb.connect() as connection:
            for name, rows in marts.items():
                table, pair = MART_TABLES[name], (self.good[name], rows)
                if outage.begins:
                    if table.reach is None:
                        continue
                    pair = (
                        _before(pair[0], table.reach, outage.begins),
                        _before(pair[1], table.reach, outage.begins),
                    )
                compare(connection, table, *pair, result)
        return result

    def _known(self, lake: Lake, records: Records) -> pa.Table:
        asked = {name: Asked.of(fetches) for name, fetches in records.items()}
        return coverage(lake, asked, self.universe, self.now)

    def _compacted(self, lake: Lake, folder: Path) -> Lake:
        """Copy the lake with the same months, of which only the newest file holds rows.

        Coverage asks which months are there; reading them is what costs.
        """
        target = Lake(folder)
        for table in SOURCE_TABLES.values():
            months, rows = lake.months(table), lake.read(table)
            files: list[date | None] = [*months] or [None]
            for month in files:
                path = target.path(table, month)
                if not months and not lake.files(table):
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                is_last = month is None or month == months[-1]
                pq.write_table(rows if is_last else rows.slice(0, 0), path)
        return target

    def _cut_rows(self, lake: Lake, table: Table, entity: str, after: date | None) -> bool:
        """Take rows away; return whether any is gone or another."""
        is_touched = False
        for path in lake.files(table):
            rows = pq.read_table(path, schema=table.arrow_schema)
            affected = _of_entity(table, rows, entity)
            if after is None:
                kept = rows.filter(pc.invert(affected))
            else:
                end = _end_of(after)
                then = _as_it_stood(table, rows.filter(affected), end)
                kept = pa.concat_tables([rows.filter(pc.invert(affected)), then])
            if pc.any(affected).as_py():
                is_touched = True
                path.unlink()
                pq.write_table(kept, path)
        if after is None and not entity:
            shutil.rmtree(lake.root / table.name, ignore_errors=True)
        return is_touched

    def _cut_records(
        self, records: Sequence[FetchRecord], source: str, entity: str, after: date | None
    ) -> list[FetchRecord]:
        """Return the records as they are when the input answers 404 from a day on."""
        before = []
        if after is not None:
            end = _end_of(after)
            before = [
                replace(record, now=min(record.now, end), kept_at=min(record.kept_at, end))
                for record in records
            ]
        last = records[-1]
        if not entity:
            return [*before, replace(last, error="HTTP 404", answers=[], gaps=[])]
        tables = SOURCES[source].tables
        paths = {each.parts[entity] for each in tables if entity in each.parts}
        paths |= {path for each in tables if each.name == entity for path in each.parts.values()}
        answers = [
            {**answer, "status": 404}
            if any(str(answer["path"]).endswith(path) for path in paths)
            or f'"{entity}"' in json.dumps(answer["params"])
            else answer
            for answer in last.answers
        ]
        return [*before, replace(last, answers=answers, gaps=[*last.gaps, f"{entity}: HTTP 404"])]


def _begin(lake: Lake, source: str, first: date) -> set[str]:
    """Leave what a source has of a day and later; return the tables that lost rows."""
    touched = set()
    for table in SOURCES[source].tables:
        for path in lake.files(table):
            rows = pq.read_table(path, schema=table.arrow_schema)
            kept = _before(rows, str(table.day), first, invert=True)
            if kept.num_rows < rows.num_rows:
                touched.add(table.name)
                path.unlink()
                pq.write_table(kept, path)
        for month in lake.months(table):
            if month < first:
                lake.path(table, month).unlink()
    return touched


def _asked_from(records: Sequence[FetchRecord], first: date) -> Iterator[FetchRecord]:
    """Yield the records as if nothing earlier than a day had been asked for."""
    for record in records:
        window = record.window
        if window.end >= first:
            yield replace(record, window=Window.of_months(max(window.start, first), window.end))


def _before(rows: pa.Table, column: str, first: date, *, invert: bool = False) -> pa.Table:
    """Return the rows of the days before one, or the others."""
    earlier = pc.less(rows[column].cast(pa.date32()), pa.scalar(first, pa.date32()))
    return rows.filter(pc.invert(earlier) if invert else earlier)


def compare(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    good: pa.Table,
    cut: pa.Table,
    result: Compared,
) -> None:
    """Count what differs between a mart and the good one, by the contract's key."""
    names = [column.name for column in table.stored_columns]
    keys = list(table.key)
    if cut.equals(good):
        result.values += cut.num_rows * len(names)
        return
    result.absent += good.num_rows - cut.num_rows
    connection.register("good", good.append_column("is_good", pa.array([True] * good.num_rows)))
    connection.register("cut", cut)
    rows = connection.execute(
        f"select {', '.join(f'good.{n} as good_{n}, cut.{n} as cut_{n}' for n in names)}, is_good "
        "from cut left join good on "
        + " and ".join(f"good.{key} is not distinct from cut.{key}" for key in keys)
    ).to_arrow_table()
    pairs, extra = rows.filter(pc.is_valid(rows["is_good"])), rows["is_good"].null_count
    if extra:
        result.wrong[f"{table.name}: rows that the good day has not"] += extra * len(names)
        first = rows.filter(pc.is_null(rows["is_good"])).select([f"cut_{n}" for n in names])
        result.examples.append(f"{table.name} extra {first.slice(0, 1).to_pylist()}")
    result.values += pairs.num_rows * len(names) + extra * len(names)
    for name in names:
        wrong = _wrong(pairs[f"good_{name}"], pairs[f"cut_{name}"])
        if count := int(wrong.sum()):
            result.wrong[f"{table.name}.{name}"] += count
            at = int(np.argmax(wrong))
            key = [str(pairs[f"good_{k}"][at]) for k in keys]
            was, now = pairs[f"good_{name}"][at], pairs[f"cut_{name}"][at]
            result.examples.append(f"{table.name}.{name} {key}: {was}, then {now}")


def _wrong(good: pa.ChunkedArray, cut: pa.ChunkedArray) -> np.ndarray:
    """Mark values that are neither equal to the good ones (to 1e-9) nor NULL."""
    valid = pc.is_valid(cut).to_numpy(zero_copy_only=False)
    if pa.types.is_floating(good.type):
        x, y = (z.to_numpy(zero_copy_only=False) for z in (good, cut))
        return np.asarray(valid & ~np.isclose(x, y, rtol=1e-9, atol=1e-9))
    same = pc.fill_null(pc.equal(good, cut), False).to_numpy(zero_copy_only=False)
    return np.asarray(valid & ~same)


def _of_entity(table: Table, rows: pa.Table, entity: str) -> pa.Array:
    everything = pa.array(np.ones(rows.num_rows, dtype=bool))
    if not entity:
        return everything
    if entity in table.parts and table.entity is None:
        if entity == "buybacks":
            return pc.equal(rows["leg"], "buyback")
        if entity == "announcements":
            return pc.is_null(rows["known_at"])
        return pc.not_equal(rows["leg"], "buyback") if "leg" in rows.schema.names else everything
    return pc.equal(rows[table.entity], entity) if table.entity else pc.invert(everything)


def _as_it_stood(table: Table, rows: pa.Table, end: datetime) -> pa.Table:
    """Return the rows that a fetch at that moment gave: those public, without later results."""
    moment = pa.scalar(end, pa.timestamp("us"))
    names = rows.schema.names
    public = rows["known_at"]
    if "announced_at" in names:
        public = pc.coalesce(rows["announced_at"], rows["known_at"])
    rows = rows.filter(pc.less_equal(public, moment))
    if "results_at" not in names:
        return rows
    later = pc.fill_null(pc.greater(rows["results_at"], moment), False)
    for name in _RESULTS & set(names):
        place = rows.schema.get_field_index(name)
        column = pc.if_else(later, pa.scalar(None, rows.schema.field(name).type), rows[name])
        rows = rows.set_column(place, rows.schema.field(name), column)
    if "offering_usd_mn" in names:
        place = rows.schema.get_field_index("par_usd_mn")
        par = pc.if_else(later, rows["offering_usd_mn"], rows["par_usd_mn"])
        rows = rows.set_column(place, rows.schema.field("par_usd_mn"), par)
    return rows.cast(table.arrow_schema)


def _end_of(day: date) -> datetime:
    """Return 22:00 in New York, or an hour earlier in summer: a day's last fetch."""
    return datetime.combine(day + timedelta(days=1), datetime.min.time()) + timedelta(hours=3)


def _changed(good: pa.Table, cut: pa.Table) -> set[str]:
    """Return the tables of which something else is known than on the good day."""
    spans = ("table_name", "entity", "known_from", "known_through", "expected_through")
    before, after = ({tuple(row[n] for n in spans) for row in t.to_pylist()} for t in (good, cut))
    return {str(row[0]) for row in before ^ after}


def _is_reached(name: str, touched: frozenset[str], different: set[str]) -> bool:
    """Tell whether a mart reads or rests on what differs from the good day."""
    rests = {each.table for each in MART_TABLES[name].rests_on}
    if PRICES in rests:
        rests |= set(PRICE_TABLES)
    for table, finer in REFINEMENTS.items():
        if table in rests and finer.needed_with:
            rests.add(finer.needed_with[0])
    read = engine.upstream(name)
    if "meta.coverage" in read and touched:
        return True
    return bool(
        rests & touched
        or read & {f"sources.{table}" for table in touched}
        or read & {f"marts.{mart}" for mart in different}
    )


@contextmanager
def publication(settings: Settings, folder: Path) -> Iterator[Publication]:
    """Give the good publication of a data directory, worked on in a folder of its own."""
    yield Publication(settings, folder)


def entities(settings: Settings) -> dict[str, list[str]]:
    """Return per source the parts that can go missing by themselves."""
    universe = Universe.load(settings.reference_dir)
    found: dict[str, list[str]] = {}
    for source in SOURCES.values():
        table = source.tables[0]
        parts = (*table.releases, *table.parts, *table.on_occasion)
        names: list[Any] = [name for name in parts if name]
        names += [each.name for each in source.tables[1:] if each.parts]
        symbols = {"index_prices": universe.index, "crypto_prices": universe.crypto}
        names += [asset.symbol for asset in symbols.get(table.name, ())]
        found[source.name] = list(dict.fromkeys(names))
    return found
