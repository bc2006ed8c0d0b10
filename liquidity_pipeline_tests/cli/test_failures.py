"""However a command fails: one line, the right code, and the traceback in the log."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy.exc

from liquidity_pipeline.cli import failures
from liquidity_pipeline.cli.exits import INCOMPLETE, NOT_PUBLISHED, OK, USAGE
from liquidity_pipeline.contracts.validation import ContractBreach
from liquidity_pipeline_tests.cli.commands import liquidity

RUN = ("run", "--as-of", "2026-02-06")


@pytest.fixture
def copy(place: tuple[str, ...], tmp_path: Path) -> tuple[str, ...]:
    """Give the options of a copy of the filled directory."""
    folder = tmp_path / "copy"
    shutil.copytree(place[3], folder)
    return (*place[:3], str(folder))


def words(text: str) -> str:
    return " ".join(text.replace("│", " ").split())


def test_damaged_records_of_dagster_end_with_one_line(copy):
    folder = Path(copy[3])
    (folder / "dagster_home/history/runs.db").write_bytes(b"no database " * 500)
    published = (folder / "liquidity.duckdb").stat().st_ino
    result = liquidity(*RUN, *copy)
    assert result.exit_code == NOT_PUBLISHED, result.output
    assert "Traceback" not in result.output
    assert "move the folder away and run again" in words(result.output)
    assert "Traceback" in (folder / "logs/liquidity.log").read_text()
    assert (folder / "liquidity.duckdb").stat().st_ino == published
    assert "Traceback" in liquidity(*RUN, *copy, "--debug").output
    shutil.move(folder / "dagster_home", folder / "away")
    assert liquidity(*RUN, *copy).exit_code == OK


@pytest.mark.campaign
@pytest.mark.parametrize("size", [1_000, 40_000, 300_000, 3_000_000])
def test_files_that_cannot_grow_end_as_a_full_disk_does(copy, size):
    """A limit of file sizes lets every writer fail: Arrow, DuckDB, SQLite, the log."""
    program = "from liquidity_pipeline.cli.main import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", program, "backfill", "--since", "2026-01", "--force", *copy],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    said = ended.stdout + ended.stderr
    published = "\npublished " in f"\n{said}"
    assert ended.returncode in ((OK, INCOMPLETE) if published else (NOT_PUBLISHED,)), said
    assert "Traceback" not in said
    assert liquidity("query", "from marts.tga_daily limit 1", *copy).exit_code == OK
    again = liquidity(*RUN, *copy)
    assert again.exit_code in (OK, INCOMPLETE), again.output + said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x"), "the disk is full (/x)"),
        (sqlite3.OperationalError("database or disk is full"), "the disk is full or failing"),
        (
            sqlalchemy.exc.OperationalError("select 1", {}, sqlite3.OperationalError("locked")),
            "another program holds them",
        ),
        (ContractBreach("marts.x: column y"), "marts.x: column y"),
        (KeyError("close"), "KeyError: 'close'"),
        (ValueError("two\nlines"), "two lines"),
    ],
)
def test_an_error_is_one_line_in_the_words_of_whoever_knew(error: Exception, said: str):
    line = failures.explain(error)
    assert said in line
    assert "\n" not in line


def test_an_error_of_any_class_ends_a_run_with_3(place, monkeypatch):
    from liquidity_pipeline.orchestration import runs

    for error in (KeyError("x"), RecursionError("deep"), MemoryError(), AssertionError("no")):

        def fail(*_: object, raised: BaseException = error, **__: object) -> None:
            raise raised

        monkeypatch.setattr(runs, "plan", fail)
        result = liquidity(*RUN, *place)
        assert result.exit_code == NOT_PUBLISHED
        assert type(error).__name__ in result.output
        assert "Traceback" not in result.output


def test_an_error_after_the_publication_does_not_deny_it(place, monkeypatch):
    from liquidity_pipeline.orchestration.runs import Runner

    publish = Runner.publish

    def fail(self: Runner, stale: list[str]) -> None:
        publish(self, stale)
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Runner, "publish", fail)
    Path(place[3], "brief.html").unlink()  # which a publication makes again
    result = liquidity(*RUN, *place)
    assert result.exit_code == INCOMPLETE, result.output
    assert "broke off after that" in words(result.output)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("run", "--as-of", "2099-01-01"), "--as-of: 2099-01-01 is in the future"),
        (("run", "--since", "2099-01"), "--since: 2099-01 is in the future"),
        (("backfill", "--since", "2026-01", "--until", "2099-01"), "--until: 2099-01 is in the"),
    ],
)
def test_the_future_is_wrong_usage_before_anything_starts(options, said, tmp_path):
    folder = tmp_path / "new"
    result = liquidity(*options, "--data-dir", str(folder), "--endpoints", "http://127.0.0.1:9")
    assert result.exit_code == USAGE, result.output
    assert said in words(result.output)
    assert not folder.exists()


@pytest.mark.parametrize("option", ["--data-dir", "--endpoints", "--as-of"])
def test_an_error_names_what_the_user_wrote_the_option_or_the_variable(
    option, tmp_path, monkeypatch
):
    variable = f"LIQUIDITY_{option[2:].replace('-', '_').upper()}"
    value = f"{tmp_path}/a%2Fb"
    by_option = liquidity("run", option, value)
    monkeypatch.setenv(variable, value)
    by_variable = liquidity("run")
    assert by_option.exit_code == by_variable.exit_code == USAGE
    assert f"{option}: '{value}'" in words(by_option.output)
    assert f"{variable}: '{value}'" in words(by_variable.output)


def test_what_to_do_next_is_said_for_the_same_data(tmp_path, monkeypatch, capsys):
    from liquidity_pipeline.cli.run import _next_steps
    from liquidity_pipeline.settings import SANDBOX, Settings

    monkeypatch.chdir(tmp_path)
    _next_steps(Settings(tmp_path / "data" / "sandbox", endpoints=SANDBOX))
    assert "make ui\n" in capsys.readouterr().out
    _next_steps(Settings(tmp_path / "my own", endpoints=SANDBOX))
    elsewhere = capsys.readouterr().out
    assert f"ui --data-dir '{tmp_path}/my own' --endpoints sandbox\n" in elsewhere
    assert "make" not in elsewhere


def test_the_log_is_json_lines_where_that_is_asked_for(tmp_path):
    failures.start_log(tmp_path, "json", debug=False)
    with pytest.raises(ValueError, match="could not convert") as caught:
        float("two\nlines")
    failures.record(caught.value)
    (line,) = (tmp_path / "logs/liquidity.log").read_text().splitlines()
    entry = json.loads(line)
    assert entry["level"] == "ERROR"
    assert entry["message"].startswith("could not convert string to float")
    assert entry["traceback"].startswith("Traceback")
    assert datetime.fromisoformat(entry["time"]).tzinfo is not None


EVERY_COMMAND = """
import json, click
from click.testing import CliRunner
from liquidity_pipeline.cli.main import main

