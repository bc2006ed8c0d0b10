"""The live lake: views that see a new month at once, from any directory, and say what they are."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from click.testing import CliRunner

from liquidity_pipeline.cli.main import main
from liquidity_pipeline.contracts.sources.federal_reserve import FED_BALANCE_SHEET
from liquidity_pipeline.storage.lake import Lake

SEEN_AT = datetime(2026, 3, 5, 22)  # noqa: DTZ001 - naive UTC


def store(lake: Lake, day: date, value: float) -> None:
    row = {"observation_date": day, "series": "WALCL", "value_usd_mn": value, "known_at": SEEN_AT}
    rows = pa.Table.from_pylist([row], schema=FED_BALANCE_SHEET.arrow_schema)
    lake.store(FED_BALANCE_SHEET, rows, [day.replace(day=1)], SEEN_AT)


@pytest.mark.parametrize("name", ["data", "it's [odd] * 100%"])
def test_a_new_month_and_a_revised_one_are_seen_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    folder = tmp_path / name
    lake = Lake(folder / "lake")
    store(lake, date(2026, 1, 7), 6_500_000.0)
    result = CliRunner().invoke(main, ["live", "--data-dir", str(folder)])
    assert result.exit_code == 0, result.output
    assert "not a snapshot" in result.output

    monkeypatch.chdir("/")
    with duckdb.connect(str(folder / "live.duckdb"), read_only=True) as reader:
        query = "select value_usd_mn from lake.fed_balance_sheet order by observation_date"
        assert reader.sql(query).fetchall() == [(6_500_000.0,)]
        store(lake, date(2026, 2, 4), 6_600_000.0)
        assert reader.sql(query).fetchall() == [(6_500_000.0,), (6_600_000.0,)]
        store(lake, date(2026, 2, 4), 6_650_000.0)
        assert reader.sql(query).fetchall() == [(6_500_000.0,), (6_650_000.0,)]
        comments = reader.sql("select comment from duckdb_views() where not internal").fetchall()
        assert any("not a snapshot" in str(comment) for (comment,) in comments)


def test_an_empty_lake_has_nothing_to_show(tmp_path: Path):
    result = CliRunner().invoke(main, ["live", "--data-dir", str(tmp_path)])
    assert result.exit_code == 3
    assert not (tmp_path / "live.duckdb").exists()
