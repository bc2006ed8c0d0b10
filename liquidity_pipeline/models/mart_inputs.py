"""What each mart is made of, by content: which marts have to be built again after a change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.contracts.reach import PRICE_TABLES, PRICES, REFINEMENTS
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.models import engine
from liquidity_pipeline.models.build_stamp import NextChanges, Stamp, fingerprint
from liquidity_pipeline.models.reconciliations.reconciliation import (
    RECONCILIATIONS,
    Reconciliation,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from liquidity_pipeline.models.lake_contents import LakeContents
    from liquidity_pipeline.storage.lake import Lake

_PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class MartInputs:
    """The state of everything that marts are made of; `marts` gives the versions of other marts."""

    common: str
    tables: Mapping[str, str]
    coverage: tuple[Mapping[str, Any], ...]
    marts: Lake

    @classmethod
    def read(
        cls, contents: LakeContents, reference_dir: Path, coverage: pa.Table, marts: Lake
    ) -> MartInputs:
        """Read the contents of files; raise OSError where one has gone."""
        # Why an input ends is for people; marts depend on where it does.
        reach = coverage.drop_columns(["reason"]).to_pylist()
        return cls(_common(reference_dir), contents.of(SOURCE_TABLES), tuple(reach), marts)

    def of(self, name: str, versions: Mapping[str, str | None]) -> str:
        """Return a fingerprint of a mart's inputs; `versions` are those of the marts it reads."""
        parts: list[object] = [self.common]
        if engine.is_in_sql(name):
            parts.append(engine.sql(name))
        parts += [(table, self.tables[table]) for table in source_tables(name)]
        parts += [(mart, versions[mart]) for mart in marts_read(name)]
        reach = covering(name)
        parts += [row for row in self.coverage if reach is None or row["table_name"] in reach]
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def of_check(self, check: Reconciliation) -> str:
        """Return a fingerprint of all that a reconciliation compares."""
        parts: list[object] = [self.common, check, check.sql]
        parts += [(table, self.tables[table]) for table in named(check.reads, "sources.")]
        parts += [(mart, self.versions[mart]) for mart in named(check.reads, "marts.")]
        parts += self.coverage if "meta.coverage" in check.reads else ()
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    @cached_property
    def versions(self) -> dict[str, str | None]:
        """The versions of all stored marts; None where there is none."""
        return {name: self.marts.version(table) for name, table in MART_TABLES.items()}

    def stamps(self, names: Iterable[str], now: datetime, changes: NextChanges) -> dict[str, Stamp]:
        """Return what marts that were just built are made of; `self` was read before."""
        versions = self.versions
        return {
            name: Stamp(self.of(name, versions), now, changes.of(source_tables(name)))
            for name in names
        }

    def stale(self, stamps: Mapping[str, Stamp], now: datetime) -> list[str]:
        """Return, in the order of building, the marts that a build now could change.

        So could one that reads another such mart. Added are marts of which a reconciliation reads
        one, because what it compares may have changed.
        """
        found: set[str] = set()
        for name in engine.build_order():
            stamp = stamps.get(name)
            if (
                stamp is None
                or self.versions[name] is None
                or found & set(marts_read(name))
                or not stamp.holds(self.of(name, self.versions), now)
            ):
                found.add(name)
        changed = {f"marts.{name}" for name in found}
        found |= {check.mart for check in RECONCILIATIONS if check.reads & changed}
        return [name for name in engine.build_order() if name in found]


def source_tables(name: str) -> list[str]:
    """Return the source tables that a mart or one of its reconciliations reads."""
    reads = engine.upstream(name).union(
        *(check.reads for check in RECONCILIATIONS if check.mart == name)
    )
    return named(reads, "sources.")


def tables_of(names: Iterable[str]) -> set[str]:
    """Return the source tables that any of these marts reads."""
    return {table for name in names for table in source_tables(name)}


def marts_read(name: str) -> list[str]:
    """Return the marts that a mart reads."""
    return named(engine.upstream(name), "marts.")


def named(tables: Iterable[str], schema: str) -> list[str]:
    """Return the names of the tables of one schema, without it."""
    return sorted(table.removeprefix(schema) for table in tables if table.startswith(schema))


def covering(name: str) -> set[str] | None:
    """Return the tables whose coverage decides how far a mart reaches; None where any may."""
    if "meta.coverage" in engine.upstream(name):
        return None
    tables = {each.table for each in MART_TABLES[name].rests_on} | set(source_tables(name))
    if PRICES in tables:
        tables |= set(PRICE_TABLES)
    for table, finer in REFINEMENTS.items():
        if table in tables and finer.needed_with:
            tables.add(finer.needed_with[0])
    return tables


def _common(reference_dir: Path) -> str:
    """Return a fingerprint of what every mart depends on: facts, contracts and shared code."""
    facts = fingerprint((reference_dir, reference_dir.glob("*.*")))
    return f"{facts} {_shared_code()}"


@cache
def _shared_code() -> str:
    """Return a fingerprint of the code that all marts share; the SQL of a mart is its own.

    A process goes on with the code that it has loaded, so it is read once.
    """
    own = {engine.sql_file(name) for name in MART_TABLES if engine.is_in_sql(name)}
    code = [_PACKAGE / name for name in ("calendars.py", "holidays.csv", "universe.py")]
    for room in ("contracts", "engines", "models", "statistics"):
        code += [p for p in (_PACKAGE / room).rglob("*") if p.suffix in (".py", ".sql")]
    return fingerprint((_PACKAGE, (path for path in code if path not in own)))
