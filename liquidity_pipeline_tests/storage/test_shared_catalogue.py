"""A shared catalogue: each publication a snapshot, for several readers and writers.

DuckLake's extension is for one version of DuckDB. `make shared` runs these tests in an environment
that has both; elsewhere those that need it run in the one that LIQUIDITY_DUCKLAKE_PYTHON names, or
are skipped.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from liquidity_pipeline.cli.main import main
from liquidity_pipeline.settings import CatalogueSettings, SettingsError
from liquidity_pipeline.storage import ducklake, shared_catalogue
from liquidity_pipeline_tests.orchestration.test_postgres import postgres

ROOT = Path(__file__).parents[2]
BUILT_AT = datetime(2026, 2, 6, 22)  # noqa: DTZ001 - naive UTC, as published
PYTHON = os.environ.get("LIQUIDITY_DUCKLAKE_PYTHON", sys.executable)

REGISTER = """
import sys
from pathlib import Path
from liquidity_pipeline.settings import CatalogueSettings
from liquidity_pipeline.storage import shared_catalogue
try:
    done = shared_catalogue.register(Path(sys.argv[1]), CatalogueSettings.from_env())
except shared_catalogue.CatalogueError as error:
    sys.exit(str(error))
print(done.version, done.tables_changed, done.note)
"""
LIST = """
from liquidity_pipeline.settings import CatalogueSettings
from liquidity_pipeline.storage import shared_catalogue
for found in shared_catalogue.snapshots(CatalogueSettings.from_env()):
    print(found.version, found.publication_id, found.as_of)
"""
ASK = """
import json, sys
from liquidity_pipeline.settings import CatalogueSettings
from liquidity_pipeline.storage import ducklake
with ducklake.opened(CatalogueSettings.from_env(), read_only=True) as connection:
    connection.execute("use lake")
    for query in sys.argv[1:]:
        print(json.dumps(connection.execute(query).fetchall(), default=str))
"""


@cache
def why_not() -> str | None:
    """Return why DuckLake cannot be used, or None if it can."""
    program = (
        "import duckdb\nfrom liquidity_pipeline.storage import ducklake as catalogue\n"
        "connection = duckdb.connect()\n"
        "for name in ('ducklake', 'sqlite_scanner', 'postgres_scanner'):\n"
        "    file = catalogue._packaged(name)\n"
        "    connection.execute(f\"load '{file}'\" if file else f'load {name}')\n"
    )
    done = call(program, {})
    return None if done.returncode == 0 else done.stderr.splitlines()[-1]


def call(program: str, settings: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **settings, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [PYTHON, "-c", program, *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class Catalogue:
    """A catalogue under test, used from processes of its own."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.settings = settings

    def register(self, published: Path) -> str:
        done = call(REGISTER, self.settings, str(published))
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def refused(self, published: Path) -> str:
        done = call(REGISTER, self.settings, str(published))
        assert done.returncode == 1
        return done.stderr.strip()

    def ask(self, *queries: str) -> list[Any]:
        done = call(ASK, self.settings, *queries)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres(tmp_path_factory.mktemp("postgres") / "records") as url:
        yield url.replace("+psycopg2", "")


@pytest.fixture(params=["sqlite", "postgres"])
def catalogue(request: pytest.FixtureRequest, tmp_path: Path) -> Catalogue:
    if reason := why_not():
        pytest.skip(f"DuckLake cannot be loaded into the DuckDB of {PYTHON}: {reason}")
    settings = {"LIQUIDITY_CATALOGUE": str(tmp_path / "catalogue.sqlite")}
    if request.param == "postgres":
        url = request.getfixturevalue("server")
        name = f"catalogue_{uuid.uuid4().hex}"
        psql = ["psql", "-q", url, "-c", f"create database {name}"]
        subprocess.run(psql, check=True, stdout=subprocess.DEVNULL)
        settings = {
            "LIQUIDITY_CATALOGUE": url.replace("/postgres", f"/{name}"),
            "LIQUIDITY_CATALOGUE_DATA": str(tmp_path / "catalogue"),
        }
    return Catalogue(settings)


LARGE = "select * from marts.drains where amount_usd_mn > 10"


