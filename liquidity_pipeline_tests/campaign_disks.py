"""A full disk loses nothing. Rerun it with

    python -m liquidity_pipeline_tests.campaign_disks --count 16 --seed 1

Each trial copies a directory that holds an older day and runs to a newer one. Where root runs it,
every third trial has a file system of its own that has little room left: Dagster's SQLite, the log
and the archive are on it as well. The others have a limit of the size of any file that the run
writes. The run must say in one line what happened, without a traceback, and end with 3, or with 0
or 1 where it had published. Then there is room again, and the next run must leave what an
untouched run leaves.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from liquidity_pipeline_tests.campaign import Campaign, run_campaign
from liquidity_pipeline_tests.campaign_kills import (
    World,
    command,
    compared,
    judged,
    readable,
    world,
)
from liquidity_pipeline_tests.struck import Ended, asked_in_child

FULL, LIMIT = "full file system", "limit of file sizes"
_MOUNT = ["mount", "-t", "tmpfs", "-o"]


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """Mount a file system of so many bytes in memory while the block lasts."""
    folder.mkdir()
    subprocess.run([*_MOUNT, f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def on_small_disk(here: World, folder: Path, room: int) -> tuple[Ended, Ended, list[str]]:
    """Run with so many bytes of room, look at the file, and run again with enough."""
    used = sum(path.stat().st_blocks * 512 for path in here.base.rglob("*"))
    with small_disk(folder, used + room):
        shutil.copytree(here.base, folder, dirs_exist_ok=True)
        ended = here.run(command("run"), folder)
        problems = unreadable(here, folder)
        subprocess.run([*_MOUNT, "remount,size=2g", "tmpfs", str(folder)], check=True)
        return ended, *healed(here, folder, problems)


def with_limit(here: World, folder: Path, size: int) -> tuple[Ended, Ended, list[str]]:
    """Run with a limit of the size of any file, look at the file, and run again without."""
    shutil.copytree(here.base, folder)
    ended = here.run(command("run"), folder, file_bytes=size)
    return ended, *healed(here, folder, unreadable(here, folder))


def unreadable(here: World, folder: Path) -> list[str]:
    """Return what is wrong with the published file."""
    good = asked_in_child(lambda: readable(folder), here.scratch)
    return [] if good else ["the published file is not readable"]


def healed(here: World, folder: Path, problems: list[str]) -> tuple[Ended, list[str]]:
    """Run again and compare; return how that run ended and all problems."""
    again = here.run(command("run"), folder)
    problems += [f"next run: {each}" for each in judged(again, "command run", to_its_end=True)]
    problems += asked_in_child(lambda: compared(here, folder), here.scratch)
    return again, problems


def trial(campaign: Campaign, here: World, number: int) -> None:
    """Fill one disk."""
    dice, folder = campaign.dice("disk", number), here.scratch / f"disk{number}"
    kind = FULL if os.geteuid() == 0 and number % 3 == 0 else LIMIT
    size = int(2 ** (dice.uniform(16, 24) if kind == FULL else dice.uniform(9, 24)))
    run = on_small_disk if kind == FULL else with_limit
    ended, again, problems = run(here, folder, size)
    problems += judged(ended, "command run", to_its_end=False)
    if ended.code == 3 and len(ended.said.strip().splitlines()) > 25:
        problems.append("said more than a screen")
    campaign.reached += 1
    campaign.tally[f"{kind}: ended with {ended.code}"] += 1
    what = f"{number}, {kind}, {size:,} bytes"
    print(f"{what}: {ended.code} {ended.said[-160:]!r}, {problems or 'held'}", flush=True)  # noqa: T201
    if problems:
        campaign.fail(f"{what}: {'; '.join(problems)}; {ended.said[-300:]}; {again.said[-200:]}")
    shutil.rmtree(folder, ignore_errors=True)


def work(campaign: Campaign) -> None:
    """Fill disk after disk until the count or the time."""
    with tempfile.TemporaryDirectory() as name, world(Path(name)) as here:
        for number in campaign.numbers():
            trial(campaign, here, number)


if __name__ == "__main__":
    run_campaign("disks", "full disks", 16, work)
