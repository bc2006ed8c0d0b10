"""`liquidity query`: all results, clean refusals, and nothing but the published file."""

from __future__ import annotations

from pathlib import Path

import pytest

from liquidity_pipeline.cli.exits import OK, USAGE
from liquidity_pipeline_tests.cli.commands import liquidity


def test_every_statement_has_its_result(place):
    result = liquidity("query", "select 11 as a; select 22 as b", *place, "--format", "csv")
    assert result.exit_code == OK
    assert result.output.split() == ["a", "11", "b", "22"]


@pytest.mark.parametrize("sql", ["", "  ", ";", "-- nothing"])
def test_no_statement_is_wrong_usage(sql, place):
    result = liquidity("query", sql, *place)
    assert result.exit_code == USAGE, result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "sql",
    [
        "copy (select 1) to '{folder}/out.csv'",
        "from read_csv('/etc/passwd')",
        "from read_text('{folder}/secret.txt')",
        "from '{folder}/secret.txt'",
        "from glob('/etc/*')",
        "attach '{folder}/new.duckdb'",
        "attach ':memory:' as other; export database '{folder}/dump'",
        "install httpfs",
        "load httpfs",
        "from read_parquet('http://127.0.0.1:9/x.parquet')",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "set memory_limit = '64GB'",
        "create table liquidity.marts.mine as select 1",
        "delete from marts.tga_daily",
    ],
)
def test_a_query_reaches_nothing_else(sql, place, tmp_path: Path):
    (tmp_path / "secret.txt").write_text("what is inside")
    result = liquidity("query", sql.format(folder=tmp_path), *place)
    assert result.exit_code == USAGE, result.output
    assert "what is inside" not in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["secret.txt"]


def test_a_directory_may_be_called_anything(place, tmp_path: Path):
    """What SQL, globs, URLs and Dagster's configuration would take for something else."""
    import shutil

    folder = tmp_path / "all of [x] it's #1"
    shutil.copytree(place[3], folder)
    options = (*place[:3], str(folder))
    result = liquidity("query", "select count(*) > 0 as filled from marts.tga_daily", *options)
    assert "True" in result.output, result.output
    again = liquidity("run", "--as-of", "2026-02-06", *options)
    assert again.exit_code == OK, again.output


def test_a_directory_in_which_dagster_cannot_work_is_refused(tmp_path: Path):
    result = liquidity("run", "--data-dir", str(tmp_path / "what?"))
    assert result.exit_code == USAGE
    assert "what?" in result.output
    assert "choose another directory" in " ".join(result.output.split())