def published(folder: Path, number: int, rows: list[tuple[int, float]], more: str = "") -> Path:
    """Write a small file with what every publication has: a table, a view, and itself."""
    folder.mkdir(exist_ok=True)
    path = folder / f"publication-{number}.duckdb"
    values = ", ".join(f"({key}, {value})" for key, value in rows)
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"""
            create schema meta; create schema marts; create schema bi;
            create table meta.publication as select 'p{number}' as publication_id,
                date '2026-02-06' as as_of, 'sandbox' as endpoints,
                timestamp '{BUILT_AT + timedelta(hours=number)}' as built_at;
            create table marts.drains (day integer, amount_usd_mn double);
            insert into marts.drains values {values};
            create table marts.twin as from marts.drains;
            comment on column marts.drains.amount_usd_mn is 'Amount [USD millions]';
            create view bi.large as {LARGE};
            comment on view bi.large is 'Large amounts';
            create table meta.views as select 'bi' as schema_name, 'large' as view_name,
                '{LARGE}' as sql;
            {more}
            """
        )
    return path


def test_each_publication_is_a_snapshot_that_can_be_read_again(
    catalogue: Catalogue, tmp_path: Path
):
    first = published(tmp_path / "files", 1, [(1, 5.0), (2, 20.0), (3, 30.0)])
    second = published(tmp_path / "files", 2, [(1, 5.0), (2, 21.0), (4, 40.0)])
    assert catalogue.register(first).startswith("1 4 ")
    # Both tables and the publication itself changed.
    assert catalogue.register(second).startswith("2 3 ")
    assert "registered already" in catalogue.register(second)
    assert "newer publication" in catalogue.register(first)

    now, before, view, described, publications = catalogue.ask(
        "from marts.drains order by day",
        "from marts.drains at (version => 1) order by day",
        "from bi.large order by day",
        "select comment from duckdb_columns() where column_name = 'amount_usd_mn' "
        "and table_name = 'drains' and database_name = 'lake'",
        "select publication_id from meta.publication at (version => 1)",
    )
    assert now == [[1, 5.0], [2, 21.0], [4, 40.0]]
    assert before == [[1, 5.0], [2, 20.0], [3, 30.0]]
    assert view == [[2, 21.0], [4, 40.0]]
    assert described == [["Amount [USD millions]"]]
    assert publications == [["p1"]]
    done = call(LIST, catalogue.settings)
    assert done.stdout.splitlines() == ["1 p1 2026-02-06", "2 p2 2026-02-06"], done.stderr


def test_only_changed_rows_are_written_and_what_changed_can_be_asked(
    catalogue: Catalogue, tmp_path: Path
):
    catalogue.register(published(tmp_path / "files", 1, [(1, 5.0), (2, 20.0)]))
    catalogue.register(published(tmp_path / "files", 2, [(1, 5.0), (2, 21.0)]))
    (changes,) = catalogue.ask(
        "select change_type, day, amount_usd_mn "
        "from ducklake_table_changes('lake', 'marts', 'drains', 2, 2) order by all"
    )
    assert changes == [["delete", 2, 20.0], ["insert", 2, 21.0]]


def test_a_changed_table_keeps_its_former_self_in_former_snapshots(
    catalogue: Catalogue, tmp_path: Path
):
    catalogue.register(published(tmp_path / "files", 1, [(1, 5.0)]))
    changed = "alter table marts.drains add column source varchar; drop table marts.twin;"
    catalogue.register(published(tmp_path / "files", 2, [(1, 5.0)], changed))
    now, before, tables = catalogue.ask(
        "from marts.drains",
        "from marts.drains at (version => 1)",
        "select count(*) from duckdb_tables() where table_name = 'twin'",
    )
    assert (now, before, tables) == ([[1, 5.0, None]], [[1, 5.0]], [[0]])


def test_writers_at_once_each_register_whole_publications(catalogue: Catalogue, tmp_path: Path):
    """Of ten publications by five writers the newest is last, and no snapshot mixes two."""
    catalogue.register(published(tmp_path / "files", 0, [(0, 0.0)]))
    files = [
        published(tmp_path / "files", n, [(day, float(n)) for day in range(50)])
        for n in range(1, 11)
    ]

    def write(number: int) -> list[str]:
        return [catalogue.register(file) for file in files[number::5]]

    def read(_: int) -> list[Any]:
        (seen,) = catalogue.ask(
            "select count(*), min(d.amount_usd_mn), max(d.amount_usd_mn), min(t.amount_usd_mn), "
            "min(p.publication_id) from marts.drains d join marts.twin t using (day), "
            "meta.publication p"
        )
        return list(seen[0])

    with ThreadPoolExecutor(8) as pool:
        writers = [pool.submit(write, number) for number in range(5)]
        reads = [future.result() for future in [pool.submit(read, n) for n in range(6)]]
        lines = [line for writer in writers for line in writer.result()]
    versions = [int(line.split()[0]) for line in lines if not line.startswith("None")]
    assert len(set(versions)) == len(versions) >= 1
    reads += [
        catalogue.ask(
            f"select count(*), min(amount_usd_mn), max(amount_usd_mn), "
            f"(select min(amount_usd_mn) from marts.twin at (version => {version})), "
            f"(select publication_id from meta.publication at (version => {version})) "
            f"from marts.drains at (version => {version})"
        )[0][0]
        for version in sorted(versions)
    ]
    for rows, low, high, twin, publication in reads:
        assert low == high == twin == float(publication.removeprefix("p"))
        assert rows == (50 if low else 1)
    (newest,) = catalogue.ask("select publication_id from meta.publication")
    assert newest == [["p10"]]


