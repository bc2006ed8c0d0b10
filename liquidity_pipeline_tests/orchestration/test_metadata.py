"""The preview and the small chart beside a materialisation."""

from datetime import date, datetime

import pyarrow as pa

from liquidity_pipeline.contracts.sources import TGA_BALANCE
from liquidity_pipeline.orchestration.metadata import describe, sparkline


def rows(closes: list[float]) -> pa.Table:
    days = [date(2026, 2, 2 + i) for i in range(len(closes))]
    return pa.Table.from_pylist(
        [
            {"record_date": day, "closing_usd_mn": close, "known_at": datetime(2026, 3, 1)}  # noqa: DTZ001
            for day, close in zip(days, closes, strict=True)
        ],
        schema=TGA_BALANCE.arrow_schema,
    )


def test_a_materialisation_shows_count_range_and_last_rows():
    metadata = describe(TGA_BALANCE, rows([800_000.0, 810_000.0]))
    assert metadata["dagster/row_count"] == 2
    assert (metadata["first_day"], metadata["last_day"]) == ("2026-02-02", "2026-02-03")
    assert "| 2026-02-03 |" in metadata["preview"].value
    assert "810,000" in metadata["preview"].value


def test_the_chart_draws_the_close_from_lowest_to_highest():
    assert sparkline(rows([1.0, 2.0, 3.0]), TGA_BALANCE).startswith("`▁▄█`")


def test_a_flat_or_short_series_breaks_nothing():
    assert sparkline(rows([5.0, 5.0]), TGA_BALANCE).startswith("`▁▁`")
    assert sparkline(rows([5.0]), TGA_BALANCE) == ""
    assert describe(TGA_BALANCE, rows([]))["dagster/row_count"] == 0
