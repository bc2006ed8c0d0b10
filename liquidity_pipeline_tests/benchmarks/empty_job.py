"""Dagster's own cost: as many assets, checks and partitions as a run has, all of them empty.

    python -m liquidity_pipeline_tests.benchmarks.empty_job FOLDER FIRST-MONTH LAST-MONTH

The records are kept with Dagster's stock storage in the folder.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

# What a run has: sources with two checks each, then marts in one step.
SOURCES, MARTS = 19, 50
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def main(folder: Path, first: str, last: str) -> None:
    """Run both jobs once."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["DAGSTER_HOME"] = str(folder)
    (folder / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    months = dg.MonthlyPartitionsDefinition(start_date="2005-10-01", fmt="%Y-%m-%d", end_offset=1)
    tags = {
        "dagster/asset_partition_range_start": f"{first}-01",
        "dagster/asset_partition_range_end": f"{last}-01",
    }
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        sources = [_source(f"source_{i}", months) for i in range(SOURCES)]
        dg.materialize(sources, instance=instance, run_config=_QUIET, tags=tags)
        dg.materialize([_marts()], instance=instance, run_config=_QUIET)


def _source(name: str, months: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @dg.asset(
        name=name,
        partitions_def=months,
        backfill_policy=dg.BackfillPolicy.single_run(),
        check_specs=[dg.AssetCheckSpec(check, asset=name) for check in ("contract", "complete")],
    )
    def nothing() -> dg.MaterializeResult:
        passed = [dg.AssetCheckResult(passed=True, check_name=c) for c in ("contract", "complete")]
        return dg.MaterializeResult(check_results=passed)

    return nothing


def _marts() -> dg.AssetsDefinition:
    names = [f"mart_{i}" for i in range(MARTS)]

    @dg.multi_asset(name="marts", specs=[dg.AssetSpec(name) for name in names])
    def nothing() -> Iterator[dg.MaterializeResult]:
        yield from (dg.MaterializeResult(asset_key=name) for name in names)

    return nothing


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:4])
