"""What helps a reader: labels, example queries, relationships and views of the published file."""

from __future__ import annotations

import pyarrow as pa

from liquidity_pipeline.contracts.registry import PUBLISHED
from liquidity_pipeline.contracts.renames import RENAMED_COLUMNS
from liquidity_pipeline.models import catalogue


def test_a_component_has_its_label_and_both_signs():
    signs = pa.table(
        {
            "component": ["tga", "tga", "fed_bill_purchases", "fed_bill_purchases"],
            "convention": ["reserves", "headline", "reserves", "headline"],
            "sign": [1, 1, -1, 1],
        }
    )
    rows = {row["component"]: row for row in catalogue.components(signs).to_pylist()}
    assert rows["tga"]["label"] == "Treasury General Account rises"
    assert (
        rows["fed_bill_purchases"]["sign_reserves"],
        rows["fed_bill_purchases"]["sign_headline"],
    ) == (-1, 1)
    assert rows["total"]["sign_reserves"] is None, "a total has no sign of its own"


def test_relationships_name_columns_that_exist():
    for row in catalogue.relationships(list(PUBLISHED.values())).to_pylist():
        assert row["from_column"] in PUBLISHED[row["from_table"]].column_names
        assert row["to_column"] in PUBLISHED[row["to_table"]].column_names


def test_a_renamed_column_is_gone_from_the_table_and_its_new_name_is_there():
    for table, renamed in RENAMED_COLUMNS.items():
        names = PUBLISHED[table].column_names
        assert set(renamed) <= set(names)
        assert not set(renamed.values()) & set(names)


def test_every_view_and_query_begins_with_what_it_answers():
    texts = [view.meaning for view in catalogue.views()]
    texts += catalogue.example_queries()["question"].to_pylist()
    assert all(text[0].isupper() and text[-1] in ".?" for text in texts)
