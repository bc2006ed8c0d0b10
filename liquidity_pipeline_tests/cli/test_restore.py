"""The restore drill of docs/operations.md: what is backed up is enough to have everything again."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from liquidity_pipeline.cli.exits import OK
from liquidity_pipeline_tests.cli.commands import liquidity

BACKED_UP = ("archive", "endpoints.json", "briefs")


def test_a_backup_gives_the_lake_and_the_file_again(place: tuple[str, ...], tmp_path: Path):
    original, restored = Path(place[3]), tmp_path / "restored"
    restored.mkdir()
    for name in BACKED_UP:
        kept = original / name
        (shutil.copytree if kept.is_dir() else shutil.copy)(kept, restored / name)
    options = (*place[:3], str(restored))
    result = liquidity("rebuild", *options, LIQUIDITY_AS_OF="2026-02-06")
    assert result.exit_code == OK, result.output
    for path in sorted((original / "lake").rglob("*.parquet")):
        if "policy_events" in path.parts:
            continue  # taken over from data/reference, not fetched
        again = restored / "lake" / path.relative_to(original / "lake")
        assert again.read_bytes() == path.read_bytes(), path
    assert contents(restored) == contents(original)


def contents(folder: Path) -> dict[str, tuple[int, str]]:
    """Return rows and a hash of each published table of sources and marts."""
    found = {}
    with duckdb.connect(str(folder / "liquidity.duckdb"), read_only=True) as reader:
        names = reader.execute(
            "select schema_name || '.' || table_name from duckdb_tables()"
            " where schema_name in ('sources', 'marts')"
        ).fetchall()
        for (name,) in names:
            (found[name],) = reader.execute(
                f"select count(*), sum(hash(t))::varchar from {name} as t"
            ).fetchall()
    return found
