"""A kill loses nothing and blocks nobody. Rerun it with

    python -m liquidity_pipeline_tests.campaign_kills --count 300 --seed 1

A sequence copies a directory that holds an older day. Runs to a newer day follow each other in it:
commands, runs as the UI starts them, and runs as the daemon launches them. Each is struck at a
chosen write: a request, the archive, the lake, a mart, the file that is built, its swap, the brief,
a lock, Dagster's records. After each strike the published file must be readable. Nobody may wait
for the dead. Then one run goes to its end; what it leaves must be equal, byte by byte, to what an
untouched run leaves, without unfinished files and without runs that look alive.

A strike counts when the signal was sent before the run ended by itself. The sequences depend on the
seed alone, and a failure names its sequence with every strike.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.process import run_sandbox_process
from liquidity_pipeline_tests import struck
from liquidity_pipeline_tests.campaign import Campaign, run_campaign
from liquidity_pipeline_tests.struck import KINDS, Ended, Moment, asked_in_child, run_in_child

OLDER, NEWER, FIRST = "2026-01-20", "2026-02-06", "2025-12"
MONTHS = ("2026-01", "2026-02")
ENDINGS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
STRIKES = 7
# How many writes of a kind every run that makes any makes at least; of the others there are more.
FEW = {"lock": 5, struck.FETCH: 3, "build": 19, "swap": 1, "brief": 6}
# A run does these one after the other, so that a later strike still finds something to do.
ORDER = ("lock", "records", struck.FETCH, "archive", "lake write", "mart", "build", "swap", "brief")
PLACE = "liquidity_pipeline"
Work = Callable[[], object]


def command(*words: str) -> Work:
    """Return what executes a command."""

    def work() -> None:
        from liquidity_pipeline.cli.main import main

        main(list(words), prog_name="liquidity")

    return work


def ui_run(job: str) -> Work:
    """Return what executes a job as the UI does: from the workspace's definitions."""

    def work() -> None:
        from dagster._cli import create_dagster_cli

        words = ["job", "execute", "-m", f"{PLACE}.definitions", "-j", job]
        create_dagster_cli()([*words, *_configured(job)])

    return work


def _configured(job: str) -> list[str]:
    return ["--tags", json.dumps(_tags(job))] if _tags(job) else []


def _tags(job: str) -> dict[str, str]:
    from liquidity_pipeline.orchestration.partitions import range_tags
    from liquidity_pipeline.sources.fetch import Window

    first, last = (date.fromisoformat(f"{month}-01") for month in MONTHS)
    return range_tags(Window.of_months(first, last)) if job == "refresh" else {}


def daemon_run(job: str) -> Work:
    """Return what records a run and then executes it, as the daemon's launcher does."""

    def work() -> None:
        import dagster as dg
        from dagster._cli import create_dagster_cli
        from dagster._core.code_pointer import ModuleCodePointer
        from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
        from dagster._grpc.types import ExecuteRunArgs
        from dagster._serdes import serialize_value

        from liquidity_pipeline.definitions import defs

        pointer = ModuleCodePointer(
            f"{PLACE}.definitions", "defs", working_directory=str(Path.cwd())
        )
        origin = JobPythonOrigin(job, RepositoryPythonOrigin(sys.executable, pointer))
        with dg.DagsterInstance.get() as dagster:
            run = dagster.create_run_for_job(
                defs.resolve_job_def(job),
                status=dg.DagsterRunStatus.STARTING,
                tags=_tags(job),
                job_code_origin=origin,
            )
            execute = ExecuteRunArgs(origin, run.run_id, dagster.get_ref())
        create_dagster_cli()(["api", "execute_run", serialize_value(execute)])

    return work


ACTORS: dict[str, Work] = {
    "command run": command("run"),
    "command refresh": command("refresh"),
    "command rebuild": command("rebuild"),
    "UI run of refresh": ui_run("refresh"),
    "UI run of publish": ui_run("publish"),
    "daemon run of refresh": daemon_run("refresh"),
    "daemon run of publish": daemon_run("publish"),
}
# What brings a directory to the newer day, and how often it is chosen.
HEALERS = {
    "command": (("command run",), 3),
    "UI": (("UI run of refresh", "UI run of publish"), 1),
    "daemon": (("daemon run of refresh", "daemon run of publish"), 1),
}


