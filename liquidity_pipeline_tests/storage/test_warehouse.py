"""The published file: what is refused, what a reader finds, and that it never meets half a file."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from liquidity_pipeline.contracts.table import Table, day, number, text
from liquidity_pipeline.storage import warehouse
from liquidity_pipeline.storage.warehouse import PublicationError, publish, reading

BALANCES = Table(
    "sources",
    "balances",
    "Balances of the Treasury's account.",
    key=("date",),
    columns=(
        day("date", "Day of the statement"),
        number("closing_usd_mn", "Balance at the day's end", nullable=False),
        number("change_usd_mn", "Change"),
    ),
    origin="US Treasury",
)
EDITION = Table("meta", "edition", "One row.", key=("number",), columns=(text("number", "Which"),))
TABLES = [BALANCES, EDITION]


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connected:
        connected.execute("create schema sources")
        connected.execute("create schema meta")
        fill(connected, 1)
        yield connected


def fill(connection: duckdb.DuckDBPyConnection, edition: int, days: int = 50) -> None:
    connection.execute(f"create or replace table meta.edition as select '{edition}' as number")
    connection.execute(
        f"""create or replace table sources.balances as
        select date '2026-01-01' + i::integer as date, {edition}::double as closing_usd_mn,
            null::double as change_usd_mn, 'not published' as more
        from range({days}) as t(i) order by i desc"""
    )


def storage_version(path: Path) -> str:
    with reading(path) as reader:
        found = reader.execute(
            "select tags from duckdb_databases() where database_name = 'liquidity'"
        ).fetchall()[0]
    assert found is not None
    return str(found[0]["storage_version"])


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "a dir's name" / "liquidity.duckdb"


def left_over(target: Path) -> list[Path]:
    return [path for path in target.parent.rglob("*") if path.is_file() and path != target]


def test_what_was_in_the_tables_is_in_the_file(connection: duckdb.DuckDBPyConnection, target: Path):
    assert publish(connection, TABLES, target) == {"sources.balances": 50, "meta.edition": 1}
    with reading(target) as reader:
        rows = reader.execute("from sources.balances").fetchall()
        assert reader.execute("from meta.edition").fetchall() == [("1",)]
    assert len(rows) == 50
    assert [str(row[0]) for row in rows[:2]] == ["2026-01-01", "2026-01-02"]
    assert rows[0][1:] == (1.0, None)


def test_a_column_with_a_formula_is_computed_by_the_file_and_is_like_the_others(
    connection: duckdb.DuckDBPyConnection, target: Path
):
    columns = (day("date", "Day"), replace(number("twice", "Double"), formula="half * 2"))
    table = Table("sources", "halves", "Halves.", ("date",), (*columns, number("half", "Half")))
    connection.execute(
        "create table sources.halves as select date '2026-01-01' as date, 1.5 as half"
    )
    assert publish(connection, [table], target) == {"sources.halves": 1}
    with reading(target) as reader:
        assert reader.execute("from sources.halves").fetchall() == [(date(2026, 1, 1), 3.0, 1.5)]
        found = reader.execute(
            """select column_name, data_type, comment from duckdb_columns()
            where table_name = 'halves' order by column_index"""
        ).fetchall()
    assert found == [
        ("date", "DATE", "Day [day]"),
        ("twice", "DOUBLE", "Double"),
        ("half", "DOUBLE", "Half"),
    ]


def test_tables_that_are_written_at_once_are_in_the_file_like_the_others(
    connection: duckdb.DuckDBPyConnection, target: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(warehouse, "_MANY_ROWS", 0)
    assert publish(connection, TABLES, target) == {"sources.balances": 50, "meta.edition": 1}
    with reading(target) as reader:
        assert len(reader.execute("from sources.balances").fetchall()) == 50
    assert storage_version(target).startswith("v1.0.0")
    # The second table fails when the first has been written: nothing of it is seen or left.
    published = target.read_bytes()
    connection.execute("drop table meta.edition")
    with pytest.raises(duckdb.CatalogException):
        publish(connection, TABLES, target)
    assert target.read_bytes() == published
    assert left_over(target) == []


def test_the_file_is_read_only_in_the_oldest_format_and_alone(
    connection: duckdb.DuckDBPyConnection, target: Path
):
    publish(connection, TABLES, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o444
    assert left_over(target) == []
    assert storage_version(target).startswith("v1.0.0")
    # And nothing of it stays attached where it was built.
    names = connection.execute("select database_name from duckdb_databases()").fetchall()
    assert ("publication",) not in names


def test_the_format_does_not_depend_on_what_duckdb_prefers(
    connection: duckdb.DuckDBPyConnection, target: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(warehouse, "STORAGE_VERSION", "v1.2.0")
    publish(connection, TABLES, target)
    assert storage_version(target).startswith("v1.2.0")


def test_every_table_and_column_says_what_it_is_and_in_which_unit(
    connection: duckdb.DuckDBPyConnection, target: Path
):
    publish(connection, TABLES, target)
    with reading(target) as reader:
        tables = dict(
            reader.execute(
                "select table_name, comment from duckdb_tables() where database_name = 'liquidity'"
            ).fetchall()
        )
        columns = reader.execute(
            """select column_name, comment, data_type, is_nullable from duckdb_columns()
            where database_name = 'liquidity' and table_name = 'balances' order by column_index"""
        ).fetchall()
    assert tables == {
        "balances": "Balances of the Treasury's account. Key: date. Source: US Treasury.",
        "edition": "One row. Key: number.",
    }
    assert columns == [
        ("date", "Day of the statement [day]", "DATE", False),
        ("closing_usd_mn", "Balance at the day's end [USD millions]", "DOUBLE", False),
        ("change_usd_mn", "Change [USD millions]", "DOUBLE", True),
    ]


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_what_is_not_a_number_is_refused(
    connection: duckdb.DuckDBPyConnection, target: Path, value: str
):
    publish(connection, TABLES, target)
    before = target.read_bytes()
    connection.execute(
        f"update sources.balances set change_usd_mn = '{value}' where date = '2026-01-07'"
    )
    with pytest.raises(PublicationError, match=r"sources\.balances: 1 rows hold NaN or infinity"):
        publish(connection, TABLES, target)
    assert target.read_bytes() == before
    assert left_over(target) == []


@pytest.mark.parametrize(
    "damage",
    [
        "update sources.balances set closing_usd_mn = null",
        "alter table sources.balances drop column change_usd_mn",
        "drop table meta.edition",
    ],
)
def test_a_failure_in_the_middle_leaves_the_old_file_and_nothing_else(
    connection: duckdb.DuckDBPyConnection, target: Path, damage: str
):
    publish(connection, TABLES, target)
    before = target.read_bytes()
    connection.execute(damage)
    with pytest.raises(duckdb.Error):
        publish(connection, TABLES, target)
    assert target.read_bytes() == before
    assert left_over(target) == []
    fill(connection, 2)
    publish(connection, TABLES, target)
    with reading(target) as reader:
        assert reader.execute("from meta.edition").fetchall() == [("2",)]


def test_rows_that_got_lost_on_the_way_are_noticed(
    connection: duckdb.DuckDBPyConnection, target: Path, monkeypatch: pytest.MonkeyPatch
):
    copy = warehouse._copy
    monkeypatch.setattr(warehouse, "_copy", lambda *args: copy(*args) + 1)
    with pytest.raises(PublicationError, match=r"sources\.balances: 51 rows were written"):
        publish(connection, TABLES, target)
    assert not target.exists()


def test_a_stale_log_stops_the_publication(connection: duckdb.DuckDBPyConnection, target: Path):
    publish(connection, TABLES, target)
    before = target.read_bytes()
    log = target.with_name("liquidity.duckdb.wal")
    log.write_bytes(b"left by a program that opened the file for writing")
    with pytest.raises(PublicationError, match=r"liquidity\.duckdb\.wal.*delete the log"):
        publish(connection, TABLES, target)
    assert target.read_bytes() == before
    log.unlink()
    publish(connection, TABLES, target)


def test_a_log_that_appears_during_the_build_stops_the_swap(
    connection: duckdb.DuckDBPyConnection, target: Path, monkeypatch: pytest.MonkeyPatch
):
    publish(connection, TABLES, target)
    before = target.read_bytes()
    log, verify = target.with_name("liquidity.duckdb.wal"), warehouse._verify

    def verify_while_somebody_writes(*args: object) -> None:
        verify(*args)  # type: ignore[arg-type]
        log.write_bytes(b"just now")

    monkeypatch.setattr(warehouse, "_verify", verify_while_somebody_writes)
    with pytest.raises(PublicationError, match="delete the log"):
        publish(connection, TABLES, target)
    assert target.read_bytes() == before


_READER = """
import sys
from pathlib import Path
from liquidity_pipeline.storage.warehouse import reading

