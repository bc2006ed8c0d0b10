"""The same tables as plain pandas assets, kept by dagster-duckdb's IO manager in a DuckDB file.

    PYTHON pandas_assets.py FOLDER DATA-DIR FIRST-MONTH LAST-MONTH

What a user would write without this project, but for the work: each asset reads its rows from a
filled data directory and returns them. Nothing is fetched, checked or computed. PYTHON is that of
an environment of its own, with dagster, dagster-duckdb-pandas, duckdb and pyarrow, because release
0.29.27 refuses pandas 3; so this file imports nothing of the project.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import pandas as pd
from dagster_duckdb_pandas import DuckDBPandasIOManager

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def main(folder: Path, data: Path, first: str, last: str) -> None:
    """Store all months of the sources in one run, and the marts in another."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["DAGSTER_HOME"] = str(folder)
    (folder / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    months = dg.MonthlyPartitionsDefinition(start_date=f"{first}-01", fmt="%Y-%m-%d", end_offset=1)
    tags = {
        "dagster/asset_partition_range_start": f"{first}-01",
        "dagster/asset_partition_range_end": f"{last}-01",
    }
    keeper = DuckDBPandasIOManager(database=str(folder / "rows.duckdb"), schema="main")
    tables = [path for path in sorted((data / "lake").iterdir()) if not path.name.startswith(".")]
    by_month = [path for path in tables if any(path.glob("month=*"))]
    whole = [path for path in tables if path not in by_month]
    marts = sorted((data / "marts").glob("*/*.parquet"))
    sources = [_by_month(path, months) for path in by_month]
    others = [_whole(path.name, sorted(path.glob("*.parquet"))) for path in whole]
    others += [_whole(path.parent.name, [path]) for path in marts]
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        for assets, labels in ((sources, tags), (others, {})):
            done = dg.materialize(
                assets,
                instance=instance,
                resources={"io_manager": keeper},
                run_config=_QUIET,
                tags=labels,
            )
            assert done.success


def _by_month(path: Path, months: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @dg.asset(
        name=path.name,
        partitions_def=months,
        backfill_policy=dg.BackfillPolicy.single_run(),
        metadata={"partition_expr": "partition_month"},
    )
    def rows() -> pd.DataFrame:
        return pd.concat(
            [
                pd.read_parquet(file, partitioning=None).assign(
                    partition_month=pd.Timestamp(f"{file.parent.name.removeprefix('month=')}-01")
                )
                for file in sorted(path.glob("month=*/*.parquet"))
            ]
        )

    return rows


def _whole(name: str, files: Sequence[Path]) -> dg.AssetsDefinition:
    @dg.asset(name=name)
    def rows() -> pd.DataFrame:
        return pd.concat([pd.read_parquet(file) for file in files])

    return rows


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:5])