@dataclass(frozen=True)
class World:
    """A sandbox, a directory that holds the older day, and what an untouched run makes of it.

    `writes` has by actor how often an untouched run of it writes each kind.
    """

    url: str
    base: Path
    expected: dict[str, str]
    scratch: Path

    def run(self, work: Work, folder: Path, day: str = NEWER, **options: Any) -> Ended:
        """Run something on a directory."""
        environment = {
            "LIQUIDITY_DATA_DIR": str(folder),
            "LIQUIDITY_ENDPOINTS": "sandbox",
            "LIQUIDITY_SANDBOX_URL": self.url,
            "LIQUIDITY_AS_OF": day,
            "DAGSTER_HOME": str(folder / "dagster_home"),
        }
        return run_in_child(work, environment, self.scratch, **options)


@contextmanager
def world(scratch: Path) -> Iterator[World]:
    """Prepare the sandbox, the older directory and the expectation."""
    import liquidity_pipeline.cli.run
    import liquidity_pipeline.definitions  # noqa: F401 - a forked process has them then

    options = Options(today=date.fromisoformat(NEWER), start=date(2025, 12, 1), compress=False)
    with run_sandbox_process(options) as url:
        here = World(url, scratch / "base", {}, scratch)
        untouched = scratch / "untouched"
        _expect(here.run(command("run", "--since", FIRST), here.base, OLDER))
        shutil.copytree(here.base, untouched)
        _expect(here.run(command("run"), untouched))
        here.expected.update(asked_in_child(lambda: content(untouched), scratch))
        yield here


def _expect(ended: Ended) -> None:
    assert ended.code in (0, 1), ended.said


def content(folder: Path) -> dict[str, str]:
    """Return a hash of every Parquet file of the lake and the marts, and of all revisions.

    A revision says at which moment it was seen, in its rows and in the name of its file. That
    differs from run to run, so revisions are compared by all their other columns.
    """
    from liquidity_pipeline.storage.lake import Lake

    revisions, derived = folder / "lake" / "revisions", folder / "lake" / ".gathered"
    files = [*folder.glob("lake/**/*.parquet"), *folder.glob("marts/**/*.parquet")]
    hashes = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if not {revisions, derived} & {*path.parents}
    }
    rows = Lake(folder / "lake").revisions().drop_columns(["seen_at"]).to_pylist()
    seen = sorted({repr(row) for row in rows})
    return {**hashes, "revisions": hashlib.sha256("\n".join(seen).encode()).hexdigest()}


def leftovers(folder: Path) -> list[str]:
    """Return unfinished files, the locks of runs that are gone, and runs that look alive.

    A run outside of a command keeps its lock until its process has ended; the next one removes it.
    """
    import dagster as dg

    from liquidity_pipeline.orchestration.event_log import open_instance

    found = [*folder.glob("**/.unfinished/*"), *folder.glob("**/.build/*")]
    left = [str(path.relative_to(folder)) for path in found]
    with open_instance(folder / "dagster_home") as dagster:
        alive = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
        runs = dagster.get_runs(dg.RunsFilter(statuses=alive))
        left += [f"run {run.run_id} is {run.status.value}" for run in runs]
        for path in (folder / "dagster_home" / "alive").glob("*.lock"):
            ended = dagster.get_run_by_id(path.stem)
            if ended is None or ended.status != dg.DagsterRunStatus.SUCCESS:
                left.append(str(path.relative_to(folder)))
    return left


def readable(folder: Path) -> bool:
    """Tell whether the published file opens and has rows."""
    import duckdb

    with duckdb.connect(str(folder / "liquidity.duckdb"), read_only=True) as reader:
        return bool(reader.execute("select count(*) > 0 from marts.tga_daily").fetchall()[0][0])


def drawn(dice: random.Random) -> list[tuple[str, Moment]]:
    """Draw a sequence: who runs, and when which signal comes."""
    kinds = sorted(dice.sample(KINDS, STRIKES), key=ORDER.index)
    return [(dice.choice(_who(kind)), _moment(kind, dice)) for kind in kinds]


