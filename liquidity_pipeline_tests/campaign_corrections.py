"""A correction is seen, and what it corrected is kept. Rerun it with

    python -m liquidity_pipeline_tests.campaign_corrections --count 100 --seed 1

Every source first meets a publisher that shows first prints: one amount in twenty is 1 % off. A day
later it meets the final figures. Then the lake must hold the final figures, `meta.revisions` must
name exactly the values that differ with both of them, and a rebuild from the archive alone must
give the same rows and the same revisions, because both answers are in it.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pyarrow as pa

from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.ingestion.ingest import rebuild
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.sandbox.server import start
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.sources.registry import SOURCES, Source
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline_tests.campaign import Campaign, run_campaign
from liquidity_pipeline_tests.campaign_faults import EARLIER, SINCE, WINDOW, WORLD, settings
from liquidity_pipeline_tests.campaign_formats import memory

Change = tuple[str, str, str, str | None, str | None]
# Publishers touch volumes up for weeks, and `known_at` is ours.
NOT_NOTED = ("known_at", "volume")


def differences(table: Table, old: pa.Table, new: pa.Table) -> Iterator[Change]:
    """Yield table, key, column, old and new value of every value that both versions have."""
    key = list(table.key)
    names = [name for name in table.arrow_schema.names if name not in (*key, *NOT_NOTED)]
    before = {tuple(row[k] for k in key): row for row in old.to_pylist()}
    for row in new.to_pylist():
        was = before.get(tuple(row[k] for k in key))
        for name in names if was else ():
            if was[name] != row[name]:
                label = json.dumps({k: _word(row[k]) for k in key})
                yield table.name, label, name, _word(was[name]), _word(row[name])


def _word(value: object) -> str | None:
    return None if value is None else str(value)


def noted(lake: Lake) -> set[Change]:
    """Return the values that the lake says were changed."""
    return {
        (r["table_name"], r["row_key"], r["column_name"], r["old_value"], r["new_value"])
        for r in lake.revisions().to_pylist()
        if r["change"] == "changed"
    }


def strike(campaign: Campaign, source: Source, seed: int, folder: Path, healthy: str) -> None:
    """Correct one source and judge what is left of it."""
    options = replace(WORLD, faults="corrected_rows", fault_seed=seed)
    with start(options) as sick:
        early = Pipeline(replace(settings(folder, sick.url), as_of=EARLIER))
        early.ingest(source, Window.of_months(SINCE, EARLIER))
    old = {table.name: early.lake.read(table) for table in source.tables}
    late = Pipeline(settings(folder, healthy))
    late.ingest(source, WINDOW)
    expected: set[Change] = set()
    for table in source.tables:
        if source.partitioned or table.notes_revisions:
            expected |= {*differences(table, old[table.name], late.lake.read(table))}
    campaign.reached += 1
    campaign.tally["values corrected"] += len(expected)
    found = noted(late.lake)
    campaign.tally["of which in `meta.revisions` with both values"] += len(found & expected)
    campaign.tally["sources with a correction"] += bool(expected)
    if found != expected:
        campaign.fail(
            f"{source.name}, seed {seed}: {len(expected - found)} corrections are not noted, "
            f"{len(found - expected)} are noted and did not happen, such as "
            f"{sorted(map(str, found ^ expected))[0]}"
        )
    again = Lake(folder / "again")
    rebuild(late.archive, again)
    same = all(again.read(t).equals(late.lake.read(t)) for t in source.tables)
    if not same or noted(again) != found:
        campaign.fail(f"{source.name}, seed {seed}: the archive does not give both versions again")
    campaign.tally["rebuilt from the archive with the same rows and revisions"] += same


def work(campaign: Campaign) -> None:
    """Correct every source, seed after seed, until the count or the time."""
    with tempfile.TemporaryDirectory(dir=memory()) as name, start(WORLD) as healthy:
        for seed in count(campaign.seed):
            for source in SOURCES.values():
                if not campaign.goes_on:
                    return
                folder = Path(name) / "trial"
                strike(campaign, source, seed, folder, healthy.url)
                shutil.rmtree(folder)


if __name__ == "__main__":
    run_campaign("corrections", "corrected sources", 20 * len(SOURCES), work)
