"""Rows against their contract: what is refused, and in which words."""

from __future__ import annotations

from datetime import date, datetime

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandera.errors import SchemaErrors

from liquidity_pipeline.contracts.table import KNOWN_AT, Table, day, number, text
from liquidity_pipeline.contracts.validation import (
    ContractBreach,
    conform,
    pandera_schema,
    validate,
)

RATES = Table(
    "sources",
    "rates",
    "Rates.",
    key=("date", "rate"),
    day="date",
    columns=(
        day("date", "Day"),
        text("rate", "Which", allowed=("SOFR", "EFFR")),
        number("rate_pct", "The rate", nullable=False, low=-5, high=30),
        number("volume_usd_bn", "Volume", low=0),
        text("note", "In words", nullable=True),
        KNOWN_AT,
    ),
)
FIRST, SECOND = date(2026, 2, 5), date(2026, 2, 6)
KNOWN = datetime.fromisoformat("2026-02-09 13:00")


def rows(**changes: list[object]) -> pa.Table:
    return pa.table(
        {
            "date": [SECOND, FIRST],
            "rate": ["SOFR", "SOFR"],
            "rate_pct": [3.65, 3.7],
            "volume_usd_bn": [2_800.0, None],
            "note": [None, "a note"],
            "known_at": [KNOWN, KNOWN],
        }
        | changes
    )


def test_good_rows_come_back_in_the_contract_s_order_and_types():
    shuffled = rows(rate_pct=[4, 3]).select([5, 4, 3, 2, 1, 0])
    checked = validate(RATES, shuffled.append_column("more", pa.array([1, 2])))
    assert checked.schema == RATES.arrow_schema
    assert checked["date"].to_pylist() == [FIRST, SECOND]
    assert checked["rate_pct"].to_pylist() == [3.0, 4.0]


def test_no_rows_are_rows_too():
    assert validate(RATES, rows().slice(0, 0)).num_rows == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rate_pct": [3.65, 31.0]}, r"rate_pct: less_than_or_equal_to\(30\).*31\.0"),
        ({"rate_pct": [3.65, -5.1]}, r"rate_pct: greater_than_or_equal_to\(-5\).*-5\.1"),
        ({"rate": ["SOFR", "LIBOR"]}, r"rate: isin.*'LIBOR'"),
        ({"rate_pct": [3.65, None]}, r"\.rate_pct: 1 value\(s\) are NULL"),
        ({"rate_pct": [3.65, float("nan")]}, r"\.rate_pct: NaN or infinite"),
        ({"volume_usd_bn": [1.0, float("inf")]}, r"\.volume_usd_bn: NaN or infinite"),
        ({"rate_pct": ["3.65", "n/a"]}, r"\.rate_pct: .*'n/a'"),
        ({"rate_pct": [{"value": 3.65}] * 2}, r"\.rate_pct: Unsupported cast"),
        ({"date": [FIRST, FIRST]}, "2 rows share their key, e.g. date 2026-02-05, rate SOFR"),
        ({"date": ["2026-02-05", "yesterday"]}, r"\.date: .*'yesterday'"),
    ],
)
def test_a_breach_names_table_column_rule_and_example(changes: dict[str, list[object]], words: str):
    with pytest.raises(ContractBreach, match=words) as breach:
        validate(RATES, rows(**changes))
    assert "sources.rates" in str(breach.value)


def test_all_broken_rules_are_named_at_once():
    wrong = rows(rate_pct=[3.65, 31.0], volume_usd_bn=[-1.0, None])
    with pytest.raises(ContractBreach, match=r"rate_pct.*volume_usd_bn"):
        validate(RATES, wrong)


def test_a_column_that_is_gone_is_named_beside_those_that_came():
    with pytest.raises(ContractBreach, match=r"column.*rate_pct.*missing.*present are date, rate"):
        validate(RATES, rows().drop_columns(["rate_pct"]))


def test_a_column_that_comes_twice_is_refused():
    with pytest.raises(ContractBreach, match=r"rate_pct.*2 times"):
        validate(RATES, rows().append_column("rate_pct", pa.array([1.0, 2.0])))


def test_a_null_in_the_key_does_not_hide_a_double():
    noted = Table("sources", "noted", "", key=("date", "note"), columns=RATES.columns)
    twice = rows(date=[FIRST, FIRST], note=pa.array([None, None], pa.string()))
    with pytest.raises(ContractBreach, match="2 rows share their key"):
        validate(noted, twice)
    assert validate(noted, rows(date=[FIRST, FIRST])).num_rows == 2


def test_bounds_are_inclusive():
    assert validate(RATES, rows(rate_pct=[-5.0, 30.0], volume_usd_bn=[0.0, 0.0])).num_rows == 2


def test_columns_that_are_not_stored_are_not_asked_for():
    with_status = Table(
        "sources",
        "with_status",
        "",
        key=("date", "rate"),
        columns=(*RATES.columns, text("status", "Depends on the moment", stored=False)),
    )
    assert "status" not in conform(with_status, rows()).schema.names


EVENTS = Table(
    "sources",
    "events",
    "",
    key=("date", "note"),
    columns=(
        day("date", "Day"),
        text("rate", "Which", allowed=("SOFR", "EFFR"), nullable=True),
        number("volume_usd_bn", "Volume", low=0, high=10),
        text("note", "In words", nullable=True),
    ),
)


@settings(deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "date": st.sampled_from([FIRST, SECOND]),
                "rate": st.sampled_from(["SOFR", "EFFR", "SOFR", None, "LIBOR"]),
                "volume_usd_bn": st.sampled_from([0.0, 10.0, 3.5, 5.0, None, -0.1, 10.5]),
                "note": st.sampled_from([None, "", "a", "b", "c"]),
            }
        ),
        max_size=5,
    )
)
@pytest.mark.slow
def test_rows_are_refused_exactly_where_pandera_refuses_them(made: list[dict[str, object]]):
    table = pa.Table.from_pylist(made, schema=EVENTS.arrow_schema)
    frame = conform(EVENTS, table).to_pandas(types_mapper=pd.ArrowDtype)
    try:
        pandera_schema(EVENTS).validate(frame, lazy=True)
    except SchemaErrors:
        with pytest.raises(ContractBreach, match="breaks its contract: "):
            validate(EVENTS, table)
    else:
        assert validate(EVENTS, table).num_rows == len(made)
