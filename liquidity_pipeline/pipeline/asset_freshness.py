"""Whether each source, each mart and the publication is fresh, from the newest observations.

A source is judged by what the lake holds. Marts, file and brief are judged by what the published
file holds, so that data which were fetched and not published count as overdue there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from functools import cache
from typing import Any

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.contracts.reach import PRICE_TABLES, PRICES, Input
from liquidity_pipeline.ingestion import status_note
from liquidity_pipeline.ingestion.health import read_gaps
from liquidity_pipeline.ingestion.overdue import Reach, reaches, stale_tables
from liquidity_pipeline.models import engine
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.sources.registry import SOURCES
from liquidity_pipeline.storage.warehouse import reading

_NAMED = 5
_HELD = "select table_name, entity, last_day, is_stale, problem from meta.freshness"


@dataclass(frozen=True)
class Freshness:
    """The state of one asset: what is overdue in it, and its newest observation.

    `is_stale`: a whole table behind it is two due observations behind, or more.
    """

    overdue: tuple[Reach, ...]
    newest: date | None
    is_stale: bool
    is_published: bool = True

    @property
    def fresh(self) -> bool:
        """Nothing is overdue."""
        return self.is_published and not self.overdue

    def __str__(self) -> str:
        if not self.is_published:
            return "Not published yet."
        if not self.overdue:
            return "Every observation that is due is held."
        named = "; ".join(map(str, self.overdue[:_NAMED]))
        more = len(self.overdue) - _NAMED
        return named + (f"; and {more} more" if more > 0 else "")


def sources(pipeline: Pipeline) -> Mapping[str, Freshness]:
    """Return the state of every source asset, by name."""
    noted = status_note.freshness(pipeline.settings)
    found = _reaches(pipeline, noted or pipeline.freshness().to_pylist())
    return {
        name: _judged(found, [reach for reach in found if reach.table in _tables(name)])
        for name in SOURCES
    }


def published(pipeline: Pipeline) -> tuple[Mapping[str, Freshness], Freshness]:
    """Return the state of every mart, by name, and of the published file as a whole."""
    file = pipeline.settings.published_file
    if not file.exists():
        nothing = Freshness((), None, is_stale=False, is_published=False)
        return dict.fromkeys(MART_TABLES, nothing), nothing
    with reading(file) as connection:
        rows = connection.sql(_HELD).to_arrow_table().to_pylist()
        tables = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'marts'"
        ).fetchall()
    found, held = _reaches(pipeline, rows), {name for (name,) in tables}
    marts = {}
    for name in MART_TABLES:
        inputs = [reach for reach in found if _rests_on(name, reach, pipeline)]
        marts[name] = _judged(found, inputs, is_published=name in held)
    return marts, _judged(found, found)


def _reaches(pipeline: Pipeline, rows: Iterable[Mapping[str, Any]]) -> list[Reach]:
    now = pipeline.settings.now.astimezone(UTC).replace(tzinfo=None)
    gaps = read_gaps(pipeline.settings.reference_dir)
    return reaches(rows, pipeline.universe, gaps, now)


def _tables(source: str) -> set[str]:
    return {table.name for table in SOURCES[source].tables}


def _judged(
    every: Sequence[Reach], own: Sequence[Reach], *, is_published: bool = True
) -> Freshness:
    overdue = sorted((reach for reach in own if reach.behind), key=lambda reach: -reach.behind)
    stale = stale_tables(every) & {reach.table for reach in overdue}
    newest = max((reach.newest for reach in own if reach.newest), default=None)
    return Freshness(tuple(overdue), newest, bool(stale), is_published)


def _rests_on(mart: str, reach: Reach, pipeline: Pipeline) -> bool:
    """Tell whether a mart needs a series: as it declares, or else any of the tables behind it."""
    if not (declared := MART_TABLES[mart].rests_on):
        return reach.table in _sources_behind(mart)
    return any(_is_meant(each, reach, pipeline) for each in declared)


def _is_meant(each: Input, reach: Reach, pipeline: Pipeline) -> bool:
    if each.table != PRICES:
        return each.table == reach.table and each.entity in ("", reach.entity)
    if reach.table not in PRICE_TABLES:
        return False
    if each.class_entity:
        assets = (*pipeline.universe.index, *pipeline.universe.crypto)
        return any(
            one.symbol == reach.entity and one.asset_class == each.class_entity for one in assets
        )
    return not each.entity or each.entity == reach.entity


@cache
def _sources_behind(mart: str) -> frozenset[str]:
    return frozenset(engine.sources_behind([f"marts.{mart}"]))