def leaves(group, words=()):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, (*words, name))
        else:
            yield (*words, name), command

def fail(**_):
    raise RuntimeError("the roof fell in")

for words, command in leaves(main):
    command.callback, command.params = fail, []
    result = CliRunner().invoke(main, words)
    print(json.dumps([" ".join(words), result.exit_code, result.output]))
"""


def test_whatever_fails_in_whichever_command_is_told_in_one_line():
    """In a process of its own, in which nothing else has configured where log lines go."""
    done = subprocess.run(
        [sys.executable, "-c", EVERY_COMMAND], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) >= 17
    assert {"catalogue list", "alerts test", "sandbox", "run"} <= {name for name, *_ in told}
    for name, code, output in told:
        line = "failed: RuntimeError: the roof fell in\n"
        assert (code, output) == (NOT_PUBLISHED, line), name


@pytest.mark.parametrize(
    ("words", "environment", "code", "said"),
    [
        ("catalogue list", {"LIQUIDITY_CATALOGUE": "{file}"}, NOT_PUBLISHED, "failed: the "),
        ("catalogue list", {"LIQUIDITY_CATALOGUE": "{file}/x"}, NOT_PUBLISHED, "failed: the"),
        ("alerts test", {"LIQUIDITY_ALERT_URLS": "nonsense://x"}, INCOMPLETE, "malformed"),
        ("alerts test", {"LIQUIDITY_ALERT_URLS": "json://127.0.0.1:1"}, INCOMPLETE, "delivered"),
        ("sandbox --port {port}", {}, NOT_PUBLISHED, "in use"),
        ("sandbox --port 65536", {}, USAGE, "--port"),
        ("sandbox --seed -1", {}, USAGE, "--seed"),
        ("sandbox --symbols -1", {}, USAGE, "--symbols"),
        ("ui --port 65536", {}, USAGE, "--port"),
        ("status --data-dir {file}/x", {}, NOT_PUBLISHED, "Not a directory"),
    ],
)
def test_what_may_be_expected_to_fail_is_told_in_one_sentence(
    words: str, environment: dict[str, str], code: int, said: str, tmp_path: Path
):
    file = tmp_path / "file"
    file.write_text("no database " * 500)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        named = {"file": str(file), "port": taken.getsockname()[1]}
        done = subprocess.run(
            [sys.executable, "-m", "liquidity_pipeline.cli.main", *words.format(**named).split()],
            env={**os.environ, **{k: v.format(**named) for k, v in environment.items()}},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert len(done.stderr.strip().split("\n\n")[-1].splitlines()) == 1
