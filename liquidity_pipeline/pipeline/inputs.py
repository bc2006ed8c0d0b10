"""What marts are built from: files of the lake, earlier marts, and facts of no publisher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.contracts.meta import SIGN_CONVENTIONS
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.models import engine, reference
from liquidity_pipeline.models.building import BuiltMart
from liquidity_pipeline.settings import SANDBOX, Settings
from liquidity_pipeline.sources.reference import read_published_totals, read_sign_conventions
from liquidity_pipeline.sources.registry import SOURCES
from liquidity_pipeline.storage.archive import Archive
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline.storage.revisions import undo
from liquidity_pipeline.universe import Universe


def facts(settings: Settings, universe: Universe, now: datetime) -> dict[str, pa.Table]:
    """Return calendar days, the clock, symbols, signs, and Treasury's published totals.

    The totals are those of the real world, and so are empty in the sandbox.
    """
    signs = read_sign_conventions(settings.reference_dir)
    totals = read_published_totals(settings.reference_dir)
    is_real = settings.endpoints != SANDBOX
    return {
        "calendar_days": reference.calendar_days(settings.today),
        "clock": reference.clock(now),
        "universe": reference.universe_table(universe),
        "sign_conventions": signs.cast(SIGN_CONVENTIONS.arrow_schema),
        "published_totals": totals if is_real else totals.slice(0, 0),
    }


def gather(
    lake: Lake,
    marts: Lake,
    tables: Mapping[str, pa.Table],
    wanted: frozenset[str] | None = None,
    *,
    archive: Archive | None = None,
) -> engine.Inputs:
    """Return the inputs of a session: the files of the wanted tables, all by default.

    `tables` are given in memory and are always part of the session. A mart that was never built
    has no file and is left out. In a session as of a past day (with `archive`) a source table that
    was corrected later is given as it stood.
    """
    sources = {
        name: table
        for name, table in SOURCE_TABLES.items()
        if wanted is None or table.qualified_name in wanted
    }
    now: datetime = tables["clock"]["now"][0].as_py()
    return engine.Inputs(
        source_files={name: lake.gathered(table) for name, table in sources.items()},
        source_rows=_as_they_stood(lake, archive, sources, now) if archive else {},
        mart_files={
            name: path
            for name, table in MART_TABLES.items()
            if (path := marts.path(table)).exists()
            and (wanted is None or table.qualified_name in wanted)
        },
        reference=tables,
    )


def _as_they_stood(
    lake: Lake, archive: Archive, sources: Mapping[str, Table], now: datetime
) -> dict[str, pa.Table]:
    """Return the rows of the tables that were corrected later than `now`, without that."""
    later = lake.revisions(after=now)
    found = {}
    for name in sources.keys() & set(later["table_name"].to_pylist()):
        of_table = later.filter(pc.equal(later["table_name"], name))
        months = _fetched(archive, sources[name], now)
        found[name] = undo(sources[name], lake.read(sources[name]), of_table, months)
    return found


def _fetched(archive: Archive, table: Table, now: datetime) -> frozenset[date] | None:
    """Return the months of a table that had been fetched by a moment; None without any record."""
    sources = [source.name for source in SOURCES.values() if table in source.tables]
    records = [record for source in sources for record in archive.good(source)]
    if not records:
        return None
    return frozenset(m for each in records if each.stands_for <= now for m in each.window.months)


def with_unreadable_files(built: BuiltMart, lake: Lake) -> BuiltMart:
    """Add to a failure the files of the mart's inputs that cannot be read, if there are any."""
    if built.error is None:
        return built
    damaged = unreadable(lake, engine.upstream(built.name))
    return replace(built, failure="; ".join([built.failure, *damaged]))


def unreadable(lake: Lake, wanted: frozenset[str] | None = None) -> list[str]:
    """Return one line for each file of the wanted sources, all by default, that is damaged."""
    return [
        line
        for table in SOURCE_TABLES.values()
        if wanted is None or table.qualified_name in wanted
        for line in lake.unreadable(table)
    ]
