"""Column lineage that an earlier run has kept."""

from pathlib import Path

import pytest

from liquidity_pipeline.models import lineage

SQL = "select a + b as total from marts.one"
SCHEMA = {"marts.one": ("a", "b")}
EXPECTED = {"total": [("marts.one", "a"), ("marts.one", "b")]}


def test_a_kept_answer_is_read_without_parsing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lineage.columns_read_once(SQL, SCHEMA, tmp_path) == EXPECTED
    monkeypatch.setattr(lineage, "columns_read", lambda *_: pytest.fail("parsed again"))
    assert lineage.columns_read_once(SQL, SCHEMA, tmp_path) == EXPECTED


def test_a_changed_query_or_a_damaged_file_is_parsed(tmp_path: Path) -> None:
    lineage.columns_read_once(SQL, SCHEMA, tmp_path)
    (kept,) = tmp_path.glob("*.json")
    kept.write_text("[")
    assert lineage.columns_read_once(SQL, SCHEMA, tmp_path) == EXPECTED
    changed = lineage.columns_read_once(SQL.replace("a +", "b +"), SCHEMA, tmp_path)
    assert changed == {"total": [("marts.one", "b")]}
