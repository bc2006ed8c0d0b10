"""The answers about queries that are worked out ahead, and kept in `lineage.json`."""

import pytest

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.models import engine, lineage, lineage_file

SQL = "select a + b as total from marts.one"
SCHEMA = {"marts.one": ("a", "b")}


@pytest.mark.slow
def test_the_kept_answers_are_those_of_the_queries_as_they_are() -> None:
    assert lineage.FILE.read_text(encoding="utf-8") == lineage_file.content(), (
        "a query or a table changed: run `python -m liquidity_pipeline.models.lineage_file`"
    )


def test_no_query_of_a_mart_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("parse_tables", "parse_columns"):
        monkeypatch.setattr(lineage, name, lambda *_: pytest.fail("parsed"))
    lineage.tables_read.cache_clear()
    engine.upstream.cache_clear()
    for name in MART_TABLES:
        assert engine.upstream(name)
        assert set(engine.column_lineage(name)) == set(MART_TABLES[name].column_names)


def test_an_unknown_query_or_another_schema_is_parsed() -> None:
    assert lineage.tables_read(SQL) == {"marts.one"}
    both = [("marts.one", "a"), ("marts.one", "b")]
    assert lineage.columns_read(SQL, SCHEMA) == {"total": both}
    changed = lineage.columns_read(SQL.replace("a +", "b +"), SCHEMA)
    assert changed == {"total": [("marts.one", "b")]}