def test_data_of_other_origin_are_refused(catalogue: Catalogue, tmp_path: Path):
    catalogue.register(published(tmp_path / "files", 1, [(1, 5.0)]))
    live = "update meta.publication set endpoints = 'live';"
    refusal = catalogue.refused(published(tmp_path / "files", 2, [(1, 5.0)], live))
    assert "holds data from 'sandbox'" in refusal
    assert catalogue.ask("select count(*) from lake.snapshots()") == [[[2]]]


def test_a_whole_publication_equals_its_snapshot(place: tuple[str, ...], tmp_path: Path):
    """Every table and view, and every comment that DuckLake can hold."""
    if reason := why_not():
        pytest.skip(f"DuckLake cannot be loaded into the DuckDB of {PYTHON}: {reason}")
    file = Path(place[-1], "liquidity.duckdb")
    catalogue = Catalogue({"LIQUIDITY_CATALOGUE": str(tmp_path / "catalogue.sqlite")})
    catalogue.register(file)
    with duckdb.connect(str(file), read_only=True) as connection:
        names = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "union all select schema_name || '.' || view_name from duckdb_views() "
            "where not internal order by 1"
        ).fetchall()
    queries = [f"attach '{file}' as src (read_only)"]
    for (name,) in names:
        count = f"(select count(*) from {name})"
        queries.append(f"select count(*) from (from src.{name} except all from {name})")
        queries.append(f"select (select count(*) from src.{name}) - {count}")
    for kind, columns in (("tables", "table_name"), ("views", "view_name")):
        comments = f"select schema_name, {columns}, comment from duckdb_{kind}() where not internal"
        queries.append(
            f"select count(*) from ({comments} and database_name = 'src' "
            f"except {comments} and database_name = 'lake')"
        )
    answers = catalogue.ask(*queries)[1:]
    assert len(answers) == 2 * len(names) + 2 > 100
    assert {row[0] for answer in answers for row in answer} == {0}


@pytest.mark.parametrize("first_a_view", [True, False])
def test_a_view_may_become_a_table_and_a_table_a_view(
    catalogue: Catalogue, tmp_path: Path, first_a_view: bool
):
    as_table = ""
    as_view = (
        "drop table marts.twin; create view marts.twin as from marts.drains where day > 1; "
        "insert into meta.views values ('marts', 'twin', 'from marts.drains where day > 1');"
    )
    before, after = (as_view, as_table) if first_a_view else (as_table, as_view)
    catalogue.register(published(tmp_path / "files", 1, [(1, 5.0), (2, 6.0)], before))
    catalogue.register(published(tmp_path / "files", 2, [(1, 5.0), (2, 6.0)], after))
    (rows,) = catalogue.ask("from marts.twin order by day")
    assert rows == ([[1, 5.0], [2, 6.0]] if first_a_view else [[2, 6.0]])


def test_a_comment_is_taken_over_where_nothing_else_has_changed(
    catalogue: Catalogue, tmp_path: Path
):
    catalogue.register(published(tmp_path / "files", 1, [(1, 5.0)]))
    catalogue.register(
        published(
            tmp_path / "files",
            2,
            [(1, 5.0)],
            "comment on column marts.drains.amount_usd_mn is 'Amount [USD billions]'; "
            "comment on table marts.twin is 'The same again'; "
            "comment on view bi.large is null;",
        )
    )
    column, table, view = catalogue.ask(
        "select comment from duckdb_columns() where database_name = 'lake' "
        "and table_name = 'drains' and column_name = 'amount_usd_mn'",
        "select comment from duckdb_tables() where database_name = 'lake' and table_name = 'twin'",
        "select comment from duckdb_views() where database_name = 'lake' and view_name = 'large'",
    )
    assert (column, table, view) == ([["Amount [USD billions]"]], [["The same again"]], [[None]])


def test_a_file_that_does_not_record_its_views_is_refused(catalogue: Catalogue, tmp_path: Path):
    refusal = catalogue.refused(
        published(tmp_path / "files", 1, [(1, 5.0)], "drop table meta.views;")
    )
    assert "bi.large" in refusal
    assert "`liquidity run` publishes it again" in refusal


