"""Building: what is not known any more leaves no rows of an earlier day behind."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from liquidity_pipeline.calendars import utc
from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.models import engine
from liquidity_pipeline.models.building import build_marts
from liquidity_pipeline.storage.lake import Lake

OUTLOOK = MART_TABLES["settlement_outlook"]


def test_a_mart_that_knows_nothing_any_more_is_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Treasury answers on the 10th and fails on the 21st: no settlement is still to come on it."""
    day = date(2026, 8, 11)
    a_row: dict[pa.DataType, Any] = {
        pa.date32(): day,
        pa.string(): "bill",
        pa.float64(): 0.0,
        pa.int64(): 0,
        pa.timestamp("us"): utc(date(2026, 8, 10), time(22)),
    }
    row = {field.name: a_row[field.type] for field in OUTLOOK.arrow_schema}
    ahead = pa.Table.from_pylist([row], schema=OUTLOOK.arrow_schema)
    known = iter([ahead, ahead.slice(0, 0)])
    monkeypatch.setattr(engine, "build", lambda *_: next(known))
    marts = Lake(tmp_path)
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        for today, rows in ((10, 1), (21, 0)):
            now = utc(date(2026, 8, today), time(22))
            (built,) = build_marts(["settlement_outlook"], connection, marts, now)
            assert built.failure == ""
            assert marts.read(OUTLOOK).num_rows == rows
            count = connection.execute("select count(*) from marts.settlement_outlook").fetchone()
            assert count == (rows,)
