"""A run as of a day sees no correction that was seen later; `meta.revisions` has both values."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.sources.markets import INDEX_PRICES
from liquidity_pipeline.contracts.sources.treasury import TGA_BALANCE
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline.storage.revisions import Seen, compare, undo

MONTH = date(2026, 1, 1)
NO_PRICES = INDEX_PRICES.arrow_schema.empty_table()
FIRST, SECOND, THIRD = (datetime.fromisoformat(f"2026-02-0{n} 22:00") for n in (2, 4, 6))


def balance(day: int, closing: float, opening: float | None = None) -> dict[str, Any]:
    return {
        "record_date": date(2026, 1, day),
        "opening_usd_mn": opening,
        "closing_usd_mn": closing,
        "known_at": datetime.fromisoformat(f"2026-01-{day + 1:02} 21:00"),
    }


def store(lake: Lake, seen_at: datetime, *rows: dict[str, Any]) -> None:
    table = pa.Table.from_pylist(list(rows), schema=TGA_BALANCE.arrow_schema)
    lake.store(TGA_BALANCE, table, [MONTH], seen_at)


def closings(folder: Path, as_of: date | None) -> list[tuple[float, float | None]]:
    pipeline = Pipeline(Settings(folder, as_of=as_of))
    with pipeline.session(frozenset({"sources.tga_balance"})) as connection:
        return connection.execute(
            "select closing_usd_mn, opening_usd_mn from sources.tga_balance order by record_date"
        ).fetchall()


def test_a_run_as_of_a_day_takes_the_value_of_that_day(tmp_path: Path) -> None:
    """Two corrections of one value, one filled cell, and a row that was never corrected."""
    lake = Lake(Settings(tmp_path).lake_dir)
    store(lake, FIRST, balance(5, 100.0), balance(6, 300.0))
    store(lake, SECOND, balance(5, 110.0, 90.0), balance(6, 300.0))
    store(lake, THIRD, balance(5, 120.0, 90.0), balance(6, 300.0))
    assert closings(tmp_path, date(2026, 2, 3)) == [(100.0, None), (300.0, None)]
    assert closings(tmp_path, date(2026, 2, 5)) == [(110.0, 90.0), (300.0, None)]
    assert closings(tmp_path, date(2026, 2, 7)) == [(120.0, 90.0), (300.0, None)]
    assert closings(tmp_path, None) == [(120.0, 90.0), (300.0, None)]


def test_revisions_are_chosen_by_the_moment_they_were_seen(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    store(lake, FIRST, balance(5, 100.0))
    store(lake, SECOND, balance(5, 110.0))
    store(lake, THIRD, balance(5, 120.0))
    assert lake.revisions()["new_value"].to_pylist() == ["110.0", "120.0"]
    assert lake.revisions(until=SECOND)["new_value"].to_pylist() == ["110.0"]
    assert lake.revisions(after=SECOND)["new_value"].to_pylist() == ["120.0"]


def test_a_correction_counts_from_the_moment_for_which_a_stand_in_stood(tmp_path: Path) -> None:
    """The stand-in is asked years later; as of the second day the correction is known."""
    lake, asked = Lake(Settings(tmp_path).lake_dir), datetime.fromisoformat("2031-05-05 12:00")
    for minutes, (stood_for, closing) in enumerate(
        [(FIRST, 100.0), (SECOND, 110.0), (SECOND, 115.0), (THIRD, 120.0)]
    ):
        rows = pa.Table.from_pylist([balance(5, closing)], schema=TGA_BALANCE.arrow_schema)
        at = asked + timedelta(minutes=minutes)
        lake.store(TGA_BALANCE, rows, [MONTH], at, as_of=stood_for)
    assert closings(tmp_path, date(2026, 2, 3)) == [(100.0, None)]
    assert closings(tmp_path, date(2026, 2, 5)) == [(115.0, None)]
    assert closings(tmp_path, date(2026, 2, 7)) == [(120.0, None)]


def test_corrections_before_a_change_of_basis_stay_as_they_are() -> None:
    """100 was corrected to 102, which a split turned into 51; that was corrected to 52."""

    def prices(close: float) -> pa.Table:
        row = {"trade_date": date(2026, 1, 5), "symbol": "TLT", "close": close, "source": "yahoo"}
        row["known_at"] = datetime.fromisoformat("2026-01-05 21:30")
        return pa.Table.from_pylist([row], schema=INDEX_PRICES.arrow_schema)

    noted = [
        compare(INDEX_PRICES, MONTH, prices(100.0), prices(102.0), Seen(FIRST, FIRST)),
        compare(INDEX_PRICES, MONTH, prices(102.0), NO_PRICES, Seen(SECOND, SECOND, "rebased")),
        compare(INDEX_PRICES, MONTH, prices(51.0), prices(52.0), Seen(THIRD, THIRD)),
    ]
    given = undo(INDEX_PRICES, prices(52.0), pa.concat_tables(noted))
    assert given["close"].to_pylist() == [51.0]


def test_a_cell_that_was_filled_later_is_emptied_only_where_the_empty_one_was_held() -> None:
    old, new = ([balance(5, 100.0, opening)] for opening in (None, 90.0))
    rows = [pa.Table.from_pylist(each, schema=TGA_BALANCE.arrow_schema) for each in (old, new)]
    noted = compare(TGA_BALANCE, MONTH, *rows, Seen(SECOND, SECOND))
    for fetched, expected in (({MONTH}, None), (set(), 90.0), (None, None)):
        given = undo(TGA_BALANCE, rows[1], noted, fetched)
        assert given["opening_usd_mn"].to_pylist() == [expected]


def _other(value: Any, kind: pa.DataType) -> Any:
    """Return another value of a type."""
    if pa.types.is_boolean(kind):
        return not value
    if pa.types.is_string(kind):
        return f"{value or ''} corrected"
    if pa.types.is_timestamp(kind):
        return datetime.fromisoformat("2020-02-29 13:05:07.000250")
    if pa.types.is_date(kind):
        return date(2020, 2, 29)
    return (value or 0) + 1 if pa.types.is_integer(kind) else (value or 0.0) / 3 + 0.1


@pytest.mark.parametrize("name", sorted(SOURCE_TABLES))
def test_undoing_gives_back_every_value_of_every_type(name: str) -> None:
    """Of each source table: corrections there and back, of filled and of empty cells."""
    table = SOURCE_TABLES[name]
    schema = table.arrow_schema
    filled = {field.name: _other(None, field.type) for field in schema}
    empty = {
        k: filled[k] if k in table.key or not schema.field(k).nullable else None for k in filled
    }
    corrected = {
        k: v if k in (*table.key, "known_at", "volume") else _other(v, schema.field(k).type)
        for k, v in filled.items()
    }
    versions = [pa.Table.from_pylist([row], schema=schema) for row in (empty, filled, corrected)]
    for old in versions:
        for new in versions:
            noted = compare(table, MONTH, old, new, Seen(FIRST, FIRST))
            given = undo(table, new, noted)
            for column in {*schema.names} - {"volume", "known_at"}:
                assert given[column].equals(old[column]), column
