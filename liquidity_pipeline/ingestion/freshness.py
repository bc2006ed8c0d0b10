"""How current each source is: what is held, what should be, and what went wrong last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

import pyarrow as pa

from liquidity_pipeline.calendars import Release
from liquidity_pipeline.contracts.meta import FRESHNESS
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.ingestion.completeness import first_month, missing, present_days, releases
from liquidity_pipeline.settings import NEW_YORK
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.sources.registry import SOURCES
from liquidity_pipeline.storage.archive import Archive
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline.universe import Universe


def freshness(lake: Lake, archive: Archive, universe: Universe, now: datetime) -> pa.Table:
    """Return `meta.freshness`: one row per source table and entity; `now` is naive UTC."""
    rows: list[dict[str, object]] = []
    for source in SOURCES.values():
        last, good = archive.last(source.name), archive.last(source.name, successful=True)
        problem = (last.error or "; ".join(last.gaps) or None) if last else "never fetched"
        common = {"fetched_at": good.kept_at if good else None, "problem": problem}
        state = {
            "failed": last is None or last.error is not None,
            "has_problem": problem is not None,
        }
        for table in source.tables:
            rows += [row | common for row in _table_rows(lake, table, universe, now, **state)]
    return pa.Table.from_pylist(rows, schema=FRESHNESS.arrow_schema)


def _table_rows(
    lake: Lake,
    table: Table,
    universe: Universe,
    now: datetime,
    *,
    failed: bool,
    has_problem: bool,
) -> list[dict[str, object]]:
    """Return a row per entity.

    What is due on no day is stale when its fetch failed; what never came and has a problem is stale
    also before its first due day.
    """
    today = now.replace(tzinfo=UTC).astimezone(NEW_YORK).date()
    first = first_month(lake, table)
    present = present_days(lake, table, lake.months(table) or None) if first else {}
    start = first or today.replace(day=1)
    window = Window.of_months(start, today)
    absent = {gap.entity: gap for gap in missing(present, table, universe, window, now)}
    rules: Mapping[str, Release | None] = releases(table, universe) or {"": None}
    rows: list[dict[str, object]] = []
    for entity, release in rules.items():
        held = max(present.get(entity, ()), default=None)
        due = release.due(start, today, now) if release else []
        gap = absent.get(entity)
        rows.append(
            {
                "table_name": table.name,
                "entity": entity,
                "last_day": held,
                "due_day": due[-1] if due else None,
                "days_behind": _after(due, held),
                "days_missing": len(gap.days) if gap else 0,
                "is_stale": failed
                if release is None
                else gap is not None or (held is None and has_problem),
            }
        )
    return rows


def _after(due: list[date], held: date | None) -> int:
    return sum(1 for day in due if held is None or day > held)
