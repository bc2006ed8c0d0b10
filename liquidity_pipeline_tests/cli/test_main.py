"""The command line, as a person and a scheduler use it: what it does and how it ends."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from liquidity_pipeline.cli.exits import INCOMPLETE, NOT_PUBLISHED, OK, USAGE
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.storage import held_files
from liquidity_pipeline.storage.files import mark_of
from liquidity_pipeline_tests.cli.commands import liquidity


def test_help_is_there_for_every_command_and_does_not_wait_for_dagster():
    program = (
        "import sys; from click.testing import CliRunner;"
        "from liquidity_pipeline.cli.main import main;"
        "names = list(main.commands);"
        "codes = [CliRunner().invoke(main, [name, '--help']).exit_code for name in names];"
        "print(sorted(names), set(codes), 'dagster' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    names = [
        "alerts",
        "backfill",
        "brief",
        "catalogue",
        "doctor",
        "live",
        "mcp",
        "query",
        "rebuild",
        "refresh",
        "run",
        "sandbox",
        "scenario",
        "status",
        "ui",
    ]
    assert said.stdout.strip() == f"{names} {{0}} False"


def test_a_run_that_finds_nothing_new_shows_the_drain_and_leaves_every_file(place):
    folder = Path(place[3])
    mart, published = folder / "marts/tga_daily/tga_daily.parquet", folder / "liquidity.duckdb"
    before = (mark_of(mart), mark_of(published))
    again = liquidity("run", "--as-of", "2026-02-06", *place)
    assert again.exit_code == OK, again.output
    assert "Drain of the week ending Wednesday 2026-02-04" in again.output
    assert f"nothing new: {published} is up to date" in again.output.replace("\n", "")
    assert (mark_of(mart), mark_of(published)) == before


# To plan, to read a snapshot, to check and to describe it, to find marts that changed, to say again
# what does not reconcile, and to tell whether to publish.
STEPS_THAT_LOOK = 7


def test_the_files_of_the_lake_are_looked_for_once_in_a_step(place, monkeypatch):
    """With twenty years of data each further look costs as much as a source."""
    looks, look = Counter(), held_files.look
    monkeypatch.setattr(
        held_files, "look", lambda folder, *rest: looks.update([folder.name]) or look(folder, *rest)
    )
    again = liquidity("run", "--as-of", "2026-02-06", *place)
    assert again.exit_code == OK, again.output
    assert set(SOURCE_TABLES) <= set(looks)
    assert max(looks.values()) <= STEPS_THAT_LOOK


def test_a_query_answers_as_table_csv_and_json(place):
    sql = "select count(*) as days from sources.tga_balance where record_date >= '2026-01-01' \
        and record_date < '2026-02-01'"
    rows = list(
        csv.DictReader(io.StringIO(liquidity("query", sql, "--format", "csv", *place).output))
    )
    assert rows == [{"days": "20"}]
    assert json.loads(liquidity("query", sql, "--format", "json", *place).output) == [{"days": 20}]
    assert "20" in liquidity("query", sql, *place).output


def test_a_wrong_query_is_wrong_usage(place):
    result = liquidity("query", "select * from marts.nothing", *place)
    assert result.exit_code == USAGE
    assert "nothing" in result.output


def test_the_lake_is_rebuilt_from_the_archive_byte_for_byte(place):
    result = liquidity("rebuild", "--check", *place)
    assert result.exit_code == OK, result.output
    assert "0 files differ" in result.output


def test_the_doctor_finds_everybody_well(place):
    result = liquidity("doctor", *place)
    assert result.exit_code == OK, result.output
    assert "fail" not in result.output


def test_a_directory_keeps_to_its_endpoints(place):
    folder = place[3]
    for other in (("--endpoints", "http://127.0.0.1:9"), ("--endpoints", "live")):
        result = liquidity("run", "--data-dir", folder, *other)
        assert result.exit_code == USAGE
        assert "Rows of different origin never share a directory" in " ".join(result.output.split())


def test_a_sandbox_that_is_asked_by_its_address_is_synthetic(place):
    result = liquidity("query", "select endpoints, is_synthetic from meta.publication", *place)
    assert "sandbox" in result.output
    assert "True" in result.output


def test_what_stands_in_brackets_is_shown_as_it_is(place):
    assert "[r] [/b]" in liquidity("query", "select '[r] [/b]' as words", *place).output


def test_a_last_month_before_the_first_is_wrong_usage(place):
    result = liquidity("backfill", "--since", "2026-02", "--until", "2026-01", *place)
    assert result.exit_code == USAGE
    assert "--until 2026-01" in result.output


def test_a_damaged_file_of_the_lake_ends_a_run_with_what_to_do(place, tmp_path):
    folder = tmp_path / "damaged"
    shutil.copytree(place[3], folder)
    some = next((folder / "lake/tga_balance").rglob("*.parquet"))
    some.chmod(0o644)
    some.write_bytes(b"not Parquet")
    result = liquidity("run", "--as-of", "2026-02-06", *place[:3], str(folder))
    assert result.exit_code == NOT_PUBLISHED
    assert "liquidity rebuild" in " ".join(result.output.split())


def test_a_portfolio_that_names_what_is_not_followed_is_wrong_usage(place, tmp_path):
    file = tmp_path / "portfolio.csv"
    file.write_text("symbol,weight\nGOLD,1\n")
    result = liquidity("scenario", "--portfolio", str(file), *place)
    assert result.exit_code == USAGE
    assert "GOLD" in result.output


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("run", "--since", "yesterday"), "'yesterday' is not a month; expected YYYY-MM"),
        (("run", "--as-of", "2026-13-01"), "'2026-13-01' is not a day"),
        (("run", "--endpoints", "ftp://x"), "neither 'live' nor 'sandbox' nor a URL"),
        (("run", "--sandbox", "--endpoints", "live"), "exclude each other"),
        (("backfill", "--since", "2026-01", "--source", "gold"), "no source gold; there are"),
        (("query", "select 1"), "does not exist yet: run `liquidity run` first"),
        (("sandbox", "--faults", "flood:1"), "flood"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_right(words, problem, tmp_path):
    place = () if words[0] == "sandbox" else ("--data-dir", str(tmp_path))
    result = liquidity(*words, *place)
    assert result.exit_code == USAGE
    assert problem in " ".join(result.output.split()).replace("│ ", "")


def test_one_publisher_down_stops_nobody_else(sandbox, tmp_path):
    options = ("--endpoints", sandbox, "--data-dir", str(tmp_path))
    result = liquidity(
        "run", "--since", "2026-01", "--as-of", "2026-02-06", *options,
        LIQUIDITY_URL_NYFED="http://127.0.0.1:9",
    )  # fmt: skip
    assert result.exit_code == INCOMPLETE, result.output
    assert "reference_rates: nyfed" in result.output
    assert (tmp_path / "liquidity.duckdb").exists()
    asked = ("query", "select table_name, problem from meta.freshness where is_stale", *options)
    stale = {row["table_name"] for row in json.loads(liquidity(*asked, "--format", "json").output)}
    assert stale == {
        "fed_operations",
        "reference_rates",
        "repo_operations",
        "soma_holdings",
        "soma_securities",
    }
    assert liquidity("status", *options).exit_code == INCOMPLETE


@pytest.mark.slow
def test_nothing_fetched_is_not_published(tmp_path):
    """Slow: a whole run, whose sources all fail."""
    result = liquidity(
        "run", "--since", "2026-01", "--as-of", "2026-02-06", "--data-dir", str(tmp_path),
        "--endpoints", "http://127.0.0.1:9", LIQUIDITY_HTTP_RETRIES="0",
    )  # fmt: skip
    assert result.exit_code == NOT_PUBLISHED, result.output
    assert "no source has ever been fetched" in " ".join(result.output.split())
    assert not (tmp_path / "liquidity.duckdb").exists()
