"""What a contract promises to whatever is derived from it."""

from __future__ import annotations

import pyarrow as pa
import pytest

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.contracts.meta import PUBLICATION_TABLES, REFERENCE_TABLES
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.table import (
    Column,
    Table,
    by_name,
    day,
    flag,
    integer,
    moment,
    number,
    text,
)

GROUPS = (SOURCE_TABLES, MART_TABLES, REFERENCE_TABLES, PUBLICATION_TABLES)
TABLES = [table for group in GROUPS for table in group.values()]


def table(*columns: Column, key: tuple[str, ...] = ("date",), **more: object) -> Table:
    return Table("sources", "example", "An example.", key, (day("date", "Day"), *columns), **more)


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        (number("par_usd_mn", ""), "USD millions"),
        (number("volume_usd_bn", ""), "USD billions"),
        (number("rate_pct", ""), "percent"),
        (number("sofr_iorb_bp", ""), "basis points"),
        (number("share_ratio", ""), "ratio"),
        (integer("duration_days", ""), "days"),
        (number("close", "", unit="price"), "price"),
        (day("date", ""), "day"),
        (moment("known_at", ""), "UTC"),
        (flag("is_small", ""), "true or false"),
        (text("symbol", ""), ""),
    ],
)
def test_the_unit_is_in_the_name_or_stated(column: Column, unit: str):
    assert column.unit_text == unit


def test_a_comment_ends_with_the_unit():
    assert number("par_usd_mn", "Face amount").comment == "Face amount [USD millions]"
    assert text("symbol", "Symbol").comment == "Symbol"


def test_the_parquet_schema_has_the_types_nullability_and_comments():
    schema = table(
        moment("known_at", "When"),
        text("symbol", "Symbol", nullable=True),
        number("par_usd_mn", "Par"),
        integer("count", "Count"),
        flag("is_small", "Small"),
        text("status", "Depends on the moment", stored=False),
    ).arrow_schema
    assert [(field.name, field.type, field.nullable) for field in schema] == [
        ("date", pa.date32(), False),
        ("known_at", pa.timestamp("us"), False),
        ("symbol", pa.string(), True),
        ("par_usd_mn", pa.float64(), True),
        ("count", pa.int64(), False),
        ("is_small", pa.bool_(), False),
    ]
    assert schema.field("par_usd_mn").metadata == {b"comment": b"Par [USD millions]"}


@pytest.mark.parametrize(
    "wrong",
    [{"key": ("date", "cusip")}, {"day": "trade_date"}, {"entity": "rate"}, {"fullness": "open"}],
)
def test_a_contract_that_names_a_column_it_lacks_is_refused(wrong: dict[str, object]):
    with pytest.raises(ValueError, match=r"sources\.example: no column for"):
        table(**wrong)


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two columns have the same name"):
        table(number("close", "", unit="price"), number("close", "", unit="price"))


def test_two_contracts_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two contracts are called example"):
        by_name([table(), table()])


def test_no_name_is_used_in_two_schemas():
    names = [table.name for table in TABLES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("contract", TABLES, ids=lambda contract: contract.qualified_name)
def test_every_number_has_a_unit_and_every_column_a_meaning(contract: Table):
    assert contract.meaning
    for column in contract.columns:
        assert column.meaning, column.name
        assert column.unit_text or column.kind != "number", column.name


@pytest.mark.parametrize("contract", SOURCE_TABLES.values(), ids=lambda contract: contract.name)
def test_every_source_row_says_when_it_became_known(contract: Table):
    (known_at,) = [column for column in contract.columns if column.name == "known_at"]
    assert (known_at.kind, known_at.nullable) == ("timestamp", False)


@pytest.mark.parametrize("contract", SOURCE_TABLES.values(), ids=lambda contract: contract.name)
def test_rows_are_partitioned_by_a_day_that_is_always_there(contract: Table):
    (column,) = [column for column in contract.columns if column.name == contract.day]
    assert (column.kind, column.nullable, column.stored) == ("date", False, True)