def _who(kind: str) -> list[str]:
    """Return the actors that write a kind."""
    fetching = ("run", "refresh")
    if kind in (struck.FETCH, "archive", "lake write"):
        return [name for name in ACTORS if name.endswith(fetching)]
    if kind == "mart":
        return [name for name in ACTORS if name.endswith(("run", "publish"))]
    if kind in ("build", "swap", "brief"):
        return [name for name in ACTORS if name.endswith(("run", "publish", "rebuild"))]
    return list(ACTORS)


def _moment(kind: str, dice: random.Random) -> Moment:
    """Draw a moment: mostly an early write, as there may be few; half of the time a bit later."""
    number = 1 + int(dice.expovariate(1 / 20))
    if kind in FEW:
        number = dice.randint(1, FEW[kind])
    later = dice.random() < 0.5
    return Moment(kind, number, dice.uniform(0, 0.4) if later else 0.0, dice.choice(ENDINGS))


def judged(ended: Ended, who: str, *, to_its_end: bool) -> Iterator[str]:
    """Yield what is wrong with how a run ended, and with what it said."""
    if ended.code is None:
        yield f"did not end within {struck.PATIENCE} seconds"
    if "waiting for" in ended.said:
        yield "waited for the dead"
    if who.startswith("command"):
        if ended.code not in (0, 1, 3, -signal.SIGKILL):
            yield f"ended with {ended.code}"
        if "Traceback" in ended.said:
            yield "showed a traceback"
    if to_its_end and ended.code not in (0, 1):
        yield f"a run that nobody struck ended with {ended.code}"


def sequence(campaign: Campaign, here: World, number: int) -> None:
    """Strike one directory several times, let one run go to its end, and compare."""
    dice, folder = campaign.dice("sequence", number), here.scratch / "data"
    shutil.copytree(here.base, folder)
    history: list[str] = []
    problems: list[str] = []
    for who, moment in drawn(dice):
        ended = here.run(ACTORS[who], folder, moment=moment)
        history.append(f"{who}, {moment}: {ended.code}{'' if ended.struck else ', not struck'}")
        problems += judged(ended, who, to_its_end=not ended.struck)
        if not asked_in_child(lambda: readable(folder), here.scratch):
            problems.append("the published file is not readable")
        kind = who.split(" ")[0]
        outcome = f"struck by {moment.ending.name} at {moment.kind}" if ended.struck else "before"
        if ended.struck:
            campaign.reached += 1
            campaign.tally[f"{kind}: {outcome}"] += 1
        else:
            campaign.tally["runs that ended before their strike"] += 1
        if problems:
            history.append(" ".join(ended.said[-300:].split()))
            break
    names = list(HEALERS)
    healer = dice.choices(names, [HEALERS[name][1] for name in names])[0]
    for who in HEALERS[healer][0]:
        ended = here.run(ACTORS[who], folder)
        found = [*judged(ended, who, to_its_end=True)]
        problems += [f"next {who}: {problem}: {ended.said[-300:]}" for problem in found]
    problems += asked_in_child(lambda: compared(here, folder), here.scratch)
    campaign.tally[f"sequences, healed by {healer}"] += 1
    print(f"{number}: {'; '.join(history)}; {healer}: {problems or 'held'}", flush=True)  # noqa: T201
    if problems:
        campaign.fail(f"sequence {number}: {'; '.join(problems)} AFTER {'; '.join(history)}")
    shutil.rmtree(folder)


def compared(here: World, folder: Path) -> list[str]:
    """Return how a directory differs from what an untouched run leaves."""
    different = set(here.expected.items()) ^ set(content(folder).items())
    problems = [f"different: {sorted({name for name, _ in different})[:3]}"] if different else []
    if left := leftovers(folder):
        problems.append(f"left over: {left[:3]}")
    return problems


def work(campaign: Campaign) -> None:
    """Strike sequence after sequence until the count or the time."""
    with tempfile.TemporaryDirectory() as name, world(Path(name)) as here:
        for number in campaign.numbers():
            sequence(campaign, here, number)


if __name__ == "__main__":
    run_campaign("kills", "strikes", 300, work)