@pytest.fixture
def silent_server() -> Iterator[str]:
    """A port on which connections are accepted and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listening:
        yield f"postgresql://user:hunter2@127.0.0.1:{listening.getsockname()[1]}/db"


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "failed: timeout expired. Is the database running"),
        # The connection itself is without a limit: the registration as a whole has one.
        (
            {"PGCONNECT_TIMEOUT": "0", "LIQUIDITY_CATALOGUE_TIMEOUT": "3"},
            "did not answer within 3 seconds",
        ),
    ],
)
def test_a_database_that_says_nothing_is_given_up(
    silent_server: str, tmp_path: Path, environment: dict[str, str], said: str
):
    if reason := why_not():
        pytest.skip(f"DuckLake cannot be loaded into the DuckDB of {PYTHON}: {reason}")
    settings = {
        "LIQUIDITY_CATALOGUE": silent_server,
        "LIQUIDITY_CATALOGUE_DATA": str(tmp_path / "data"),
        **environment,
    }
    began = time.monotonic()
    refusal = Catalogue(settings).refused(published(tmp_path / "files", 1, [(1, 5.0)]))
    assert time.monotonic() - began < 30
    assert said in refusal
    assert "hunter2" not in refusal
    # A run shows so much of a line that names what was not shared.
    assert len(refusal) < 250


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait_for_a_silent_database(
    silent_server: str, tmp_path: Path, number: signal.Signals
):
    if reason := why_not():
        pytest.skip(f"DuckLake cannot be loaded into the DuckDB of {PYTHON}: {reason}")
    settings = {
        "LIQUIDITY_CATALOGUE": silent_server,
        "LIQUIDITY_CATALOGUE_DATA": str(tmp_path / "data"),
        "PGCONNECT_TIMEOUT": "0",
    }
    command = [PYTHON, "-m", "liquidity_pipeline.cli.main", "catalogue", "list"]
    with subprocess.Popen(
        command, env={**os.environ, **settings, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE
    ) as waiting:
        time.sleep(3)
        assert waiting.poll() is None
        waiting.send_signal(number)
        _, said = waiting.communicate(timeout=10)
    assert waiting.returncode == 3
    assert said.decode().strip() == "interrupted"


# --- without DuckLake -----------------------------------------------------------------------------


def test_a_missing_extension_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ducklake, "_packaged", lambda name: tmp_path / "absent")
    settings = CatalogueSettings(str(tmp_path / "catalogue.sqlite"))
    with pytest.raises(shared_catalogue.CatalogueError, match=r"liquidity-pipeline\[ducklake\]"):
        ducklake.snapshots(settings)
    assert not (tmp_path / "catalogue.sqlite").exists()


def test_a_process_that_never_answers_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    deaf = tmp_path / "python"
    deaf.write_text("#!/bin/sh\nexec sleep 60\n")
    deaf.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(deaf))
    monkeypatch.setattr(shared_catalogue, "_GRACE_SECONDS", 0)
    settings = CatalogueSettings(str(tmp_path / "catalogue.sqlite"), timeout=1)
    began = time.monotonic()
    with pytest.raises(shared_catalogue.CatalogueError, match="did not answer within 1 seconds"):
        shared_catalogue.snapshots(settings)
    assert time.monotonic() - began < 5


def test_no_catalogue_is_wrong_usage():
    result = CliRunner().invoke(main, ["catalogue", "list"], env={"LIQUIDITY_CATALOGUE": ""})
    assert result.exit_code == 2
    assert "LIQUIDITY_CATALOGUE" in result.output


@pytest.mark.parametrize(
    "environment",
    [
        {"LIQUIDITY_CATALOGUE": "mysql://user:hunter2@host/db"},
        {"LIQUIDITY_CATALOGUE": "postgresql://user:hunter2@host/db"},
    ],
)
def test_a_catalogue_that_cannot_be_is_refused_without_its_password(environment: dict[str, str]):
    with pytest.raises(SettingsError) as refused:
        CatalogueSettings.from_env(environment)
    assert "hunter2" not in str(refused.value)


def test_no_message_contains_a_secret():
    settings = CatalogueSettings.from_env(
        {
            "LIQUIDITY_CATALOGUE": "postgresql://user:hunter2@127.0.0.1:1/db",
            "LIQUIDITY_CATALOGUE_DATA": "s3://bucket/prefix",
            "AWS_SECRET_ACCESS_KEY": "topsecret",
        }
    )
    assert settings is not None
    error = duckdb.IOException(f"Unable to connect to '{settings.location}': hunter2, topsecret")
    shown = f"{settings!r} {ducklake._explained(error, settings)} {settings.shown}"
    assert "hunter2" not in shown
    assert "topsecret" not in shown
    assert "postgresql://127.0.0.1:1/db" in shown
