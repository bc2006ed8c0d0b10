"""The figures and the last rows beside a materialisation."""

from datetime import date, datetime

import dagster as dg
import pyarrow as pa

from liquidity_pipeline.contracts.sources.federal_reserve import REFERENCE_RATES
from liquidity_pipeline.contracts.sources.treasury import TGA_BALANCE
from liquidity_pipeline.orchestration.metadata import describe, lineage_table


def rows(closes: list[float]) -> pa.Table:
    days = [date(2026, 2, 2 + i) for i in range(len(closes))]
    return pa.Table.from_pylist(
        [
            {"record_date": day, "closing_usd_mn": close, "known_at": datetime(2026, 3, 1)}  # noqa: DTZ001
            for day, close in zip(days, closes, strict=True)
        ],
        schema=TGA_BALANCE.arrow_schema,
    )


def test_a_materialisation_shows_count_range_figures_and_last_rows():
    metadata = describe(TGA_BALANCE, rows([800_000.0, 810_000.0]))
    assert metadata["dagster/row_count"] == 2
    assert (metadata["first_day"], metadata["last_day"]) == ("2026-02-02", "2026-02-03")
    newest = metadata["last_rows"].records[-1].data
    assert (newest["record_date"], newest["closing_usd_mn"]) == ("2026-02-03", 810_000.0)
    # A float is what Dagster plots over materialisations.
    assert metadata["newest_closing_usd_mn"] == 810_000.0


def test_of_several_series_none_is_plotted_for_all():
    assert REFERENCE_RATES.key != (REFERENCE_RATES.day,)
    day = {"effective_date": date(2026, 2, 2), "rate": "SOFR", "rate_pct": 3.7}
    found = pa.Table.from_pylist([day], schema=REFERENCE_RATES.arrow_schema)
    assert not [name for name in describe(REFERENCE_RATES, found) if name.startswith("newest_")]


def test_a_short_series_breaks_nothing():
    assert describe(TGA_BALANCE, rows([]))["dagster/row_count"] == 0


def test_the_lineage_of_columns_can_be_read_in_the_ui():
    lineage = dg.TableColumnLineage(
        {
            "gap": [dg.TableColumnDep(dg.AssetKey(["sources", "tga_balance"]), "closing_usd_mn")],
            "many": [dg.TableColumnDep(dg.AssetKey(["marts", "m"]), f"c{i}") for i in range(14)],
            "none": [],
        }
    )
    lines = lineage_table(lineage).value.splitlines()
    assert lines[2] == "| `gap` | `tga_balance.closing_usd_mn` |"
    assert lines[3].endswith(" and 2 more |")
    assert lines[4] == "| `none` |  |"
