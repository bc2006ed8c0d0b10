"""The cut: what lies beyond what an input is known for is absent or NULL, by the contract alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.contracts.meta import COVERAGE
from liquidity_pipeline.contracts.reach import PRICES, Input, for_rows
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.table import Table, day, flag, number, text
from liquidity_pipeline.models.reach import cut
from liquidity_pipeline_tests.models.known import everything
from liquidity_pipeline_tests.models.world import World, end_of, leg, purchase, rate, series, tga

pytestmark = pytest.mark.slow

END = date(2026, 2, 13)
DAYS = [END - timedelta(days=i) for i in range(4)][::-1]


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("create schema meta")
        opened.execute(
            "create table meta.universe as select *, date '2000-01-03' as since from (values "
            "('SPX', 'large_cap'), ('BTC', 'crypto'), ('SOL', 'crypto')) as t(asset, asset_class)"
        )
        yield opened


def left(
    connection: duckdb.DuckDBPyConnection,
    *inputs: Input,
    through: dict[tuple[str, str], date | None],
    asset: str = "SPX",
) -> list[tuple[date, float | None]]:
    """Give (day, value) of four daily rows of one asset after the cut."""
    spans = everything(end_of(END), ["SPX", "BTC", "SOL"], through)
    connection.register("spans", spans)
    connection.execute("create or replace table meta.coverage as from spans")
    table = Table(
        "marts",
        "example",
        "An example.",
        key=("date", "asset"),
        reach="date",
        rests_on=inputs,
        columns=(
            day("date", "Day"),
            day("since", "First day that counts"),
            text("asset", "Symbol"),
            text("asset_class", "Class"),
            flag("is_open", "Speaks of the present"),
            number("value", "Value", unit="any"),
        ),
    )
    classes = {"SPX": "large_cap", "BTC": "crypto", "SOL": "crypto"}
    rows = [
        {
            "date": each,
            "since": each - timedelta(days=1),
            "asset": asset,
            "asset_class": classes[asset],
            "is_open": True,
            "value": 1.0,
        }
        for each in DAYS
    ]
    kept = cut(table, pa.Table.from_pylist(rows, schema=table.arrow_schema), connection)
    return [(row["date"], row["value"]) for row in kept.to_pylist()]


ALL = [(each, 1.0) for each in DAYS]
OPERATIONS = ("fed_operations", "")


def test_what_is_known_to_the_end_is_left_alone(connection: duckdb.DuckDBPyConnection) -> None:
    assert left(connection, Input("fed_operations"), through={}) == ALL


def test_rows_beyond_the_last_day_known_are_absent(connection: duckdb.DuckDBPyConnection) -> None:
    assert left(connection, Input("fed_operations"), through={OPERATIONS: DAYS[1]}) == ALL[:2]
    assert left(connection, Input("fed_operations"), through={OPERATIONS: None}) == []


def test_an_input_that_nobody_names_is_not_known(connection: duckdb.DuckDBPyConnection) -> None:
    assert left(connection, Input("unheard_of"), through={}) == []


def test_columns_become_null_and_the_row_stays(connection: duckdb.DuckDBPyConnection) -> None:
    rests = Input("fed_operations", columns=("value",))
    found = left(connection, rests, through={OPERATIONS: DAYS[1]})
    assert found == [*ALL[:2], (DAYS[2], None), (DAYS[3], None)]


def test_a_row_names_its_own_symbol(connection: duckdb.DuckDBPyConnection) -> None:
    rests = Input(PRICES, entity_column="asset")
    through = {("crypto_prices", "SOL"): DAYS[0], ("index_prices", "SOL"): DAYS[0]}
    assert left(connection, rests, through=through) == ALL
    assert left(connection, rests, through=through, asset="SOL") == ALL[:1]


def test_a_class_is_known_as_far_as_all_of_its_symbols(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    through = {("crypto_prices", "SOL"): DAYS[0], ("index_prices", "SOL"): DAYS[0]}
    rests = Input(PRICES, class_column="asset_class")
    assert left(connection, rests, through=through, asset="BTC") == ALL[:1]
    assert left(connection, rests, through=through, asset="SPX") == ALL
    assert left(connection, Input(PRICES, class_entity="crypto"), through=through) == ALL[:1]


def test_what_speaks_of_the_present_needs_all_that_is_due(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rests = Input("fed_operations", is_current=True, only={"is_open": ("true",)})
    assert left(connection, rests, through={OPERATIONS: DAYS[2]}) == []
    assert left(connection, rests, through={}) == ALL


def test_only_some_rows_and_only_from_a_day_on(connection: duckdb.DuckDBPyConnection) -> None:
    gone: dict[tuple[str, str], date | None] = {OPERATIONS: None}
    elsewhere = for_rows([Input("fed_operations")], asset="BTC")
    assert left(connection, *elsewhere, through=gone) == ALL
    rests = Input("fed_operations", from_day=str(DAYS[2]))
    assert left(connection, rests, through=gone) == ALL[:2]


@pytest.mark.parametrize("name", sorted(MART_TABLES))
def test_every_input_of_a_mart_is_one_that_coverage_knows(name: str) -> None:
    known = {
        (table.name, entity)
        for table in SOURCE_TABLES.values()
        for entity in (*table.releases, *table.parts, *table.on_occasion)
    }
    for each in MART_TABLES[name].rests_on:
        assert each.table == PRICES or (each.table, each.entity) in known, each.label
    assert COVERAGE.key == ("table_name", "entity")


# --- the faults that were found, by hand ----------------------------------------------------------


def settled_world(folder: Path) -> World:
    """Two weeks of bills, statements and operations; redemptions are known a year ahead."""
    world = World(folder, date(2026, 2, 20))
    for day_ in (date(2026, 2, 5), date(2026, 2, 12)):
        world.add("debt_settlements", leg("issue", day_, 90_000))
        world.add("debt_settlements", leg("redemption", day_, 80_000, cusip="912797BB9"))
    world.add("debt_settlements", leg("redemption", date(2026, 2, 19), 80_000, cusip="912797CC7"))
    world.add("fed_operations", purchase(date(2026, 2, 5), 8_000))
    world.add("fed_operations", purchase(date(2026, 2, 19), 9_000))
    return world


def test_redemptions_without_their_issues_are_no_settlement(tmp_path: Path) -> None:
    world = settled_world(tmp_path).known("debt_settlements", "auctions", through=date(2026, 2, 12))
    drains = world.mart("drains", component="settlement")
    assert [row["date"] for row in drains] == [date(2026, 2, 5), date(2026, 2, 12)]
    daily = world.mart("driver_changes", driver="net_settlement", frequency="daily")
    assert max(row["date"] for row in daily) == date(2026, 2, 12)
    # Weeks end on Wednesdays: that of the 18th is not known to its end.
    weekly = world.mart("driver_changes", driver="net_settlement", frequency="weekly")
    assert date(2026, 2, 18) not in [row["date"] for row in weekly]


def test_without_an_answer_of_the_desk_no_purchase_is_zero(tmp_path: Path) -> None:
    world = settled_world(tmp_path)
    zeros = world.mart("driver_changes", driver="fed_bill_purchases", date=date(2026, 2, 10))
    assert [row["value"] for row in zeros] == [0.0]
    world.known("fed_operations", through=date(2026, 2, 9))
    found = world.mart("driver_changes", driver="fed_bill_purchases", frequency="daily")
    assert max(row["date"] for row in found) == date(2026, 2, 9)
    world.known("fed_operations", through=None)
    assert world.mart("driver_changes", driver="fed_bill_purchases") == []
    assert world.mart("fed_bill_purchases") == []


def test_a_weekly_spread_is_that_of_the_weeks_last_day(tmp_path: Path) -> None:
    # The rate of the third week ends on a Thursday: there is no change of that week.
    world = World(tmp_path, date(2026, 2, 20))
    thursday = date(2026, 2, 12)
    for each in (date(2026, 2, 4), date(2026, 2, 11), thursday):
        world.add("reference_rates", rate(each, "SOFR", 3.6 + each.day / 100))
        world.add("market_series", series(each, "IORB", 3.65))
    found = world.mart("driver_changes", driver="sofr_iorb_change", frequency="weekly")
    assert [row["date"] for row in found] == [date(2026, 2, 11)]


def test_a_holiday_of_the_reserve_banks_has_no_change(tmp_path: Path) -> None:
    # Columbus Day 2025: stocks trade, no statement is due.
    world = World(tmp_path, date(2025, 10, 17))
    for number_, each in enumerate((9, 10, 14, 15)):
        world.add("tga_balance", tga(date(2025, 10, each), 800_000 + 1_000 * number_))
    found = world.mart("driver_changes", driver="tga_change", frequency="daily")
    assert date(2025, 10, 13) not in [row["date"] for row in found]
    assert date(2025, 10, 14) in [row["date"] for row in found]


def test_another_providers_price_stands_in_for_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    for each, source in ((date(2026, 2, 10), "yahoo"), (date(2026, 2, 11), "cboe")):
        world.add(
            "index_prices", {"trade_date": each, "symbol": "SPX", "close": 100.0, "source": source}
        )
    assert [row["date"] for row in world.mart("asset_returns")] == [date(2026, 2, 10)]


def test_every_spread_over_the_rate_on_reserves_is_known_no_further_than_that_rate() -> None:
    """Steps that are kept by hand stand in for it, and nobody knows whether one is missing."""
    (declared,) = (
        each for each in MART_TABLES["funding_conditions"].rests_on if each.entity == "IORB"
    )
    spreads = {c.name for c in MART_TABLES["funding_conditions"].columns if "iorb" in c.name}
    assert "sofr_p99_iorb_bp" in spreads
    assert spreads == set(declared.columns)
