"""A kill loses nothing and blocks nobody; a full disk loses nothing. Rerun it with

    python -m liquidity_pipeline_tests.campaign_kills --kills 300 --full-disks 40 --seed 1

Each trial copies a directory that holds an older day, runs to a newer one against a sandbox, and is
struck at a random moment: a command or a run as the UI starts it, by SIGKILL, SIGTERM or SIGINT; by
a limit of the size of any file; or, for root, by a file system of its own that is really full
(Dagster's SQLite, the log and the archive are on it as well). Then the file must be good, the next
command must wait for nobody, and what it leaves must be equal, byte by byte, to what an untouched
run leaves.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

import duckdb

from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.process import run_sandbox_process
from liquidity_pipeline.scorecard import replace_section
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline_tests.campaign import commit

OLDER, NEWER, FIRST = "2026-01-20", "2026-02-06", "2025-12"
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
# A run that takes longer than this hangs.
PATIENCE = 400
PROGRAM = "from liquidity_pipeline.cli.main import main; main()"
ENDS = {0, 1, 3, -signal.SIGKILL}


@dataclass
class Outcome:
    """What the trials found; `failures` must stay empty."""

    trials: Counter[str] = field(default_factory=Counter)
    exits: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class World:
    """A sandbox, a directory that holds the older day, and what an untouched run makes of it."""

    url: str
    base: Path
    expected: dict[str, str]
    seconds: float


def environment(url: str, folder: Path, as_of: str) -> dict[str, str]:
    """Return the settings of a process on a directory."""
    return {
        **os.environ,
        "LIQUIDITY_DATA_DIR": str(folder),
        "LIQUIDITY_ENDPOINTS": "sandbox",
        "LIQUIDITY_SANDBOX_URL": url,
        "LIQUIDITY_AS_OF": as_of,
        "DAGSTER_HOME": str(folder / "dagster_home"),
    }


def start(
    words: list[str], url: str, folder: Path, as_of: str, *, file_bytes: int | None = None
) -> subprocess.Popen[str]:
    """Start a command, or with no words a publication as the UI runs it."""
    dagster = [str(Path(sys.executable).with_name("dagster")), "job", "execute"]
    job = [*dagster, "-m", "liquidity_pipeline.definitions", "-j", "publish"]

    def limit() -> None:
        if file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words] if words else job,
        env=environment(url, folder, as_of),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=limit,  # noqa: PLW1509 - no threads here
    )


def finish(process: subprocess.Popen[str]) -> tuple[int | None, str]:
    """Return how a process ended and what it said; None when it had to be ended."""
    try:
        said, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        return None, process.communicate()[0]
    return process.returncode, said


def content(folder: Path) -> dict[str, str]:
    """Return a hash of every Parquet file of the lake and the marts, and of all revisions.

    A revision says at which moment it was seen, in its rows and in the name of its file. That
    differs from run to run, so revisions are compared by all their other columns.
    """
    revisions = folder / "lake" / "revisions"
    files = [*folder.glob("lake/**/*.parquet"), *folder.glob("marts/**/*.parquet")]
    hashes = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if revisions not in path.parents
    }
    rows = Lake(folder / "lake").revisions().drop_columns(["seen_at"]).to_pylist()
    seen = sorted({repr(row) for row in rows})
    return {**hashes, "revisions": hashlib.sha256("\n".join(seen).encode()).hexdigest()}


def leftovers(folder: Path) -> list[str]:
    """Return unfinished files and the locks of runs that are gone."""
    found = [*folder.glob("**/.unfinished/*"), *folder.glob("**/.build/*")]
    found += folder.glob("dagster_home/alive/*.lock")
    return [str(path.relative_to(folder)) for path in found]


def readable(folder: Path) -> bool:
    """Tell whether the published file opens and has rows."""
    with duckdb.connect(str(folder / "liquidity.duckdb"), read_only=True) as reader:
        return bool(reader.execute("select count(*) > 0 from marts.tga_daily").fetchall()[0][0])


@contextmanager
def world(scratch: Path) -> Iterator[World]:
    """Prepare the sandbox, the older directory and the expectation."""
    options = Options(today=date.fromisoformat(NEWER), start=date(2025, 12, 1), compress=False)
    with run_sandbox_process(options) as url:
        base, untouched = scratch / "base", scratch / "untouched"
        code, said = finish(start(["run", "--since", FIRST], url, base, OLDER))
        assert code in (0, 1), said
        shutil.copytree(base, untouched)
        began = time.monotonic()
        code, said = finish(start(["run"], url, untouched, NEWER))
        assert code in (0, 1), said
        yield World(url, base, content(untouched), time.monotonic() - began)


@dataclass(frozen=True)
class Trial:
    """What happens to one copy of the directory, and what is put right before the next run."""

    kind: str
    folder: Path
    hit: Callable[[], subprocess.Popen[str]]
    heal: Callable[[], object] = lambda: None


def strike(found: Outcome, here: World, trial: Trial) -> None:
    """Run one trial: hit, look at the file, run again, compare."""
    kind, folder = trial.kind, trial.folder
    shutil.copytree(here.base, folder, dirs_exist_ok=True)
    code, said = finish(trial.hit())
    trial.heal()
    found.trials[kind] += 1
    found.exits[f"{kind}: {code}"] += 1
    problems = []
    if code not in ENDS and "UI" not in kind:
        problems.append(f"ended with {code}")
    if "Traceback" in said and "UI" not in kind:
        problems.append("a traceback was shown")
    if not readable(folder):
        problems.append("the published file is not readable")
    again, said_again = finish(start(["run"], here.url, folder, NEWER))
    if again not in (0, 1):
        problems.append(f"the next run ended with {again}: {said_again[-300:]}")
    if "waiting for" in said_again:
        problems.append("the next run waited")
    if different := set(here.expected.items()) ^ set(content(folder).items()):
        problems.append(f"different: {sorted({name for name, _ in different})[:3]}")
    if left := leftovers(folder):
        problems.append(f"left over: {left[:3]}")
    verdict = "; ".join(problems) or "held"
    print(f"{kind} {folder.name}: ended with {code}, {verdict}", flush=True)  # noqa: T201
    found.failures += [f"{kind} {folder.name}: {problem}; {said[-400:]}" for problem in problems]
    shutil.rmtree(folder, ignore_errors=True)


def kills(
    here: World, scratch: Path, numbers: Iterable[int], dice: random.Random, found: Outcome
) -> None:
    """Strike commands and runs of the UI, by turns, with a signal at a random moment."""
    for number in numbers:
        ending = SIGNALS[number % len(SIGNALS)]
        words = ["run"] if number % 2 == 0 else []
        kind = f"{'command' if words else 'UI run'} {ending.name}"
        folder, delay = scratch / f"kill{number}", dice.uniform(0.3, here.seconds)

        def hit(
            words: list[str] = words,
            folder: Path = folder,
            delay: float = delay,
            ending: signal.Signals = ending,
        ) -> subprocess.Popen[str]:
            process = start(words, here.url, folder, NEWER)
            try:
                process.wait(delay)
            except subprocess.TimeoutExpired:
                process.send_signal(ending)
            return process

        strike(found, here, Trial(kind, folder, hit))


def full_disks(
    here: World, scratch: Path, numbers: Iterable[int], dice: random.Random, found: Outcome
) -> None:
    """Strike commands with a limit of the size of any file, small and large."""
    for number in numbers:
        folder, size = scratch / f"full{number}", int(2 ** dice.uniform(9, 24))

        def hit(folder: Path = folder, size: int = size) -> subprocess.Popen[str]:
            return start(["run"], here.url, folder, NEWER, file_bytes=size)

        strike(found, here, Trial("limit of file sizes", folder, hit))


def begin(here: World, folder: Path) -> subprocess.Popen[str]:
    """Start an ordinary run on a directory."""
    return start(["run"], here.url, folder, NEWER)


def small_disks(
    here: World, scratch: Path, numbers: Iterable[int], dice: random.Random, found: Outcome
) -> None:
    """Strike commands on a file system that has little room left, and then give it more."""
    used = sum(path.stat().st_blocks * 512 for path in here.base.rglob("*"))
    for number in numbers:
        folder = scratch / f"disk{number}"
        folder.mkdir()
        size = used + int(2 ** dice.uniform(16, 25))
        mount = ["mount", "-t", "tmpfs", "-o"]
        subprocess.run([*mount, f"size={size}", "tmpfs", str(folder)], check=True)

        def more(folder: Path = folder, mount: list[str] = mount) -> None:
            subprocess.run([*mount, "remount,size=2g", "tmpfs", str(folder)], check=True)

        try:
            strike(
                found, here, Trial("full file system", folder, partial(begin, here, folder), more)
            )
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def until(end: float, count: int) -> Iterator[int]:
    """Number trials from 0 until there are as many as asked for, or the time is up."""
    for number in range(count):
        if time.monotonic() > end:
            return
        yield number


def report(found: Outcome, asked: argparse.Namespace) -> str:
    """Return the section of `docs/reliability.md`."""
    lines = [
        f"`python -m liquidity_pipeline_tests.campaign_kills --kills {asked.kills} --full-disks "
        f"{asked.full_disks} "
        f"--small-disks {asked.small_disks} --seed {asked.seed}`, "
        f"{date.today()}, commit {commit()}: {sum(found.trials.values())} trials, "  # noqa: DTZ011
        f"{len(found.failures)} failures.",
        "",
        "| struck by, and how the process ended | trials |",
        "| --- | --- |",
        *(f"| {kind} | {times} |" for kind, times in sorted(found.exits.items())),
    ]
    return "\n".join(lines)


def main() -> None:
    """Run the campaign and print what it found; end with 1 when anything failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--full-disks", type=int, default=10)
    parser.add_argument("--small-disks", type=int, default=0, help="needs root")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help="page whose section is replaced")
    parser.add_argument("--minutes", type=float, default=600, help="wall limit")
    asked = parser.parse_args()
    end = time.monotonic() + asked.minutes * 60
    found, dice = Outcome(), random.Random(asked.seed)  # noqa: S311 - moments, no secrets
    with tempfile.TemporaryDirectory() as name, world(Path(name)) as here:
        # What has to be done least often comes first, so that a wall limit cuts the longest list.
        small_disks(here, Path(name), until(end, asked.small_disks), dice, found)
        full_disks(here, Path(name), until(end, asked.full_disks), dice, found)
        kills(here, Path(name), until(end, asked.kills), dice, found)
    if asked.write:
        old = asked.write.read_text(encoding="utf-8")
        asked.write.write_text(
            replace_section(old, "kills", report(found, asked)), encoding="utf-8"
        )
    for kind, times in sorted(found.exits.items()):
        print(f"{times:5} x {kind}")  # noqa: T201
    for failure in found.failures:
        print(f"FAILED {failure}")  # noqa: T201
    print(f"{sum(found.trials.values())} trials, {len(found.failures)} failures")  # noqa: T201
    sys.exit(bool(found.failures))


if __name__ == "__main__":
    main()
