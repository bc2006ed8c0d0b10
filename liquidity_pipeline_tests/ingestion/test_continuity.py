"""An answer in other units is refused, and a column that fell empty is named."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.sources.markets import INDEX_PRICES
from liquidity_pipeline.contracts.sources.treasury import (
    DEBT_SETTLEMENTS,
    DEBT_TRANSACTIONS,
    TGA_BALANCE,
)
from liquidity_pipeline.ingestion import continuity
from liquidity_pipeline.storage.lake import Lake

MONTH, NOW = date(2026, 1, 1), datetime.fromisoformat("2026-01-31")


def balances(scale: float, *, month: date = MONTH, opening: bool = True) -> pa.Table:
    """Return ten days of balances of 800,000 and more, USD millions, times a scale."""
    rows = [
        {
            "record_date": month + timedelta(days=number),
            "opening_usd_mn": (800_000 + number) * scale if opening else None,
            "deposits_usd_mn": 20_000 * scale,
            "withdrawals_usd_mn": 19_999 * scale,
            "closing_usd_mn": (800_001 + number) * scale,
            "known_at": NOW,
        }
        for number in range(10)
    ]
    return pa.Table.from_pylist(rows, schema=TGA_BALANCE.arrow_schema)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path)
    lake.store(TGA_BALANCE, balances(1), [MONTH], NOW)
    return lake


@pytest.mark.parametrize("scale", [1000, 0.001, 1_000_000])
def test_known_values_in_another_unit_are_named_with_an_example_and_the_way_out(
    lake: Lake, scale: float
):
    problem = continuity.other_units(TGA_BALANCE, lake.read(TGA_BALANCE), balances(scale))
    assert problem is not None
    assert "10 of 10 known values of " in problem
    assert "liquidity backfill --force" in problem


@pytest.mark.parametrize("scale", [1, 1.01, 2, 0.1])
def test_a_correction_is_no_other_unit(lake: Lake, scale: float):
    assert continuity.other_units(TGA_BALANCE, lake.read(TGA_BALANCE), balances(scale)) is None


def few(*closings: float) -> pa.Table:
    rows = balances(1).slice(0, len(closings)).select(["record_date", "closing_usd_mn", "known_at"])
    given = [
        {**row, "closing_usd_mn": value}
        for row, value in zip(rows.to_pylist(), closings, strict=True)
    ]
    return pa.Table.from_pylist(given, schema=TGA_BALANCE.arrow_schema)


def test_two_values_are_enough_where_both_moved_by_the_same_power_of_ten():
    """A weekly series may have no more in the months that are asked for again."""
    known = few(1_245.0, 1_512.0)
    problem = continuity.other_units(TGA_BALANCE, known, few(1_245_000.0, 1_512_400.0))
    assert problem is not None
    assert "2 of 2 known values of closing_usd_mn" in problem
    # One value proves nothing, nor do two that were corrected, each by itself.
    assert continuity.other_units(TGA_BALANCE, few(1_245.0), few(1_245_000.0)) is None
    assert continuity.other_units(TGA_BALANCE, known, few(1_245_000.0, 1_600_000.0)) is None
    assert continuity.other_units(TGA_BALANCE, known, few(1_245_000.0, 15_120_000.0)) is None


def test_nothing_known_is_nothing_to_compare_with(tmp_path: Path):
    nothing = Lake(tmp_path).read(TGA_BALANCE)
    assert continuity.other_units(TGA_BALANCE, nothing, balances(1000)) is None


def test_a_column_that_the_month_before_has_is_named_when_it_falls_empty(lake: Lake):
    said: list[str] = []
    february = date(2026, 2, 1)
    new = balances(1, month=february, opening=False)
    known = lake.read_months(TGA_BALANCE, [date(2026, 1, 1)])
    continuity.fell_empty(TGA_BALANCE, known, "in 2026-01", new, said.append)
    (line,) = said
    assert "tga_balance: opening_usd_mn is empty in all 10 rows" in line
    said.clear()
    full = balances(1, month=february)
    continuity.fell_empty(TGA_BALANCE, known, "in 2026-01", full, said.append)
    assert said == []


def test_only_texts_of_a_key_may_be_null():
    """An empty text stands for NULL where rows are compared; no other kind has such a value."""
    for table in SOURCE_TABLES.values():
        nullable = [c.kind for c in table.stored_columns if c.name in table.key and c.nullable]
        assert set(nullable) <= {"text"}, table.name


@pytest.mark.parametrize("feed", ["II", "IIIA"])
def test_another_unit_of_lines_without_a_second_label_is_named(feed: str):
    """The key of a line may hold NULL, which no join matches."""

    def statement(scale: float) -> pa.Table:
        rows = [
            {
                "record_date": MONTH + timedelta(days=number),
                "dts_table": feed,
                "transaction_type": "Issues",
                "security_market": "All",
                "security_type": "Public Debt Cash Issues (Table IIIB)",
                "security_type_desc": None,
                "amount_usd_mn": (300_000 + number) * scale,
                "known_at": NOW,
            }
            for number in range(10)
        ]
        return pa.Table.from_pylist(rows, schema=DEBT_TRANSACTIONS.arrow_schema)

    problem = continuity.other_units(DEBT_TRANSACTIONS, statement(1), statement(1000))
    assert problem is not None
    assert f"debt_transactions {feed} Issues: 10 of 10 known values" in problem
    assert continuity.other_units(DEBT_TRANSACTIONS, statement(1), statement(1.1)) is None


def test_another_unit_of_one_feed_of_several_is_named():
    """A few buybacks, among many issues whose amounts are as they were."""
    rows = [
        {
            "settlement_date": MONTH + timedelta(days=number % 28),
            "leg": "issue" if number < 20 else "buyback",
            "record_id": f"record {number}",
            "security_class": "note",
            "par_usd_mn": 5000.0 + number,
            "known_at": NOW,
        }
        for number in range(25)
    ]
    known = pa.Table.from_pylist(rows, schema=DEBT_SETTLEMENTS.arrow_schema)
    for row in rows[20:]:
        row["par_usd_mn"] /= 1000
    new = pa.Table.from_pylist(rows, schema=DEBT_SETTLEMENTS.arrow_schema)
    assert continuity.other_units(DEBT_SETTLEMENTS, known, known) is None
    problem = continuity.other_units(DEBT_SETTLEMENTS, known, new)
    assert problem is not None
    assert "buyback" in problem


def prices(*closes: float, source: str = "yahoo") -> pa.Table:
    """Return bars of TLT on the first days of January, opening a tenth above their close."""
    rows = [
        {
            "trade_date": MONTH + timedelta(days=number),
            "symbol": "TLT",
            "open": close * 1.1,
            "close": close,
            "source": source,
            "known_at": NOW,
        }
        for number, close in enumerate(closes)
    ]
    return pa.Table.from_pylist(rows, schema=INDEX_PRICES.arrow_schema)


@pytest.mark.parametrize("factor", [0.5, 10.0, 0.985])
def test_prices_that_all_moved_by_one_factor_are_on_another_basis(factor: float):
    known = prices(80.0, 81.0, 79.5)
    new = prices(*(close * factor for close in (80.0, 81.0, 79.5)))
    (found,) = continuity.rebased(INDEX_PRICES, known, new)
    assert (found.entity, found.provider, found.since) == ("TLT", "yahoo", MONTH)
    assert found.factor == pytest.approx(factor)


@pytest.mark.parametrize(
    "new",
    [
        prices(80.0, 81.0, 79.5),
        prices(80.4, 81.4, 79.9),  # half a per cent: a price is touched up, not put on a new basis
        prices(40.0, 81.0, 79.5),  # one wrong price
        prices(40.0, 40.5, 39.0),  # by no common factor
        prices(40.0, 40.5),  # too few
        prices(40.0, 40.5, 39.75, source="cboe"),  # of another provider
        prices(0.0, 0.0, 0.0),
    ],
)
def test_other_changes_of_prices_are_no_change_of_basis(new: pa.Table):
    assert continuity.rebased(INDEX_PRICES, prices(80.0, 81.0, 79.5), new) == []


def test_only_prices_have_a_basis():
    known = balances(1)
    assert continuity.rebased(TGA_BALANCE, known, balances(0.5)) == []
