"""The data dictionary says what the contracts say."""

from pathlib import Path

from liquidity_pipeline.contracts.dictionary import dictionary
from liquidity_pipeline.contracts.registry import PUBLISHED

PAGE = Path(__file__).resolve().parents[2] / "docs" / "data-dictionary.md"


def test_the_page_is_not_stale():
    assert PAGE.read_text(encoding="utf-8") == dictionary(), "run `make docs` and commit the page"


def test_every_table_and_column_has_a_meaning_and_numbers_have_a_unit():
    for name, table in PUBLISHED.items():
        assert table.meaning, name
        for column in table.columns:
            assert column.meaning, f"{name}.{column.name}"
            if column.kind == "number":
                assert column.unit_text, f"{name}.{column.name} has no unit"


def test_no_cell_breaks_the_markdown_table():
    rows = [line for line in dictionary().splitlines() if line.startswith("| `")]
    assert rows
    assert {row.count("|") for row in rows} == {5}
