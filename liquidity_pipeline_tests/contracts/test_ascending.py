"""Figures of one row that contradict each other are not taken over, and cost no other row."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.sources.federal_reserve import REFERENCE_RATES, REPO_OPERATIONS
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.contracts.validation import ContractBreach, keep_sound, validate

FIRST = date(2026, 2, 2)
PERCENTILES = ("p1_pct", "p25_pct", "p75_pct", "p99_pct")
TRUE = (3.60, 3.63, 3.68, 3.75)
SWAPPED = (3.60, 3.68, 3.63, 3.75)


def rates(*percentiles: tuple[float | None, ...]) -> pa.Table:
    """Return SOFR at 3.65 % on days that follow each other, with these percentiles."""
    made = [
        {"effective_date": FIRST + timedelta(days=number), "rate": "SOFR", "rate_pct": 3.65}
        | dict(zip(PERCENTILES, values, strict=True))
        | {"known_at": datetime.fromisoformat("2026-02-09 13:00")}
        for number, values in enumerate(percentiles)
    ]
    return pa.Table.from_pylist(made, schema=REFERENCE_RATES.arrow_schema)


def repos(*amounts: tuple[float | None, float | None]) -> pa.Table:
    """Return operations with amounts submitted and accepted."""
    made = [
        {
            "operation_id": f"RP {number}",
            "operation_date": FIRST,
            "kind": "srf",
            "submitted_usd_mn": submitted,
            "accepted_usd_mn": accepted,
            "is_small_value": False,
            "known_at": datetime.fromisoformat("2026-02-02 19:00"),
        }
        for number, (submitted, accepted) in enumerate(amounts)
    ]
    return pa.Table.from_pylist(made, schema=REPO_OPERATIONS.arrow_schema)


def kept(table: Table, rows: pa.Table) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the rows that are kept, and what was named."""
    named: list[str] = []
    return keep_sound(table, rows, named.append).to_pylist(), named


def test_percentiles_that_cross_are_emptied_and_named_and_the_rate_stays():
    found, named = kept(REFERENCE_RATES, rates(TRUE, SWAPPED, TRUE))
    assert [tuple(row[name] for name in PERCENTILES) for row in found] == [TRUE, (None,) * 4, TRUE]
    assert [row["rate_pct"] for row in found] == [3.65] * 3
    assert named == [
        "1 of 3 rows have cells that are left empty: sources.reference_rates breaks its contract: "
        "p1_pct <= p25_pct <= p75_pct <= p99_pct does not hold in 1 row(s), e.g. effective_date "
        "2026-02-03, rate SOFR, p1_pct 3.6, p25_pct 3.68, p75_pct 3.63, p99_pct 3.75"
    ]


def test_empty_cells_contradict_nothing_and_equal_ones_neither():
    rows = rates((None, 3.63, 3.68, None), (3.65, 3.65, 3.65, 3.65), (None,) * 4)
    assert validate(REFERENCE_RATES, rows).equals(rows)
    _, named = kept(REFERENCE_RATES, rates(TRUE, (3.7, None, None, 3.6), TRUE))
    assert named, "the first is above the last, whatever stands between them"


def test_an_operation_that_accepted_more_than_was_offered_is_left_out_and_named():
    found, named = kept(REPO_OPERATIONS, repos((500.0, 500.0), (1.0, 100.0), (None, 7.0)))
    assert [row["operation_id"] for row in found] == ["RP 0", "RP 2"]
    (said,) = named
    assert said.startswith("1 of 3 rows are left out: sources.repo_operations breaks its contract")
    assert "accepted_usd_mn <= submitted_usd_mn does not hold in 1 row(s)" in said


def test_where_most_rows_are_so_the_answer_is_refused():
    """Two fields have changed places."""
    with pytest.raises(ContractBreach, match="does not hold in 2 row"):
        kept(REFERENCE_RATES, rates(TRUE, SWAPPED, SWAPPED))
    with pytest.raises(ContractBreach, match="does not hold in 2 row"):
        kept(REPO_OPERATIONS, repos((5.0, 5.0), (1.0, 100.0), (2.0, 7.0)))


def test_what_can_be_doubted_can_be_empty():
    nullable = {
        (table.name, column.name): column.nullable
        for table in SOURCE_TABLES.values()
        for column in table.columns
    }
    doubted = [
        (table.name, name)
        for table in SOURCE_TABLES.values()
        for rule in table.ascending
        for name in rule.doubted
    ]
    assert doubted
    assert all(nullable[each] for each in doubted)