target, stop = Path(sys.argv[1]), Path(sys.argv[2])
print("ready", flush=True)
reads, editions = 0, set()
while not stop.exists() or reads == 0:
    with reading(target) as reader:
        (edition,) = reader.execute("from meta.edition").fetchall()[0]
        rows = reader.execute(
            "select count(*), min(closing_usd_mn), max(closing_usd_mn) from sources.balances"
        ).fetchall()[0]
    assert rows == (40 + int(edition), float(edition), float(edition)), (edition, rows)
    reads, editions = reads + 1, editions | {edition}
print(reads, len(editions))
"""


@pytest.mark.slow
def test_a_reader_in_another_process_never_fails_and_never_sees_two_editions(
    connection: duckdb.DuckDBPyConnection, target: Path, tmp_path: Path
):
    """Edition n has n in every row, and 40 + n rows."""
    fill(connection, 1, days=41)
    publish(connection, TABLES, target)
    stop = tmp_path / "stop"
    command = [sys.executable, "-c", _READER, str(target), str(stop)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
        for edition in range(2, 22):
            fill(connection, edition, days=40 + edition)
            publish(connection, TABLES, target)
        stop.touch()
        output, errors = reader.communicate(timeout=30)
    assert reader.returncode == 0, errors
    reads, editions = map(int, output.split())
    assert reads >= editions > 1
    assert left_over(target) == []


@pytest.mark.parametrize("content", [b"", b"x" * 5000])
def test_a_damaged_file_says_how_to_publish_it_again(tmp_path: Path, content: bytes):
    path = tmp_path / "liquidity.duckdb"
    path.write_bytes(content)
    with pytest.raises(duckdb.IOException, match="is damaged: `liquidity run`"), reading(path):
        pass
