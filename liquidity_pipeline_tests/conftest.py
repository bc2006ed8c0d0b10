"""Fixtures shared by all tests: the recorded replay beside the checkout, and fetches against it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from liquidity_pipeline.settings import FIRST_MONTH, Settings, default_reference_dir
from liquidity_pipeline.sources.fetch import Fetch, Transport, Window
from liquidity_pipeline.sources.http import HttpClient
from liquidity_pipeline.universe import Universe

SHARED = Path(__file__).resolve().parents[2] / "shared"
PAYLOADS = SHARED / "reference" / "payloads"
REPLAY = SHARED / "replay" / "serve.py"

Replay = Callable[..., str]

# Session fixtures that take long to make and that several files ask for. These files run in one
# process of a test run, which makes it once, in this order: what takes longest with its tests comes
# first. See CONTRIBUTING.md, "How tests are spread".
COSTLY_FIXTURES = ("place", "recorded", "briefed")

# Fixtures that start a server, build a history from one, or build marts from files. A test that
# asks for one is slow.
SLOW_FIXTURES = {
    *COSTLY_FIXTURES, "catalogue", "filled", "funded", "good", "longer_sandbox", "proxy", "replay",
    "sandbox", "world",
}  # fmt: skip


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="fail if any test was skipped")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a run that must have everything it needs fail where something was missing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if session.config.getoption("--no-skips") and skipped:
        reporter.write_line(f"\n{len(skipped)} skipped, and --no-skips allows none:")
        for each in skipped:
            reporter.write_line(f"  {each.nodeid}: {each.longrepr[2]}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


# Where the processes of a test run tell the one that spreads the tests what each file shares.
_GROUPS = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is slow, and put the long files first, those that share a costly fixture together.

    A file is never divided: its own fixtures are made once, too.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        if SLOW_FIXTURES & _fixtures(item):
            item.add_marker(pytest.mark.slow)
        files.setdefault(item.path, []).append(item)
    turns = {path: _turn(tests) for path, tests in files.items()}
    order = sorted(files, key=turns.__getitem__)
    items[:] = [item for path in order for item in files[path]]
    if told := getattr(config, "workerinput", {}).get("groups"):
        shared = [path for path in order if turns[path] < len(COSTLY_FIXTURES)]
        groups = {_file(files[path][0].nodeid): COSTLY_FIXTURES[turns[path]] for path in shared}
        Path(told, f"{os.getpid()}.json").write_text(json.dumps(groups))


def _fixtures(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))


def _turn(tests: list[pytest.Item]) -> int:
    """Return when a file's tests run: by the costly fixture that they share, slow, or last."""
    asked = set().union(*map(_fixtures, tests))
    for turn, name in enumerate(COSTLY_FIXTURES):
        if name in asked:
            return turn
    return len(COSTLY_FIXTURES) + (not any(test.get_closest_marker("slow") for test in tests))


def _file(nodeid: str) -> str:
    return nodeid.split("::", 1)[0]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a new process where to say which files share a costly fixture."""
    folder = node.config.stash.setdefault(_GROUPS, tempfile.TemporaryDirectory())
    node.workerinput["groups"] = folder.name


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object | None:
    """Give out tests by the costly fixture that their file shares, and others by file.

    The mark `xdist_group` would do, but pytest-xdist 3.8 passes it on by renaming the tests, which
    has no effect in pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByCostlyFixtureOrFile(LoadScopeScheduling):
        @cached_property
        def _groups(self) -> dict[str, str]:
            told = Path(config.stash[_GROUPS].name).glob("*.json")
            return dict(pair for path in told for pair in json.loads(path.read_text()).items())

        def _split_scope(self, nodeid: str) -> str:
            return self._groups.get(_file(nodeid), _file(nodeid))

    return ByCostlyFixtureOrFile(config, log) if config.getvalue("dist") == "loadscope" else None


@pytest.fixture(scope="session")
def replay() -> Iterator[Replay]:
    """Give `replay(today, *options)`: the root URL of a replay server standing on that day."""
    if not REPLAY.exists():
        pytest.skip("the recorded history is not beside this checkout (../shared/replay)")
    running: dict[tuple[str, ...], tuple[subprocess.Popen[str], str]] = {}

    def start(today: str = "2026-08-21", *options: str) -> str:
        key = (today, *options)
        if key not in running:
            command = [sys.executable, str(REPLAY), "--port", "0", "--today", today, *options]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            running[key] = (process, process.stdout.readline().split()[-1])
        return running[key][1]

    yield start
    for process, _ in running.values():
        process.kill()
        process.wait()


RECORDED_TODAY = date(2026, 8, 21)


@pytest.fixture(scope="session")
def recorded(replay: Replay, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Give the settings of a directory that holds the whole recorded history; do not change it.

    It is filled once for all processes of a test run, which takes half a minute.
    """
    from liquidity_pipeline.pipeline import Pipeline
    from liquidity_pipeline_tests.filling import fill

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done = shared / "recorded", shared / "recorded.done"
    url = replay(str(RECORDED_TODAY))
    settings = Settings(data_dir=folder, endpoints=url, as_of=RECORDED_TODAY)
    with FileLock(shared / "recorded.lock"):
        if not done.exists():
            fill(Pipeline(settings), Window.of_months(FIRST_MONTH, RECORDED_TODAY))
            done.touch()
    return settings


@pytest.fixture
def payloads() -> Path:
    """Give the folder of real bodies, or skip."""
    if not PAYLOADS.exists():
        pytest.skip("the recorded payloads are not beside this checkout (../shared/reference)")
    return PAYLOADS


@pytest.fixture
def universe() -> Universe:
    """Give the committed universe."""
    return Universe.load(default_reference_dir())


@pytest.fixture
def make_fetch(tmp_path: Path, universe: Universe) -> Callable[..., Fetch]:
    """Give `make_fetch(root or transport, start, end, now=None)`.

    `now` defaults to 22:00 New York time (02:00 UTC of the next day) of the window's end.
    """

    def make(source: str | Transport, start: date, end: date, now: datetime | None = None) -> Fetch:
        if isinstance(source, str):
            settings = Settings(
                data_dir=tmp_path, endpoints=source, http_retries=1, http_backoff=0.01
            )
            source = HttpClient(settings)
        default_now = datetime.combine(end, time(23, 59), UTC).replace(tzinfo=None)
        return Fetch(Window(start, end), now or default_now, universe, source)

    return make


SANDBOX_TODAY = date(2026, 2, 6)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[str]:
    """Give the root URL of a sandbox whose date is 2026-02-06 and serves from 2025-11."""
    from liquidity_pipeline.sandbox.options import Options
    from liquidity_pipeline.sandbox.server import start

    with start(Options(today=SANDBOX_TODAY, start=date(2025, 11, 1))) as running:
        yield running.url


@pytest.fixture(scope="session")
def place(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Give the options of a data directory that one run has filled from the sandbox.

    It holds what was published by 2026-02-06, from 2025-12. Change a copy, unless another run of
    the same day leaves it as it was.
    """
    from liquidity_pipeline.cli.exits import OK
    from liquidity_pipeline_tests.cli.commands import liquidity

    options = ("--endpoints", sandbox, "--data-dir", str(tmp_path_factory.mktemp("data")))
    day = SANDBOX_TODAY.isoformat()
    result = liquidity("run", "--since", "2025-12", "--as-of", day, *options)
    assert result.exit_code == OK, result.output
    return options
